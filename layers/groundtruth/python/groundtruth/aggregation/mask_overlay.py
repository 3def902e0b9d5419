"""Masks laid over each other: which pixels got which combination of votes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from groundtruth.masks.runs import RunMask

_MAX_RUNS = 1 << 18  # in one piece of the picture: noise then needs no more memory than a drawing
_DENSE_SHARE = 0.4  # runs per pixel from which single pixels are cheaper than common runs
_MAX_CODE = 1 << 62
_MAX_TABLE = 1 << 18


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
    votes : ndarray of uint16, shape (n_workers, n_patterns)
        Class each worker gave, pattern by pattern.
    pixels : ndarray of int64, shape (n_patterns,)
        How many pixels have each pattern.
    """

    starts: NDArray[np.int64]
    patterns: NDArray[np.int64]
    votes: NDArray[np.uint16]
    pixels: NDArray[np.int64]


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


def _cut(mask: RunMask, begin: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Starts and classes of the runs between two offsets; the first start is `begin`."""
    if end - begin == mask.n_pixels:
        return mask.starts.astype(np.int64), mask.classes
    low = int(np.searchsorted(mask.starts, begin, side="right")) - 1
    high = int(np.searchsorted(mask.starts, end, side="left"))
    starts = mask.starts[low:high].astype(np.int64)
    starts[0] = begin
    return starts, mask.classes[low:high]


def _overlay(
    runs: Sequence[tuple[NDArray[np.int64], NDArray[np.uint16]]], begin: int, end: int
) -> Overlay:
    """Common segments of the workers' runs between two offsets, and their patterns."""
    dense = sum(starts.size for starts, _ in runs) > _DENSE_SHARE * (end - begin)
    if dense:
        segments = np.arange(begin, end)
    else:
        segments = np.sort(np.concatenate([starts for starts, _ in runs]))
        segments = segments[np.concatenate(([True], segments[1:] != segments[:-1]))]
    votes = np.empty((len(runs), segments.size), np.uint16)
    for row, (starts, classes) in zip(votes, runs, strict=True):
        first = starts - begin if dense else np.searchsorted(segments, starts)
        row[:] = np.repeat(classes, np.diff(first, append=segments.size))
    lengths = np.diff(segments, append=end)
    patterns = _patterns(votes, dense=dense)
    if patterns is None:
        return Overlay(segments, np.arange(segments.size), votes, lengths)
    n_patterns = int(patterns.max()) + 1
    member = np.empty(n_patterns, np.int64)
    member[patterns] = np.arange(segments.size)
    pixels = np.bincount(patterns, weights=lengths, minlength=n_patterns).astype(np.int64)
    return Overlay(segments, patterns, votes[:, member], pixels)


def _patterns(votes: NDArray[np.uint16], *, dense: bool) -> NDArray[np.int64] | None:
    """Number of each segment's pattern, or None where finding it costs more than it saves."""
    radix = int(votes.max()) + 1
    codes = votes[0].astype(np.int64)
    limit = radix
    for row in votes[1:]:
        if limit * radix >= _MAX_CODE:
            codes = np.unique(codes, return_inverse=True)[1]
            limit = int(codes.max()) + 1
        limit *= radix
        codes *= radix
        codes += row
    numbers: NDArray[np.int64]
    if limit <= _MAX_TABLE:
        present = np.zeros(limit, np.bool_)
        present[codes] = True
        numbers = np.cumsum(present) - 1
        return numbers[codes]
    if dense:
        return None
    numbers = np.unique(codes, return_inverse=True)[1]
    return numbers
