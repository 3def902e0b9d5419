"""How good labels and their confidences are, where the truth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15

type Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReliabilityBin:
    """Labels of about the same confidence.

    Attributes
    ----------
    count : int
        How many there are.
    confidence, accuracy : float
        Their mean confidence, and the share that is right.
    """

    count: int
    confidence: float
    accuracy: float


def bin_by_confidence(
    confidences: Floats, right: Floats, *, equal_mass: bool, bins: int = BINS
) -> list[ReliabilityBin]:
    """Labels sorted into bins by their confidence.

    Parameters
    ----------
    confidences : ndarray of float, shape (n_labels,)
        Each in [0, 1].
    right : ndarray of float, shape (n_labels,)
        1 where the label is right, 0 where it is not.
    equal_mass : bool
        Whether bins hold equally many labels, rather than being equally wide. Equal confidences
        are never parted then, so bins may be fewer.
    bins : int
        How many bins, at most.

    Returns
    -------
    list of ReliabilityBin
        Without empty ones, by ascending confidence.

    Examples
    --------
    >>> bin_by_confidence(np.array([0.9, 0.9]), np.array([1.0, 0.0]), equal_mass=False)
    [ReliabilityBin(count=2, confidence=0.9, accuracy=0.5)]
    """
    if not confidences.size:
        return []
    if equal_mass:
        edges = np.unique(np.quantile(confidences, np.linspace(0, 1, bins + 1), method="lower"))
        at = np.searchsorted(edges, confidences, side="right")
    else:
        at = np.minimum((confidences * bins).astype(np.int64), bins - 1)
    return [
        ReliabilityBin(
            int((at == one).sum()),
            float(confidences[at == one].mean()),
            float(right[at == one].mean()),
        )
        for one in np.unique(at)
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
    total = sum(one.count for one in bins)
    if not total:
        return math.nan
    return sum(one.count * abs(one.confidence - one.accuracy) for one in bins) / total


def measure_confidences(confidences: Sequence[float], right: Sequence[float]) -> dict[str, float]:
    """How well confidences foretell which labels are right.

    Parameters
    ----------
    confidences : sequence of float
        Each in [0, 1].
    right : sequence of float
        1 where the label is right, 0 where it is not.

    Returns
    -------
    dict of str to float
        Of the winner's probability: expected calibration error with bins of equal width and of
        equal mass, Brier score, log loss (probabilities clipped to 1e-6), and the area under the
        curve of confidence against error (NaN where all labels are right, or none is).
    """
    # Slow to load, and without hints.
    from sklearn.metrics import (  # type: ignore[import-untyped]
        brier_score_loss,
        log_loss,
        roc_auc_score,
    )

    sure, truth = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    if not sure.size:
        return {}
    varied = 0 < truth.sum() < truth.size
    return {
        "mean-confidence": float(sure.mean()),
        "ece": compute_calibration_error(bin_by_confidence(sure, truth, equal_mass=False)),
        "ece-equal-mass": compute_calibration_error(
            bin_by_confidence(sure, truth, equal_mass=True)
        ),
        "brier": float(brier_score_loss(truth, sure, pos_label=1)),
        "log-loss": float(log_loss(truth, np.clip(sure, 1e-6, 1 - 1e-6), labels=[0, 1])),
        "auroc": float(roc_auc_score(truth, sure)) if varied else math.nan,
    }
