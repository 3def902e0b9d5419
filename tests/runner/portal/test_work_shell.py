"""The work page in a browser: what it does with a page that talks as the elements do."""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from groundtruth.errors import GroundTruthError
from labeljob.portal import assignments
from labeljob.portal.portal_job import PortalJob
from labeljob.portal.templating import STATIC
from tests.runner.portal.live_portal import wait_for
from tests.runner.portal.portal_client import open_portal, serve_portal

TEMPLATE = Path(__file__).with_name("talking_page.liquid.html")
SHOWN = "#stage iframe:not(.waiting)"


@pytest.fixture(autouse=True)
def patience():
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def portal(tmp_path):
    if not (STATIC / "worker.js").is_file() and "CI" not in os.environ:
        pytest.skip("needs the portal's pages: run `make build-pages`")
    with open_portal(tmp_path, n_images=5, per_object=1, template=str(TEMPLATE)) as opened:
        yield opened


@pytest.fixture
def served(portal):
    with serve_portal(portal) as (address, invite):
        yield address, invite


@pytest.fixture
def page(served, browser):
    """Ann's work page with her first task."""
    address, invite = served
    context = browser.new_context()
    context.set_default_timeout(20_000)
    opened = context.new_page()
    opened.goto(invite("ann"))
    if "/join/" in opened.url:
        opened.get_by_role("button").last.click()
    opened.goto(f"{address}/jobs/zoo")
    wait_for_task(opened)
    yield opened
    context.close()


def wait_for_task(page):
    expect(page.locator(SHOWN)).to_have_count(1)
    expect(page.frame_locator(SHOWN).locator("#told")).not_to_be_empty()


def task(page):
    return page.locator(SHOWN).get_attribute("src")


def press(page, key):
    page.locator(SHOWN).focus()
    page.keyboard.press(key)


def answers(portal):
    with portal.database.read() as connection:
        rows = connection.execute(
            "SELECT object_id, answer FROM assignments WHERE submitted IS NOT NULL"
        ).fetchall()
    return {row["object_id"]: json.loads(row["answer"]) for row in rows}


def count_live(portal):
    with portal.database.read() as connection:
        return connection.execute("SELECT count(*) FROM assignments WHERE live").fetchone()[0]


def wait_for_answers(page, portal, count):
    for _ in range(400):
        if len(answers(portal)) == count:
            return answers(portal)
        page.wait_for_timeout(50)
    raise AssertionError(f"{len(answers(portal))} answers instead of {count}")


def show_panel(page, title):
    expect(page.locator("#panel-title")).to_have_text(title)
    expect(page.locator("#panel")).to_be_visible()


def test_the_next_task_is_shown_before_the_answer_is_saved(page, portal):
    held = []
    page.route("**/answers", lambda route: held.append(route))
    first = task(page)
    ahead = page.locator("#stage iframe.waiting").get_attribute("src")
    press(page, "1")
    expect(page.locator(SHOWN)).to_have_attribute("src", ahead)
    wait_for_task(page)
    assert answers(portal) == {}
    # The answer after it waits for it, and goes out by itself.
    press(page, "2")
    expect(page.locator("#notices")).to_contain_text("Saving your last answer")
    assert len(held) == 1
    held[0].continue_()
    page.unroute("**/answers")
    saved = wait_for_answers(page, portal, 2)
    assert {answer["label"] for answer in saved.values()} == {"cat", "dog"}
    expect(page.locator("#notices")).to_be_empty()
    assert task(page) not in (first, ahead)


def test_the_page_is_told_how_to_behave_and_look(page):
    told = page.frame_locator(SHOWN).locator("#told")
    assert json.loads(told.text_content()) == {
        "labeljob": "show",
        "advance": True,
        "theme": "light",
        "answer": None,
    }
    press(page, "?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("choose cat")
    dialog.get_by_label("Number keys answer at once").uncheck()
    dialog.get_by_label("Appearance").select_option("dark")
    dialog.get_by_role("button", name="Close").click()
    assert json.loads(told.text_content())["advance"] is False
    assert json.loads(told.text_content())["theme"] == "dark"
    page.reload()
    wait_for_task(page)
    assert json.loads(told.text_content())["advance"] is False
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_an_answer_that_a_reload_overtakes_is_not_lost(page, portal):
    page.route("**/answers", lambda route: route.abort())
    press(page, "3")
    expect(page.locator("#notices")).to_contain_text("does not answer")
    page.unroute("**/answers")
    page.goto("about:blank")
    page.go_back()
    wait_for_task(page)
    (saved,) = wait_for_answers(page, portal, 1).values()
    assert saved["label"] == "bird"
    assert page.evaluate("Object.keys(localStorage).filter(k => k.includes('outbox'))") == []


def test_an_answer_that_the_browser_has_no_room_for_is_told(page, portal):
    page.evaluate("""() => { for (let size = 4e6; size >= 1; size /= 2) {
        try { localStorage.setItem(`full-${size}`, "x".repeat(size)) } catch { /* too long */ }
    } }""")
    page.route("**/answers", lambda route: route.abort())
    press(page, "3")
    expect(page.locator("#notices")).to_contain_text("Keep this page open")
    leave = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert not page.evaluate(leave)  # the browser asks
    page.unroute("**/answers")
    page.get_by_role("button", name="Try now").click()
    wait_for_answers(page, portal, 1)
    expect(page.locator("#notices")).to_be_empty()
    assert page.evaluate(leave)


def test_answers_kept_in_the_browser_are_told_on_the_job_list(page, served):
    page.route("**/answers", lambda route: route.abort())
    press(page, "3")
    expect(page.locator("#notices")).to_contain_text("does not answer")
    page.goto(served[0])
    expect(page.locator("#kept-answers")).to_contain_text("zoo")


def test_an_answer_that_is_refused_can_be_changed(page, portal):
    page.route(
        "**/answers",
        lambda route: route.fulfill(status=413, json={"error": "Too long.", "code": "too-large"}),
    )
    first = task(page)
    page.frame_locator(SHOWN).get_by_label("Note").fill("kept")
    press(page, "Tab")
    page.frame_locator(SHOWN).get_by_role("button", name="cat").click()
    expect(page.frame_locator(SHOWN).locator("#refused")).to_have_text("Too long.")
    assert task(page) == first
    page.unroute("**/answers")
    page.frame_locator(SHOWN).get_by_role("button", name="dog").click()
    (saved,) = wait_for_answers(page, portal, 1).values()
    assert saved == {"label": "dog", "note": "kept"}


def test_a_worker_goes_back_to_their_last_answer(page, portal):
    first = page.frame_locator(SHOWN).locator("#photo").get_attribute("src")
    press(page, "1")
    wait_for_answers(page, portal, 1)
    wait_for_task(page)
    second = task(page)
    page.frame_locator(SHOWN).get_by_label("Note").fill("half done")
    page.get_by_role("button", name="Back to my last answer").click()
    told = page.frame_locator(SHOWN).locator("#told")
    expect(told).to_contain_text('"answer":{"label":"cat","note":""}')
    assert page.frame_locator(SHOWN).locator("#photo").get_attribute("src") == first
    press(page, "2")
    expect(page.locator(SHOWN)).to_have_attribute("src", second)
    # What was begun there is still there.
    expect(page.frame_locator(SHOWN).get_by_label("Note")).to_have_value("half done")
    (saved,) = wait_for_answers(page, portal, 1).values()
    assert saved["label"] == "dog"


def test_a_page_that_is_not_shown_cannot_answer(page, portal):
    page.locator("#stage iframe.waiting").wait_for(state="attached")
    hidden = page.frames[-1]
    hidden.wait_for_function("typeof submit === 'function'")
    hidden.evaluate("submit('cat')")
    page.evaluate("postMessage({labeljob: 'answer', answer: {label: 'dog'}}, '*')")
    page.wait_for_timeout(300)
    assert answers(portal) == {}


def test_a_page_that_did_not_come_is_loaded_again(page):
    refused = []

    def refuse(route):
        if len(refused) < 2:
            refused.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/frames/*", refuse)
    page.reload()
    wait_for_task(page)
    assert len(refused) == 2


def test_a_task_that_took_too_long_is_given_back_and_the_page_says_so(page, portal):
    page.clock.install()
    page.reload()
    wait_for_task(page)
    page.frame_locator(SHOWN).get_by_label("Note").fill("half done")
    page.clock.fast_forward(241_000)
    expect(page.locator("#time")).to_have_class("ending")
    expect(page.locator("#time")).to_contain_text("of 5 Min")
    page.clock.fast_forward(60_000)
    show_panel(page, "The time for this task is over")
    wait_for(lambda: count_live(portal) == 0)
    page.get_by_role("button", name="Go on").click()
    wait_for_task(page)
    # It is the same one again, and what was begun is still there.
    assert page.frame_locator(SHOWN).get_by_label("Note").input_value() == "half done"
    press(page, "Tab")
    page.frame_locator(SHOWN).get_by_role("button", name="cat").click()
    wait_for_answers(page, portal, 1)


def test_stop_working_gives_the_tasks_back_at_once(page, portal, served):
    page.get_by_role("button", name="Stop working").click()
    page.wait_for_url(f"{served[0]}/")
    with portal.database.read() as connection:
        (live,) = connection.execute("SELECT count(*) FROM assignments WHERE live").fetchone()
    assert live == 0


def test_a_task_that_is_worked_on_is_not_taken_away_by_a_pause(page, portal):
    page.wait_for_timeout(2_100)
    assignments.set_job_state(portal.database, "zoo", "paused")
    before = task(page)
    with page.expect_response("**/next"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert task(page) == before
    press(page, "1")
    show_panel(page, "This job is paused")
    assert len(answers(portal)) == 1


def test_a_page_looks_for_tasks_by_itself(page, portal):
    assignments.set_job_state(portal.database, "zoo", "paused")
    press(page, "1")
    show_panel(page, "This job is paused")
    assignments.set_job_state(portal.database, "zoo", "running")
    page.clock.install()
    page.get_by_role("button", name="Look now").click()
    wait_for_task(page)
    assignments.set_job_state(portal.database, "zoo", "paused")
    press(page, "1")
    show_panel(page, "This job is paused")
    assignments.set_job_state(portal.database, "zoo", "running")
    page.clock.fast_forward(16_000)
    wait_for_task(page)


def test_a_task_that_cannot_be_shown_is_skipped(page, portal, monkeypatch):
    def fail(self, line):
        raise GroundTruthError("the function for tasks failed")

    monkeypatch.setattr(PortalJob, "ask_pre", fail)  # what was loaded ahead is there already
    press(page, "1")
    wait_for_answers(page, portal, 1)
    wait_for_task(page)
    with page.expect_response("**/answers"):
        press(page, "2")
    show_panel(page, "This task cannot be shown")
    expect(page.locator("#panel-text")).to_contain_text("the function for tasks failed")
    monkeypatch.undo()
    page.locator("#panel").get_by_role("button", name="Skip").click()
    wait_for_task(page)


def test_a_job_that_is_taken_away_is_said_to_be_gone(page, portal):
    with portal.database.transaction() as connection:
        connection.execute("INSERT INTO job_members VALUES ('zoo', 'somebody else')")
    press(page, "1")
    show_panel(page, "This job is not here any more")


def test_the_image_has_been_decoded_when_the_page_comes_up(page):
    page.locator("#stage iframe.waiting").wait_for(state="attached")
    press(page, "1")
    wait_for_task(page)
    complete = page.frame_locator(SHOWN).locator("#photo").evaluate("image => image.complete")
    assert complete
