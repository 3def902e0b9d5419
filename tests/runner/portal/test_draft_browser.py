"""What a worker has begun survives reloads, crashes, other windows, and a portal that is killed."""

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.runner.portal.browser_people import SHOWN, Person
from tests.runner.portal.live_portal import wait_for
from tests.runner.portal.photographs import take_photographs

PAGE = Path(__file__).with_name("begun_page.liquid.html")
EMAIL = "ann@example.org"
FLOOD = """answer => {
    for (let n = 0; n < 3000; n++) parent.postMessage({ labeljob: "draft", answer: { n } }, "*");
    const ring = {}; ring.ring = ring;
    for (const bad of [{ text: "x".repeat(4e7) }, ring, "text", null]) {
        parent.postMessage({ labeljob: "draft", answer: bad }, "*");
    }
    parent.postMessage({ labeljob: "draft", answer }, "*");
}"""


@pytest.fixture
def portal(open_portal, tmp_path):
    take_photographs(tmp_path / "photos", 4, size=(160, 120))
    return open_portal(template=shutil.copy(PAGE, tmp_path))


@pytest.fixture
def come(browser, portal):
    """Let Ann in, each time with a browser of its own."""
    browsers: list[Person] = []

    def sign_in() -> Person:
        ann = Person(browser, portal)
        if browsers:
            ann.sign_in(EMAIL)
        else:
            ann.join(portal.invite(EMAIL)[EMAIL])
        browsers.append(ann)
        return ann.start_working()

    yield sign_in
    for ann in browsers:
        assert ann.alerts == []
        ann.close()


def drafts_of(portal) -> list[dict]:
    with portal.database.read() as connection:
        rows = connection.execute("SELECT answer FROM drafts ORDER BY saved").fetchall()
    return [json.loads(row["answer"]) for row in rows]


def wait_for_draft(portal, **answer) -> dict:
    """The newest draft, as soon as it says what is wanted."""

    def look() -> dict | None:
        found = drafts_of(portal)
        return found[-1] if found and answer.items() <= found[-1].items() else None

    return wait_for(look, seconds=30)


def see(person, *, word, plain, cat=True):
    """The page has what was begun."""
    expect(person.frame.get_by_label("Word")).to_have_value(word)
    expect(person.frame.get_by_label("Plain")).to_have_value(plain)
    expect(person.frame.get_by_label("cat", exact=True)).to_be_checked(checked=cat)


def test_what_was_begun_comes_back(portal, come):
    ann = come()
    task = ann.photograph
    sent: list[str] = []
    ann.page.on("request", lambda request: sent.append(request.url.rpartition("/")[2]))
    ann.frame.get_by_text("What is it?").click()
    ann.page.wait_for_timeout(1500)
    assert "drafts" not in sent  # nothing was changed

    ann.choose("cat")
    ann.type("word", "whiskers")
    ann.fill("plain", "")
    ann.press("Mark")
    whole = wait_for_draft(portal, word="whiskers", mark="marked")
    assert whole["crowd-image-classifier"] == {"label": "cat"}
    assert "plain" not in whole
    assert sent.count("drafts") <= 5  # of nine changes
    ann.page.reload()
    ann.wait_for_task()
    assert ann.photograph == task
    see(ann, word="whiskers", plain="")

    # A portal that was killed has it too, and gets what was done meanwhile by itself.
    portal.kill()
    ann.fill("word", "paws")
    expect(ann.page.locator("#notices")).to_contain_text("Keep this page open")
    asked: list[str] = []
    ann.page.on("dialog", lambda dialog: asked.append(dialog.type))
    with ann.page.expect_event("dialog"):
        ann.page.close(run_before_unload=True)
    assert asked == ["beforeunload"]


def test_other_windows_and_browsers_go_on_with_it(portal, come):
    ann = come()
    ann.choose("cat")
    ann.fill("word", "whiskers")
    wait_for_draft(portal, word="whiskers")
    portal.kill()
    ann.fill("word", "paws")
    expect(ann.page.locator("#notices")).to_contain_text("Keep this page open")
    portal.start()
    wait_for_draft(portal, word="paws")
    expect(ann.page.locator("#notices")).to_be_empty()

    first, ann.page = ann.page, ann.open_window()
    ann.page.goto(first.url)
    ann.wait_for_task()
    see(ann, word="paws", plain="as it was")
    ann.fill("word", "claws")
    wait_for_draft(portal, word="claws")
    ann.context.close()  # as a crash would

    again = come()
    see(again, word="claws", plain="as it was")
    task = again.task
    again.submit()
    again.wait_for_task(other_than=task)
    see(again, word="", plain="as it was", cat=False)
    wait_for(lambda: drafts_of(portal) == [])


def test_a_page_that_sends_too_many_or_too_long_drafts_harms_nobody(portal, come):
    ann = come()
    sent: list[str] = []
    ann.page.on("request", lambda request: sent.append(request.url.rpartition("/")[2]))
    page = ann.page.locator(SHOWN).element_handle().content_frame()
    page.evaluate(FLOOD, {"word": "the last"})
    assert wait_for_draft(portal, word="the last") == {"word": "the last"}
    assert sent.count("drafts") <= 3
    page.evaluate(FLOOD, {"word": "y" * 1_100_000})
    expect(ann.page.locator("#notices")).to_contain_text("longer than 1,000,000 bytes")
    ann.page.reload()
    ann.wait_for_task()
    see(ann, word="the last", plain="", cat=False)
    ann.choose("cat")
    task = ann.task
    ann.submit()
    ann.wait_for_task(other_than=task)
    assert drafts_of(portal) == []
