"""Consolidation of masks: a weighted vote on every pixel, worked out once per pattern."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.confidence import Support, border_lengths
from groundtruth.aggregation.segmentation.overlay import (
    Overlay,
    Vote,
    check_masks,
    count_votes,
    overlay_masks,
    to_fixed_point,
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


def fuse(
    masks: Sequence[RunMask], n_classes: int, *, weights: NDArray[np.float64] | None = None
) -> Fusion:
    """Consolidate masks by a weighted vote on every pixel.

    Weights become whole numbers of 1/65536, so that sums are exact: the result does not depend
    on the order of workers, and a tie is a tie. A tie goes to the lowest class, BACKGROUND
    first. The pixels are grouped by their votes, which changes nothing in the result.

    The confidence of a class is the intersection over union to expect, if the truth is what most
    of a crowd would say, with its borders in doubt by the rounding to pixels:
    `groundtruth.aggregation.segmentation.confidence.Support`.

    Parameters
    ----------
    masks : sequence of RunMask
        One per worker, at least one, all of one shape.
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
    check_masks(masks, n_classes)
    units = to_fixed_point(weights, len(masks), masks[0].n_pixels)
    return fuse_overlays(overlay_masks(masks), n_classes, units, masks[0].shape)


def fuse_overlays(
    pieces: Iterable[Overlay], n_classes: int, units: NDArray[np.int64], shape: tuple[int, int]
) -> Fusion:
    """Consolidate masks laid over each other, in pieces from the first pixel to the last."""
    sums = _Sums(n_classes, units)
    starts, classes = [], []
    for piece in pieces:
        vote = count_votes(piece.votes, units)
        sums.add(piece, vote)
        winners = vote.winners[piece.patterns]
        begins = np.flatnonzero(np.append(True, winners[1:] != winners[:-1]))
        starts.append(piece.starts[begins].astype(offset_type(shape[0] * shape[1])))
        classes.append(winners[begins])
    mask = RunMask(np.concatenate(starts), np.concatenate(classes), shape).merge()
    return sums.summarize(mask)


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
    units = to_fixed_point(weights, len(masks), mask.n_pixels)
    sums = _Sums(n_classes, units)
    for piece in overlay_masks([mask, *masks]):
        result, votes = piece.votes[0], piece.votes[1:]
        received = (units[:, None] * (votes == result)).sum(axis=0)
        vote = replace(count_votes(votes, units), winners=result, units=received)
        sums.add(replace(piece, votes=votes), vote)
    return sums.summarize(mask)


class _Sums:
    """What is added up over the pieces of a picture, in whole numbers."""

    def __init__(self, n_classes: int, units: NDArray[np.int64]) -> None:
        self.support = Support(n_classes, units)
        self.total = int(units.sum())
        self.won = self.tied = self.disputed = 0

    def add(self, piece: Overlay, vote: Vote) -> None:
        self.support.add(piece, vote)
        self.won += int(vote.units @ piece.pixels)
        self.tied += int(piece.pixels[vote.tied].sum())
        self.disputed += int(piece.pixels[(piece.votes != piece.votes[0]).any(axis=0)].sum())

    def summarize(self, mask: RunMask) -> Fusion:
        class_pixels = self.support.class_pixels
        return Fusion(
            mask=mask,
            class_confidence=self.support.expected_iou(border_lengths(mask, class_pixels.size)),
            mean_share=self.won / (self.total * mask.n_pixels),
            tied_share=self.tied / mask.n_pixels,
            disputed_share=self.disputed / mask.n_pixels,
            class_pixels=class_pixels,
        )
