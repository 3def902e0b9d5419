"""Masks laid over each other: which pixels got which combination of votes, and who won them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundtruth.masks.runs import RunMask

_ONE = 65536  # a weight of 1 in fixed point
_MAX_TOTAL = 1 << 53  # sums up to here are exact, whether kept as int64 or as float64
_MAX_CLASSES = 1 << 16
_MAX_RUNS = 1 << 18  # in one piece of the picture: noise then needs no more memory than a drawing
_DENSE_SHARE = 0.4  # runs per pixel from which single pixels are cheaper than common runs
_CODE_BITS = 62
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads close numbers far apart

Votes: TypeAlias = NDArray[np.uint16]


def check_masks(masks: Sequence[RunMask], n_classes: int) -> None:
    """See that masks can be laid over each other; a `ValueError` says why not."""
    if n_classes > _MAX_CLASSES:
        raise ValueError(f"there are at most {_MAX_CLASSES} classes, not {n_classes}")
    if not masks:
        raise ValueError("there is no mask to consolidate")
    highest = max(int(mask.classes.max()) for mask in masks)
    if highest >= n_classes:
        raise ValueError(f"a mask has class {highest}, and there are {n_classes} classes")
    shapes = {mask.shape for mask in masks}
    if len(shapes) > 1:
        raise ValueError(f"masks differ in shape: {sorted(shapes)}")


def to_fixed_point(
    weights: NDArray[np.float64] | None, n_workers: int, n_pixels: int
) -> NDArray[np.int64]:
    """Weights as whole numbers of 1/65536, so that sums are exact; a `ValueError` if unusable.

    Examples
    --------
    >>> to_fixed_point(np.array([1.0, 0.25]), 2, 100)
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
class Overlay:
    """A piece of the picture, cut into segments on which no worker changes class.

    A pattern is one combination of votes. Segments with the same pattern have the same result,
    so everything is worked out once per pattern.
    """

    starts: NDArray[np.int64]  # by segment: flat offset in the whole picture
    patterns: NDArray[np.int64]  # by segment
    votes: Votes  # by worker and pattern
    pixels: NDArray[np.int64]  # by pattern: how many have it


def overlay_masks(masks: Sequence[RunMask]) -> Iterator[Overlay]:
    """Lay masks of one shape over each other, one piece of the picture after the other."""
    n_pixels = masks[0].n_pixels
    n_pieces = min(n_pixels, -(-sum(mask.starts.size for mask in masks) // _MAX_RUNS))
    edges = [n_pixels * piece // n_pieces for piece in range(n_pieces + 1)]
    for begin, end in pairwise(edges):
        pieces = [mask.cut(begin, end) for mask in masks]
        if sum(piece.starts.size for piece in pieces) > _DENSE_SHARE * (end - begin):
            starts = np.arange(end - begin)
            codes = encode_votes(np.vstack([piece.to_array() for piece in pieces]))
        else:
            starts, codes = _find_segments(pieces)
        first_equal, members = find_first_equals(codes)
        number = np.empty(starts.size, np.int64)
        number[members] = np.arange(members.size)
        patterns = number[first_equal]
        pixels = np.bincount(patterns, np.diff(starts, append=end - begin)).astype(np.int64)
        votes = np.array([piece.look_up(starts[members]) for piece in pieces])
        yield Overlay(starts + begin, patterns, votes, pixels)


def _find_segments(masks: Sequence[RunMask]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where any mask begins a run, and a number for the votes from there on: see `encode_votes`.

    Each run adds what its worker's digit changes by, so that one sort of all runs and running
    sums are enough.
    """
    starts = np.concatenate([mask.starts for mask in masks], dtype=np.int64)
    shift = starts.size.bit_length()
    keys = np.sort(starts << shift | np.arange(starts.size))  # several times faster than argsort
    starts, order = keys >> shift, keys & ((1 << shift) - 1)
    is_last = np.append(starts[1:] != starts[:-1], True)  # of the runs that begin on one pixel
    radix = max(int(mask.classes.max()) for mask in masks) + 2
    n_digits = _count_digits(radix)
    codes = []
    for first in range(0, len(masks), n_digits):
        worth = [
            radix**digit if 0 <= digit < n_digits else 0 for digit in range(-first, len(masks))
        ]
        changes = [
            np.diff(mask.classes * np.int64(value), prepend=0)
            for mask, value in zip(masks, worth, strict=False)
        ]
        codes.append(np.cumsum(np.concatenate(changes)[order])[is_last])
    return starts[is_last], reduce(_combine, codes)


def _count_digits(radix: int) -> int:
    """How many digits fit in one number."""
    return int(_CODE_BITS / np.log2(max(radix, 2)))


def encode_votes(votes: Votes) -> NDArray[np.int64]:
    """A number for each column of votes, equal for equal ones: the votes are its digits."""
    radix = int(votes.max()) + 1
    n_digits = _count_digits(radix)
    codes = []
    for first in range(0, len(votes), n_digits):
        code = votes[first].astype(np.int64)
        for row in votes[first + 1 : first + n_digits]:
            code *= radix
            code += row
        codes.append(code)
    return reduce(_combine, codes)


def _combine(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for two, equal where both are equal."""
    return find_first_equals(left)[0] << _CODE_BITS // 2 | find_first_equals(right)[0]


def find_first_equals(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each code the position of one equal to it, the same for all its equals; and these.

    Looked up in a hash table; the few codes that lose their slot to another one are sorted.
    """
    positions = np.arange(codes.size)
    bits = codes.size.bit_length() + 2
    slots = (codes.astype(np.uint64) * _HASH >> np.uint64(64 - bits)).astype(np.int64)
    table = np.empty(1 << bits, np.int64)
    table[slots] = positions
    equal = table[slots]
    collided = np.flatnonzero(codes[equal] != codes)
    if collided.size:
        _, first, which = np.unique(codes[collided], return_index=True, return_inverse=True)
        equal[collided] = collided[first[which]]
    return equal, np.flatnonzero(equal == positions)


def add_support(votes: Votes, units: NDArray[np.int64]) -> NDArray[np.integer]:
    """Weight of all votes for the class that each worker gave: shape (n_workers, n_patterns).

    In units of the weights' greatest common divisor: small numbers are added up faster.
    """
    step = np.gcd.reduce(units)
    shares = (units // step).astype(np.min_scalar_type(int(units.sum() // step)))
    support = np.zeros(votes.shape, shares.dtype)
    for row, share in zip(votes, shares, strict=True):
        support += share * (votes == row)
    return support


@dataclass(frozen=True, eq=False)
class Vote:
    """Result of the vote, pattern by pattern."""

    winners: Votes  # the class with the most votes; the lowest of those that tie
    units: NDArray[np.int64]  # weight of the votes for it
    tied: NDArray[np.bool_]  # whether another class got as many
    support: NDArray[np.integer]  # from `add_support`


def count_votes(votes: Votes, units: NDArray[np.int64]) -> Vote:
    """Weighted vote of each pattern; arguments as for `add_support`.

    Workers are compared with each other, so the cost does not grow with the number of classes.

    Examples
    --------
    >>> votes = np.array([[2, 1], [2, 3], [1, 3]], np.uint16)
    >>> count_votes(votes, np.array([1, 1, 2])).winners
    array([1, 3], dtype=uint16)
    """
    support = add_support(votes, units)
    best = support.max(axis=0)
    leads = support == best
    winners = np.where(leads, votes, np.uint16(_MAX_CLASSES - 1)).min(axis=0)
    tied = (leads & (votes != winners)).any(axis=0)
    return Vote(winners, best.astype(np.int64) * np.gcd.reduce(units), tied, support)
