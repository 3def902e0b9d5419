"""How sure a consolidated mask is, by class, and where workers disagree."""

from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from math import comb

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.overlay import (
    Overlay,
    Vote,
    add_support,
    check_masks,
    overlay_masks,
    to_fixed_point,
)
from groundtruth.masks.runs import RunMask, offset_type

LEVELS = 256

_MAX_CELLS = 1 << 16  # classes times levels of support
_MIN_SUPPORT_LEVELS, _MAX_SUPPORT_LEVELS = 64, 4096

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
    """Pixels by class and by the share of votes that the class got there, in whole numbers."""

    def __init__(self, n_classes: int, units: NDArray[np.int64]) -> None:
        self._units = units
        self._total = int(units.sum())
        self._step = int(np.gcd.reduce(units))  # what support is counted in
        finest = max(_MIN_SUPPORT_LEVELS, min(_MAX_SUPPORT_LEVELS, _MAX_CELLS // n_classes))
        self._levels = min(self._total // self._step, finest)
        shape = (n_classes, self._levels + 1)
        self._won = np.zeros(shape, np.int64)  # pixels that the class has in the result
        self._received = np.zeros(shape, np.int64)  # weight of the votes for it, on any pixels

    @property
    def class_pixels(self) -> NDArray[np.int64]:
        """How many pixels of the result each class has, shape (n_classes,)."""
        return np.asarray(self._won.sum(axis=1))

    def add(self, piece: Overlay, vote: Vote) -> None:
        """Add a piece of the picture and the result of its vote."""
        self._won += self._sum_by_level(vote.winners, vote.units // self._step, piece.pixels)
        weights = self._units[:, None] * piece.pixels
        self._received += self._sum_by_level(piece.votes, vote.support, weights)

    def _sum_by_level(
        self, classes: NDArray[np.uint16], support: NDArray[np.integer], amounts: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Sum of the amounts by class and level of support."""
        levels = np.rint(support * (self._levels / (self._total // self._step))).astype(np.int64)
        cells = classes * np.int64(self._levels + 1) + levels
        sums = np.bincount(cells.ravel(), amounts.ravel(), self._won.size)
        return sums.astype(np.int64).reshape(self._won.shape)

    def expected_iou(self, borders: NDArray[np.int64]) -> NDArray[np.float64]:
        """Intersection over union to expect, if the truth is what most of a crowd would say.

        By class, in [0, 1]; nan for a class without pixels.
        With unequal weights the workers count for as many as would be as reliable with equal
        ones [1]_; between whole numbers of them, and between their shares, the
        `crowd_probabilities` are interpolated.

        A few workers may draw a border alike by chance, but pixels place it no better than to
        half a pixel. So as many more pixels are taken to be lost and gained as rounding to
        pixels moves over a border: `_MOVED` for each side, though no more than the votes leave
        in doubt.

        References
        ----------
        .. [1] L. Kish, "Survey Sampling", Wiley 1965, section 11.7.
        """
        shares = np.arange(self._levels + 1) / self._levels
        sure = _interpolate(shares, self._total**2 / float((self._units.astype(float) ** 2).sum()))
        worth = np.append(0.0, sure[1:] / shares[1:]) / self._total  # of a vote's weight
        inside, pixels = self._won @ sure, self.class_pixels
        union = pixels + np.maximum(self._received @ worth - inside, 0)
        moved = np.minimum(_MOVED * borders, union - inside)
        confidence = np.full(pixels.size, np.nan)
        present = pixels > 0
        np.divide(inside, union + moved, out=confidence, where=present)
        confidence[present] *= 1 - moved[present] / pixels[present]
        return confidence


def _interpolate(shares: NDArray[np.float64], n_workers: float) -> NDArray[np.float64]:
    """How probable it is that a crowd takes a side with such shares of 1 worker or more."""
    fewer = max(1, int(n_workers))
    sides = [
        np.interp(shares, np.linspace(0, 1, number + 1), crowd_probabilities(number))
        for number in (fewer, fewer + 1)
    ]
    more = max(n_workers - fewer, 0.0)
    return np.asarray((1 - more) * sides[0] + more * sides[1])


def border_lengths(mask: RunMask, n_classes: int) -> NDArray[np.int64]:
    """Length of each class's borders with other classes, in sides of pixels.

    The picture's edge is no border.

    Examples
    --------
    >>> border_lengths(RunMask.from_array(np.array([[0, 0, 2], [0, 2, 2]])), n_classes=3)
    array([3, 0, 3])
    """
    rows, columns = mask.shape
    inside = np.flatnonzero(mask.starts % columns)  # runs with another one beside them
    lengths = _count_sides(mask.classes[inside - 1], mask.classes[inside], None, n_classes)
    if rows > 1:  # the picture laid over itself, one row lower
        upper, lower = mask.cut(0, mask.n_pixels - columns), mask.cut(columns, mask.n_pixels)
        for piece in overlay_masks([upper, lower]):
            above, below = piece.votes
            lengths += _count_sides(above, below, piece.pixels, n_classes)
    return lengths


def _count_sides(
    left: NDArray[np.uint16],
    right: NDArray[np.uint16],
    sides: NDArray[np.int64] | None,
    n_classes: int,
) -> NDArray[np.int64]:
    """Sides, of one pixel each if None, at which two classes meet, for both of them."""
    differ = left != right
    weights = None if sides is None else sides[differ]
    counts = [np.bincount(classes[differ], weights, n_classes) for classes in (left, right)]
    return np.sum(counts, axis=0).astype(np.int64)


def disagreement(
    masks: Sequence[RunMask], n_classes: int, *, weights: NDArray[np.float64] | None = None
) -> RunMask:
    """Entropy of the votes on each pixel, in 256 levels [1]_: a map to look at beside the mask.

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
    units = to_fixed_point(weights, len(masks), masks[0].n_pixels)
    max_classes = max(min(n_classes, int(np.count_nonzero(units))), 2)
    starts, levels = [], []
    for piece in overlay_masks(masks):
        support = np.maximum(add_support(piece.votes, units) * np.gcd.reduce(units), 1)
        # Each vote adds its weight times the logarithm of its class's share; sorted, so that
        # the sum does not depend on the order of workers.
        surprise = np.sort(-units[:, None] * np.log(support / units.sum()), axis=0)
        entropy = surprise.sum(axis=0) / units.sum()
        level = np.rint(entropy / np.log(max_classes) * (LEVELS - 1))
        levels.append(np.clip(level, 0, LEVELS - 1).astype(np.uint16)[piece.patterns])
        starts.append(piece.starts.astype(offset_type(masks[0].n_pixels)))
    return RunMask(np.concatenate(starts), np.concatenate(levels), masks[0].shape).merge()
