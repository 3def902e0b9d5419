"""Consolidation of masks: a weighted vote on every pixel, worked out once per pattern."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.mask_overlay import Overlay, check_masks, overlays
from groundtruth.masks.runs import RunMask, offset_type

_ONE = 65536  # a weight of 1 in fixed point
_MAX_TOTAL = 1 << 53  # sums up to here are exact, whether kept as int64 or as float64


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

    The confidence of a class is the share of votes it got on its own pixels, over its pixels
    and the share it got elsewhere: the intersection over union to expect if a vote's share is
    the probability that the vote is right.

    Parameters
    ----------
    masks : sequence of RunMask
        One per worker, at least one, all of one shape.
    n_classes : int
        How many classes there are, with BACKGROUND.
    weights : ndarray of float, shape (n_workers,), optional
        Trust in each worker: unitless, not negative, not all zero. Equal when left out.

    Returns
    -------
    Fusion

    Raises
    ------
    ValueError
        If there is no mask, masks differ in shape, a class is not below `n_classes`, or the
        weights cannot be used.

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
    units = fixed_point(weights, len(masks), masks[0].n_pixels)
    sums = _Sums(n_classes)
    starts, classes = [], []
    for piece in overlays(masks):
        vote = plurality(piece.votes, units)
        sums.add(piece, vote)
        runs = vote.winners[piece.patterns]
        keep = np.concatenate(([True], runs[1:] != runs[:-1]))
        starts.append(piece.starts[keep].astype(offset_type(masks[0].n_pixels)))
        classes.append(runs[keep])
    mask = RunMask(np.concatenate(starts), np.concatenate(classes), masks[0].shape).merged()
    received = _received(masks, units, n_classes)
    return sums.fusion(mask, received, int(units.sum()))


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
    winners : ndarray of uint16, shape (n_patterns,)
        The class with the most votes; the lowest of those that tie.
    units : ndarray of int64, shape (n_patterns,)
        Weight of the votes for the winner.
    tied : ndarray of bool, shape (n_patterns,)
        Whether another class got as many.
    """

    winners: NDArray[np.uint16]
    units: NDArray[np.int64]
    tied: NDArray[np.bool_]


def plurality(votes: NDArray[np.uint16], units: NDArray[np.int64]) -> Vote:
    """Weighted vote of each pattern.

    Workers are compared pair by pair, so the cost does not grow with the number of classes.

    Parameters
    ----------
    votes : ndarray of uint16, shape (n_workers, n_patterns)
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
    support = np.repeat(units[:, None], votes.shape[1], axis=1)
    for first in range(len(votes)):
        for second in range(first):
            same = votes[first] == votes[second]
            support[first] += units[second] * same
            support[second] += units[first] * same
    best = support.max(axis=0)
    leading = support == best
    lowest = np.where(leading, votes, np.iinfo(np.uint16).max).min(axis=0)
    tied = (leading & (votes != lowest)).any(axis=0)
    return Vote(lowest, best, tied)


class _Sums:
    """What is added up over the pieces of a picture, in whole numbers."""

    def __init__(self, n_classes: int) -> None:
        self.class_pixels = np.zeros(n_classes, np.int64)
        self.class_units = np.zeros(n_classes, np.int64)
        self.tied = 0
        self.disputed = 0

    def add(self, piece: Overlay, vote: Vote) -> None:
        """Add one piece."""
        size = self.class_pixels.size
        for total, amount in (
            (self.class_pixels, piece.pixels),
            (self.class_units, piece.pixels * vote.units),
        ):
            total += np.bincount(vote.winners, weights=amount, minlength=size).astype(np.int64)
        self.tied += int(piece.pixels[vote.tied].sum())
        self.disputed += int(piece.pixels[(piece.votes != piece.votes[0]).any(axis=0)].sum())

    def fusion(self, mask: RunMask, received: NDArray[np.int64], total: int) -> Fusion:
        """The result, given the weight each class received anywhere and that of all workers."""
        union = self.class_pixels * total + received - self.class_units
        present = self.class_pixels > 0
        confidence = np.full(present.size, np.nan)
        np.divide(self.class_units, union, out=confidence, where=present)
        return Fusion(
            mask=mask,
            class_confidence=confidence,
            mean_share=int(self.class_units.sum()) / (total * mask.n_pixels),
            tied_share=self.tied / mask.n_pixels,
            disputed_share=self.disputed / mask.n_pixels,
            class_pixels=self.class_pixels,
        )


def _received(
    masks: Sequence[RunMask], units: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Weight of the votes each class received, over all pixels."""
    received = np.zeros(n_classes, np.int64)
    for mask, weight in zip(masks, units, strict=True):
        pixels = np.bincount(mask.classes, weights=mask.lengths(), minlength=n_classes)
        received += weight * pixels.astype(np.int64)
    return received
