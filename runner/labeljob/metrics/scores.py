"""How good labels and their confidences are, where the truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundtruth.tasks.base import Label
from labeljob.tasks.base import JobType, Mask, Truth

BINS = 15
"""Bins of confidence, of the calibration error and of the curve in the report."""

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class ReliabilityBin:
    """Labels of about the same confidence: how many, its mean, and the share that is right."""

    count: int
    confidence: float
    accuracy: float


def bin_by_confidence(
    confidences: Floats, right: Floats, *, equal_mass: bool
) -> list[ReliabilityBin]:
    """Labels sorted into bins by their confidence, without empty ones.

    Bins of equal mass hold equally many labels, rather than being equally wide. Equal confidences
    are never parted then, so bins may be fewer.

    Examples
    --------
    >>> bin_by_confidence(np.array([0.9, 0.9]), np.array([1.0, 0.0]), equal_mass=False)
    [ReliabilityBin(count=2, confidence=0.9, accuracy=0.5)]
    """
    if not confidences.size:
        return []
    if equal_mass:
        edges = np.unique(np.quantile(confidences, np.linspace(0, 1, BINS + 1), method="lower"))
        bin_of = np.searchsorted(edges, confidences, side="right")
    else:
        bin_of = np.minimum((confidences * BINS).astype(np.int64), BINS - 1)
    return [
        ReliabilityBin(
            int((bin_of == index).sum()),
            float(confidences[bin_of == index].mean()),
            float(right[bin_of == index].mean()),
        )
        for index in np.unique(bin_of)
    ]


def compute_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Expected calibration error: mean distance of confidence and accuracy, by labels [1]_.

    References
    ----------
    .. [1] M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well calibrated
       probabilities using Bayesian binning", AAAI 2015.

    Examples
    --------
    >>> compute_calibration_error([ReliabilityBin(1, 1.0, 1.0), ReliabilityBin(3, 0.5, 1.0)])
    0.375
    """
    total = sum(item.count for item in bins)
    if not total:
        return math.nan
    return sum(item.count * abs(item.confidence - item.accuracy) for item in bins) / total


def measure_confidences(confidences: Sequence[float], right: Sequence[float]) -> dict[str, float]:
    """How well confidences foretell which labels are right (1) or not (0).

    Expected calibration error with bins of equal width and of equal mass, Brier score, log loss
    (probabilities clipped to 1e-6), and the area under the curve of confidence against error (NaN
    where all labels are right, or none is).
    """
    sure, truth = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    if not sure.size:
        return {}
    clipped = np.clip(np.where(truth == 1.0, sure, 1.0 - sure), 1e-6, 1.0 - 1e-6)
    return {
        "mean-confidence": float(sure.mean()),
        "ece": compute_calibration_error(bin_by_confidence(sure, truth, equal_mass=False)),
        "ece-equal-mass": compute_calibration_error(
            bin_by_confidence(sure, truth, equal_mass=True)
        ),
        "brier": float(np.square(sure - truth).mean()),
        "log-loss": float(-np.log(clipped).mean()),
        "auroc": _rank(sure, truth == 1.0),
    }


def _rank(values: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Probability that what is right has the higher value, a tie counting half; NaN of one kind.

    It is the area under the ROC curve (Hanley and McNeil 1982).
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    n_right = np.count_nonzero(right)
    pairs = n_right * (right.size - n_right)
    return (
        float((ranks[right].sum() - n_right * (n_right + 1) / 2.0) / pairs) if pairs else math.nan
    )


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
            if item.confidence is not None:
                scored.confidences.append(item.confidence)
                scored.right.append(float(item.name in names))
    return scored


def mean_iou(mask: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Intersection over union, averaged over the classes that either mask has, with background.

    In [0, 1]; 0 if the shapes differ.

    Examples
    --------
    >>> mean_iou(np.array([[0, 1]], dtype=np.uint8), np.array([[1, 1]], dtype=np.uint8))
    0.25
    """
    if mask.shape != truth.shape:
        return 0.0
    shares = [
        np.count_nonzero((mask == value) & (truth == value))
        / np.count_nonzero((mask == value) | (truth == value))
        for value in np.union1d(mask, truth)
    ]
    return float(np.mean(shares))


def score_labels(
    job_type: JobType,
    labels: Mapping[str, Label],
    truths: Mapping[str, Truth],
    classes: Sequence[str],
    read_mask: Callable[[Label], Mask | None],
) -> dict[str, float]:
    """Measures of the labels of a job against the truth, and of their confidences.

    An object with a truth and without a label counts as wrong.
    """
    scores = job_type.score_labels(labels, truths, classes, read_mask)
    scored = score_confidences(job_type, labels, truths)
    confidences = measure_confidences(scored.confidences, scored.right)
    return {"objects": float(len(truths)), **scores, **confidences}
