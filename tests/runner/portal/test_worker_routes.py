"""What a worker's page asks the portal for, over HTTP."""

import json

import pytest

from labeljob.portal import assignments
from tests.runner.portal import people
from tests.runner.portal.portal_client import Worker, make_app, open_portal

pytestmark = pytest.mark.slow


@pytest.fixture
def portal(tmp_path, portal_style):
    for name in ("elements.js", "worker.js", "owner.js", "owner.css"):
        (portal_style / name).write_text("")
    with open_portal(tmp_path / "photos", n_images=4, per_object=2) as opened:
        yield opened


@pytest.fixture
def app(portal):
    return make_app(portal)


@pytest.fixture
def ann(app):
    return Worker(*app, "ann")


@pytest.fixture
def ben(app):
    return Worker(*app, "ben")


def answers_of(portal, object_id):
    with portal.database.read() as connection:
        return [
            json.loads(row["answer"])
            for row in connection.execute(
                "SELECT answer FROM assignments WHERE object_id = ? AND submitted IS NOT NULL",
                (object_id,),
            )
        ]


def test_the_job_list_tells_what_a_worker_chooses_by(portal, ann):
    ann.answer(ann.next()["task"]["id"])
    page = ann.browser.get("/").text
    for text in ("Zoo", "Customer ID", "Tasks left</dt><dd>3", "Your answers</dt><dd>1"):
        assert text in page
    assert 'href="/jobs/zoo"' in page


def test_a_worker_gets_a_task_and_the_one_after_it(ann):
    work = ann.next()
    assert work["state"] == "running"
    assert work["task"]["id"] != work["next"]["id"]
    assert 0 < work["task"]["secondsLeft"] <= work["task"]["timeLimit"] == 300
    assert work["progress"] == {"mine": 0, "complete": 0, "total": 4}
    assert not work["canGoBack"]


def test_a_reload_and_a_second_tab_get_the_same_tasks(ann):
    first, second = ann.next("page-1"), ann.next("page-2")
    assert first["task"]["id"] == second["task"]["id"]
    assert first["next"]["id"] == second["next"]["id"]
    assert first["task"]["images"] == second["task"]["images"]


def test_an_answer_is_kept_and_the_task_that_was_loaded_ahead_comes_next(portal, ann):
    before = ann.next()
    after = ann.answer(before["task"]["id"], {"label": "dog"}).json()
    assert after["saved"] == "saved"
    assert after["task"]["id"] == before["next"]["id"]
    assert after["progress"]["mine"] == 1
    assert answers_of(portal, before["task"]["id"]) == [{"label": "dog"}]


def test_a_double_submission_is_one_answer(portal, ann):
    task = ann.next()["task"]["id"]
    ann.answer(task, {"label": "dog"})
    assert "notice" not in ann.answer(task, {"label": "dog"}).json()
    again = ann.answer(task, {"label": "cat"}).json()
    assert again["saved"] == "repeated"
    assert "another window" in again["notice"]
    assert answers_of(portal, task) == [{"label": "dog"}]


def test_a_worker_goes_back_to_the_last_answer_and_changes_it(portal, ann):
    task = ann.next()["task"]["id"]
    after = ann.answer(task, {"label": "dog"}).json()
    assert after["canGoBack"]
    back = ann.post("back").json()
    assert back["task"]["id"] == task
    assert back["task"]["answer"] == {"label": "dog"}
    assert back["next"]["id"] == after["task"]["id"]
    assert not back["canGoBack"]
    again = ann.answer(task, {"label": "bird"}).json()
    assert again["saved"] == "saved"
    assert again["task"]["id"] == after["task"]["id"]
    assert answers_of(portal, task) == [{"label": "bird"}]


def test_going_back_to_nothing_says_so(ann):
    ann.next()
    refused = ann.post("back")
    assert refused.status_code == 409
    assert refused.json()["code"] == "not-reopened"
    assert refused.json()["task"]


def test_a_skipped_task_comes_last(ann):
    skipped = ann.next()["task"]["id"]
    work = ann.post("skip", {"task": skipped}).json()
    seen = []
    while work["task"] and work["task"]["id"] != skipped:
        seen.append(work["task"]["id"])
        work = ann.answer(seen[-1]).json()
    assert len(seen) == 3
    assert work["task"]["id"] == skipped


@pytest.mark.parametrize("comment", ["", "A finger is on the lens"])
def test_that_a_task_cannot_be_labelled_is_an_answer(portal, ann, comment):
    task = ann.next()["task"]["id"]
    body = {"task": task, "reason": "image-unclear", "comment": comment}
    assert ann.post("cannot-label", body).status_code == 200
    expected = {"reason": "image-unclear"} | ({"comment": comment} if comment else {})
    assert answers_of(portal, task) == [{"cannot-be-labeled": expected}]


def test_stopping_gives_tasks_back(ann, ben):
    held = ann.next()
    ann.post("stop")
    assert ben.next()["task"]["id"] == held["task"]["id"]
    assert ann.next()["task"]["id"] == held["task"]["id"]


def test_an_answer_to_a_finished_job_is_refused_with_a_reason(portal, ann):
    task = ann.next()["task"]["id"]
    assignments.set_job_state(portal.database, "zoo", "finished")
    refused = ann.answer(task)
    assert refused.status_code == 409
    assert refused.json()["code"] == "closed"
    assert refused.json()["state"] == "finished"
    assert refused.json()["task"] is None


def test_a_paused_job_takes_the_answer_under_way_and_hands_out_nothing(portal, ann):
    task = ann.next()["task"]["id"]
    assignments.set_job_state(portal.database, "zoo", "paused")
    after = ann.answer(task).json()
    assert (after["saved"], after["state"], after["task"]) == ("saved", "paused", None)


def test_a_task_whose_time_was_over_and_whose_place_is_taken_is_refused(portal, ann, ben):
    cleo = Worker(*make_app(portal), "cleo")
    task = ann.next()["task"]["id"]
    with portal.database.transaction() as connection:
        connection.execute("UPDATE assignments SET expires = 0")
    for other in (ben, cleo):
        assert other.next()["task"]["id"] == task
        other.answer(task)
    refused = ann.answer(task)
    assert refused.status_code == 409
    assert refused.json()["code"] == "expired"
    assert refused.json()["task"]["id"] != task


def test_a_job_for_others_is_not_there(portal, ann, ben):
    with portal.database.transaction() as connection:
        connection.execute("INSERT INTO job_members VALUES ('zoo', ?)", (ben.worker_id,))
    assert "Zoo" not in ann.browser.get("/").text
    assert ann.browser.get("/jobs/zoo").status_code == 404
    assert ann.post("next", {"page": "x"}).json()["code"] == "not-found"
    assert ben.next()["task"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("answers", b"{", id="no-JSON"),
        pytest.param("answers", b"[]", id="no-object"),
        pytest.param("answers", b'{"task": "0"}', id="no-answer"),
        pytest.param("answers", b'{"task": "0", "answer": {"x": NaN}}', id="no-number"),
        pytest.param("answers", b'{"task": "0", "answer": {"x": 1e999}}', id="too-large"),
        pytest.param("answers", b'{"task": "0", "answer": {"x": "\\ud800"}}', id="no-text"),
        pytest.param("answers", b'{"task": "0", "answer": ' + b"[" * 90_000 + b"}", id="too-deep"),
        pytest.param("answers", b'{"task": 0, "answer": {}}', id="number-for-a-task"),
        pytest.param("cannot-label", b'{"task": "0", "reason": "bored"}', id="no-reason"),
        pytest.param(
            "cannot-label",
            json.dumps({"task": "0", "reason": "other", "comment": "x" * 2001}).encode(),
            id="long-comment",
        ),
    ],
)
def test_what_is_no_answer_is_refused(portal, ann, path, body):
    ann.next()
    refused = ann.browser.post(
        f"/api/jobs/zoo/{path}", content=body, headers={"X-CSRF-Token": ann.csrf}
    )
    assert refused.status_code == 400, refused.text
    assert refused.json()["error"]
    assert answers_of(portal, "0") == []


def test_a_page_says_that_it_is_left_by_a_form(ann):
    ann.next("page-1")
    left = ann.browser.post("/api/jobs/zoo/leave", data={"csrf": ann.csrf, "page": "page-1"})
    assert left.status_code == 204
    forged = ann.browser.post("/api/jobs/zoo/leave", data={"csrf": "no", "page": "page-1"})
    assert forged.status_code == 403


def test_the_progress_page_shows_ones_own_work(ann, ben):
    for worker, count in ((ann, 2), (ben, 1)):
        work = worker.next()
        for _ in range(count):
            work = worker.answer(work["task"]["id"]).json()
    assert "<dt>Answers</dt><dd>2</dd>" in ann.browser.get("/progress").text
    assert "<dt>Answers</dt><dd>1</dd>" in ben.browser.get("/progress").text


def test_the_owner_starts_with_the_owners_page(app):
    owner = Worker(*app, "olga", role="owner")
    assert owner.browser.get("/").headers["location"] == "/owner"


def test_a_whole_job_over_http(portal, ann, ben):
    for worker in (ann, ben):
        work = worker.next()
        while work["task"]:
            task = work["task"]["id"]
            answer = people.say("image-multi-class", task)
            work = worker.answer(task, answer).json()
    assert work["progress"] == {"mine": 4, "complete": 4, "total": 4}
    with portal.database.read() as connection:
        counts = connection.execute(
            "SELECT count(*), count(DISTINCT worker_id) FROM assignments GROUP BY object_id"
        ).fetchall()
    assert [tuple(row) for row in counts] == [(2, 2)] * 4
