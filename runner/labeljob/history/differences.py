"""What a replay would change in a job's own manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.tasks.base import Label
from groundtruth.tasks.registry import find_task

SMALLEST = 1e-9
"""Confidences closer than this are the same."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One data object before and after; of masks with the share of the pixels that changed."""

    object_id: str
    source: str
    before: Label | None
    after: Label | None
    changed_share: float | None = None

    @property
    def relabeled(self) -> bool:
        """Whether the label itself is another."""
        if self.changed_share is not None:
            return self.changed_share > 0
        return name_label(self.before) != name_label(self.after)

    @property
    def shift(self) -> float | None:
        """Change of the confidence; None if one of the labels is missing."""
        first, second = _confidence(self.before), _confidence(self.after)
        return None if first is None or second is None else second - first

    def as_json(self) -> dict[str, Any]:
        """The change for `--json`."""
        return {
            "object": self.object_id,
            "source": self.source,
            "before": describe_label(self.before),
            "after": describe_label(self.after),
            **({} if self.changed_share is None else {"changed-share": self.changed_share}),
        }


@dataclass(frozen=True)
class Differences:
    """All data objects of a job, before and after a replay."""

    changes: tuple[Change, ...]

    @property
    def relabeled(self) -> list[Change]:
        """Those that have another label."""
        return [change for change in self.changes if change.relabeled]

    @property
    def shifts(self) -> NDArray[np.float64]:
        """Changes of the confidences that are there before and after."""
        return np.array([change.shift for change in self.changes if change.shift is not None])

    def as_json(self) -> dict[str, Any]:
        """Counts, figures and the list of the objects with another label, for `--json`."""
        moved = np.abs(self.shifts)
        return {
            "objects": len(self.changes),
            "labels-changed": len(self.relabeled),
            "confidences-changed": int((moved > SMALLEST).sum()),
            "confidence-change-mean": float(self.shifts.mean()) if moved.size else 0.0,
            "confidence-change-max": float(moved.max()) if moved.size else 0.0,
            "by-class": self.by_class(),
            "changed": [change.as_json() for change in self.relabeled],
        }

    def by_class(self) -> dict[str, Any]:
        """For each class of the old labels: how many objects, how many changed, and to what."""
        table: dict[str, Any] = {}
        for change in self.changes:
            for name in _names(change.before):
                row = table.setdefault(
                    name, {"objects": 0, "changed": 0, "shifts": [], "to": Counter()}
                )
                row["objects"] += 1
                row["shifts"] += [] if change.shift is None else [change.shift]
                if _is_lost(name, change):
                    row["changed"] += 1
                    row["to"].update(set(_names(change.after)) - set(_names(change.before)))
        return {name: _summarize(row) for name, row in sorted(table.items())}


def compare(
    before: Mapping[str, Label | None],
    after: Mapping[str, Label | None],
    sources: Mapping[str, str],
    read_mask: Callable[[Label], NDArray[np.uint8] | None],
) -> Differences:
    """Hold the new labels against those of the job's manifest, by the data objects' ids."""
    changes = []
    for object_id in dict.fromkeys((*before, *after)):
        old, new = before.get(object_id), after.get(object_id)
        share = None
        if old and new and _is_mask(old):
            share = _changed_share(read_mask(old), read_mask(new))
        changes.append(
            Change(
                object_id=object_id,
                source=sources.get(object_id, ""),
                before=old,
                after=new,
                changed_share=share,
            )
        )
    return Differences(tuple(changes))


def describe_label(label: Label | None) -> dict[str, Any] | None:
    """A label in a few words, for `--json`."""
    if label is None or not label.classes:
        return None
    if _is_mask(label):
        return {"mask": label.mask_uri, "confidence": label.confidence}
    return {"classes": _names(label), "confidence": label.confidence}


def name_label(label: Label | None) -> str:
    """The classes of a label as one text; a mask has none to tell."""
    if label is None or not label.classes:
        return "no label"
    return "mask" if _is_mask(label) else ", ".join(sorted(_names(label)))


def _is_mask(label: Label) -> bool:
    return find_task(label.task).pixel_class_ids


def _names(label: Label | None) -> list[str]:
    return [item.name for item in label.classes] if label else []


def _is_lost(name: str, change: Change) -> bool:
    """Whether an object with a class does not keep it; a mask, whether it changed at all."""
    if change.changed_share is not None:
        return change.relabeled
    return name not in _names(change.after)


def _confidence(label: Label | None) -> float | None:
    return label.confidence if label and label.classes else None


def _changed_share(old: NDArray[np.uint8] | None, new: NDArray[np.uint8] | None) -> float | None:
    if old is None or new is None:
        return None
    return float((old != new).mean()) if old.shape == new.shape else 1.0


def _summarize(row: Mapping[str, Any]) -> dict[str, Any]:
    shifts = row["shifts"]
    return {
        "objects": row["objects"],
        "changed": row["changed"],
        "confidence-change-mean": float(np.mean(shifts)) if shifts else 0.0,
        "to": dict(row["to"].most_common()),
    }
