"""Labels of many data objects as JSON at once: the text that `format_label` would give of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.annotations import RejectedAnswer
from groundtruth.contract.fields import compact_json
from groundtruth.tasks.base import (
    BUILTIN,
    CONSENSUS,
    DEPENDENCE_DIGITS,
    LOW_CONFIDENCE,
    NO_USABLE_ANSWER,
    OBJECT,
    SINGLE_ANNOTATOR,
    TIE,
    ConsolidationContext,
    Label,
    format_label,
    unlabeled,
)

if TYPE_CHECKING:
    from groundtruth.sharding.arrays import Arrays
    from groundtruth.tasks.base import Task

type Rejected = Mapping[int, Sequence[RejectedAnswer]]
"""The answers that do not count, by the index of their data object in its shard."""

STATUSES = (CONSENSUS, LOW_CONFIDENCE, TIE, SINGLE_ANNOTATOR, NO_USABLE_ANSWER)

_ALREADY_HALF = 1e-6
"""So close to half a unit, rounding is left to Python, which knows the exact value."""


@dataclass(frozen=True, kw_only=True)
class LabelTexts:
    """The labels of a shard's data objects.

    Attributes
    ----------
    object_style, builtin_style : list of str
        What a line of the manifest gets, as JSON without the braces around it:
        ``"label":{…}`` and, of the `builtin` style, ``"label":1,"label-metadata":{…}``.
    names : list of tuple of str
        The classes that labels have; each combination is there once.
    name_index : ndarray of int, shape (n_objects,)
        Which of `names` each label has; -1 for none.
    confidences : ndarray of float, shape (n_objects,)
        In [0, 1], as the labels tell it; nan without a label.
    statuses : ndarray of int, shape (n_objects,)
        Which of `STATUSES`.
    used : ndarray of int, shape (n_objects,)
        How many answers count.
    """

    object_style: list[str]
    builtin_style: list[str]
    names: list[tuple[str, ...]]
    name_index: NDArray[np.int32]
    confidences: NDArray[np.float64]
    statuses: NDArray[np.int8]
    used: NDArray[np.int32]


def find_statuses(
    *,
    used: NDArray[Any],
    tied: NDArray[np.bool_],
    confidences: NDArray[np.float64],
    min_confidence: float,
) -> NDArray[np.int8]:
    """Index of each label's status in `STATUSES`, by the rules of `status_of` and `unlabeled`."""
    status = np.where(confidences < min_confidence, 1, 0)
    status = np.where(tied, 2, status)
    status = np.where(used == 1, 3, status)
    return np.where(used == 0, 4, status).astype(np.int8)


def round_numbers(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """What Python's `round` gives of numbers in [-1, 1].

    Examples
    --------
    >>> round_numbers(np.array([0.1234565, 2 / 3, -0.0001]), 3).tolist()
    [0.123, 0.667, -0.0]
    """
    scale = 10.0**digits
    scaled = values * scale
    rounded = np.rint(scaled) / scale
    unsure = np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5) < _ALREADY_HALF
    for index in np.flatnonzero(unsure).tolist():
        rounded[index] = round(float(values[index]), digits)
    return rounded


def write_numbers(values: NDArray[np.float64], digits: int) -> list[str]:
    """Numbers in [-1, 1], rounded, as JSON."""
    return list(map(repr, round_numbers(values, digits).tolist()))


def join_by_object(objects: NDArray[Any], texts: Sequence[str], n_objects: int) -> list[str]:
    """The texts of each object with commas between them; `objects` rise.

    Examples
    --------
    >>> join_by_object(np.array([0, 0, 2]), ["a", "b", "c"], 3)
    ['a,b', '', 'c']
    """
    ends = np.cumsum(np.bincount(objects, minlength=n_objects)).tolist()
    return [",".join(texts[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def write_tails(
    task: Task[Any],
    context: ConsolidationContext,
    *,
    statuses: NDArray[np.int8],
    used: NDArray[Any],
    rejected: Rejected,
    labels: Arrays,
) -> list[str]:
    """What all job types write the same way in the `object` style, with its closing brace.

    From ``,"status":`` on; `labels` has what the last step found of dependence.
    """
    answers = [
        f'{{"used":{count},"set-aside":[]}}' for count in range(int(used.max(initial=0)) + 1)
    ]
    heads = [f',"status":{compact_json(status)},"answers":' for status in STATUSES]
    middles = [answers[count] for count in used.tolist()]
    for index, items in rejected.items():
        label = Label(task="", used=int(used[index]), rejected=tuple(items))
        middles[index] = compact_json(_object_style(label, task, context)["answers"])
    before, after = _split_template(task, context)
    return [
        f"{heads[status]}{middle}{before}{dependence}{after}"
        for status, middle, dependence in zip(
            statuses.tolist(), middles, _write_dependence(labels), strict=True
        )
    ]


def _object_style(label: Label, task: Task[Any], context: ConsolidationContext) -> dict[str, Any]:
    settings = replace(context.settings, output_style=OBJECT)
    value: dict[str, Any] = format_label(label, "", task, replace(context, settings=settings))[""]
    return value


def _split_template(task: Task[Any], context: ConsolidationContext) -> tuple[str, str]:
    """The text behind the answers: before and behind what is told of dependence."""
    content = _object_style(unlabeled(task, ()), task, context)
    names = list(content)
    rest = {name: content[name] for name in names[names.index("answers") + 1 :]}
    algorithm = compact_json(rest.pop("algorithm"))
    return f',"algorithm":{algorithm[:-1]}', f"}}{''.join(_members(rest))}}}"


def _members(values: Mapping[str, Any]) -> Iterable[str]:
    return (f",{compact_json(name)}:{compact_json(value)}" for name, value in values.items())


def _write_dependence(labels: Arrays) -> list[str]:
    """What each label's `algorithm` tells of dependence; empty where the label tells none."""
    values, correlations, pairs = (labels[name] for name in ("dependence", "correlation", "pairs"))
    told = ~np.isnan(values)
    texts = [""] * len(values)
    if not told.any():
        return texts
    columns = (
        write_numbers(values[told], DEPENDENCE_DIGITS),
        write_numbers(correlations[told], DEPENDENCE_DIGITS),
        pairs[told].tolist(),
    )
    for index, value, correlation, count in zip(
        np.flatnonzero(told).tolist(), *columns, strict=True
    ):
        texts[index] = f',"dependence":{value},"correlation":{correlation},"pairs":{count}'
    return texts


def write_failures(
    attribute: str,
    task: Task[Any],
    context: ConsolidationContext,
    indices: Iterable[int],
    rejected: Rejected,
) -> dict[int, str]:
    """What the `builtin` style says of objects without a usable answer, by their indices."""
    settings = replace(context.settings, output_style=BUILTIN)
    context = replace(context, settings=settings)
    return {
        index: compact_json(
            format_label(unlabeled(task, rejected.get(index, ())), attribute, task, context)
        )[1:-1]
        for index in indices
    }
