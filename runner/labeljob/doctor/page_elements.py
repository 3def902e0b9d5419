"""The elements of a worker page that matter to a job, out of its HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from labeljob.task_types import TaskType

ELEMENTS = {
    TaskType.IMAGE_MULTI_CLASS: "crowd-image-classifier",
    TaskType.IMAGE_MULTI_CLASS_MULTI_LABEL: "crowd-image-classifier-multi-select",
    TaskType.SEMANTIC_SEGMENTATION: "crowd-semantic-segmentation",
}
"""The element whose answers the functions of a job type read."""

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
        The elements of `ELEMENTS` in their order.
    """

    scripts: list[str] = field(default_factory=list)
    forms: int = 0
    labeling: list[PageElement] = field(default_factory=list)


def page_elements(html: str) -> PageElements:
    """The elements of a rendered page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = PageElements()
        self._open_forms = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "script":
            self.found.scripts.append(attributes.get("src", ""))
        elif tag == "crowd-form":
            self.found.forms += 1
            self._open_forms += 1
        elif tag in ELEMENTS.values():
            element = PageElement(tag=tag, attributes=attributes, in_form=self._open_forms > 0)
            self.found.labeling.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag == "crowd-form":
            self._open_forms -= 1
