"""What a replay changes: objects with another label, and confidences that moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from groundtruth.tasks.base import Label
from groundtruth.tasks.registry import find_task

SMALLEST = 1e-9
"""Confidences closer than this are the same."""

NO_LABEL = "no label"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One data object that has another label; of masks with the share of the pixels that changed.

    `before` and `after` are what `describe_label` says of the labels.
    """

    object_id: str
    source: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    changed_share: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The change for `--json`."""
        return {
            "object": self.object_id,
            "source": self.source,
            "before": self.before,
            "after": self.after,
            **({} if self.changed_share is None else {"changed-share": self.changed_share}),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote."""
        return cls(
            object_id=values["object"],
            source=values["source"],
            before=values["before"],
            after=values["after"],
            changed_share=values.get("changed-share"),
        )


@dataclass
class LabelColumns:
    """Labels of some data objects, in rows.

    `names` are combinations of classes, each once, `kinds` what `name_label` calls each,
    `index` which of them each object has, -1 for none, and `confidences` in [0, 1], nan where it is
    not known.
    """

    names: list[tuple[str, ...]]
    kinds: list[str]
    index: NDArray[np.int32]
    confidences: NDArray[np.float64]

    @classmethod
    def of(cls, labels: Sequence[Label | None]) -> Self:
        """Those of labels as they were read."""
        seen: dict[tuple[str, tuple[str, ...]], int] = {}
        index = np.full(len(labels), -1, np.int32)
        confidences = np.full(len(labels), np.nan)
        for row, label in enumerate(labels):
            if label is not None and label.classes:
                key = (name_label(label), tuple(item.name for item in label.classes))
                index[row] = seen.setdefault(key, len(seen))
                if label.confidence is not None:
                    confidences[row] = label.confidence
        return cls([names for _, names in seen], [kind for kind, _ in seen], index, confidences)

    @classmethod
    def of_names(
        cls,
        names: Sequence[tuple[str, ...]],
        index: NDArray[np.int32],
        confidences: NDArray[np.float64],
    ) -> Self:
        """Those of labels that are names; `index` is of `names`."""
        return cls(list(names), list(map(_join_names, names)), index, confidences)

    def describe(self, row: int) -> dict[str, Any] | None:
        """What `describe_label` says of a label that is names."""
        index, confidence = int(self.index[row]), float(self.confidences[row])
        if index < 0:
            return None
        known = None if np.isnan(confidence) else confidence
        return {"classes": list(self.names[index]), "confidence": known}


@dataclass
class ClassCounts:
    """The data objects that had a class: how many, how many do not keep it, and what they got."""

    objects: int = 0
    changed: int = 0
    shifts: int = 0
    shift_sum: float = 0.0
    to: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The counts for `--json`, what they got by its frequency."""
        return {
            "objects": self.objects,
            "changed": self.changed,
            "confidence-change-mean": self.shift_sum / self.shifts if self.shifts else 0.0,
            "to": dict(sorted(self.to.items(), key=lambda item: (-item[1], item[0]))),
        }


@dataclass
class Counts:
    """What is counted of the changes of data objects; `add` puts two such together.

    `new` are labels of a job that had none; there is nothing that they change. A shift is the
    change of a confidence that is there before and after.
    """

    objects: int = 0
    relabeled: int = 0
    new: int = 0
    shifts: int = 0
    shift_sum: float = 0.0
    moved: int = 0
    largest: float = 0.0
    classes: dict[str, ClassCounts] = field(default_factory=dict)

    def add(self, other: Counts) -> None:
        """Count what another has counted of other data objects."""
        self.objects += other.objects
        self.relabeled += other.relabeled
        self.new += other.new
        self.shifts += other.shifts
        self.shift_sum += other.shift_sum
        self.moved += other.moved
        self.largest = max(self.largest, other.largest)
        for name, counts in other.classes.items():
            row = self.classes.setdefault(name, ClassCounts())
            row.objects += counts.objects
            row.changed += counts.changed
            row.shifts += counts.shifts
            row.shift_sum += counts.shift_sum
            row.to.update(counts.to)


def count_new(labels: LabelColumns) -> Counts:
    """Count the labels of a job that had none."""
    return Counts(objects=labels.index.size, new=int((labels.index >= 0).sum()))


def count_changes(
    before: LabelColumns, after: LabelColumns, shares: NDArray[np.float64] | None = None
) -> tuple[Counts, NDArray[np.int64]]:
    """Count what changed, and find the rows with another label.

    Parameters
    ----------
    before, after : LabelColumns
        Of the same data objects, row by row.
    shares : ndarray of float, shape (n_objects,), optional
        Share of the pixels that changed, where both labels are masks that can be read; nan
        elsewhere, and there the classes count.
    """
    n_objects = before.index.size
    kinds = {kind: code for code, kind in enumerate(dict.fromkeys((*before.kinds, *after.kinds)))}
    codes = [
        np.array([*map(kinds.__getitem__, labels.kinds), -1], np.int64)[labels.index]
        for labels in (before, after)
    ]
    relabeled = codes[0] != codes[1]
    state = np.zeros(n_objects, np.int64)  # 1 and 2 of masks that are held against each other
    if shares is not None:
        held = ~np.isnan(shares)
        relabeled = np.where(held, shares > 0, relabeled)
        state = np.where(held, np.where(shares > 0, 2, 1), 0)
    shift = after.confidences - before.confidences
    has_shift = ~np.isnan(shift) & (before.index >= 0) & (after.index >= 0)
    shift = np.where(has_shift, shift, 0.0)
    counts = Counts(
        objects=n_objects,
        relabeled=int(relabeled.sum()),
        shifts=int(has_shift.sum()),
        shift_sum=float(shift.sum()),
        moved=int((np.abs(shift) > SMALLEST).sum()),
        largest=float(np.abs(shift).max(initial=0.0)),
    )
    n_after = len(after.names) + 1
    groups = ((before.index.astype(np.int64) * n_after) + after.index + 1) * 3 + state
    groups[before.index < 0] = -1
    cells, group_of = np.unique(groups, return_inverse=True)
    columns = (
        cells.tolist(),
        np.bincount(group_of, minlength=cells.size).tolist(),
        np.bincount(group_of, weights=has_shift, minlength=cells.size).tolist(),
        np.bincount(group_of, weights=shift, minlength=cells.size).tolist(),
    )
    for cell, n, n_shifts, shift_sum in zip(*columns, strict=True):
        if cell < 0:
            continue
        pair, held_state = divmod(cell, 3)
        old, new = divmod(pair, n_after)
        had = before.names[old]
        has = after.names[new - 1] if new else ()
        for name in had:
            row = counts.classes.setdefault(name, ClassCounts())
            row.objects += n
            row.shifts += int(n_shifts)
            row.shift_sum += shift_sum
            if held_state == 2 or (held_state == 0 and name not in has):
                row.changed += n
                row.to.update(dict.fromkeys(set(has) - set(had), n))
    return counts, np.flatnonzero(relabeled)


@dataclass(frozen=True)
class Differences:
    """The data objects of a job before and after a replay: counts, and those relabeled."""

    counts: Counts
    relabeled: Sequence[Change]

    def as_json(self) -> dict[str, Any]:
        """Counts, figures and the list of the objects with another label, for `--json`."""
        return {**self.figures(), "changed": [change.as_json() for change in self.relabeled]}

    def figures(self) -> dict[str, Any]:
        """All of `as_json` but the list."""
        counts = self.counts
        return {
            "objects": counts.objects,
            "labels-changed": counts.relabeled,
            "labels-new": counts.new,
            "confidences-changed": counts.moved,
            "confidence-change-mean": counts.shift_sum / counts.shifts if counts.shifts else 0.0,
            "confidence-change-max": counts.largest,
            "by-class": self.by_class(),
        }

    def by_class(self) -> dict[str, Any]:
        """For each class of the old labels: how many objects, how many changed, and to what."""
        return {name: row.as_json() for name, row in sorted(self.counts.classes.items())}


def compare(
    before: Mapping[str, Label | None],
    after: Mapping[str, Label | None],
    sources: Mapping[str, str],
    read_mask: Callable[[Label], NDArray[np.uint8] | None],
) -> Differences:
    """Hold the new labels against those of the job's manifest, by the data objects' ids."""
    object_ids = list(dict.fromkeys((*before, *after)))
    olds = [before.get(object_id) for object_id in object_ids]
    news = [after.get(object_id) for object_id in object_ids]
    if not any(olds):
        return Differences(count_new(LabelColumns.of(news)), ())
    shares = np.full(len(object_ids), np.nan)
    for row, (old, new) in enumerate(zip(olds, news, strict=True)):
        if old and new and _is_mask(old):
            share = _changed_share(read_mask(old), read_mask(new))
            shares[row] = np.nan if share is None else share
    counts, rows = count_changes(LabelColumns.of(olds), LabelColumns.of(news), shares)
    relabeled = [
        Change(
            object_id=object_ids[row],
            source=sources.get(object_ids[row], ""),
            before=describe_label(olds[row]),
            after=describe_label(news[row]),
            changed_share=None if np.isnan(shares[row]) else float(shares[row]),
        )
        for row in rows.tolist()
    ]
    return Differences(counts, relabeled)


def describe_label(label: Label | None) -> dict[str, Any] | None:
    """A label in a few words, for `--json`."""
    if label is None or not label.classes:
        return None
    if _is_mask(label):
        return {"mask": label.mask_uri, "confidence": label.confidence}
    return {"classes": [item.name for item in label.classes], "confidence": label.confidence}


def name_described(description: Mapping[str, Any] | None) -> str:
    """The classes of what `describe_label` says as one text, as `name_label` has them."""
    if description is None:
        return NO_LABEL
    return "mask" if "mask" in description else _join_names(description["classes"])


def name_label(label: Label | None) -> str:
    """The classes of a label as one text; a mask has none to tell."""
    if label is None or not label.classes:
        return NO_LABEL
    return "mask" if _is_mask(label) else _join_names(item.name for item in label.classes)


def _join_names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _is_mask(label: Label) -> bool:
    return find_task(label.task).pixel_class_ids


def _changed_share(old: NDArray[np.uint8] | None, new: NDArray[np.uint8] | None) -> float | None:
    if old is None or new is None:
        return None
    return float((old != new).mean()) if old.shape == new.shape else 1.0
