"""How little the built-in functions' confidences tell, and what ours say of the same labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundtruth.tasks.base import Label
from labeljob.history.differences import name_label
from labeljob.metrics.scores import measure_confidences, score_confidences
from labeljob.tasks.base import JobType, Truth

HIGHEST = 0.95
"""The built-in functions write ``round(0.9 * p + 0.05, 2)``: at most this."""

FEW_VALUES = 3
MOST = 0.9
"""Share of the labels that `FEW_VALUES` values hold, from which on they tell little."""


@dataclass(frozen=True, kw_only=True)
class ConfidenceLevel:
    """Labels with one confidence of the built-in function, and our confidences of them.

    Attributes
    ----------
    confidence : float
        What the built-in function says of all of them, in [0, 1].
    labels : int
        How many they are.
    ours : tuple of (float, float, float) or None
        Lowest, median and highest confidence of our labels of the same data objects; None if we
        have none.
    other_label : int
        How many have another label by ours.
    below : int
        How many are less sure by ours than a label should be.
    """

    confidence: float
    labels: int
    ours: tuple[float, float, float] | None
    other_label: int
    below: int

    def as_json(self) -> dict[str, Any]:
        """The level for `--json`."""
        return {
            "confidence": self.confidence,
            "labels": self.labels,
            "ours": list(self.ours) if self.ours else None,
            "other-label": self.other_label,
            "below": self.below,
        }


@dataclass(frozen=True, kw_only=True)
class BuiltinConfidences:
    """The built-in function's confidences of a job beside ours.

    Attributes
    ----------
    labels : int
        How many labels have a confidence of the built-in function.
    values : int
        How many different ones there are.
    frequent : tuple of (float, int)
        The `FEW_VALUES` most frequent ones, and how many labels have each.
    levels : tuple of ConfidenceLevel
        The highest confidence first; empty without labels of ours.
    algorithm : str
        What made ours; empty without them.
    theirs, ours : sequence of float
        All confidences, of the same data objects in the same order.
    doubtful : tuple of str
        Data objects that the built-in function is sure of and ours is not, the least sure first.
    scores : mapping of str to tuple of (float, float)
        How well either foretells which labels are right: theirs and ours; empty without a truth.
    """

    labels: int
    values: int
    frequent: tuple[tuple[float, int], ...]
    levels: tuple[ConfidenceLevel, ...] = ()
    algorithm: str = ""
    theirs: Sequence[float] = ()
    ours: Sequence[float] = ()
    doubtful: tuple[str, ...] = ()
    scores: Mapping[str, tuple[float, float]]

    @property
    def frequent_share(self) -> float:
        """Share of the labels, in [0, 1], that have one of the most frequent values."""
        return sum(count for _, count in self.frequent) / self.labels if self.labels else 0.0

    @property
    def tells_little(self) -> bool:
        """Whether nearly all labels have one of a few values."""
        return self.frequent_share >= MOST

    def describe_frequent(self) -> str:
        """How many labels have the most frequent value, or values, in words."""
        value, count = self.frequent[0]
        if count >= MOST * self.labels:
            return f"{count} of {self.labels} labels have the same confidence, {value:g}"
        values = ", ".join(f"{value:g}" for value, _ in self.frequent)
        total = sum(count for _, count in self.frequent)
        return f"{total} of {self.labels} labels have one of the same confidences: {values}"

    def as_json(self) -> dict[str, Any]:
        """The comparison for `--json`."""
        return {
            "labels": self.labels,
            "values": self.values,
            "share-of-most-frequent": self.frequent_share,
            "tells-little": self.tells_little,
            "ours": self.algorithm or None,
            "levels": [level.as_json() for level in self.levels],
            "doubtful": list(self.doubtful),
            "scores": {
                name: {"built-in": theirs, "ours": ours}
                for name, (theirs, ours) in self.scores.items()
            },
        }


def is_builtin(labels: Iterable[Label]) -> bool:
    """Whether the confidences of labels are those of the built-in functions.

    They then have two decimals and reach 0.95 at most, and no label names an algorithm.

    Examples
    --------
    >>> from groundtruth.tasks.base import LabelClass
    >>> cat = LabelClass(class_id=0, name="cat", confidence=0.95)
    >>> is_builtin([Label(task="image-classification", classes=(cat,), confidence=0.95)])
    True
    """
    known = False
    for label in labels:
        confidence = label.confidence
        if label.algorithm is not None:
            return False
        if confidence is not None:
            known = True
            if confidence > HIGHEST or abs(confidence - round(confidence, 2)) > 1e-12:
                return False
    return known


def compare_confidences(
    labels: Mapping[str, Label],
    ours: Mapping[str, Label],
    *,
    algorithm: str,
    below: float,
    job_type: JobType,
    truths: Mapping[str, Truth] | None = None,
) -> BuiltinConfidences:
    """Hold the confidences of labels that are `is_builtin` against ours.

    Parameters
    ----------
    labels, ours : mapping of str to Label
        By data object; `ours` may be empty.
    algorithm : str
        What made ours.
    below : float
        Confidence under which a label is unsure, in [0, 1].
    job_type : JobType
        That of the labels.
    truths : mapping of str to Truth, optional
        True labels by data object.
    """
    theirs = {
        object_id: label.confidence
        for object_id, label in labels.items()
        if label.confidence is not None
    }
    counts = Counter(theirs.values())
    sure = {
        object_id: label.confidence
        for object_id in theirs
        if (label := ours.get(object_id)) is not None and label.confidence is not None
    }
    doubtful = sorted(
        (object_id for object_id in sure if sure[object_id] < below <= theirs[object_id]),
        key=lambda object_id: sure[object_id],
    )
    return BuiltinConfidences(
        labels=len(theirs),
        values=len(counts),
        frequent=tuple(counts.most_common(FEW_VALUES)),
        levels=_make_levels(labels, theirs, ours, sure, below) if sure else (),
        algorithm=algorithm if sure else "",
        theirs=[theirs[object_id] for object_id in sure],
        ours=list(sure.values()),
        doubtful=tuple(doubtful),
        scores=_score(job_type, labels, ours, truths) if truths and sure else {},
    )


def _make_levels(
    labels: Mapping[str, Label],
    theirs: Mapping[str, float],
    ours: Mapping[str, Label],
    sure: Mapping[str, float],
    below: float,
) -> tuple[ConfidenceLevel, ...]:
    objects: dict[float, list[str]] = defaultdict(list)
    for object_id, confidence in theirs.items():
        objects[confidence].append(object_id)
    levels = []
    for confidence, ids in sorted(objects.items(), reverse=True):
        own = np.array([sure[object_id] for object_id in ids if object_id in sure])
        levels.append(
            ConfidenceLevel(
                confidence=confidence,
                labels=len(ids),
                ours=(float(own.min()), float(np.median(own)), float(own.max()))
                if own.size
                else None,
                other_label=sum(
                    object_id in ours
                    and name_label(labels[object_id]) != name_label(ours[object_id])
                    for object_id in ids
                ),
                below=int((own < below).sum()),
            )
        )
    return tuple(levels)


def _score(
    job_type: JobType,
    labels: Mapping[str, Label],
    ours: Mapping[str, Label],
    truths: Mapping[str, Truth],
) -> dict[str, tuple[float, float]]:
    pairs = []
    for some in (labels, ours):
        scored = score_confidences(job_type, some, truths)
        figures = measure_confidences(scored.confidences, scored.right)
        figures["accuracy"] = float(np.mean(scored.right)) if scored.right else 0.0
        pairs.append(figures)
    theirs, own = pairs
    return {
        name: (theirs[name], own[name])
        for name in ("accuracy", "ece", "brier", "auroc")
        if name in theirs and name in own
    }
