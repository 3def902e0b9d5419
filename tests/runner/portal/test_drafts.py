"""What a worker has begun is kept by the portal, and comes back with the task."""

import json

import pytest

from labeljob.portal import assignments
from labeljob.portal.database import Database
from labeljob.portal.drafts import find_draft, save_draft
from tests.runner.portal.portal_client import Worker, make_app, open_portal

pytestmark = pytest.mark.slow


@pytest.fixture
def portal(tmp_path, portal_style):
    for name in ("elements.js", "worker.js", "owner.js", "owner.css"):
        (portal_style / name).write_text("")
    with open_portal(tmp_path / "photos", n_images=8, per_object=2) as opened:
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


def begin(worker, task, **answer):
    return worker.post("drafts", {"task": task, "answer": answer, "page": "page-1"})


def drafts_of(portal):
    with portal.database.read() as connection:
        rows = connection.execute("SELECT object_id, answer FROM drafts").fetchall()
    return {row["object_id"]: json.loads(row["answer"]) for row in rows}


def test_the_newest_draft_comes_with_the_task_in_every_browser(ann, ben):
    work = ann.next()
    task, ahead = work["task"]["id"], work["next"]["id"]
    assert "draft" not in work["task"]
    for note in ("wing", "wings"):
        assert begin(ann, task, note=note).status_code == 200
    begin(ann, ahead, note="tail")
    again = ann.next("another page")
    assert again["task"]["draft"] == {"note": "wings"}
    assert again["next"]["draft"] == {"note": "tail"}
    # A page that has loaded the task has a draft that is at least as new.
    loaded = ann.post("next", {"page": "page-1", "loaded": [task]}).json()
    assert "draft" not in loaded["task"]
    assert loaded["next"]["draft"] == {"note": "tail"}
    other = ben.next()["task"]
    assert other["id"] == task
    assert "draft" not in other


@pytest.mark.parametrize("verb", ["answers", "cannot-label"])
def test_what_is_handed_in_is_no_draft_any_more(portal, ann, verb):
    work = ann.next()
    task = work["task"]["id"]
    begin(ann, task, note="begun")
    begin(ann, work["next"]["id"], note="ahead")
    body = {"task": task, "answer": {"label": "cat"}, "reason": "other"}
    after = ann.post(verb, body).json()
    assert after["task"]["draft"] == {"note": "ahead"}
    assert list(drafts_of(portal)) == [work["next"]["id"]]
    # One that the answer overtook on its way is too late.
    late = begin(ann, task, note="late")
    assert late.status_code == 409
    assert late.json()["code"] == "not-yours"
    assert list(drafts_of(portal)) == [work["next"]["id"]]


def test_nobody_keeps_drafts_of_what_is_not_theirs(portal, ann, ben):
    held = ann.next()["task"]["id"]
    for task in (held, "5", "no such"):
        assert begin(ben, task, note="mine").status_code == 409
    assert drafts_of(portal) == {}


def test_begun_tasks_come_back_before_new_ones(portal, ann):
    work = ann.next()
    begin(ann, work["next"]["id"], note="begun")
    ann.post("stop")
    again = ann.next()
    assert again["task"]["id"] == work["next"]["id"]
    assert again["task"]["draft"] == {"note": "begun"}
    assert again["next"]["id"] == work["task"]["id"]
    # What was skipped comes last all the same, with what was done of it.
    seen = [ann.post("skip", {"task": again["task"]["id"]}).json()["task"]["id"]]
    while seen[-1] != work["next"]["id"]:
        last = ann.answer(seen[-1]).json()["task"]
        seen.append(last["id"])
    assert len(seen) == 8
    assert last["draft"] == {"note": "begun"}


def test_a_place_that_others_have_taken_is_not_given_back(ann, ben, portal):
    task = ann.next()["task"]["id"]
    begin(ann, task, note="begun")
    ann.post("stop")
    begin(ann, task, note="still open in another window")
    assert drafts_of(portal) == {task: {"note": "still open in another window"}}
    for worker in (ben, Worker(*make_app(portal), "cleo")):
        assert worker.next()["task"]["id"] == task
        worker.answer(task)
    assert begin(ann, task, note="too late").status_code == 409
    assert ann.next()["task"]["id"] != task


def test_a_draft_of_an_answer_that_is_changed(portal, ann):
    task = ann.next()["task"]["id"]
    ann.answer(task, {"label": "dog"})
    ann.post("back")
    begin(ann, task, label="bird")
    work = ann.next()
    assert work["task"]["answer"] == {"label": "dog"}
    assert work["task"]["draft"] == {"label": "bird"}
    # To leave it as it was is to give the draft up.
    ann.post("skip", {"task": task})
    back = ann.post("back").json()["task"]
    assert back["answer"] == {"label": "dog"}
    assert "draft" not in back
    begin(ann, task, label="bird")
    ann.answer(task, {"label": "cat"})
    assert drafts_of(portal) == {}


def test_a_worker_has_few_drafts(portal, ann, ben, monkeypatch):
    monkeypatch.setattr("labeljob.portal.drafts.MOST_KEPT", 4)
    begin(ben, ben.next()["task"]["id"], note="ben's")
    tasks = []
    for at in range(4 + 2):
        tasks.append(ann.next()["task"]["id"])
        begin(ann, tasks[-1], note=at)
        ann.post("skip", {"task": tasks[-1]})
    with portal.database.read() as connection:
        rows = connection.execute(
            "SELECT object_id FROM drafts WHERE worker_id = ? ORDER BY saved", (ann.worker_id,)
        ).fetchall()
    assert [row["object_id"] for row in rows] == tasks[2:]
    assert len(drafts_of(portal)) == len({*tasks[2:], "0"})


def test_a_job_that_has_ended_has_no_drafts(portal, ann):
    task = ann.next()["task"]["id"]
    begin(ann, task, note="begun")
    assignments.set_job_state(portal.database, "zoo", "paused")
    assert begin(ann, task, note="while it is paused").status_code == 200
    assignments.set_job_state(portal.database, "zoo", "finished")
    assert drafts_of(portal) == {}
    assert begin(ann, task, note="too late").status_code == 409
    assert drafts_of(portal) == {}


def test_what_is_no_draft_is_refused(portal, ann):
    task = ann.next()["task"]["id"]
    begin(ann, task, note="begun")
    whole = {"task": task, "answer": {}, "page": "page-1"}
    for wrong in ({"answer": [1]}, {"task": None}, {"page": 1}):
        assert ann.post("drafts", whole | wrong).status_code == 400
    assert begin(ann, task, note="x" * 1_000_000).status_code == 413
    assert begin(ann, task, note="x" * 900_000).status_code == 200
    assert len(drafts_of(portal)[task]["note"]) == 900_000


def test_the_work_does_not_grow_with_the_job(portal, ann):
    task = ann.next()["task"]["id"]
    statements = []
    with portal.database.transaction() as connection:
        connection.set_trace_callback(statements.append)
        save_draft(portal.database, "zoo", task, ann.worker_id, {"note": "begun"})
        assert find_draft(portal.database, "zoo", task, ann.worker_id)
        assignments.release(portal.database, "zoo", ann.worker_id)
        assignments.take(portal.database, "zoo", ann.worker_id, 300)
        connection.set_trace_callback(None)
        steps = [
            row["detail"]
            for statement in statements
            if "drafts" in statement
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]
    assert any("drafts" in step for step in steps)
    assert not [step for step in steps if "SCAN" in step or step.endswith("(job=?)")]


def test_a_database_from_before_there_were_drafts_is_opened(tmp_path):
    path = tmp_path / "portal.sqlite"
    database = Database(path)
    with database.transaction() as connection:
        connection.execute("DROP TABLE drafts")
    database.close()
    database = Database(path)
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM drafts").fetchone()[0] == 0
    database.close()
