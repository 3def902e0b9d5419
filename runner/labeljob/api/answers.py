"""The answers of a frame as numbers: which worker gave which label to which task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeljob.api.frames import (
    Frame,
    FrameError,
    FrameLibrary,
    find_library,
    holds_nothing,
    read_columns,
)

COLUMNS = ("task", "worker", "label")


@dataclass(frozen=True, kw_only=True, eq=False)
class CodedColumn:
    """A column as numbers.

    Attributes
    ----------
    values : list
        What the numbers mean: different values, in ascending order if they have an order.
    codes : ndarray of int, shape (n_rows,)
        Index in `values` by row.
    column : object
        A column of `values`, of the type of the one that was read.
    """

    values: list[Any]
    codes: NDArray[np.int64]
    column: Any

    def pick(self, library: FrameLibrary, codes: NDArray[np.int64]) -> Any:
        """A column of some of the values."""
        return library.make_column([self.values[code] for code in codes.tolist()], self.column)


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """The answers of a frame; of one without rows all columns are empty.

    Attributes
    ----------
    library : FrameLibrary
        What the frame is of.
    tasks, workers : CodedColumn
        Of each row.
    labels : CodedColumn
        Of each row; if answers are lists of labels, of each label in them.
    rows : ndarray of int, shape (n_labels_given,)
        The row that each entry of `labels` is in.
    """

    library: FrameLibrary
    tasks: CodedColumn
    workers: CodedColumn
    labels: CodedColumn
    rows: NDArray[np.int64]

    def select_workers(self, wanted: NDArray[np.bool_]) -> Answers:
        """The answers of some workers; `wanted` has one entry for each. All classes stay."""
        kept = wanted[self.workers.codes]
        return Answers(
            library=self.library,
            tasks=_keep(self.library, self.tasks, kept),
            workers=_keep(self.library, self.workers, kept),
            labels=replace(self.labels, codes=self.labels.codes[kept[self.rows]]),
            rows=(np.cumsum(kept) - 1)[self.rows[kept[self.rows]]],
        )


def read_answers(
    data: Frame, *, classes: Sequence[Any] | None = None, several: bool = False
) -> Answers:
    """Read the columns ``task``, ``worker`` and ``label`` of a frame.

    Parameters
    ----------
    data : DataFrame or Table
        Other columns are left alone, and the order of the rows does not matter.
    classes : sequence, optional
        Every label that may be given, in the order in which ties are decided. When left out, the
        categories of the column ``label`` if it has some (a pandas ``category`` column or a Polars
        ``Enum``), else the labels that were given, in ascending order.
    several : bool
        Whether each answer is a list of labels.

    Raises
    ------
    FrameError
        If a column is missing, holds nothing somewhere or values that cannot be used, or a label
        is none of `classes`.
    """
    library = find_library(data)
    columns = read_columns(data, COLUMNS)
    said = library.to_list(columns["label"])
    if several:
        lists = [
            list_labels(value, f"column 'label' in row {row} counted from 0")
            for row, value in enumerate(said)
        ]
        rows = np.repeat(np.arange(len(lists)), [len(labels) for labels in lists])
        said = list(chain.from_iterable(lists))
        like, categories = None, None
    else:
        rows = np.arange(len(said))
        like = columns["label"]
        categories = library.categories(like)
    if classes is not None:
        like = None if categories is not None else like
        categories = _check_classes(classes)
    labels = _encode("label", said, categories)
    return Answers(
        library=library,
        tasks=_code(library, "task", columns["task"]),
        workers=_code(library, "worker", columns["worker"]),
        labels=CodedColumn(
            values=labels[0], codes=labels[1], column=library.make_column(labels[0], like)
        ),
        rows=rows,
    )


def _code(library: FrameLibrary, name: str, column: Any) -> CodedColumn:
    values, codes = _encode(name, library.to_list(column), None)
    return CodedColumn(values=values, codes=codes, column=library.make_column(values, column))


def _keep(library: FrameLibrary, column: CodedColumn, kept: NDArray[np.bool_]) -> CodedColumn:
    used, codes = np.unique(column.codes[kept], return_inverse=True)
    values = [column.values[code] for code in used.tolist()]
    return CodedColumn(values=values, codes=codes, column=column.pick(library, used))


def _encode(
    name: str, values: Sequence[Any], order: Sequence[Any] | None
) -> tuple[list[Any], NDArray[np.int64]]:
    """Different values in order, and the index of each value among them."""
    try:
        distinct = list(dict.fromkeys(values))
    except TypeError:
        kinds = sorted({type(value).__name__ for value in values if not is_hashable(value)})
        hint = ""
        if name == "label":
            hint = "; for answers of several labels take MultiLabelCalibrated or BinaryRelevance"
        raise FrameError(
            f"column {name!r} holds values of type {', '.join(kinds)}, which cannot be told apart; "
            f"texts, numbers and the like can{hint}"
        ) from None
    ordered = sort_values(distinct) if order is None else list(order)
    index = {value: number for number, value in enumerate(ordered)}
    unknown = [value for value in distinct if value not in index]
    if unknown:
        listed = ", ".join(map(repr, ordered[:20])) + (", …" if len(ordered) > 20 else "")
        raise FrameError(
            f"column {name!r} holds {unknown[0]!r}, which is none of the classes ({listed})"
        )
    codes = np.fromiter(map(index.__getitem__, values), np.int64, len(values))
    return ordered, codes


def sort_values(values: Iterable[Any]) -> list[Any]:
    """Values in ascending order; those without an order by type and text.

    Examples
    --------
    >>> sort_values(["b", "a"]), sort_values([2, "b", 1])
    (['a', 'b'], [1, 2, 'b'])
    """
    listed = list(values)
    try:
        return sorted(listed)
    except TypeError:
        return sorted(listed, key=lambda value: (type(value).__name__, str(value)))


def is_hashable(value: Any) -> bool:
    """Whether a value can be told apart from others by a dictionary."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _check_classes(classes: Sequence[Any]) -> list[Any]:
    if isinstance(classes, (str, bytes)) or not isinstance(classes, Iterable):
        raise FrameError(f"classes={classes!r} is no list of labels")
    listed = list(classes)
    unusable = [value for value in listed if holds_nothing(value) or not is_hashable(value)]
    if unusable:
        raise FrameError(f"classes names {unusable[0]!r}, which is no label")
    again = [value for value, times in Counter(listed).items() if times > 1]
    if again:
        raise FrameError(f"classes names {again[0]!r} {listed.count(again[0])} times")
    if not listed:
        raise FrameError("classes is empty: name the labels, or leave it out")
    return listed


def list_labels(value: Any, where: str) -> list[Any]:
    """The labels of one answer, those of a set in ascending order; `where` is for the message.

    Raises `FrameError` if it is no list of labels.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
        raise FrameError(
            f"{where} holds {value!r}, where a list of labels is needed; for answers of one label "
            "take a classifier such as CalibratedDawidSkene"
        )
    labels = sort_values(value) if isinstance(value, Set) else list(value)
    if any(map(holds_nothing, labels)):
        raise FrameError(f"{where} holds a list with nothing in it: {labels}")
    return labels
