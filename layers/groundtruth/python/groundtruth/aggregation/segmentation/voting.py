"""Consolidation of masks: a weighted vote on every pixel, worked out once per pattern."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.confidence import Support, border_lengths
from groundtruth.aggregation.segmentation.overlay import (
    Masks,
    Overlay,
    Vote,
    check_masks,
    fixed_point,
    overlays,
    plurality,
)
from groundtruth.masks.runs import RunMask, offset_type


@dataclass(frozen=True, eq=False)
class Fusion:
    """A consolidated mask and how sure it is.

    Attributes
    ----------
    mask : RunMask
        The winner of each pixel's vote.
    class_confidence : ndarray of float, shape (n_classes,)
        Expected intersection over union of each class with the truth, in [0, 1]; nan for a
        class that the mask does not have.
    mean_share : float
        Share of the votes that the winner got, averaged over the pixels: in (0, 1].
    tied_share : float
        Share of the pixels on which two classes or more got the most votes.
    disputed_share : float
        Share of the pixels on which not all workers agreed.
    class_pixels : ndarray of int64, shape (n_classes,)
        How many pixels of the mask each class has.
    """

    mask: RunMask
    class_confidence: NDArray[np.float64]
    mean_share: float
    tied_share: float
    disputed_share: float
    class_pixels: NDArray[np.int64]


def fuse(masks: Masks, n_classes: int, *, weights: NDArray[np.float64] | None = None) -> Fusion:
    """Consolidate masks by a weighted vote on every pixel.

    Weights become whole numbers of 1/65536, so that sums are exact: the result does not depend
    on the order of workers, and a tie is a tie. A tie goes to the lowest class, BACKGROUND
    first. The pixels are grouped by their votes, which changes nothing in the result.

    The confidence of a class is the intersection over union to expect, if the truth is what most
    of a crowd would say, with its borders in doubt by the rounding to pixels:
    `groundtruth.aggregation.segmentation.confidence.Support`.

    Parameters
    ----------
    masks : sequence of RunMask, or of ndarray of int, shape (rows, columns)
        One per worker, at least one, all of one shape and kind. Class maps give what their
        runs would, and need not be searched for runs before.
    n_classes : int
        How many classes there are, with BACKGROUND: at most 65,536.
    weights : ndarray of float, shape (n_workers,), optional
        Trust in each worker: unitless, not negative, not all zero. Equal when left out.

    Returns
    -------
    Fusion

    Raises
    ------
    ValueError
        If there is no mask, masks differ in shape, a class is not below `n_classes`, there are
        too many classes, or the weights cannot be used.

    Examples
    --------
    >>> left, right = np.array([[1, 1, 0, 0]]), np.array([[1, 0, 2, 0]])
    >>> result = fuse([RunMask.from_array(left), RunMask.from_array(right)], n_classes=3)
    >>> result.mask.to_array()
    array([[1, 0, 0, 0]], dtype=uint16)
    >>> result.mean_share, result.tied_share
    (0.75, 0.5)
    """
    rows, columns = check_masks(masks, n_classes)
    units = fixed_point(weights, len(masks), rows * columns)
    return fuse_overlays(overlays(masks, n_classes), n_classes, units, (rows, columns))


def fuse_overlays(
    pieces: Iterable[Overlay], n_classes: int, units: NDArray[np.int64], shape: tuple[int, int]
) -> Fusion:
    """Consolidate masks that have been laid over each other.

    Parameters
    ----------
    pieces : iterable of Overlay
        From the first pixel to the last.
    n_classes : int
        How many classes there are, with BACKGROUND.
    units : ndarray of int64, shape (n_workers,)
        Weights, from `groundtruth.aggregation.segmentation.overlay.fixed_point`.
    shape : tuple of int
        (rows, columns).
    """
    sums = _Sums(n_classes, units)
    kind = offset_type(shape[0] * shape[1])
    starts: list[NDArray[np.integer]] = []
    classes: list[NDArray[np.integer]] = []
    for piece in pieces:
        vote = plurality(piece.votes, units)
        sums.add(piece, vote)
        runs = vote.winners if piece.single_pixels else vote.winners[piece.patterns]
        changed = np.flatnonzero(runs[1:] != runs[:-1]) + 1
        starts += [piece.starts[:1].astype(kind), piece.starts[changed].astype(kind)]
        classes += [runs[:1], runs[changed]]
    winners = np.concatenate(classes).astype(np.uint16)
    return sums.fusion(RunMask(np.concatenate(starts), winners, shape).merged())


def assess(
    mask: RunMask,
    masks: Sequence[RunMask],
    n_classes: int,
    *,
    weights: NDArray[np.float64] | None = None,
) -> Fusion:
    """How sure a mask is that was not simply voted for, by the votes it got.

    Parameters
    ----------
    mask : RunMask
        A result: of smoothing, say.
    masks, n_classes, weights
        As for `fuse`.

    Returns
    -------
    Fusion
        Of `mask`. A class it has without a vote there has a confidence of 0.

    Raises
    ------
    ValueError
        As `fuse`.

    Examples
    --------
    >>> grids = [RunMask.from_array(np.array([row])) for row in ([1, 1, 0, 0], [1, 0, 2, 0])]
    >>> assess(grids[1], grids, n_classes=3).mean_share
    0.75
    """
    check_masks([mask, *masks], n_classes)
    units = fixed_point(weights, len(masks), mask.n_pixels)
    sums = _Sums(n_classes, units)
    for piece in overlays([mask, *masks]):
        result, votes = piece.votes[0], piece.votes[1:]
        vote = plurality(votes, units)
        got = (units[:, None] * (votes == result)).sum(axis=0)
        sums.add(replace(piece, votes=votes), replace(vote, winners=result, units=got))
    return sums.fusion(mask)


class _Sums:
    """What is added up over the pieces of a picture, in whole numbers."""

    def __init__(self, n_classes: int, units: NDArray[np.int64]) -> None:
        self.n_classes = n_classes
        self.units = units
        self.support = Support(n_classes, units)
        self.won = 0  # weight of the votes for the winners
        self.tied = 0
        self.disputed = 0

    def add(self, piece: Overlay, vote: Vote) -> None:
        """Add one piece."""
        pixels = None if piece.single_pixels else piece.pixels
        self.support.add(piece.votes, vote, pixels)
        self.won += int(vote.units.sum() if pixels is None else vote.units @ pixels)
        disputed = (piece.votes != piece.votes[0]).any(axis=0)
        self.tied += _number(vote.tied, pixels)
        self.disputed += _number(disputed, pixels)

    def fusion(self, mask: RunMask) -> Fusion:
        """What the sums say of the result."""
        total = int(self.units.sum())
        return Fusion(
            mask=mask,
            class_confidence=self.support.expected_iou(border_lengths(mask, self.n_classes)),
            mean_share=self.won / (total * mask.n_pixels),
            tied_share=self.tied / mask.n_pixels,
            disputed_share=self.disputed / mask.n_pixels,
            class_pixels=self.support.class_pixels,
        )


def _number(chosen: NDArray[np.bool_], pixels: NDArray[np.int64] | None) -> int:
    """How many pixels are chosen; each pattern has one if there are no numbers."""
    return int(np.count_nonzero(chosen) if pixels is None else pixels[chosen].sum())
