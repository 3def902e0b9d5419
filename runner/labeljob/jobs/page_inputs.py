"""What a worker page asks for: the inputs of its form, and whether their answers are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from groundtruth.form_inputs import ANSWER_FIELD_TAG, UNNAMED_VALUE
from labeljob.tasks.base import JobType

_BUTTONS = ("crowd-radio-button", "crowd-checkbox")
_SWITCHES = ("radio", "checkbox")
_TYPED = ("crowd-input", "crowd-text-area", "textarea", "input")


@dataclass(kw_only=True)
class FormInput:
    """What a form asks for under one name.

    `choices` are the labels that can be chosen; `is_typed` says that any text can be written;
    `takes_several` that more than one can be chosen.
    """

    tag: str
    choices: list[str]
    is_typed: bool = False
    takes_several: bool = False


def list_inputs(page: LexborHTMLParser) -> dict[str, FormInput]:
    """The inputs of the page's form that can carry a label, by name."""
    inputs: dict[str, FormInput] = {}
    for node in page.css("crowd-form [name]"):
        tag, name = str(node.tag), node.attributes["name"] or ""
        kind = (node.attributes.get("type") or "text").lower()
        if tag == "select":
            several = "multiple" in node.attributes
            found = FormInput(tag=tag, choices=_options(node), takes_several=several)
        elif tag in _BUTTONS or (tag == "input" and kind in _SWITCHES):
            value = node.attributes.get("value") or UNNAMED_VALUE
            choice = name if value == UNNAMED_VALUE else value
            ticked = tag == "crowd-checkbox" or kind == "checkbox"
            found = FormInput(tag=tag, choices=[choice], takes_several=ticked)
        elif tag in _TYPED:
            found = FormInput(tag=tag, choices=[], is_typed=True)
        else:
            continue
        known = inputs.setdefault(name, found)
        if known is not found:
            known.choices += found.choices
    return inputs


def _options(select: LexborNode) -> list[str]:
    values = (
        node.attributes["value"] if "value" in node.attributes else node.text(strip=True)
        for node in select.css("option")
        if "disabled" not in node.attributes
    )
    return [value for value in values if value]


def propose_field(page: LexborHTMLParser, labels: Sequence[str]) -> str:
    """The value of the tag for the inputs that have the labels; empty if none has."""
    fitting = {
        name: set(found.choices) & set(labels)
        for name, found in list_inputs(page).items()
        if set(found.choices) & set(labels)
    }
    whole = [name for name, names in fitting.items() if len(names) > 1]
    return whole[0] if whole else " ".join(fitting)


def explain_unread(html: str, task: JobType, labels: Sequence[str], field: str) -> str:
    """Why no answer of a rendered page would be read, and what to do; empty if one would.

    `field` is the setting `answer_field`.
    """
    page = LexborHTMLParser(html)
    if page.css(", ".join(task.page_elements)):
        return ""
    named = list_inputs(page)
    if not task.label_is_mask and field:
        names = [field] if field in named else field.split()
        missing = [name for name in names if name not in named]
        if not missing:
            return ""
        has = ", ".join(named) or "none"
        return f"the page has no input {', '.join(missing)} for a label; it has {has}"
    text = f"the page has no {task.page_element}, so all its answers are set aside"
    if not task.label_is_mask and (proposed := propose_field(page, labels)):
        tag = f"{ANSWER_FIELD_TAG}={proposed}"
        return f"{text}, unless the job's tag {tag} says which input has the label"
    return text
