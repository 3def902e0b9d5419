"""The owner's pages in a browser: live, usable by keyboard, and deaf to what people wrote."""

import os
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import expect

from labeljob import portal as portal_package
from labeljob.portal import assignments
from labeljob.portal.portal import Portal
from labeljob.portal.templating import STATIC
from tests.runner.portal import people
from tests.runner.portal.portal_client import serve_portal

NASTY = '</script><img src=x onerror="window.reached = true">'
LABELS = ("cat", "dog", "bird", NASTY)
AXE = Path(portal_package.__file__).parent / "pages/node_modules/axe-core/axe.min.js"
PAGES = ("/owner", "/owner/jobs/zoo", "/owner/jobs/zoo/gallery", "/owner/team")
TALKING = Path(__file__).with_name("talking_page.liquid.html")


@pytest.fixture
def portal(tmp_path):
    if not (STATIC / "owner.js").is_file() and "CI" not in os.environ:
        pytest.skip("needs the portal's pages: run `make build-pages`")
    # Its thread is not begun: tests say when labels are made.
    opened = Portal(tmp_path / "store", settle=0)
    opened.begin(people.describe(tmp_path, labels=LABELS, template=str(TALKING)))
    people.join(opened, *people.WORKERS)
    yield opened
    opened.close()


@pytest.fixture
def served(portal):
    with serve_portal(portal) as (address, invite):
        yield address, invite


@pytest.fixture
def page(served, browser):
    """The owner's browser, signed in."""
    address, invite = served
    context = browser.new_context(base_url=address)
    context.set_default_timeout(30_000)
    opened = context.new_page()
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.goto(invite("olga", role="owner"))
    if "/join/" in opened.url:
        opened.get_by_role("button").last.click()
    expect(opened.get_by_role("heading", name="Jobs")).to_be_visible()
    yield opened
    assert problems == []
    context.close()


def answer_all(portal, *, wrong=("1",)):
    job = portal.jobs["zoo"]
    for worker in people.WORKERS:
        people.work(portal, job, worker, wrong=wrong if worker == "ben" else ())
    portal.run_due()


def say(portal, worker, answer):
    lease = assignments.take(portal.database, "zoo", people.worker_id(worker), 300)
    assignments.submit(portal.database, "zoo", lease.object_id, people.worker_id(worker), answer)
    return lease.object_id


def test_progress_is_shown_as_it_comes(page, portal):
    page.goto("/owner/jobs/zoo")
    expect(page.locator("#connection")).to_have_text("live")
    expect(page.locator("#progress")).to_contain_text("0 of 6 labeled")
    answer_all(portal)
    expect(page.locator("#progress")).to_contain_text("6 of 6 labeled")
    expect(page.locator("#workers li")).to_have_count(3)
    expect(page.locator("#workers")).to_contain_text("agrees with the label in 100 %")
    expect(page.locator("#state")).to_contain_text("Finished")
    expect(page.locator("#disputed img")).to_have_count(6)


def test_a_job_is_paused_resumed_and_finished_after_a_question(page, portal):
    job = portal.jobs["zoo"]
    page.goto("/owner/jobs/zoo")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#state")).to_contain_text("Paused")
    assert job.state() == "paused"
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#state")).to_contain_text("Running")
    page.get_by_role("button", name="Finish now").click()
    expect(page.get_by_role("dialog")).to_contain_text("6 data objects are not done")
    page.get_by_role("button", name="Cancel").click()
    assert job.state() == "running"
    page.get_by_role("button", name="Finish now").click()
    page.get_by_role("dialog").get_by_role("button", name="Finish now").click()
    expect(page.locator("#state")).to_contain_text("Finished")


def test_unsure_objects_go_round_again_from_the_page(page, portal):
    answer_all(portal, wrong=("1", "2"))
    page.goto("/owner/jobs/zoo")
    page.get_by_label("Confidence below").fill("0.9")
    expect(page.locator("#requeue output")).to_contain_text("2 data objects have less confidence")
    page.get_by_role("button", name="Begin the next round").click()
    expect(page.get_by_role("heading", name="zoo-2")).to_be_visible()
    assert len(portal.jobs["zoo-2"].lines) == 2


def test_the_gallery_shows_the_disputed_first_and_enlarges_by_keyboard(page, portal):
    answer_all(portal)
    page.goto("/owner/jobs/zoo/gallery")
    pictures = page.locator("#objects .picture")
    expect(pictures).to_have_count(6)
    expect(pictures.first).to_contain_text("001.png")
    expect(pictures.first.locator(".votes li")).to_have_count(3)
    pictures.first.get_by_role("button").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="001.png")).to_be_visible()
    expect(dialog.locator("img")).to_have_js_property("complete", True)
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("heading", name="001.png")).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("heading", name="001.png")).to_be_visible()
    page.keyboard.press("Escape")
    expect(pictures.first.get_by_role("button")).to_be_focused()
    page.get_by_label("Label", exact=True).select_option("dog")
    expect(pictures).to_have_count(2)
    assert "class=dog" in page.url


def test_the_gallery_lays_masks_over_photographs(tmp_path, browser):
    opened = Portal(tmp_path / "store", settle=0)
    context = browser.new_context()
    try:
        job = opened.begin(people.describe(tmp_path, "semantic-segmentation", n_images=2))
        people.join(opened, *people.WORKERS)
        for worker in people.WORKERS:
            people.work(opened, job, worker, wrong=["1"] if worker == "ben" else ())
        opened.run_due()
        with serve_portal(opened) as (address, invite):
            page = context.new_page()
            page.goto(invite("olga", role="owner"))
            if "/join/" in page.url:
                page.get_by_role("button").last.click()
            page.goto(f"{address}/owner/jobs/zoo/gallery?order=manifest")
            masks = page.locator("#objects .frame .mask")
            expect(masks).to_have_count(2)
            expect(masks.first).to_have_js_property("naturalWidth", 24)
            page.locator("#objects .picture button").nth(1).click()
            dialog = page.get_by_role("dialog")
            mask, photo = dialog.locator(".mask"), dialog.locator(".large img:not(.mask)")
            expect(dialog.locator(".legend li")).to_have_text(["dog"])
            assert mask.bounding_box() == photo.bounding_box()
            expect(mask).to_have_css("opacity", "0.55")
            source = mask.get_attribute("src")
            dialog.get_by_role("button", name="ben").click()
            expect(dialog.get_by_role("button", name="ben")).to_have_attribute(
                "aria-pressed", "true"
            )
            expect(dialog.locator(".legend li")).to_have_text(["bird"])
            assert mask.get_attribute("src") != source
            expect(mask).to_have_js_property("naturalWidth", 24)
            opacity = dialog.get_by_label("Opacity")
            opacity.fill("0.2")
            opacity.press("ArrowRight")  # which goes to the next object nowhere else
            expect(mask).to_have_css("opacity", "0.25")
            dialog.get_by_role("button", name="Photograph").click()
            expect(mask).to_have_count(0)
            dialog.get_by_role("button", name="Previous").click()
            expect(dialog.locator(".legend li")).to_have_text(["cat"])
            expect(mask).to_have_count(1)
            page.evaluate(AXE.read_text(encoding="utf-8"))
            found = page.evaluate("axe.run(document).then((result) => result.violations)")
            assert found == []
            page.goto(f"{address}/owner/jobs/zoo")
            page.get_by_role("button", name="Have the masks corrected").click()
            expect(page.get_by_role("heading", name="zoo-adjust")).to_be_visible()
            assert opened.jobs["zoo-adjust"].task_input("1")["initialValue"]["src"]
            page.goto(f"{address}/owner/jobs/zoo")
            page.get_by_role("button", name="Have the labels checked").click()
            expect(page.get_by_role("heading", name="zoo-verify")).to_be_visible()
            page.goto(f"{address}/owner/jobs/zoo-verify/preview?object=1")
            overlay = page.frame_locator("iframe#page").locator("canvas.mask")
            pixels = overlay.evaluate(
                "(canvas) => [[0, 0], [6, 4]].map((at) =>"
                " [...canvas.getContext('2d').getImageData(...at, 1, 1).data])"
            )
            assert pixels == [[0, 0, 0, 0], [0x1F, 0x77, 0xB4, 255]]  # clear, and a dog's
    finally:
        context.close()
        opened.close()


def test_what_people_wrote_stays_text(page, portal):
    with portal.database.transaction() as connection:
        connection.execute("UPDATE members SET name = ? WHERE role = 'worker'", (NASTY,))
    say(portal, "ann", {"crowd-image-classifier": {"label": NASTY}, "workerComment": NASTY})
    say(portal, "ben", {"cannot-be-labeled": {"reason": NASTY, "comment": NASTY}})
    say(portal, "cleo", {NASTY: NASTY})
    portal.jobs["zoo"].finish()
    portal.run_due()
    for path in (*PAGES, "/owner/jobs/zoo/preview"):
        page.goto(path)
        page.wait_for_timeout(700)
    page.goto("/owner/jobs/zoo/gallery?order=manifest")
    page.locator("#objects .picture button").first.click()
    expect(page.get_by_role("dialog").locator("blockquote").first).to_have_text(NASTY)
    expect(page.get_by_role("dialog")).to_contain_text("cannot be labeled")
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("window.reached") is None


def test_a_try_of_the_page_shows_the_answer_and_what_becomes_of_it(page, portal):
    page.goto("/owner/jobs/zoo/preview?object=2")
    frame = page.frame_locator("iframe#page")
    expect(frame.locator("#told")).to_contain_text('"show"')
    frame.get_by_role("button", name="cat").click()
    # The page answers under a name that no function reads.
    expect(page.locator("#result")).to_contain_text('"label": "cat"')
    expect(page.locator("#result")).to_contain_text("This answer counts as: cat")
    with portal.database.read() as connection:
        assert connection.execute("SELECT count(*) FROM assignments").fetchone()[0] == 0
    assert frame.locator("body").evaluate("() => window.origin") == "null"


def test_a_strange_frame_cannot_judge_in_the_owners_name(page, portal):
    page.goto("/owner/jobs/zoo/preview")
    expect(page.locator("#result")).to_contain_text("Nothing is stored")
    page.evaluate("window.postMessage({labeljob: 'answer', answer: {label: 'cat'}}, '*')")
    page.wait_for_timeout(500)
    expect(page.locator("#result")).not_to_contain_text("counts")


def test_somebody_is_invited_on_the_page(page, portal):
    page.goto("/owner/team")
    page.get_by_label("E-mail address").fill("dan@example.org")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_label("Link for dan@example.org")).to_be_visible()
    assert "/join/" in page.get_by_label("Link for dan@example.org").input_value()
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".people")).to_contain_text("dan@example.org")


def test_everybody_can_use_the_pages(page, portal):
    if not AXE.is_file() and "CI" not in os.environ:
        pytest.skip("needs axe-core: run `make build-pages`")
    answer_all(portal)
    for path in (*PAGES, "/owner/jobs/zoo/preview"):
        page.goto(path)
        page.wait_for_timeout(700)
        if path.endswith("gallery"):
            page.locator("#objects .picture button").first.click()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for width, scheme in product((1280, 390), ("light", "dark")):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 800})
            found = page.evaluate(
                "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'],"
                " iframes: false}).then((result) => result.violations.map("
                "(item) => [item.id, ...item.nodes.map((node) => node.html)]))"
            )
            where = (path, width, scheme)
            assert found == [], where
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
