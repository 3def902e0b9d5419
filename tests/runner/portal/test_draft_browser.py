"""What a worker has begun survives reloads, crashes, other windows, and a portal that is killed."""

import json
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.runner.portal.browser_people import SHOWN, Person
from tests.runner.portal.live_portal import serve, wait_for
from tests.runner.portal.photographs import SUBJECTS, take_photographs

PAGE = Path(__file__).with_name("begun_page.liquid.html")
LEAVE = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
FLOOD = """async answer => {
    for (let n = 0; n < 3000; n++) {
        parent.postMessage({ labeljob: "draft", answer: { n } }, "*");
        if (n % 30 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const ring = {}; ring.ring = ring;
    for (const bad of [{ text: "x".repeat(4e7) }, ring, "text", null]) {
        parent.postMessage({ labeljob: "draft", answer: bad }, "*");
    }
    parent.postMessage({ labeljob: "draft", answer }, "*");
}"""


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun")
    take_photographs(folder / "photos", 6, size=(160, 120))
    labels = [word for label in SUBJECTS for word in ("--labels", label)]
    page = shutil.copy(PAGE, folder)
    words = ["portal", "photos", "--task", "image-multi-class", *labels, "--template", page]
    with serve(folder, words) as opened:
        yield opened


@pytest.fixture
def come(browser, portal):
    """Let somebody in, each time with a browser of its own."""
    browsers: list[Person] = []

    def sign_in(email) -> Person:
        person = Person(browser, portal)
        if browsers:
            person.sign_in(email)
        else:
            person.join(portal.invite(email)[email])
        browsers.append(person)
        return person.start_working()

    yield sign_in
    for person in browsers:
        assert person.alerts == []
        person.close()


def drafts_of(portal) -> list[dict]:
    with portal.database.read() as connection:
        rows = connection.execute("SELECT answer FROM drafts ORDER BY saved").fetchall()
    return [json.loads(row["answer"]) for row in rows]


def answers_of(portal) -> list[dict]:
    with portal.database.read() as connection:
        rows = connection.execute(
            "SELECT answer FROM assignments WHERE submitted IS NOT NULL"
        ).fetchall()
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


def test_what_was_begun_is_not_lost(portal, come):
    ann = come("ann@example.org")
    task, address = ann.photograph, ann.page.url
    sent: list[str] = []
    ann.page.on("request", lambda request: sent.append(request.url.rpartition("/")[2]))
    ann.frame.get_by_text("What is it?").click()
    ann.page.wait_for_timeout(1500)
    assert "drafts" not in sent  # nothing was changed

    begun = time.monotonic()
    ann.choose("cat")
    ann.type("word", "whiskers")
    ann.fill("plain", "")
    ann.press("Mark")
    whole = wait_for_draft(portal, word="whiskers", mark="marked")
    assert whole["crowd-image-classifier"] == {"label": "cat"}
    assert "plain" not in whole
    seconds = time.monotonic() - begun
    ann.page.wait_for_timeout(50)  # for Playwright to tell of the requests
    assert 1 <= sent.count("drafts") <= 2 + seconds  # not one for each change
    ann.page.reload()
    ann.wait_for_task()
    assert ann.photograph == task
    see(ann, word="whiskers", plain="")

    # A portal that was killed has it too, and gets what was done meanwhile by itself.
    portal.kill()
    ann.fill("word", "paws")
    expect(ann.page.locator("#notices")).to_contain_text("Keep this page open")
    assert not ann.page.evaluate(LEAVE)  # the browser asks
    portal.start()
    wait_for_draft(portal, word="paws")
    expect(ann.page.locator("#notices")).to_be_empty()
    assert ann.page.evaluate(LEAVE)

    # Other windows and browsers go on with it, and what is handed in is whole.
    ann.page = ann.open_window()
    ann.page.goto(address)
    ann.wait_for_task()
    see(ann, word="paws", plain="")
    ann.fill("word", "claws")
    wait_for_draft(portal, word="claws")
    ann.context.close()  # as a crash would
    again = come("ann@example.org")
    see(again, word="claws", plain="")
    task = again.task
    again.submit()
    again.wait_for_task(other_than=task)
    see(again, word="", plain="as it was", cat=False)
    wait_for(lambda: drafts_of(portal) == [])
    (answer,) = answers_of(portal)
    assert answer == whole | {"word": "claws"}


def test_a_page_that_sends_too_many_or_too_long_drafts_harms_nobody(portal, come):
    ben = come("ben@example.org")
    sent: list[str] = []
    ben.page.on("request", lambda request: sent.append(request.url.rpartition("/")[2]))
    page = ben.page.locator(SHOWN).element_handle().content_frame()
    begun = time.monotonic()
    page.evaluate(FLOOD, {"word": "the last"})
    seconds = time.monotonic() - begun
    assert wait_for_draft(portal, word="the last") == {"word": "the last"}
    ben.page.wait_for_timeout(50)
    assert 1 <= sent.count("drafts") <= 3 + seconds
    page.evaluate(
        "parent.postMessage({ labeljob: 'draft', answer: { word: 'y'.repeat(1e6) } }, '*')"
    )
    expect(ben.page.locator("#notices")).to_contain_text("longer than 998,000 bytes")
    ben.page.reload()
    ben.wait_for_task()
    see(ben, word="the last", plain="", cat=False)
    ben.choose("cat")
    task = ben.task
    ben.submit()
    ben.wait_for_task(other_than=task)
    assert drafts_of(portal) == []

    # Whoever stops at once loses nothing.
    ben.fill("word", "the very last")
    ben.page.get_by_role("button", name="Stop working").click()
    ben.page.wait_for_url(f"{portal.url}/")
    ben.start_working()
    see(ben, word="the very last", plain="as it was", cat=False)
