"""The page in Chromium: no errors, nothing wider than the screen, legible in dark and print."""

import pytest

from labeljob.commands.report import report
from tests.real_data import real_data
from tests.runner.command_line import run

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
BROKEN_IMAGES = """() => [...document.images]
    .filter((image) => image.complete && !image.naturalWidth).length"""


@pytest.fixture(params=["animals", "scenes", "harbour", "birds"])
def page(request, browser, images, tmp_path):
    """A report, opened; all that the browser complains of."""
    if request.param == "birds":
        job = real_data("birds-job")
        options = ["--truth", job / "true_labels.json"]
    else:
        job = request.getfixturevalue(request.param)
        options = ["--images", images]
    if request.param == "harbour":
        options += ["--labels", "water,boat,quay"]
    path = tmp_path / "report.html"
    outcome = run(report, job, *options, "-o", path)
    assert outcome.exit_code == 0, outcome.output
    opened = browser.new_page()
    complaints = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("requestfailed", lambda asked: complaints.append(asked.url))
    opened.goto(path.as_uri())
    yield opened
    opened.close()
    assert complaints == []


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
