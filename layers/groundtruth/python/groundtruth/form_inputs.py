"""What workers chose: in the element of a job type, or in a form's own inputs.

A form may carry the label in a ``<select>``, in radio buttons or in checkboxes of its own. The
setting `answer_field` says which of its inputs that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from groundtruth.annotations import find_by_shape, unwrap
from groundtruth.errors import UnusableAnswer
from groundtruth.settings import TAG_PREFIX

ANSWER_FIELD_TAG = f"{TAG_PREFIX}answer-field"
"""The tag of a labeling job that names the input with the label."""

UNNAMED_VALUE = "on"
"""What a radio button or a checkbox without a value is called in an answer."""

MOST_NAMED = 6
"""Inputs that a message names."""


def find_choices(
    content: Any,
    *,
    element: str,
    has_shape: Callable[[Any], bool],
    names_in: Callable[[Any], list[str]],
    answer_field: str,
) -> list[str]:
    """Names that the worker chose; none if the element holds no choice.

    A value of the element's shape wins; where there is none, or there are several, the inputs
    that `answer_field` names count.

    Parameters
    ----------
    content : object
        The decoded answer.
    element, has_shape
        The crowd element and its value's shape, as for `find_by_shape`.
    names_in : callable
        The names in a value of that shape.
    answer_field : str
        Name of the form's input that carries the label, or of several, with blanks between them;
        empty for none.

    Raises
    ------
    UnusableAnswer
        As `find_by_shape` does; with a field, ``empty-answer`` if nothing is chosen there and
        ``unexpected-shape`` if it holds something else than choices.
    """
    try:
        return names_in(find_by_shape(content, element=element, has_shape=has_shape))
    except UnusableAnswer as error:
        if error.reason not in ("unexpected-shape", "ambiguous-answer"):
            raise
        inputs = unwrap(content)
        if not isinstance(inputs, Mapping):
            raise
        if not answer_field:
            hint = f"the job's tag {ANSWER_FIELD_TAG} says which input of the form counts"
            raise UnusableAnswer(error.reason, f"{error.detail}; {hint}") from error
    if has_shape(inputs.get(answer_field)):
        return names_in(inputs[answer_field])
    return _read_inputs(inputs, answer_field)


def _read_inputs(inputs: Mapping[str, Any], answer_field: str) -> list[str]:
    """What is chosen in the named inputs, each name once; raises `UnusableAnswer`."""
    fields = [answer_field] if answer_field in inputs else answer_field.split()
    values = {name: inputs[name] for name in fields if name in inputs}
    if not values:
        others = list(inputs)
        if len(others) > MOST_NAMED:
            others[MOST_NAMED:] = [f"{len(others) - MOST_NAMED} more"]
        raise UnusableAnswer(
            "empty-answer",
            f"the answer has no input {answer_field} ({ANSWER_FIELD_TAG}): nothing was chosen, "
            f"or the form's inputs are others ({', '.join(others)})",
        )
    names = [choice for name, value in values.items() for choice in _choices(name, value)]
    if not names:
        raise UnusableAnswer("empty-answer", f"nothing is chosen in {', '.join(values)}")
    return list(dict.fromkeys(names))


def _choices(name: str, value: Any) -> Iterator[str]:
    """What is chosen in one input: a text, texts, or a switch for each value."""
    match value:
        case "" | None | False:
            return
        case True:
            yield name
        case str():
            yield value
        case int():
            yield str(value)
        case list() if all(isinstance(item, str) for item in value):
            yield from filter(None, value)
        case dict() if all(isinstance(item, bool) for item in value.values()):
            chosen = (key for key, switched in value.items() if switched)
            yield from (name if key == UNNAMED_VALUE else key for key in chosen)
        case _:
            raise UnusableAnswer("unexpected-shape", f"the input {name} holds no choice of labels")
