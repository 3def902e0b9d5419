"""Trust in workers from one picture alone: the one-coin model, fitted to patterns of votes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.mask_overlay import check_masks, overlays
from groundtruth.aggregation.mask_voting import Votes
from groundtruth.masks.runs import RunMask

_HIGHEST = 1 - 1e-6
_SMALLEST = 1e-3  # weights below this cannot be told from none


@dataclass(frozen=True, eq=False)
class OneCoin:
    """What the model says of the workers.

    Attributes
    ----------
    weights : ndarray of float, shape (n_workers,)
        Logarithm of the odds that a vote is right, for a vote weighted by it; not negative.
    accuracies : ndarray of float, shape (n_workers,)
        Estimated share of the pixels on which each worker is right.
    iterations : int
        How many rounds were made.
    converged : bool
        Whether accuracies had come to rest by then.
    """

    weights: NDArray[np.float64]
    accuracies: NDArray[np.float64]
    iterations: int
    converged: bool


def one_coin(
    masks: Sequence[RunMask], n_classes: int, *, max_iterations: int = 50, tolerance: float = 1e-6
) -> OneCoin:
    """Estimate the accuracy of each worker from the votes on one picture [1]_.

    Each worker is right with one probability on every pixel, and otherwise gives any other
    class alike; all classes are equally likely beforehand. Then the most likely class of a
    pixel is the winner of a vote weighted by `OneCoin.weights`: give them to
    `groundtruth.aggregation.mask_fusion.fuse`.

    Parameters
    ----------
    masks : sequence of RunMask
        One per worker, at least one, all of one shape.
    n_classes : int
        How many classes there are, with BACKGROUND; at least 2.
    max_iterations : int, optional
        At most so many rounds are made, at least 1.
    tolerance : float, optional
        The rounds end when no accuracy changes by more.

    Returns
    -------
    OneCoin
        With equal weights if nobody is better than a guess.

    Raises
    ------
    ValueError
        If masks cannot be laid over each other, or there are fewer than 2 classes.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates
       using the EM algorithm", Applied Statistics 28(1), 1979. doi:10.2307/2346806

    Examples
    --------
    >>> grids = np.array([[[1, 1, 0, 0]], [[1, 1, 0, 0]], [[1, 0, 1, 1]]])
    >>> result = one_coin([RunMask.from_array(grid) for grid in grids], n_classes=2)
    >>> bool(result.accuracies[0] > result.accuracies[2])
    True
    """
    check_masks(masks, n_classes)
    if n_classes < 2 or max_iterations < 1:
        raise ValueError("the model needs two classes and one round")
    pieces = list(overlays(masks))
    votes = np.concatenate([piece.votes for piece in pieces], axis=1)
    pixels = np.concatenate([piece.pixels for piece in pieces])
    distinct = _distinct(votes)
    accuracies = _shares(votes) @ pixels / masks[0].n_pixels
    iterations, change = 0, np.inf
    while iterations < max_iterations and change > tolerance:
        right = _posteriors(votes, distinct, _log_odds(accuracies, n_classes), n_classes)
        updated = right @ pixels / masks[0].n_pixels
        change = float(np.abs(updated - accuracies).max())
        accuracies = updated
        iterations += 1
    weights = _log_odds(accuracies, n_classes)
    if weights.max() < _SMALLEST:
        weights = np.ones(len(masks))
    return OneCoin(weights, accuracies, iterations, change <= tolerance)


def _log_odds(accuracies: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """How much a vote says: the logarithm of the odds between its class and any other."""
    inside = np.clip(accuracies, 1 / n_classes, _HIGHEST)
    return np.asarray(np.log(inside * (n_classes - 1) / (1 - inside)))


def _shares(votes: Votes) -> NDArray[np.float64]:
    """Share of the workers who gave each vote's class, shape (n_workers, n_patterns)."""
    same = np.zeros(votes.shape)
    for row in votes:
        same += votes == row
    return same / len(votes)


def _distinct(votes: Votes) -> NDArray[np.bool_]:
    """Which votes of a pattern are the first for their class, shape (n_workers, n_patterns)."""
    first = np.ones(votes.shape, np.bool_)
    for later in range(1, len(votes)):
        first[later] = (votes[:later] != votes[later]).all(axis=0)
    return first


def _posteriors(
    votes: Votes,
    distinct: NDArray[np.bool_],
    weights: NDArray[np.float64],
    n_classes: int,
) -> NDArray[np.float64]:
    """Probability that each vote is right, shape (n_workers, n_patterns).

    The likelihood of a class, but for a factor that all classes share, is the exponential of
    the weights of its votes; it is 1 for a class without votes.
    """
    score = np.zeros(votes.shape)
    for row, weight in zip(votes, weights, strict=True):
        score += weight * (votes == row)
    top = score.max(axis=0)
    likelihood = np.exp(score - top)
    others = (n_classes - distinct.sum(axis=0)) * np.exp(-top)
    return np.asarray(likelihood / ((likelihood * distinct).sum(axis=0) + others))
