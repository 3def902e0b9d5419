"""Confidence maps fitted on objects whose truth is known, and how good they are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from groundtruth.aggregation.classification.votes import Floats
from groundtruth.aggregation.multilabel.selections import Bools

_CONFIDENCE_LIMITS = (1e-4, 1.0 - 1e-4)
_NEWTON_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class LogisticMap:
    """``logit(new) = offset + slope * logit(old)`` [1]_.

    Attributes
    ----------
    offset : float
        0 leaves confidences as they are; below 0 lowers all.
    slope : float
        1 leaves confidences as they are; below 1 pulls them to the middle. At least 0, so
        the order of confidences stays.

    References
    ----------
    .. [1] J. C. Platt, "Probabilistic outputs for support vector machines", Advances in
       Large Margin Classifiers, MIT Press 1999.

    Examples
    --------
    >>> LogisticMap(offset=0.0, slope=0.5).apply(np.array([0.5, 0.9])).round(2)
    array([0.5 , 0.75])
    """

    offset: float = 0.0
    slope: float = 1.0

    def apply(self, confidences: Floats) -> Floats:
        """Return the confidences put right, shape (n_items,)."""
        score = self.offset + self.slope * _logit(confidences)
        return 0.5 * (1.0 + np.tanh(0.5 * score))


@dataclass(frozen=True, slots=True)
class IsotonicMap:
    """Rising steps, with straight lines between them [1]_.

    Attributes
    ----------
    confidences, accuracies : tuple of float
        Both rising; at least one point.

    References
    ----------
    .. [1] B. Zadrozny and C. Elkan, "Transforming classifier scores into accurate
       multiclass probability estimates", KDD 2002. doi:10.1145/775047.775151

    Examples
    --------
    >>> IsotonicMap((0.5, 1.0), (0.4, 0.9)).apply(np.array([0.2, 0.75, 1.0]))
    array([0.4 , 0.65, 0.9 ])
    """

    confidences: tuple[float, ...]
    accuracies: tuple[float, ...]

    def apply(self, confidences: Floats) -> Floats:
        """Return the confidences put right, shape (n_items,)."""
        return np.interp(confidences, self.confidences, self.accuracies)


ConfidenceMap: TypeAlias = LogisticMap | IsotonicMap


def fit_logistic(confidences: Floats, right: Bools, *, prior_items: float = 20.0) -> LogisticMap:
    """Fit offset and slope on labels known to be right or wrong.

    Parameters
    ----------
    confidences : ndarray of float, shape (n_items,)
        From 0 to 1.
    right : ndarray of bool, shape (n_items,)
        Whether the label was right.
    prior_items : float
        How strongly the map is held to the identity: a Gaussian prior on offset and
        ``slope - 1`` with this precision over 4 (an item at 0.5 has an information of 1/4).

    Returns
    -------
    LogisticMap
        The identity when there is no item.

    Raises
    ------
    ValueError
        If shapes differ, a confidence is not in [0, 1] or `prior_items` is not positive.
    """
    _check(confidences, right)
    if not prior_items > 0:
        raise ValueError("prior_items must be positive")
    design = np.stack([np.ones(confidences.size), _logit(confidences)], axis=1)
    identity = np.array([0.0, 1.0])
    precision = np.eye(2) * prior_items / 4.0
    found = identity
    for _ in range(_NEWTON_ROUNDS):
        expected = 0.5 * (1.0 + np.tanh(0.5 * (design @ found)))
        gradient = design.T @ (right - expected) - precision @ (found - identity)
        curvature = (design * (expected * (1.0 - expected))[:, np.newaxis]).T @ design + precision
        step = np.linalg.solve(curvature, gradient)
        found = found + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    return LogisticMap(offset=float(found[0]), slope=max(float(found[1]), 0.0))


def fit_isotonic(confidences: Floats, right: Bools) -> IsotonicMap:
    """Fit the rising steps closest to what was right, by pooling neighbours.

    Each step is smoothed by one item at the step's mean confidence, so that no step says 0
    or 1. For a few hundred items or more; with 50 a `LogisticMap` is steadier.

    Parameters
    ----------
    confidences : ndarray of float, shape (n_items,)
        From 0 to 1; at least one item.
    right : ndarray of bool, shape (n_items,)
        Whether the label was right.

    Raises
    ------
    ValueError
        If there is no item, shapes differ or a confidence is not in [0, 1].
    """
    _check(confidences, right)
    if not confidences.size:
        raise ValueError("an isotonic map needs at least one item")
    blocks: list[tuple[float, float, float]] = []
    values, place = np.unique(confidences, return_inverse=True)
    sizes = np.bincount(place).astype(np.float64)
    hits = np.bincount(place, weights=right.astype(np.float64))
    for value, size, hit in zip(values.tolist(), sizes.tolist(), hits.tolist(), strict=True):
        blocks.append((value * size, size, hit))
        while len(blocks) > 1 and _rate(blocks[-1]) < _rate(blocks[-2]):
            last, before = blocks.pop(), blocks.pop()
            blocks.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
    points = tuple(total / size for total, size, _ in blocks)
    heights = np.maximum.accumulate([_rate(block) for block in blocks])
    return IsotonicMap(points, tuple(heights.tolist()))


def cross_validated(
    fit: Callable[[Floats, Bools], ConfidenceMap],
    confidences: Floats,
    right: Bools,
    *,
    n_folds: int = 10,
    rng: np.random.Generator,
) -> Floats:
    """Confidences put right by maps fitted on the other folds only.

    Parameters
    ----------
    fit : callable
        `fit_logistic` or `fit_isotonic`.
    confidences, right : ndarray, shape (n_items,)
        As there.
    n_folds : int
        At least 2.
    rng : np.random.Generator
        Draws the folds.

    Returns
    -------
    ndarray of float, shape (n_items,)
    """
    if n_folds < 2 or n_folds > confidences.size:
        raise ValueError(f"n_folds must lie in 2 to the number of items, {confidences.size}")
    fold = rng.permutation(confidences.size) % n_folds
    mapped = np.empty(confidences.size)
    for held_out in range(n_folds):
        test = fold == held_out
        mapped[test] = fit(confidences[~test], right[~test]).apply(confidences[test])
    return mapped


def _check(confidences: Floats, right: Bools) -> None:
    if confidences.ndim != 1 or confidences.shape != right.shape or right.dtype != np.bool_:
        raise ValueError("confidences and right must be vectors of the same length")
    if not np.all((confidences >= 0) & (confidences <= 1)):
        raise ValueError("confidences must lie in 0 to 1")


def _rate(block: tuple[float, float, float]) -> float:
    total, size, hits = block
    return (hits + total / size) / (size + 1.0)


def _logit(confidences: Floats) -> Floats:
    kept = np.clip(confidences, *_CONFIDENCE_LIMITS)
    logit: Floats = np.log(kept / (1.0 - kept))
    return logit
