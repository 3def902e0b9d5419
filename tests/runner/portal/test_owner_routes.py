"""What the owner's pages answer over HTTP, and to whom."""

import io
import json
import re
import shlex
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from labeljob.commands import app as command_line
from labeljob.portal import assignments, owner_live, team
from labeljob.portal.owner_report import list_commands
from labeljob.portal.owner_routes import OwnerPages
from labeljob.portal.portal import Portal
from tests.runner.portal import people
from tests.runner.portal.portal_client import Worker, make_app, open_portal

pytestmark = pytest.mark.slow

NASTY = '</script><img src=x onerror="document.title=1">'
LABELS = ("cat", "dog", "bird", NASTY)
PAGE = "<p>{{ task.input.taskObject | grant_read_access }}</p>\n<crowd-form></crowd-form>\n"


@pytest.fixture(autouse=True)
def pages(portal_style):
    for name in ("elements.js", "worker.js", "owner.js", "owner.css"):
        (portal_style / name).write_text("")


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "page.liquid.html"
    path.write_text(PAGE)
    return path


@pytest.fixture
def portal(tmp_path, template):
    # Its thread is not begun: tests say when labels are made.
    opened = Portal(tmp_path / "store", settle=0)
    opened.begin(people.describe(tmp_path, labels=LABELS, template=str(template)))
    yield opened
    opened.close()


@pytest.fixture
def app(portal):
    return make_app(portal)


@pytest.fixture
def owner(app):
    return Worker(*app, "olga", role="owner")


def get(owner, path):
    return owner.browser.get(f"/owner{path}")


def post(owner, path, body=None):
    return owner.browser.post(
        f"/owner/api{path}", json=body or {}, headers={"X-CSRF-Token": owner.csrf}
    )


def post_text(owner, path, body):
    return owner.browser.post(
        f"/owner/api{path}", content=body, headers={"X-CSRF-Token": owner.csrf}
    )


def boot(page):
    text = page.text.partition('id="boot">')[2].partition("</script>")[0]
    return json.loads(text)


def test_nobody_but_an_owner_finds_anything(portal, app):
    ann = Worker(*app, "ann")
    for route in OwnerPages(portal, None).routes():
        path = route.path.replace("{job}", "zoo").replace("{object_id}", "0")
        if "POST" in route.methods:
            answer = ann.browser.post(path, json={}, headers={"X-CSRF-Token": ann.csrf})
        else:
            answer = ann.browser.get(path)
        assert answer.status_code == 404, path
        assert "zoo" not in answer.text


def test_pages_hold_no_code_of_labels_and_names(portal, owner):
    with portal.database.transaction() as connection:
        connection.execute("UPDATE members SET name = ?", (NASTY,))
    for path in ("", "/jobs/zoo", "/jobs/zoo/gallery", "/jobs/zoo/preview", "/team"):
        page = get(owner, path)
        assert page.status_code == 200
        assert "<img src=x" not in page.text
        assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"]
    assert NASTY in boot(get(owner, "/jobs/zoo/gallery"))["classes"]


def test_a_job_is_paused_and_goes_on(owner, app):
    ann = Worker(*app, "ann")
    assert post(owner, "/jobs/zoo/pause").json()["state"] == "paused"
    assert ann.next()["state"] == "paused"
    assert post(owner, "/jobs/zoo/resume").json()["state"] == "running"
    assert ann.next()["task"]


def test_a_change_needs_the_token_of_the_page(owner):
    answer = owner.browser.post("/owner/api/jobs/zoo/finish", json={})
    assert answer.status_code == 403
    assert get(owner, "/api/jobs/zoo/status").json()["state"] == "running"


def test_who_may_work_on_a_job(owner, app):
    ann, ben = Worker(*app, "ann"), Worker(*app, "ben")
    members = [ann.worker_id, "private.us-west-2.nobody"]
    assert post(owner, "/jobs/zoo/members", {"members": members}).status_code == 409
    assert post(owner, "/jobs/zoo/members", {"members": members[:1]}).status_code == 200
    assert ben.post("next", {"page": "1"}).status_code == 404
    assert ann.next()["task"]
    assert "checked" in get(owner, "/jobs/zoo").text
    post(owner, "/jobs/zoo/members", {"members": []})
    assert ben.next()["task"]
    assert post(owner, "/jobs/zoo/members", {"members": "all"}).status_code == 400
    half = '{"members": ["\\ud800"]}'
    for body in (half, "[" * 30_000 + "]" * 30_000):
        assert post_text(owner, "/jobs/zoo/members", body).status_code == 400


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param({"crowd-image-classifier": {"label": "dog"}}, "dog", id="usable"),
        pytest.param({"crowd-image-classifier": {"label": "cow"}}, "unknown-label", id="unknown"),
        pytest.param({}, "empty-answer", id="empty"),
        pytest.param([1], "unexpected-shape", id="no-object"),
        pytest.param(
            {"cannot-be-labeled": {"reason": "other", "comment": "dark"}},
            "cannot-be-labeled",
            id="cannot-be-labeled",
        ),
    ],
)
def test_an_answer_is_judged_and_not_stored(portal, owner, answer, expected):
    judged = post(owner, "/jobs/zoo/judge", {"object": "0", "answer": answer}).json()
    assert judged["usable"] == (expected == "dog")
    assert expected == (judged["text"] or judged["reason"])
    assert judged["usable"] or judged["detail"]
    with portal.database.read() as connection:
        assert connection.execute("SELECT count(*) FROM assignments").fetchone()[0] == 0


def test_a_comment_is_seen_in_a_try(owner):
    answer = {"crowd-image-classifier": {"label": "dog"}, "workerComment": NASTY}
    assert post(owner, "/jobs/zoo/judge", {"answer": answer}).json()["comment"] == NASTY


def test_a_long_answer_is_judged_as_a_worker_could_give_it(owner):
    answer = {"crowd-image-classifier": {"label": "dog"}, "notes": "x" * 200_000}
    assert post(owner, "/jobs/zoo/judge", {"answer": answer}).json()["usable"]
    answer["notes"] *= 10
    assert post(owner, "/jobs/zoo/judge", {"answer": answer}).status_code == 413


def test_pictures_are_small_and_of_data_objects_alone(portal, owner):
    answer = get(owner, "/jobs/zoo/pictures/1?size=thumbnail")
    assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert get(owner, "/jobs/zoo/pictures/1?size=large").status_code == 200
    for path in ("99", "..%2F..%2Fportal.sqlite", "-1", "\N{SUPERSCRIPT TWO}"):
        assert get(owner, f"/jobs/zoo/pictures/{path}").status_code == 404, path
    Path(portal.jobs["zoo"].lines[2].source_ref).write_text("<svg/>")
    answer = get(owner, "/jobs/zoo/pictures/2")
    assert answer.status_code == 404
    assert "<svg" not in answer.text


def test_the_preview_has_the_template_as_it_is_now(portal, owner, template):
    portal.jobs["zoo"].render("3", str)
    first = get(owner, "/jobs/zoo/preview/frame?object=3")
    assert "/files/" in first.text
    assert first.headers["Content-Security-Policy"].startswith("sandbox allow-scripts")
    template.write_text("<p>changed</p>\n<crowd-form></crowd-form>")
    assert "changed" in get(owner, "/jobs/zoo/preview/frame?object=3").text
    assert "changed" not in portal.jobs["zoo"].render("3", str)  # workers' pages stay as they are


def test_a_page_that_cannot_be_rendered_says_in_which_line(owner, template):
    template.write_text("<p>fine</p>\n<p>{{ task.input.nothing | upcase }}</p>\n<b>after</b>")
    page = get(owner, "/jobs/zoo/preview/frame")
    assert "line 2" in page.text
    assert "&lt;b&gt;after&lt;/b&gt;" in page.text
    assert page.headers["Content-Security-Policy"].startswith("sandbox")
    assert get(owner, "/jobs/zoo/preview?object=99").status_code == 404


def test_the_gallery_tells_who_said_what(portal, owner):
    people.join(portal, "ann", "ben")
    job = portal.jobs["zoo"]
    people.work(portal, job, "ann")
    people.work(portal, job, "ben", wrong=["0"], at_most=1)
    found = get(owner, "/api/jobs/zoo/objects?only=all").json()
    assert found["count"] == 6
    item = next(item for item in found["objects"] if item["id"] == "0")
    assert [(vote["worker"], vote["classes"]) for vote in item["answers"]] == [
        ("ann", ["cat"]),
        ("ben", ["dog"]),
    ]
    assert get(owner, "/api/jobs/zoo/objects?below=x").status_code == 400
    assert get(owner, "/api/jobs/cat/objects").status_code == 404


def test_events_tell_how_a_job_stands(owner, monkeypatch):
    monkeypatch.setattr(owner_live, "SECONDS_OF_STREAM", 0.1)
    for path, name in (("?job=zoo", "zoo"), ("", None)):
        answer = get(owner, f"/api/events{path}")
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        event, data = answer.text.splitlines()[:2]
        told = json.loads(data.removeprefix("data: "))
        assert event == "event: status"
        assert (told if name else told[0])["total"] == 6
    assert get(owner, "/api/events?job=cat").status_code == 404


def test_somebody_is_invited_and_removed(portal, owner, app):
    made = post(owner, "/team/add", {"email": "cleo@example.org", "name": "Cleo"}).json()
    assert made["link"].startswith("http://127.0.0.1:8765/join/")
    assert "Cleo" in get(owner, "/team").text
    assert post(owner, "/team/add", {"email": "cleo@example.org"}).status_code == 409
    assert post(owner, "/team/add", {"email": NASTY}).status_code == 409
    again = post(owner, "/team/reset", {"email": "cleo@example.org"}).json()
    assert again["link"] != made["link"]
    stranger = Worker(*app, "dan").browser
    assert stranger.get(made["link"].removeprefix("http://127.0.0.1:8765")).status_code == 404
    assert post(owner, "/team/remove", {"email": "cleo@example.org"}).status_code == 200
    assert team.find_member(portal.database, "cleo@example.org") is None
    assert post(owner, "/team/remove", {"email": "cleo@example.org"}).status_code == 409


def test_the_last_one_who_owns_the_portal_stays(portal, owner):
    assert post(owner, "/team/remove", {"email": "OLGA@example.org"}).status_code == 409
    assert team.find_member(portal.database, "olga@example.org")


@pytest.mark.slow
def test_unsure_objects_go_round_again_and_the_commands_work(portal, owner, tmp_path, monkeypatch):
    job = portal.jobs["zoo"]
    assert post(owner, "/jobs/zoo/requeue", {"below": 0.8}).status_code == 409  # it goes on
    people.join(portal, *people.WORKERS)
    for worker, wrong in zip(people.WORKERS, (["1"], ["1", "2"], []), strict=True):
        people.work(portal, job, worker, wrong=wrong)
    post(owner, "/jobs/zoo/finish")
    portal.run_due()
    while not (status := get(owner, "/api/jobs/zoo/status").json())["canRequeue"]:
        time.sleep(0.1)
    assert status["labeled"] == 6
    unsure = get(owner, "/api/jobs/zoo/unsure?below=0.9").json()["objects"]
    assert 0 < unsure < 6
    made = post(owner, "/jobs/zoo/requeue", {"below": 0.9}).json()
    assert made == {"job": "zoo-2", "objects": unsure}
    assert get(owner, "/jobs/zoo-2").status_code == 200
    monkeypatch.chdir(tmp_path)
    # People check the labels of what was labeled, and nobody checks a check.
    made = post(owner, "/jobs/zoo/verify").json()
    assert made == {"job": "zoo-verify", "objects": 6}
    assert post(owner, "/jobs/zoo/verify").json() == made
    check = portal.jobs["zoo-verify"]
    assert check.description.labels[:2] == ("right", "wrong: it is cat")
    assert check.task_input("0")["earlierLabels"] == ["cat"]
    assert "data-round" in get(owner, "/jobs/zoo").text
    assert "data-round" not in get(owner, "/jobs/zoo-verify").text
    assert post(owner, "/jobs/zoo-verify/verify").status_code == 409  # it goes on
    assert post(owner, "/jobs/zoo/adjust").status_code == 409  # there are no masks
    commands = list_commands(job)
    assert len(commands) == 3
    for _, command in commands:
        outcome = CliRunner().invoke(command_line, shlex.split(command)[1:])
        assert outcome.exit_code == 0, outcome.output


@pytest.mark.slow
def test_the_report_is_made_on_demand_and_runs_no_code_but_its_own(portal, owner):
    job = portal.jobs["zoo"]
    assert get(owner, "/jobs/zoo/report").status_code == 503  # there is not one answer
    people.join(portal, *people.WORKERS)
    for worker in people.WORKERS:
        people.work(portal, job, worker, wrong=["1"] if worker == "ben" else [], at_most=4)
    portal.run_due()
    page = get(owner, "/jobs/zoo/report")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert re.search(r"script-src 'sha256-\S+';", policy)
    assert "data:image/" in page.text
    assert '<span class="who">ben</span>' in page.text  # the owner knows the team
    assert 'href="/owner/jobs/zoo#disputed-title"' in page.text


def read_classes(response):
    """Class of each pixel of a mask's picture, and the color of each class that is not clear."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.info["transparency"] == 0
        palette = np.reshape(image.getpalette(), (-1, 3))[: len(people.LABELS) + 1]
        return np.array(image), ["#" + bytes(color).hex() for color in palette.tolist()[1:]]


def test_the_gallery_has_the_masks_of_labels_and_answers(tmp_path):
    with open_portal(tmp_path, task="semantic-segmentation", n_images=2, settle=0) as portal:
        job = portal.jobs["zoo"]
        owner = Worker(*make_app(portal), "olga", role="owner")
        people.join(portal, *people.WORKERS)
        people.work(portal, job, "ann")
        opened = get(owner, "/api/jobs/zoo/objects?order=manifest").json()["objects"]
        assert [item["mask"] for item in opened] == [None, None]
        people.work(portal, job, "ben", wrong=["1"])
        lease = assignments.take(portal.database, "zoo", people.worker_id("cleo"), 300)
        broken = {"cannot-be-labeled": {"reason": "other"}}
        assignments.submit(
            portal.database, "zoo", lease.object_id, people.worker_id("cleo"), broken
        )
        lease = assignments.take(portal.database, "zoo", people.worker_id("cleo"), 300)
        painted = np.zeros((16, 24), np.uint8)
        painted[4:12, 6:18], painted[0, :3] = 2, 1  # the corner tells where the top left is
        said = job.description.task.submit(painted, people.LABELS)
        assignments.submit(portal.database, "zoo", lease.object_id, people.worker_id("cleo"), said)
        portal.run_due()
        colors = boot(get(owner, "/jobs/zoo/gallery"))["colors"]
        objects = get(owner, "/api/jobs/zoo/objects?order=manifest").json()["objects"]
        # A label has the classes that are painted somewhere, not all that the mask could have.
        assert [item["label"] for item in objects] == [["cat"], ["dog"]]
        for number, item in enumerate(objects):
            mask, palette = read_classes(owner.browser.get(item["mask"]))
            assert palette == colors
            expected = np.zeros((16, 24), np.uint8)
            expected[4:12, 6:18] = number + 1
            np.testing.assert_array_equal(mask, expected)
        said = {answer["worker"]: answer for answer in objects[1]["answers"]}
        mask, palette = read_classes(owner.browser.get(f"{said['ben']['mask']}&size=large"))
        assert (mask[4:12, 6:18] == 3).all()
        assert palette == colors
        mask, _ = read_classes(owner.browser.get(f"{said['cleo']['mask']}&size=large"))
        np.testing.assert_array_equal(mask, painted)
        (rejected,) = (item for item in objects[0]["answers"] if item["rejected"])
        assert owner.browser.get(rejected["mask"]).status_code == 404
        for path in ("0?worker=nobody", "7", "../zoo"):
            assert get(owner, f"/jobs/zoo/masks/{path}").status_code == 404
