"""Worker pages of the kinds that people have, answered in a browser: what a worker does there is
exactly the answer that the job gets.

Each `pages/NAME.json` says what the task holds, what the worker sees and does, and the answer.
"""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.runner.portal.page_server import PageServer, Shown
from tests.runner.portal.worker_acts import Worker

PAGES = Path(__file__).parent / "pages"
NAMES = sorted(path.name.removesuffix(".json") for path in PAGES.glob("*.json"))
STOCK = Path(__file__).resolve().parents[3] / "worker_templates"
SETTLED = 150  # milliseconds after which an answer that was not to come has not come


@pytest.fixture(scope="module")
def server():
    started = PageServer()
    yield started
    started.close()


@pytest.fixture(scope="module")
def window(browser):
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(5000)
    yield opened
    opened.close()


@pytest.fixture
def open_page(server, window):
    """Show a page; gives the worker in front of it when its elements are ready."""
    faults: list[str] = []

    def note(error):
        faults.append(str(error))

    def show(template, task_input, **said) -> Worker:
        server.shown = Shown(template, task_input, said)
        window.goto(server.url)
        worker = Worker(window, window.frame_locator("iframe"))
        expect.set_options(timeout=5000)
        window.wait_for_function(
            "received.some((message) => message.labeljob === 'ready')"
            " && document.activeElement.localName === 'iframe'"
        )
        return worker

    window.on("pageerror", note)
    yield show
    window.remove_listener("pageerror", note)
    assert not faults, faults


def answers_to(window) -> list:
    return [
        message["answer"]
        for message in window.evaluate("received")
        if message["labeljob"] == "answer"
    ]


def answer_to(window) -> dict:
    window.wait_for_function("received.some((message) => message.labeljob === 'answer')")
    (answer,) = answers_to(window)
    return answer


def in_any_order(answer) -> dict:
    return {
        name: {"labels": sorted(value["labels"])} if isinstance(value, dict) else value
        for name, value in answer.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_a_worker_does_is_the_answer(name, open_page, window):
    page = json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))
    template = (PAGES / f"{name}.liquid.html").read_text(encoding="utf-8")
    worker = open_page(template, page["input"], advance=page.get("advance", False))
    for text in page.get("shows", ()):
        expect(worker.frame.get_by_text(text).locator("visible=true").first).to_be_visible()
    if "images" in page:
        widths = worker.frame.locator("img").evaluate_all("all => all.map((i) => i.naturalWidth)")
        assert sum(width > 0 for width in widths) == page["images"]
    for act, *arguments in page["acts"]:
        if act == "nothing":
            window.wait_for_timeout(SETTLED)
            assert answers_to(window) == []
        else:
            worker.act(act, *arguments)
    answer = answer_to(window)
    if page.get("any-order"):
        answer, page["answer"] = in_any_order(answer), in_any_order(page["answer"])
    for left_out in page.get("or-without", ()):
        answer.setdefault(left_out, page["answer"][left_out])
    assert answer == page["answer"]


@pytest.mark.parametrize(
    ("name", "labels", "answer"),
    [
        ("image_multi_class", ["cat"], {"crowd-image-classifier": {"label": "cat"}}),
        (
            "image_multi_class_multi_label",
            ["cat", "dog"],
            {"crowd-image-classifier-multi-select": {"labels": ["cat", "dog"]}},
        ),
    ],
)
def test_our_own_templates_are_answered(name, labels, answer, open_page, window):
    template = (STOCK / f"{name}.liquid.html").read_text(encoding="utf-8")
    task_input = {"taskObject": "s3://photos/a.jpg", "labels": ["cat", "dog", "neither"]}
    worker = open_page(template, task_input)
    for label in labels:
        worker.choose(label)
    worker.submit()
    assert answer_to(window) == answer


def test_there_are_pages_of_every_element_that_we_have():
    used = set(re.findall(r"<(crowd-[\w-]+)", "".join(p.read_text() for p in PAGES.glob("*.html"))))
    assert len(NAMES) >= 40
    assert used >= {
        "crowd-form", "crowd-image-classifier", "crowd-image-classifier-multi-select",
        "crowd-classifier", "crowd-classifier-multi-select", "crowd-input", "crowd-text-area",
        "crowd-button", "crowd-checkbox", "crowd-radio-group", "crowd-radio-button",
        "crowd-slider", "crowd-slider-label", "crowd-card", "crowd-alert", "crowd-instructions",
    }  # fmt: skip
