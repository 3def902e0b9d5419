"""A form's own inputs on a worker page, which may carry the label: whether they fit the job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selectolax.lexbor import LexborHTMLParser

from groundtruth.form_inputs import ANSWER_FIELD_TAG
from labeljob.doctor.findings import Finding, error, warning
from labeljob.jobs.page_inputs import list_inputs


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
