"""Templates, labels, files and answers that want more than they should have."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Frame, expect

from tests.runner.image_files import image_bytes
from tests.runner.portal.browser_people import SHOWN, Person
from tests.runner.portal.photographs import SUBJECTS, take_photographs

HOSTILE = Path(__file__).parent / "hostile.liquid.html"
LABELS = list(SUBJECTS)
EMAIL = "ann@example.org"
NASTY_NAMES = [
    "<img src=x onerror=alert(1)>.jpg",
    '"><script>alert(2)<%2fscript>.jpg',
    "up..%2f..%2fetc%2fpasswd.jpg",
    "a b#c?d=e&f;g.jpg",
    "{{ 7 | times: 7 }}{% raw %}.jpg",
    "Zoë's 猫.jpg",
    "-rf --output=x.jpg",
]
NASTY_LABELS = [
    "<script>alert(3)</script>",
    "\"'><img src=x onerror=alert(4)>",
    "{{ task.input }}",
    "__proto__",
]


def shown_frame(person: Person) -> Frame:
    element = person.page.locator(SHOWN).element_handle()
    frame = element.content_frame()
    assert frame is not None
    return frame


@pytest.fixture
def shown(tmp_path):
    return take_photographs(tmp_path / "photos", 6, size=(160, 120))


@pytest.fixture
def ann_at(browser):
    """Ann, at work on a portal."""
    people = []

    def join(portal) -> Person:
        ann = Person(browser, portal).join(portal.invite(EMAIL)[EMAIL])
        people.append(ann)
        return ann.start_working()

    yield join
    for person in people:
        assert person.alerts == []
        person.close()


def test_a_hostile_template_gets_at_nothing(open_portal, shown, ann_at, tmp_path):
    template = shutil.copy(HOSTILE, tmp_path)
    portal = open_portal(template=template)
    owner = portal.let_in(portal.links[0])
    ann = ann_at(portal)
    address = ann.page.url
    frame = shown_frame(ann)
    assert frame.evaluate("over") == 22
    assert frame.evaluate("stolen") == {}
    for image in ("file", "else"):
        assert frame.evaluate(f"document.getElementById('{image}').naturalWidth") == 0
    ann.page.wait_for_timeout(500)
    assert ann.page.url == address
    assert portal.worker_responses("photos") == {}
    status = owner.http.get("/owner/api/jobs/photos/status").json()
    assert status["state"] == "running"
    photograph = ann.photograph  # and it can be answered all the same
    ann.choose(shown[photograph])
    ann.submit()
    expect(ann.page.locator("#counts")).to_contain_text("Yours: 1", timeout=60_000)


STRANGE_ANSWERS = [
    "{ text: 'x'.repeat(4e7) }",  # huge
    "'a text'",  # no object
    "[1, 2]",  # a list
    "{ n: NaN, u: undefined, d: new Date(), m: new Map([[1, 2]]) }",  # not JSON
    "(() => { const a = {}; a.a = a; return a })()",  # a ring
    "{ n: 1n }",  # a big integer
    "{ text: '\\ud800' }",  # half a character
    "JSON.parse('['.repeat(1000) + ']'.repeat(1000))",  # deep
]


def test_a_strange_answer_stops_nobody(open_portal, ann_at, tmp_path):
    shown = take_photographs(tmp_path / "photos", 2 * len(STRANGE_ANSWERS) + 1, size=(64, 48))
    ann = ann_at(open_portal())
    for answer in STRANGE_ANSWERS:
        shown_frame(ann).evaluate(
            f"parent.postMessage({{ labeljob: 'answer', answer: {answer} }}, '*')"
        )
        ann.page.wait_for_timeout(300)
        ann.page.reload()
        ann.wait_for_task()
        before = ann.task
        ann.key(str(LABELS.index(shown[ann.photograph]) + 1))
        ann.wait_for_task(other_than=before)


def test_names_of_files_and_labels_are_text_and_nothing_else(
    open_portal, ann_at, browser, tmp_path
):
    folder = tmp_path / "photos"
    folder.mkdir()
    for at, name in enumerate(NASTY_NAMES):
        (folder / name).write_bytes(image_bytes("JPEG", seed=at))
    portal = open_portal(labels=NASTY_LABELS, title="<b>Bold</b>", description="{{ 1 }}<script>")
    ann = ann_at(portal)
    for label in NASTY_LABELS:
        assert ann.option(label).count() >= 1
    while ann.has_task:
        task = ann.task
        ann.key("2")
        ann.page.wait_for_function(
            "before => document.querySelector('#stage iframe:not(.waiting)')"
            "?.getAttribute('src') !== before",
            arg=task,
        )
    lines = portal.output_manifest("photos")
    sources = [line["source-ref"] for line in lines]
    assert sorted(Path(one).name for one in sources) == sorted(NASTY_NAMES)
    assert {line["label"]["class-name"] for line in lines} == {NASTY_LABELS[1]}
    owner = Person(browser, portal)
    owner.page.goto(portal.links[0])
    for path in ("/owner", "/owner/jobs/photos", "/owner/jobs/photos/gallery", "/owner/team"):
        owner.page.goto(f"{portal.url}{path}")
        owner.page.wait_for_timeout(300)
        assert owner.page.locator("img[src=x]").count() == 0
    assert owner.alerts == []
    owner.close()


@pytest.mark.slow
def test_files_are_served_by_what_they_are_granted_for_alone(open_portal, shown, tmp_path):
    secret = tmp_path / "photos" / "secret.jpg"
    secret.write_text("<html><script>alert(1)</script>")
    portal = open_portal()
    worker = portal.let_in(portal.invite(EMAIL)[EMAIL])
    task = worker.next("photos")["task"]
    (image,) = task["images"]
    good = worker.http.get(image)
    assert good.headers["Content-Type"] == "image/jpeg"
    assert good.headers["X-Content-Type-Options"] == "nosniff"
    head, _, tail = image.rpartition("/")
    swapped = "A" if tail[0] != "A" else "B"
    for path in (
        f"{head}/{swapped}{tail[1:]}",
        f"{head}/{tail[:-1]}",
        "/files/photos/secret.jpg",
        f"/files/{secret}",
        "/files/..%2f..%2fetc%2fpasswd",
        "/static/../database.py",
        "/static/..%2fdatabase.py",
        "/static/%2e%2e/database.py",
        image.replace("/files/", "/frames/"),
        task["page"].replace("/frames/", "/files/"),
    ):
        response = worker.http.get(path)
        assert response.status_code in (403, 404), path
        assert "root:" not in response.text
    while task is not None:
        content = b"".join(worker.http.get(one).content for one in task["images"])
        assert b"<script>" not in content
        answer = {"crowd-image-classifier": {"label": "cat"}}
        task = worker.answer("photos", task["id"], answer)["task"]
