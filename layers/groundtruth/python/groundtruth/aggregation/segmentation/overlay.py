"""Masks laid over each other: which pixels got which combination of votes, and the vote on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from groundtruth.masks.runs import RunMask, Starts

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


_CODE_BITS, _HALF = 62, 31
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads close numbers far apart


def codes_of(votes: Votes) -> NDArray[np.int64]:
    """A number for each column of votes, equal for equal ones: the votes are its digits."""
    radix = int(votes.max()) + 1
    codes = []
    for first in range(0, len(votes), digits_in_code(radix)):
        code = votes[first].astype(np.int64)
        for row in votes[first + 1 : first + digits_in_code(radix)]:
            code *= radix
            code += row
        codes.append(code)
    return reduce(combined, codes)


def digits_in_code(radix: int) -> int:
    """How many digits fit in one number."""
    return int(_CODE_BITS / np.log2(max(radix, 2)))


def patterns_of(
    codes: NDArray[np.int64], segments: NDArray[np.int64], end: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pattern of each segment, a segment of each pattern, and the pattern's pixels."""
    first_of, members = first_of_each(codes)
    number = np.empty(segments.size, np.int64)
    number[members] = np.arange(members.size)
    patterns = number[first_of]
    lengths = np.diff(segments, append=end)
    return patterns, members, np.bincount(patterns, weights=lengths).astype(np.int64)


def combined(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for two, equal where both are equal."""
    return first_of_each(left)[0] << _HALF | first_of_each(right)[0]


def first_of_each(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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


_STRIP = 1 << 17  # pixels: the maps' strips and the changes in them stay in the processor's cache
_MAX_SEGMENTS = 1 << 18  # in one piece of the picture
_WORD = 8  # bytes that are looked at together

type Flat = NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class MapPiece:
    """A piece of the picture as class maps have it.

    Attributes
    ----------
    begin, end : int
        Flat pixel offsets: from the first up to, but without, the last.
    starts : ndarray of int64, shape (n_segments,), or None
        Offsets at which segments begin, on which no worker changes class: `begin` is the
        first. None where so many pixels are segments that each counts as one.
    votes : ndarray of uint8 or uint16, shape (n_workers, n_segments)
        Class each worker gave, segment by segment.
    """

    begin: int
    end: int
    starts: NDArray[np.int64] | None
    votes: Votes


def check_map(classes: NDArray[np.integer]) -> None:
    """See that an array can be a class map.

    Raises
    ------
    ValueError
        If it is not one of whole numbers, in two dimensions and with a pixel.
    """
    if classes.ndim != 2 or not classes.size or classes.dtype.kind not in "iu":
        raise ValueError(
            "a class map has whole numbers, two dimensions and a pixel, "
            f"not {classes.dtype} in the shape {classes.shape}"
        )


def check_classes(classes: NDArray[np.integer], n_classes: int) -> None:
    """See that classes are numbers from 0 on, below `n_classes`.

    Raises
    ------
    ValueError
        If one is not.
    """
    if int(classes.max()) >= n_classes:
        raise ValueError(f"a mask has class {classes.max()}, and there are {n_classes} classes")
    if classes.dtype.kind == "i" and int(classes.min()) < 0:
        raise ValueError(f"a mask has class {classes.min()}, and classes begin at 0")


def map_pieces(flat: Sequence[Flat], n_classes: int, dense_share: float) -> Iterator[MapPiece]:
    """Cut maps into pieces, and these into segments on which no worker changes class.

    Parameters
    ----------
    flat : sequence of ndarray, each of shape (n_pixels,)
        One per worker, at least one.
    n_classes : int
        How many classes there are, at most 65,536.
    dense_share : float
        Segments per pixel from which each pixel counts as one.

    Yields
    ------
    MapPiece
        From the first pixel to the last.

    Raises
    ------
    ValueError
        If a map holds something else than classes.
    """
    waiting: list[MapPiece] = []
    for strip in _strips(flat, n_classes, dense_share):
        n_segments = sum(piece.votes.shape[1] for piece in (*waiting, strip))
        if waiting and (strip.starts is None or n_segments > _MAX_SEGMENTS):
            yield _joined(waiting)
            waiting = []
        if strip.starts is None:
            yield strip
        else:
            waiting.append(strip)
    if waiting:
        yield _joined(waiting)


def _joined(pieces: Sequence[MapPiece]) -> MapPiece:
    """Pieces that follow each other as one."""
    if len(pieces) == 1:
        return pieces[0]
    starts = np.concatenate([piece.starts for piece in pieces if piece.starts is not None])
    votes = np.concatenate([piece.votes for piece in pieces], axis=1)
    return MapPiece(pieces[0].begin, pieces[-1].end, starts, votes)


def _strips(flat: Sequence[Flat], n_classes: int, dense_share: float) -> Iterator[MapPiece]:
    """Pieces of at most `_STRIP` pixels."""
    changes = _Changes(min(_STRIP, flat[0].size))
    for begin in range(0, flat[0].size, _STRIP):
        strips = [one[begin : begin + _STRIP] for one in flat]
        end = begin + strips[0].size
        if changes.mark(strips) > dense_share * (end - begin):
            yield MapPiece(begin, end, None, _votes_of_maps(strips, n_classes))
        else:
            at = changes.places()
            votes = _votes_of_maps([strip[at] for strip in strips], n_classes)
            yield MapPiece(begin, end, at + begin, votes)


def _votes_of_maps(rows: Sequence[Flat], n_classes: int) -> Votes:
    """The workers' classes as one array; they are looked at, since any number may be there."""
    small = all(row.dtype == np.uint8 for row in rows)
    votes = np.empty((len(rows), rows[0].size), np.uint8 if small else np.uint16)
    for row in () if small else rows:
        check_classes(row, n_classes)
    for kept, row in zip(votes, rows, strict=True):
        kept[:] = row
    check_classes(votes, n_classes)
    return votes


class _Changes:
    """Where any worker changes class, in one strip after the other; its arrays are used again."""

    def __init__(self, n_pixels: int) -> None:
        size = -(-n_pixels // _WORD) * _WORD
        self._any = np.empty(size, np.bool_)
        self._one = np.empty(size, np.bool_)

    def mark(self, strips: Sequence[Flat]) -> int:
        """Mark the changes of a strip, the first pixel being one; returns their number."""
        size = strips[0].size
        changed, one = self._any[1:size], self._one[1:size]
        self._any[0] = True
        self._any[size:] = False
        np.not_equal(strips[0][1:], strips[0][:-1], out=changed)
        for strip in strips[1:]:
            np.not_equal(strip[1:], strip[:-1], out=one)
            np.logical_or(changed, one, out=changed)
        return int(np.count_nonzero(self._any))

    def places(self) -> NDArray[np.int64]:
        """The marked pixels, counted from the strip's first.

        Words of eight pixels are looked through first: most have no mark.
        """
        words = self._any.view(np.uint64)
        marked = np.flatnonzero(words != 0)
        inside = np.flatnonzero(words[marked].view(np.bool_))
        return np.asarray((marked[inside >> 3] << 3) + (inside & 7))


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
