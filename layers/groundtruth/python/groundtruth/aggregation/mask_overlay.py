"""Masks laid over each other: which pixels got which combination of votes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.mask_maps import MapPiece, check_classes, check_map, map_pieces
from groundtruth.aggregation.mask_patterns import (
    codes_of,
    combined,
    digits_in_code,
    patterns_of,
)
from groundtruth.aggregation.mask_voting import Votes
from groundtruth.masks.runs import RunMask, Starts

_MAX_RUNS = 1 << 18  # in one piece of the picture: noise then needs no more memory than a drawing
_DENSE_SHARE = 0.4  # runs per pixel from which single pixels are cheaper than common runs
_DENSE_SEGMENTS = 0.5  # and segments per pixel
_MOST_CLASSES = 1 << 16

type Masks = Sequence[RunMask] | Sequence[NDArray[np.integer]]
type _Cut = tuple[Starts, NDArray[np.uint16]]  # starts and classes of runs


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


def check_masks(masks: Masks, n_classes: int) -> tuple[int, int]:
    """See that masks can be laid over each other.

    The classes of class maps are not looked at before `overlays` does.

    Returns
    -------
    tuple of int
        Their shape: (rows, columns).

    Raises
    ------
    ValueError
        If there is no mask, kinds or shapes differ, a class is not below `n_classes`, or there
        are more than 65,536 classes.
    """
    if n_classes > _MOST_CLASSES:
        raise ValueError(f"there are at most {_MOST_CLASSES} classes, not {n_classes}")
    if not masks:
        raise ValueError("there is no mask to consolidate")
    if len({isinstance(mask, RunMask) for mask in masks}) > 1:
        raise ValueError("masks are all runs or all class maps")
    for mask in masks:
        if isinstance(mask, RunMask):
            check_classes(mask.classes, n_classes)
        else:
            check_map(mask)
    shapes = {mask.shape for mask in masks}
    if len(shapes) > 1:
        raise ValueError(f"masks differ in shape: {sorted(shapes)}")
    rows, columns = shapes.pop()
    return rows, columns


def overlays(masks: Masks, n_classes: int = _MOST_CLASSES) -> Iterator[Overlay]:
    """Lay masks over each other, one piece of the picture after the other.

    Parameters
    ----------
    masks : sequence of RunMask, or of ndarray of int, shape (rows, columns)
        At least one, all of one shape and kind.
    n_classes : int, optional
        How many classes there are: at most 65,536.

    Yields
    ------
    Overlay
        The pieces, from the first pixel to the last.

    Raises
    ------
    ValueError
        If a class map holds something else than classes.
    """
    runs = [mask for mask in masks if isinstance(mask, RunMask)]
    if runs:
        yield from _overlays_of_runs(runs)
        return
    flat = [mask.ravel() for mask in masks if not isinstance(mask, RunMask)]
    for piece in map_pieces(flat, n_classes, _DENSE_SEGMENTS):
        yield _overlay_of_maps(piece)


def _overlays_of_runs(masks: Sequence[RunMask]) -> Iterator[Overlay]:
    n_pixels = masks[0].n_pixels
    n_pieces = min(n_pixels, -(-sum(mask.starts.size for mask in masks) // _MAX_RUNS))
    edges = [n_pixels * piece // n_pieces for piece in range(n_pieces + 1)]
    for begin, end in pairwise(edges):
        yield _overlay([_cut(mask, begin, end) for mask in masks], begin, end)


def _overlay_of_maps(piece: MapPiece) -> Overlay:
    """A piece of class maps with its patterns."""
    if piece.starts is None:
        return _single_pixels(piece.votes, piece.begin)
    patterns, members, pixels = patterns_of(codes_of(piece.votes), piece.starts, piece.end)
    return Overlay(piece.starts, patterns, piece.votes[:, members], pixels)


def _cut(mask: RunMask, begin: int, end: int) -> _Cut:
    """Starts and classes of the runs between two offsets; the first start is `begin`."""
    if end - begin == mask.n_pixels:
        return mask.starts, mask.classes
    low, high = mask.runs_between(begin, end)
    starts = mask.starts[low:high]
    if starts[0] != begin:
        starts = starts.copy()
        starts[0] = begin
    return starts, mask.classes[low:high]


def _overlay(runs: Sequence[_Cut], begin: int, end: int) -> Overlay:
    """Common segments of the workers' runs between two offsets, and their patterns."""
    if sum(starts.size for starts, _ in runs) > _DENSE_SHARE * (end - begin):
        return _pixels(runs, begin, end)
    segments, codes = _segments(runs)
    patterns, members, pixels = patterns_of(codes, segments, end)
    return Overlay(segments, patterns, _votes_at(runs, segments[members]), pixels)


def _pixels(runs: Sequence[_Cut], begin: int, end: int) -> Overlay:
    """Each pixel between two offsets as a segment and pattern of its own."""
    highest = max(int(classes.max()) for _, classes in runs)
    votes = np.empty((len(runs), end - begin), np.min_scalar_type(highest))
    for row, (starts, classes) in zip(votes, runs, strict=True):
        single = starts.size == row.size
        row[:] = classes if single else np.repeat(classes, np.diff(starts, append=end))
    return _single_pixels(votes, begin)


def _single_pixels(votes: Votes, begin: int) -> Overlay:
    """Pixels from an offset on, each of which is a segment and a pattern."""
    at = np.arange(votes.shape[1])
    return Overlay(at + begin, at, votes, np.ones(at.size, np.int64))


def _segments(runs: Sequence[_Cut]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where common segments begin, and a number for each that is equal for equal votes.

    The number has the votes as its digits. Each run adds what its worker's digit changes by,
    so that one sort of all runs and running sums are enough.
    """
    starts = np.concatenate([starts for starts, _ in runs], dtype=np.int64)
    shift = starts.size.bit_length()
    keys = np.sort(starts << shift | np.arange(starts.size))  # several times faster than argsort
    starts, order = keys >> shift, keys & ((1 << shift) - 1)
    last = np.append(starts[1:] != starts[:-1], True)
    radix = max(int(classes.max()) for _, classes in runs) + 2
    group = digits_in_code(radix)
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
    return starts[last], reduce(combined, codes)


def _votes_at(runs: Sequence[_Cut], at: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Votes on the pixels `at`, shape (n_workers, n_pixels)."""
    votes = np.empty((len(runs), at.size), np.uint16)
    for row, (starts, classes) in zip(votes, runs, strict=True):
        row[:] = classes[np.searchsorted(starts, at, side="right") - 1]
    return votes
