"""Labels of many data objects as JSON at once: what `format_label` gives of each, in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias

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

Rejected: TypeAlias = Mapping[int, Sequence[RejectedAnswer]]
"""The answers that do not count, by the index of their data object in its shard."""

STATUSES = (CONSENSUS, LOW_CONFIDENCE, TIE, SINGLE_ANNOTATOR, NO_USABLE_ANSWER)

_ALREADY_HALF = 1e-6
"""So close to half a unit, rounding is left to Python, which knows the exact value."""


@dataclass(frozen=True)
class Choice:
    """A piece of text that each row has one of.

    Attributes
    ----------
    texts : sequence of str
        The texts there are.
    index : ndarray of int, shape (n_rows,)
        Which of them each row has.
    """

    texts: Sequence[str]
    index: NDArray[Any]


@dataclass(frozen=True)
class Counts:
    """Whole numbers as JSON, one a row."""

    values: NDArray[Any]


@dataclass(frozen=True)
class Numbers:
    """Numbers in [-1, 1] as JSON, one a row, that `round_numbers` has rounded to `digits`."""

    values: NDArray[np.float64]
    digits: int

    @classmethod
    def rounded(cls, values: NDArray[np.float64], digits: int) -> Self:
        """The numbers, rounded."""
        return cls(round_numbers(values, digits), digits)


@dataclass(frozen=True)
class Grouped:
    """The members of each row, of which it may have any number, with commas between them.

    Attributes
    ----------
    rows : ndarray of int, shape (n_members,)
        The row of each member; they rise.
    pieces : tuple of Piece
        What the members are made of.
    """

    rows: NDArray[Any]
    pieces: tuple[Piece, ...]


Piece: TypeAlias = str | Choice | Counts | Numbers | Grouped
"""A part of many texts; a text alone is the same in all of them."""


@dataclass(frozen=True)
class StyledTexts:
    """What lines of a manifest get in one style, as JSON without the braces around it.

    Attributes
    ----------
    pieces : tuple of Piece
        What the texts are made of, from left to right.
    instead : mapping of int to str
        Rows that have another text altogether.
    """

    pieces: tuple[Piece, ...]
    instead: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LabelTexts:
    """The labels of a shard's data objects.

    Attributes
    ----------
    object_style, builtin_style : StyledTexts
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

    object_style: StyledTexts
    builtin_style: StyledTexts
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


def fill_members(content: Mapping[str, Any], filled: Mapping[str, Sequence[Piece]]) -> list[Piece]:
    """An object as JSON, of which some members are other pieces than `content` has.

    Examples
    --------
    >>> fill_members({"a": 1, "b": None, "c": []}, {"b": ("[", "]")})
    ['{"a":1,"b":', '[', ']', ',"c":[]}']
    """
    pieces: list[Piece] = []
    text, before = "{", ""
    for name, value in content.items():
        text += f"{before}{compact_json(name)}:"
        before = ","
        if name in filled:
            pieces += [text, *filled[name]]
            text = ""
        else:
            text += compact_json(value)
    return [*pieces, f"{text}}}"]


def fill_map(
    keys: Sequence[str], rows: NDArray[Any], index: NDArray[Any], values: Piece
) -> tuple[Piece, ...]:
    """An object as JSON with a member for each of some rows, which rise, by the keys' index."""
    texts = [f"{compact_json(key)}:" for key in keys]
    return ("{", Grouped(rows, (Choice(texts, index), values)), "}")


def fill_object_style(
    attribute: str,
    task: Task[Any],
    context: ConsolidationContext,
    filled: Mapping[str, Sequence[Piece]],
    *,
    statuses: NDArray[np.int8],
    used: NDArray[Any],
    rejected: Rejected,
    labels: Arrays,
) -> StyledTexts:
    """The labels in the `object` style.

    `filled` has what the job type tells of them, `labels` what the last step found of dependence.
    """
    content = _object_style(unlabeled(task, ()), task, context)
    answers = [
        f'{{"used":{count},"set-aside":[]}}' for count in range(int(used.max(initial=0)) + 1)
    ]
    answer_index = used.astype(np.int64)
    for row, items in rejected.items():
        label = Label(task="", used=int(used[row]), rejected=tuple(items))
        answer_index[row] = len(answers)
        answers.append(compact_json(_object_style(label, task, context)["answers"]))
    algorithm = compact_json(content["algorithm"]).removesuffix("}")
    filled = {
        **filled,
        "status": (Choice(list(map(compact_json, STATUSES)), statuses),),
        "answers": (Choice(answers, answer_index),),
        "algorithm": (algorithm, *_write_dependence(labels), "}"),
    }
    return StyledTexts((f"{compact_json(attribute)}:", *fill_members(content, filled)))


def _object_style(label: Label, task: Task[Any], context: ConsolidationContext) -> dict[str, Any]:
    settings = replace(context.settings, output_style=OBJECT)
    value: dict[str, Any] = format_label(label, "", task, replace(context, settings=settings))[""]
    return value


def _write_dependence(labels: Arrays) -> tuple[Piece, ...]:
    """What each label's `algorithm` tells of dependence; empty where the label tells none."""
    told = np.flatnonzero(~np.isnan(labels["dependence"]))
    if not told.size:
        return ()
    pieces = (
        ',"dependence":',
        Numbers.rounded(labels["dependence"][told], DEPENDENCE_DIGITS),
        ',"correlation":',
        Numbers.rounded(labels["correlation"][told], DEPENDENCE_DIGITS),
        ',"pairs":',
        Counts(labels["pairs"][told]),
    )
    return pieces if told.size == len(labels["dependence"]) else (Grouped(told, pieces),)


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
