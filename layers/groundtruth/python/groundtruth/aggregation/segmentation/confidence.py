"""How sure a consolidated mask is, by class, and where workers disagree."""

from collections.abc import Sequence
from functools import cache
from itertools import accumulate, pairwise
from math import comb

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.overlay import (
    Vote,
    Votes,
    check_masks,
    fixed_point,
    overlays,
)
from groundtruth.masks.runs import RunMask, offset_type

_MOST_CELLS = 1 << 16  # classes times levels of support
_FEWEST_LEVELS, _MOST_LEVELS = 64, 4096

_MOVED = np.pi / 32
"""Pixels that change class, in either direction, for each side of a pixel along a border.

Rounding displaces a border by up to half a pixel to either side, all of it being as probable: by
a quarter on average, half of that outwards. A line has 4 / pi sides of pixels per unit of length,
averaged over its directions.
"""


@cache
def crowd_probabilities(n_workers: int) -> NDArray[np.float64]:
    """How probable it is that a crowd takes the side that some of its workers took.

    Before anything is known, any share of the crowd may be for a class. After k of n votes the
    share has a beta distribution with k + 1 and n - k + 1 [1]_, and most of the crowd are for
    the class as probably as n + 1 throws of a coin show heads k times at most.

    Pixels on which all agree are mostly clear ones, for which that would be too low. As many of
    them are taken for unclear as there are with one dissenter, which is what the same prior
    expects; so their doubt is counted where the lone dissents are.

    Parameters
    ----------
    n_workers : int
        At least 1.

    Returns
    -------
    ndarray of float, shape (n_workers + 1,)
        By number of votes for the class: from 0, for no vote, to 1, for all. Read only.

    References
    ----------
    .. [1] A. Gelman et al., "Bayesian Data Analysis", 3rd edition, CRC Press 2013, section 2.4.
       doi:10.1201/b16018

    Examples
    --------
    >>> crowd_probabilities(3)
    array([0.   , 0.375, 0.625, 1.   ])
    >>> crowd_probabilities(5).round(2)
    array([0.  , 0.12, 0.34, 0.66, 0.88, 1.  ])
    """
    throws = n_workers + 1
    heads = accumulate(comb(throws, number) for number in range(throws))  # exact, of any size
    probabilities = np.array([number / 2**throws for number in heads])
    if n_workers > 1:
        probabilities[1] += 0.5**throws
        probabilities[-2] -= 0.5**throws
    probabilities[[0, -1]] = 0, 1
    probabilities.flags.writeable = False
    return probabilities


class Support:
    """Pixels by class and by the share of votes that the class got there, in whole numbers.

    Parameters
    ----------
    n_classes : int
        How many classes there are, with BACKGROUND.
    units : ndarray of int64, shape (n_workers,)
        Weights, from `groundtruth.aggregation.segmentation.overlay.fixed_point`.
    """

    def __init__(self, n_classes: int, units: NDArray[np.int64]) -> None:
        self._units = units
        self._total = int(units.sum())
        finest = max(_FEWEST_LEVELS, min(_MOST_LEVELS, _MOST_CELLS // n_classes))
        self._steps = self._total // int(np.gcd.reduce(units))  # what a vote's support counts
        self._levels = min(self._steps, finest)
        shape = (n_classes, self._levels + 1)
        self._won = np.zeros(shape, np.int64)  # pixels that the class has in the result
        self._received = np.zeros(shape, np.int64)  # weight of the votes for it, on any pixels

    @property
    def class_pixels(self) -> NDArray[np.int64]:
        """How many pixels of the result each class has, shape (n_classes,)."""
        return np.asarray(self._won.sum(axis=1))

    def add(self, votes: Votes, vote: Vote, pixels: NDArray[np.int64] | None) -> None:
        """Add patterns.

        Parameters
        ----------
        votes : ndarray of uint8 or uint16, shape (n_workers, n_patterns)
            Class each worker gave.
        vote : Vote
            The result on them.
        pixels : ndarray of int64, shape (n_patterns,), or None
            How many pixels have each pattern; one each if None.
        """
        step = self._total // self._steps
        self._won += self._counted(vote.winners, vote.units // step, pixels)
        if pixels is not None:
            amounts = self._units[:, None] * pixels
            self._received += self._counted(votes, vote.support, amounts)
        elif (self._units == self._units[0]).all():
            self._received += self._units[0] * self._counted(votes, vote.support, None)
        else:
            for row, support, unit in zip(votes, vote.support, self._units, strict=True):
                self._received += unit * self._counted(row, support, None)

    def _counted(
        self, classes: Votes, support: NDArray[np.integer], amounts: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        """Sum of the amounts by class and level of support; how many there are if None."""
        level = support
        if self._levels < self._steps:
            level = np.rint(support * (self._levels / self._steps))
        cells, shape = self._won.size, self._won.shape
        kind = np.min_scalar_type(cells)
        code = np.multiply(classes, self._levels + 1, dtype=kind)
        code += level.astype(kind, copy=False)
        if amounts is None and code.dtype == np.uint8 and code.size % 2 == 0:
            # Two at a time: one after the other has to wait for the same cell again and again.
            pairs = np.bincount(code.ravel().view(np.uint16), minlength=1 << 16).reshape(256, 256)
            return np.asarray((pairs.sum(axis=0) + pairs.sum(axis=1))[:cells]).reshape(shape)
        weights = None if amounts is None else amounts.ravel()
        found = np.bincount(code.ravel(), weights=weights, minlength=cells)
        return found.astype(np.int64).reshape(shape)

    def expected_iou(self, borders: NDArray[np.int64]) -> NDArray[np.float64]:
        """Intersection over union to expect, if the truth is what most of a crowd would say.

        With unequal weights the workers count for as many as would be as reliable with equal
        ones [1]_; between whole numbers of them, and between their shares, the
        `crowd_probabilities` are interpolated.

        A few workers may draw a border alike by chance, but pixels place it no better than to
        half a pixel. So as many more pixels are taken to be lost and gained as rounding to
        pixels moves over a border: `_MOVED` for each side, though no more than the votes leave
        in doubt.

        Parameters
        ----------
        borders : ndarray of int64, shape (n_classes,)
            From `groundtruth.aggregation.segmentation.confidence.border_lengths`, of the result.

        Returns
        -------
        ndarray of float, shape (n_classes,)
            In [0, 1]; nan for a class without pixels.

        References
        ----------
        .. [1] L. Kish, "Survey Sampling", Wiley 1965, section 11.7.
        """
        shares = np.arange(self._levels + 1) / self._levels
        sure = _of_shares(shares, self._total**2 / float((self._units.astype(float) ** 2).sum()))
        worth = np.append(0.0, sure[1:] / shares[1:]) / self._total  # of a vote's weight
        inside, pixels = self._won @ sure, self.class_pixels
        union = pixels + np.maximum(self._received @ worth - inside, 0)
        moved = np.minimum(_MOVED * borders, union - inside)
        confidence = np.full(pixels.size, np.nan)
        there = pixels > 0
        np.divide(inside, union + moved, out=confidence, where=there)
        confidence[there] *= 1 - moved[there] / pixels[there]
        return confidence


def _of_shares(shares: NDArray[np.float64], n_workers: float) -> NDArray[np.float64]:
    """How probable it is that a crowd takes a side with such shares of 1 worker or more."""
    fewer = max(1, int(n_workers))
    sides = [
        np.interp(shares, np.linspace(0, 1, number + 1), crowd_probabilities(number))
        for number in (fewer, fewer + 1)
    ]
    more = max(n_workers - fewer, 0.0)
    return np.asarray((1 - more) * sides[0] + more * sides[1])


_RUNS = 1 << 16  # in one piece of the picture, so that it stays in the cache
_DENSE_SHARE = 0.2  # runs per pixel from which single pixels are cheaper than runs


def border_lengths(mask: RunMask, n_classes: int) -> NDArray[np.int64]:
    """Length of each class's borders with other classes, in sides of pixels.

    The picture's edge is no border.

    Parameters
    ----------
    mask : RunMask
        Its classes are below `n_classes`.
    n_classes : int
        How many classes there are, with BACKGROUND.

    Returns
    -------
    ndarray of int64, shape (n_classes,)

    Examples
    --------
    >>> border_lengths(RunMask.from_array(np.array([[0, 0, 2], [0, 2, 2]])), n_classes=3)
    array([3, 0, 3])
    """
    rows, columns = mask.shape
    begins = np.unique(mask.starts[::_RUNS] // columns).tolist()
    lengths = np.zeros(n_classes, np.int64)
    for first, last in pairwise([*begins, rows]):
        low, high = mask.runs_between(first * columns, last * columns)
        dense = high - low > _DENSE_SHARE * (last - first) * columns
        add = _add_pixels if dense else _add_runs
        add(lengths, mask, first, last)
    return lengths


def _add_runs(lengths: NDArray[np.int64], mask: RunMask, first: int, last: int) -> None:
    """Add the borders within some rows, and those with the row that comes next."""
    rows, columns = mask.shape
    begin, end = first * columns, min(last + 1, rows) * columns
    low, high = mask.runs_between(begin, end)
    starts = np.maximum(mask.starts[low:high].astype(np.int64) - begin, 0)
    classes, own = mask.classes[low:high], (last - first) * columns
    beside = np.flatnonzero(starts[1:] % columns)
    beside = beside[: np.searchsorted(beside, np.searchsorted(starts, own) - 1)]
    _add_sides(lengths, classes[beside], classes[beside + 1], None)
    # Each run beside itself one row lower: both are sorted, which a stable sort makes use of.
    both = np.concatenate((starts, starts + columns))
    order = np.argsort(both, kind="stable")
    above = np.cumsum(order >= starts.size)
    here = np.arange(1, both.size + 1) - above
    at = np.clip(both[order], columns, end - begin)
    pixels = np.diff(at, append=end - begin)
    _add_sides(lengths, classes[here - 1], classes[above - 1], pixels)


def _add_pixels(lengths: NDArray[np.int64], mask: RunMask, first: int, last: int) -> None:
    """The same, pixel by pixel."""
    table = mask.rows(first, min(last + 1, mask.shape[0]))
    own = table[: last - first]
    _add_sides(lengths, own[:, 1:].ravel(), own[:, :-1].ravel(), None)
    _add_sides(lengths, table[1:].ravel(), table[:-1].ravel(), None)


def _add_sides(
    lengths: NDArray[np.int64],
    left: NDArray[np.uint16],
    right: NDArray[np.uint16],
    sides: NDArray[np.int64] | None,
) -> None:
    """Add the sides, of 1 each if None, at which two classes meet to the lengths of both."""
    met = np.flatnonzero(left != right)
    weights = None if sides is None else sides[met].astype(np.float64)
    for classes in (left, right):
        found = np.bincount(classes[met], weights=weights, minlength=lengths.size)
        lengths += found.astype(np.int64)


LEVELS = 256


def disagreement(
    masks: Sequence[RunMask], n_classes: int, *, weights: NDArray[np.float64] | None = None
) -> RunMask:
    """Entropy of the votes on each pixel, in 256 levels [1]_.

    Parameters
    ----------
    masks, n_classes, weights
        As for `groundtruth.aggregation.segmentation.voting.fuse`.

    Returns
    -------
    RunMask
        0 where all agree, 255 where as many classes as there can be share the votes evenly.

    Raises
    ------
    ValueError
        As `fuse`.

    References
    ----------
    .. [1] C. E. Shannon, "A mathematical theory of communication", Bell System Technical
       Journal 27, 1948. doi:10.1002/j.1538-7305.1948.tb01338.x

    Examples
    --------
    >>> grids = [RunMask.from_array(np.array([row])) for row in ([1, 1, 0], [1, 0, 0])]
    >>> disagreement(grids, n_classes=2).to_array()
    array([[  0, 255,   0]], dtype=uint16)
    """
    check_masks(masks, n_classes)
    units = fixed_point(weights, len(masks), masks[0].n_pixels)
    most = min(n_classes, int(np.count_nonzero(units)))
    starts, levels = [], []
    for piece in overlays(masks):
        entropy = _entropy(piece.votes, units)
        level = np.rint(entropy / np.log(max(most, 2)) * (LEVELS - 1))
        levels.append(np.clip(level, 0, LEVELS - 1).astype(np.uint16)[piece.patterns])
        starts.append(piece.starts.astype(offset_type(masks[0].n_pixels)))
    return RunMask(np.concatenate(starts), np.concatenate(levels), masks[0].shape).merged()


def _entropy(votes: Votes, units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Entropy of the votes of each pattern, in nats.

    Each vote adds its weight times the logarithm of its class's share.
    """
    support = np.zeros(votes.shape, np.int64)
    for row, unit in zip(votes, units, strict=True):
        support += unit * (votes == row)
    total = int(units.sum())
    surprise = -np.log(np.maximum(support, 1) / total)
    return np.asarray((np.sort(units[:, None] * surprise, axis=0)).sum(axis=0) / total)
