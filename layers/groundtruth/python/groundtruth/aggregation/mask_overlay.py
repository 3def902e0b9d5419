"""Masks laid over each other: which pixels got which combination of votes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.mask_voting import Votes
from groundtruth.masks.runs import RunMask

_MAX_RUNS = 1 << 18  # in one piece of the picture: noise then needs no more memory than a drawing
_DENSE_SHARE = 0.4  # runs per pixel from which single pixels are cheaper than common runs
_CODE_BITS, _HALF = 62, 31
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads close numbers far apart

type _Cut = tuple[NDArray[np.int64], NDArray[np.uint16]]  # starts and classes of runs


@dataclass(frozen=True, eq=False)
class Overlay:
    """A piece of the picture, cut into segments on which no worker changes class.

    A pattern is one combination of votes. Segments with the same pattern have the same result,
    so everything is worked out once per pattern.

    Attributes
    ----------
    starts : ndarray of int, shape (n_segments,)
        Flat pixel offset, in the whole picture, at which each segment begins.
    patterns : ndarray of int, shape (n_segments,)
        Pattern of each segment.
    votes : ndarray of uint8 or uint16, shape (n_workers, n_patterns)
        Class each worker gave, pattern by pattern.
    pixels : ndarray of int64, shape (n_patterns,)
        How many pixels have each pattern.
    """

    starts: NDArray[np.int64]
    patterns: NDArray[np.int64]
    votes: Votes
    pixels: NDArray[np.int64]

    @property
    def single_pixels(self) -> bool:
        """Whether each segment is a pixel, and has its own pattern."""
        return self.pixels.size == int(self.pixels.sum())


def check_masks(masks: Sequence[RunMask], n_classes: int) -> None:
    """See that masks can be laid over each other.

    Raises
    ------
    ValueError
        If there is no mask, shapes differ, or a class is not below `n_classes`.
    """
    if not masks:
        raise ValueError("there is no mask to consolidate")
    if len({mask.shape for mask in masks}) > 1:
        raise ValueError(f"masks differ in shape: {sorted({mask.shape for mask in masks})}")
    highest = max(int(mask.classes.max()) for mask in masks)
    if highest >= n_classes:
        raise ValueError(f"a mask has class {highest}, and there are {n_classes} classes")


def overlays(masks: Sequence[RunMask]) -> Iterator[Overlay]:
    """Lay masks over each other, one piece of the picture after the other.

    Parameters
    ----------
    masks : sequence of RunMask
        At least one, all of one shape.

    Yields
    ------
    Overlay
        The pieces, from the first pixel to the last.
    """
    n_pixels = masks[0].n_pixels
    n_pieces = min(n_pixels, -(-sum(mask.starts.size for mask in masks) // _MAX_RUNS))
    edges = [n_pixels * piece // n_pieces for piece in range(n_pieces + 1)]
    for begin, end in pairwise(edges):
        yield _overlay([_cut(mask, begin, end) for mask in masks], begin, end)


def _cut(mask: RunMask, begin: int, end: int) -> _Cut:
    """Starts and classes of the runs between two offsets; the first start is `begin`."""
    if end - begin == mask.n_pixels:
        return mask.starts.astype(np.int64), mask.classes
    low, high = mask.runs_between(begin, end)
    starts = mask.starts[low:high].astype(np.int64)
    starts[0] = begin
    return starts, mask.classes[low:high]


def _overlay(runs: Sequence[_Cut], begin: int, end: int) -> Overlay:
    """Common segments of the workers' runs between two offsets, and their patterns."""
    if sum(starts.size for starts, _ in runs) > _DENSE_SHARE * (end - begin):
        return _pixels(runs, begin, end)
    segments, codes = _segments(runs)
    first_of, members = _first_of_each(codes)
    number = np.empty(segments.size, np.int64)
    number[members] = np.arange(members.size)
    patterns = number[first_of]
    lengths = np.diff(segments, append=end)
    pixels = np.bincount(patterns, weights=lengths).astype(np.int64)
    return Overlay(segments, patterns, _votes_at(runs, segments[members]), pixels)


def _pixels(runs: Sequence[_Cut], begin: int, end: int) -> Overlay:
    """Each pixel between two offsets as a segment and pattern of its own."""
    segments = np.arange(begin, end)
    highest = max(int(classes.max()) for _, classes in runs)
    votes = np.empty((len(runs), segments.size), np.min_scalar_type(highest))
    for row, (starts, classes) in zip(votes, runs, strict=True):
        single = starts.size == row.size
        row[:] = classes if single else np.repeat(classes, np.diff(starts, append=end))
    return Overlay(segments, segments - begin, votes, np.ones(segments.size, np.int64))


def _segments(runs: Sequence[_Cut]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where common segments begin, and a number for each that is equal for equal votes.

    The number has the votes as its digits. Each run adds what its worker's digit changes by,
    so that one sort of all runs and running sums are enough.
    """
    starts = np.concatenate([starts for starts, _ in runs])
    shift = starts.size.bit_length()
    keys = np.sort(starts << shift | np.arange(starts.size))  # several times faster than argsort
    starts, order = keys >> shift, keys & ((1 << shift) - 1)
    last = np.append(starts[1:] != starts[:-1], True)
    radix = max(int(classes.max()) for _, classes in runs) + 2
    group = int(_CODE_BITS / np.log2(radix))  # how many digits fit in one number
    codes = []
    for first in range(0, len(runs), group):
        worth = [radix**digit if 0 <= digit < group else 0 for digit in range(-first, len(runs))]
        changes = np.concatenate(
            [
                np.diff(classes * np.int64(value), prepend=0)
                for (_, classes), value in zip(runs, worth, strict=False)
            ]
        )
        codes.append(np.cumsum(changes[order])[last])
    return starts[last], reduce(_combined, codes)


def _combined(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for two, equal where both are equal."""
    return _first_of_each(left)[0] << _HALF | _first_of_each(right)[0]


def _first_of_each(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each code the position of one that is equal to it, the same for all its equals.

    Returns
    -------
    chosen : ndarray of int64, shape (n_codes,)
        The position of the equal.
    members : ndarray of int64
        All positions in `chosen`, once each.
    """
    at = np.arange(codes.size)
    bits = codes.size.bit_length() + 2
    slots = (codes.astype(np.uint64) * _HASH >> np.uint64(64 - bits)).astype(np.int64)
    table = np.empty(1 << bits, np.int64)
    table[slots] = at
    chosen = table[slots]
    collided = np.flatnonzero(codes[chosen] != codes)
    if collided.size:
        _, first, which = np.unique(codes[collided], return_index=True, return_inverse=True)
        chosen[collided] = collided[first[which]]
    return chosen, np.flatnonzero(chosen == at)


def _votes_at(runs: Sequence[_Cut], at: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Votes on the pixels `at`, shape (n_workers, n_pixels)."""
    votes = np.empty((len(runs), at.size), np.uint16)
    for row, (starts, classes) in zip(votes, runs, strict=True):
        row[:] = classes[np.searchsorted(starts, at, side="right") - 1]
    return votes
