"""Trust in workers from one picture alone: the one-coin model, fitted to patterns of votes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.overlay import (
    Overlay,
    check_masks,
    overlay_masks,
    to_fixed_point,
)
from groundtruth.aggregation.segmentation.voting import Fusion, fuse_overlays
from groundtruth.masks.runs import RunMask

_MAX_ACCURACY = 1 - 1e-6
_MIN_WEIGHT = 1e-3  # weights below this cannot be told from none


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


def fuse_by_one_coin(
    masks: Sequence[RunMask],
    n_classes: int,
    *,
    max_iterations: int = 50,
    tolerance: float = 1e-6,
) -> tuple[Fusion, OneCoin]:
    """Estimate the accuracy of each worker from one picture [1]_, and consolidate by it.

    Each worker is right with one probability on every pixel, and otherwise gives any other
    class alike; all classes are equally likely beforehand. Then the most likely class of a
    pixel is the winner of a vote weighted by `OneCoin.weights`. The masks are laid over each
    other once for both.

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
    fusion : Fusion
        What `groundtruth.aggregation.segmentation.voting.fuse` makes of the masks with the weights.
    model : OneCoin
        The weights, equal if nobody is better than a guess, and how they came about.

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
    >>> masks = [RunMask.from_array(grid) for grid in grids]
    >>> fusion, model = fuse_by_one_coin(masks, n_classes=2)
    >>> fusion.mask.to_array()
    array([[1, 1, 0, 0]], dtype=uint16)
    >>> bool(model.accuracies[0] > model.accuracies[2])
    True
    """
    check_masks(masks, n_classes)
    pieces = list(overlay_masks(masks))
    model = _fit(pieces, n_classes, masks[0].n_pixels, max_iterations, tolerance)
    units = to_fixed_point(model.weights, len(masks), masks[0].n_pixels)
    return fuse_overlays(pieces, n_classes, units, masks[0].shape), model


def _fit(
    pieces: Sequence[Overlay], n_classes: int, n_pixels: int, max_iterations: int, tolerance: float
) -> OneCoin:
    if n_classes < 2 or max_iterations < 1:
        raise ValueError("the model needs two classes and one round")
    parts = [_Part(piece) for piece in pieces]
    accuracies = np.sum([part.count_shared() for part in parts], axis=0) / n_pixels
    iterations, change = 0, np.inf
    while iterations < max_iterations and change > tolerance:
        weights = _to_log_odds(accuracies, n_classes)
        right = np.sum([part.count_right(weights, n_classes) for part in parts], axis=0)
        change = float(np.abs(right / n_pixels - accuracies).max())
        accuracies = right / n_pixels
        iterations += 1
    weights = _to_log_odds(accuracies, n_classes)
    if weights.max() < _MIN_WEIGHT:
        weights = np.ones(weights.size)
    return OneCoin(weights, accuracies, iterations, change <= tolerance)


def _to_log_odds(accuracies: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """How much a vote says: the logarithm of the odds between its class and any other."""
    inside = np.clip(accuracies, 1 / n_classes, _MAX_ACCURACY)
    odds = inside * (n_classes - 1) / (1 - inside)
    return np.log(np.maximum(odds, 1))  # rounding may have made less of a guess


class _Part:
    """A piece of the picture for the model.

    The votes of a pattern for one class are added up in the row of the first of them, which
    is the class's row in that pattern; rows that are no class's hold zeros.
    """

    def __init__(self, piece: Overlay) -> None:
        votes = piece.votes
        rows = [(votes[: row + 1] == votes[row]).argmax(axis=0) for row in range(len(votes))]
        self._has_class = np.array(rows) == np.arange(len(votes))[:, None]
        self._cells = np.array(rows) * votes.shape[1] + np.arange(votes.shape[1])
        self._pixels = piece.pixels

    def count_shared(self) -> NDArray[np.float64]:
        """Pixels that each worker shares with others: a pixel counts by the share of the votes."""
        counts = np.bincount(self._cells.ravel(), minlength=self._cells.size)
        return np.asarray(counts[self._cells] @ self._pixels / len(self._cells))

    def count_right(self, weights: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
        """Pixels on which each worker is right, by the probability of each vote.

        The likelihood of a class, but for a factor that all classes share, is the exponential
        of the weights of its votes; it is 1 for a class without votes.
        """
        cells = self._cells
        of_votes = np.repeat(weights, cells.shape[1])
        score = np.bincount(cells.ravel(), of_votes, cells.size).reshape(cells.shape)
        top = score.max(axis=0)
        likelihood = np.exp(score - top) * self._has_class
        without_votes = (n_classes - self._has_class.sum(axis=0)) * np.exp(-top)
        likelihood *= self._pixels / (likelihood.sum(axis=0) + without_votes)
        return np.asarray(likelihood.ravel()[cells].sum(axis=1))
