"""Class maps laid over each other: where any worker changes class, strip by strip."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.mask_voting import Votes

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
            yield MapPiece(begin, end, None, _votes(strips, n_classes))
        else:
            at = changes.places()
            votes = _votes([strip[at] for strip in strips], n_classes)
            yield MapPiece(begin, end, at + begin, votes)


def _votes(rows: Sequence[Flat], n_classes: int) -> Votes:
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
