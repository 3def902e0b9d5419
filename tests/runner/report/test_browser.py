"""The page in Chromium: legible in light, dark and print, usable by everybody; its gallery."""

import os
import re
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import expect

import labeljob.portal as portal_package
from labeljob.commands.report import report
from labeljob.report.page_files import LARGEST_PAGE
from tests.real_data import real_data
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk
from tests.runner.report.conftest import CREW

pytestmark = pytest.mark.slow

OVERFLOWING = """() => [...document.body.querySelectorAll("*")]
    .filter((element) => !element.closest(".scroll, nav, svg"))
    .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1)
    .map((element) => element.outerHTML.slice(0, 80))"""
TOO_SMALL = """() => [...document.querySelectorAll("figure svg text")]
    .filter((text) => text.getBoundingClientRect().height < 7).map((text) => text.textContent)"""
FADED = """() => [...document.querySelectorAll("figure svg text")]
    .filter((text) => getComputedStyle(text).fill !== getComputedStyle(document.body).color)
    .map((text) => text.textContent)"""
AXE = Path(portal_package.__file__).parent / "pages/node_modules/axe-core/axe.min.js"
RUN_AXE = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    .then((result) => result.violations.map(
      (item) => [item.id, ...item.nodes.map((node) => node.html)]))"""
BROKEN_IMAGES = """() => [...document.images]
    .filter((image) => image.complete && !image.naturalWidth).length"""


@pytest.fixture
def open_report(browser, tmp_path):
    """Writes a report and opens it; nothing may be there that the browser complains of."""
    opened, complaints = [], []

    def write_and_open(job, *options):
        path = tmp_path / "report.html"
        outcome = run(report, job, *options, "-o", path)
        assert outcome.exit_code == 0, outcome.output
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda asked: complaints.append(asked.url))
        page.goto(path.as_uri())
        opened.append(page)
        return page

    yield write_and_open
    for page in opened:
        page.close()
    assert complaints == []


@pytest.fixture(params=["animals", "scenes", "harbour", "birds"])
def page(request, open_report, images):
    """A report, opened."""
    if request.param == "birds":
        job = real_data("birds-job")
        return open_report(job, "--truth", job / "true_labels.json")
    options = ["--labels", "water,boat,quay"] if request.param == "harbour" else []
    return open_report(request.getfixturevalue(request.param), "--images", images, *options)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen(page, width, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(TOO_SMALL) == []
    assert page.evaluate(FADED) == []
    assert page.evaluate(BROKEN_IMAGES) == 0
    for summary in page.query_selector_all("details:not([open]) > summary"):
        summary.click()
    assert page.evaluate(OVERFLOWING) == []


def test_it_prints_on_a_sheet_of_paper(page):
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 without its margins
    assert page.evaluate(OVERFLOWING) == []
    assert page.pdf(format="A4").startswith(b"%PDF")


def shown(page):
    """Ids of the data objects that the gallery shows."""
    return [
        text.split(" ")[0]
        for text in page.locator("#gallery .shot > :last-child").all_inner_texts()
    ]


def test_the_gallery_finds_what_is_asked_for(animals, images, open_report):
    page = open_report(animals, "--images", images)
    assert page.locator("#found").inner_text() == "40 data objects"
    assert len(shown(page)) == 20
    page.locator("#more").click()
    assert sorted(map(int, shown(page))) == list(range(40))
    page.select_option("[name=order]", "id")
    assert shown(page)[:3] == ["0", "1", "2"]
    page.select_option("[name=label]", label=f"{on_disk.CLASSES[0]} (14)")
    assert shown(page) == [str(at) for at in range(0, 40, 3)]
    page.select_option(
        "[name=worker]", label=page.locator("[name=worker] option").last.inner_text()
    )
    page.fill("[name=text]", "36.jpg")
    assert shown(page) == ["36"]
    page.click("text=Clear")
    expect(page.locator("#found")).to_have_text("40 data objects")


def test_an_object_is_enlarged_with_its_photograph_and_votes(animals, images, open_report):
    page = open_report(animals, "--images", images)
    first = page.locator(".strip .shot").first
    target = first.get_attribute("href")
    first.click()
    dialog = page.locator("dialog")
    expect(dialog).to_be_visible()
    assert dialog.locator("h3").first.inner_text().split()[:2] == ["Object", target.split("-")[1]]
    votes = dialog.locator(".votes b").all_inner_texts()
    assert sum(map(int, votes)) == len(CREW)
    page.keyboard.press("ArrowRight")
    expect(page).not_to_have_url(re.compile(f"{re.escape(target)}$"))
    dialog.locator(".votes a").first.click()  # a worker
    expect(dialog).to_be_hidden()
    page.goto(f"{page.url.split('#')[0]}#object-3")
    expect(dialog).to_be_visible()
    assert dialog.locator("figure img").evaluate("(image) => image.decode().then(() => 1)")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_beyond_the_largest_page_a_folder_holds_pictures_and_data(images, open_report, tmp_path):
    lines = [{"source-ref": f"s3://images/{at}.jpg"} for at in range(LARGEST_PAGE + 1)]
    job = on_disk.make_job(tmp_path / "many", {"3": dict.fromkeys(CREW[:3], "dog")}, ["dog"])
    on_disk.write_manifest(job, lines)
    page = open_report(job, "--images", images)
    assert page.locator("#found").inner_text() == "2,001 data objects"
    pictures = sorted(path.name for path in (tmp_path / "report-files").iterdir())
    assert [name.rpartition(".")[2] for name in pictures] == ["jpeg"] * 4 + ["js"]
    page.fill("[name=text]", "3.jpg")
    page.locator("#gallery .shot").first.click()
    assert page.locator("dialog img").first.evaluate("(image) => image.decode().then(() => 1)")


@pytest.mark.parametrize("page", ["animals", "harbour"], indirect=True)
def test_everybody_can_use_the_page(page):
    if not AXE.is_file() and "CI" not in os.environ:
        pytest.skip("needs axe-core: run `make build-pages`")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for opened, scheme in product((False, True), ("light", "dark")):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if opened and not page.locator("dialog").is_visible():
            page.locator("#gallery .shot").first.click()
            expect(page.locator("dialog")).to_be_visible()
        assert page.evaluate(RUN_AXE) == [], (opened, scheme)
