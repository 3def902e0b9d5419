"""Labels held against the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from groundtruth.tasks.base import Label
from labeljob.metrics.calibration import measure_confidences
from labeljob.tasks.base import JobType, Mask, Truth


@dataclass(frozen=True)
class ScoredConfidences:
    """Confidence of each label whose truth is known, and 1 if it is right, else 0."""

    confidences: list[float]
    right: list[float]


def score_confidences(
    job_type: JobType, labels: Mapping[str, Label], truths: Mapping[str, Truth]
) -> ScoredConfidences:
    """Each class that a data object has, with its confidence, held against the truth.

    Masks have no part in it: their confidence is not that of being right or wrong.
    """
    scored = ScoredConfidences([], [])
    for object_id, label in labels.items():
        names = job_type.truth_names(truths[object_id]) if object_id in truths else []
        for item in label.classes if names else ():
            scored.confidences.append(item.confidence)
            scored.right.append(float(item.name in names))
    return scored


def score_labels(
    job_type: JobType,
    labels: Mapping[str, Label],
    truths: Mapping[str, Truth],
    classes: Sequence[str],
    read_mask: Callable[[Label], Mask | None],
) -> dict[str, float]:
    """Measures of the labels of a job against the truth, and of their confidences.

    Parameters
    ----------
    job_type : JobType
        The job type.
    labels : mapping of str to Label
        By the data objects' ids. An object with a truth and without a label counts as wrong.
    truths : mapping of str to Truth
        By the same ids.
    classes : sequence of str
        In label order.
    read_mask : callable
        Class of each pixel of a label's mask; None if it cannot be read.
    """
    scores = job_type.score_labels(labels, truths, classes, read_mask)
    scored = score_confidences(job_type, labels, truths)
    confidences = measure_confidences(scored.confidences, scored.right)
    return {"objects": float(len(truths)), **scores, **confidences}
