"""A form's own inputs on a worker page, which may carry the label: what can be chosen in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from groundtruth.form_inputs import ANSWER_FIELD_TAG, UNNAMED_VALUE
from labeljob.doctor.findings import Finding, error, warning

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


def check_named_input(
    page: LexborHTMLParser,
    where: str,
    field: str,
    labels: Sequence[str],
    *,
    single_choice: bool,
) -> Iterator[Finding]:
    """What is to be said of the inputs that the tag names.

    `labels` are what the functions take, none if they are not known; `single_choice` says whether
    an answer is one label.
    """
    inputs = list_inputs(page)
    names = [field] if field in inputs else field.split()
    missing = [name for name in names if name not in inputs]
    if missing:
        text = (
            f"the job's tag {ANSWER_FIELD_TAG} names {', '.join(missing)}, and the form has no "
            f"such input for a label; it has {', '.join(inputs) or 'none'}"
        )
        fix = f"give {ANSWER_FIELD_TAG} the name of the input with the label"
        yield error("page-element", where, text, fix=fix)
        return
    found = [inputs[name] for name in names]
    shown = f"the input {field}"
    if any(item.is_typed for item in found):
        text = f"in {shown} workers write; what is not a label letter for letter is set aside"
        yield warning("page-labels", where, text, fix="use a select or radio buttons")
        return
    if single_choice and any(len(item.choices) > 1 and item.takes_several for item in found):
        text = f"{shown} lets workers choose several, and an answer has one label"
        yield warning("page-labels", where, text, fix="use radio buttons, or a plain select")
    offered = [choice for item in found for choice in item.choices]
    if labels and (unknown := [name for name in offered if name not in labels]):
        text = f"{shown} offers {', '.join(unknown)}, not labels of the job; these are set aside"
        yield warning("page-labels", where, text, fix="give the values that the labels have")
    if absent := [name for name in labels if name not in offered]:
        text = f"{shown} does not offer {', '.join(absent)}"
        yield warning("page-labels", where, text, fix="offer all labels of the job")
