"""The weighted vote on patterns, in whole numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ONE = 65536  # a weight of 1 in fixed point
_MAX_TOTAL = 1 << 53  # sums up to here are exact, whether kept as int64 or as float64

type Votes = NDArray[np.uint8] | NDArray[np.uint16]


def fixed_point(
    weights: NDArray[np.float64] | None, n_workers: int, n_pixels: int
) -> NDArray[np.int64]:
    """Weights as whole numbers of 1/65536.

    Raises
    ------
    ValueError
        If the weights are not one per worker, finite, not negative, not all zero, and small
        enough for exact sums.

    Examples
    --------
    >>> fixed_point(np.array([1.0, 0.25]), 2, 100)
    array([65536, 16384])
    """
    if weights is None:
        return np.full(n_workers, _ONE, np.int64)
    if weights.shape != (n_workers,):
        raise ValueError(f"{n_workers} masks need as many weights, not shape {weights.shape}")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("a weight is a finite number, not negative")
    if weights.sum() * _ONE * n_pixels >= _MAX_TOTAL:
        raise ValueError("the weights are too large for exact sums")
    units = np.rint(weights * _ONE).astype(np.int64)
    if not units.any():
        raise ValueError("all weights are zero")
    return units


@dataclass(frozen=True, eq=False)
class Vote:
    """Result of the vote, pattern by pattern.

    Attributes
    ----------
    winners : ndarray of the votes' type, shape (n_patterns,)
        The class with the most votes; the lowest of those that tie.
    units : ndarray of int64, shape (n_patterns,)
        Weight of the votes for the winner.
    tied : ndarray of bool, shape (n_patterns,)
        Whether another class got as many.
    support : ndarray of int, shape (n_workers, n_patterns)
        Weight of all votes for the class that each worker gave, in units of the weights'
        greatest common divisor.
    """

    winners: Votes
    units: NDArray[np.int64]
    tied: NDArray[np.bool_]
    support: NDArray[np.integer]


def plurality(votes: Votes, units: NDArray[np.int64]) -> Vote:
    """Weighted vote of each pattern.

    Workers are compared pair by pair, so the cost does not grow with the number of classes.

    Parameters
    ----------
    votes : ndarray of uint8 or uint16, shape (n_workers, n_patterns)
        Class each worker gave.
    units : ndarray of int64, shape (n_workers,)
        Weight of each worker.

    Returns
    -------
    Vote

    Examples
    --------
    >>> votes = np.array([[2, 1], [2, 3], [1, 3]], np.uint16)
    >>> plurality(votes, np.array([1, 1, 2])).winners
    array([1, 3], dtype=uint16)
    """
    step = int(np.gcd.reduce(units))
    kind = np.min_scalar_type(int(units.sum()) // step)  # small numbers are added up faster
    shares = (units // step).astype(kind)
    support = np.repeat(shares[:, None], votes.shape[1], axis=1)
    for first in range(len(votes)):
        for second in range(first):
            same = (votes[first] == votes[second]).view(np.uint8)
            for row, other in ((first, second), (second, first)):
                gain = same if shares[other] == 1 else np.multiply(same, shares[other], dtype=kind)
                support[row] += gain
    best = support.max(axis=0)
    leading = support == best
    beaten = leading.astype(votes.dtype) - votes.dtype.type(1)  # 0, or all bits where it is not
    lowest = (votes | beaten).min(axis=0)
    tied = (leading & (votes != lowest)).any(axis=0)
    return Vote(lowest, best.astype(np.int64) * step, tied, support)
