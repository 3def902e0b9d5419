"""The worker page: renders with our task input, and its element gives what the ACS reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from labeljob.doctor.findings import Finding, error, not_checked, or_ok, warning
from labeljob.jobs.worker_pages import PageError, render_page
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import JOB_TYPES

SCRIPT = "https://assets.crowd.aws/crowd-html-elements.js"


@dataclass(frozen=True, kw_only=True)
class PageElement:
    """One of the labeling elements on a page.

    Attributes
    ----------
    tag : str
        Such as ``"crowd-image-classifier"``.
    attributes : dict of str to str
        As the browser would see them, without escapes.
    in_form : bool
        Whether a crowd-form is around it.
    """

    tag: str
    attributes: dict[str, str]
    in_form: bool


@dataclass(kw_only=True)
class PageElements:
    """What is on a page.

    Attributes
    ----------
    scripts : list of str
        Sources of its scripts.
    forms : int
        How many crowd-forms there are.
    labeling : list of PageElement
        The elements whose answers the functions of a job type read, in their order.
    """

    scripts: list[str] = field(default_factory=list)
    forms: int = 0
    labeling: list[PageElement] = field(default_factory=list)


def page_elements(html: str) -> PageElements:
    """The elements of a rendered page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.elements


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements = PageElements()
        self._open_forms = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "script":
            self.elements.scripts.append(attributes.get("src", ""))
        elif tag == "crowd-form":
            self.elements.forms += 1
            self._open_forms += 1
        elif tag in label_attributes():
            element = PageElement(tag=tag, attributes=attributes, in_form=self._open_forms > 0)
            self.elements.labeling.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag == "crowd-form":
            self._open_forms -= 1


MAX_LENGTH = 128_000

_IMAGE = "s3://bucket/image.jpg"
_GRANTED = "https://example.invalid/granted/image.jpg"
_TAKE_OURS = "compare with the page of the job type in worker_templates/"


def page_findings(
    body: bytes, *, place: str, task: JobType | None, labels: tuple[str, ...], image: str | None
) -> Iterator[Finding]:
    """What is to be said of a worker page."""
    try:
        template = body.decode("utf-8")
    except UnicodeDecodeError:
        yield error("page-unreadable", place, "is not UTF-8", fix="save the file as UTF-8")
        return
    if len(template) > MAX_LENGTH:
        text = f"has {len(template)} characters, {MAX_LENGTH:,} at most"
        yield error("page-too-long", place, text, fix="load scripts and styles from files")
    names = labels or ("cat", "dog")
    source = image or _IMAGE
    task_input = {
        "taskObject": source,
        "labels": list(names),
        "manifestLine": {"source-ref": source},
    }
    try:
        html = render_page(template, task_input, grant_read_access=lambda _: _GRANTED)
    except PageError as reason:
        where = f"{place}:{reason.line}" if reason.line else place
        text = f"does not render with the PRE function's taskInput: {reason}"
        fix = "use task.input.taskObject, task.input.labels and task.input.manifestLine"
        yield error("page-render", where, text, fix=fix)
        return
    elements = page_elements(html)
    yield from or_ok(_frame(elements, place), place, "renders, in a crowd-form, with its script")
    yield from _labeling(elements, template, place, task, names)


def _frame(elements: PageElements, place: str) -> Iterator[Finding]:
    if SCRIPT not in elements.scripts:
        fix = f'begin the page with <script src="{SCRIPT}"></script>'
        yield error("page-script", place, "does not load crowd-html-elements.js", fix=fix)
    if elements.forms != 1:
        text = f"has {elements.forms} crowd-form elements, and needs one"
        yield error("page-form", place, text, fix="put all inputs into one <crowd-form>")


def _labeling(
    elements: PageElements,
    template: str,
    place: str,
    task: JobType | None,
    labels: tuple[str, ...],
) -> Iterator[Finding]:
    wanted = task.page_element if task else None
    fitting = [element for element in elements.labeling if wanted in (None, element.tag)]
    if not fitting:
        others = ", ".join(element.tag for element in elements.labeling) or "none"
        text = f"has no {wanted or 'labeling element'}; of the others it has {others}"
        yield error("page-element", place, text, fix=f"use <{wanted}>; {_TAKE_OURS}")
        return
    if wanted is None:
        yield not_checked(place, "whether the element fits the job type", fix="give --task")
    for element in fitting:
        where = _line_of(template, element.tag, place)
        findings = _element(element, where, labels)
        yield from or_ok(findings, where, f"{element.tag} gives what the ACS function reads")
    if len(fitting) > 1:
        text = f"has {len(fitting)} labeling elements, and the ACS function reads one answer"
        yield error("page-elements", place, text, fix="leave one of them")


def _element(element: PageElement, where: str, labels: tuple[str, ...]) -> Iterator[Finding]:
    name = element.attributes.get("name")
    if not element.in_form:
        yield error("page-form", where, "is outside the crowd-form", fix="move it into the form")
    if not name:
        text = f"{element.tag} has no name, so its answer is not sent"
        yield error("page-input-name", where, text, fix=f'name="{element.tag}"')
    elif name != element.tag:
        text = f"its name is {name!r}; our functions find the answer, AWS's own only {element.tag}"
        yield warning("page-input-name", where, text, fix=f'name="{element.tag}"')
    if element.attributes.get("src") != _GRANTED:
        text = "its src is not the image through grant_read_access, so browsers cannot load it"
        fix = 'src="{{ task.input.taskObject | grant_read_access }}"'
        yield error("page-image", where, text, fix=fix)
    if not element.attributes.get("header"):
        yield warning("page-header", where, "has no header", fix='header="What workers shall do"')
    yield from _choices(element, where, labels)


def label_attributes() -> dict[str, str]:
    """For each element whose answers are read, its attribute that holds the labels."""
    return {task.page_element: task.page_labels for task in JOB_TYPES.values()}


def _choices(element: PageElement, where: str, labels: tuple[str, ...]) -> Iterator[Finding]:
    attribute = label_attributes()[element.tag]
    choices = _json(element.attributes.get(attribute, ""))
    fix = f'{attribute}="{{{{ task.input.labels | to_json | escape }}}}"'
    if not isinstance(choices, list):
        text = f"its {attribute} are no JSON list"
        yield error("page-labels", where, text, fix=fix)
    elif choices != list(labels):
        text = f"its {attribute} are {choices!r}, not the labels of the job"
        yield warning("page-labels", where, text, fix=fix)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _line_of(template: str, tag: str, place: str) -> str:
    start = template.find(f"<{tag}")
    return f"{place}:{template.count('\n', 0, start) + 1}" if start >= 0 else place
