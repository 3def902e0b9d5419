"""A segmentation mask as runs of equal pixels: of colours as it is read, of classes after."""

from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

_PIECE = 1 << 18  # pixels compared at a time, so that they stay in the processor's cache

Starts: TypeAlias = NDArray[np.int32 | np.int64]


@dataclass(frozen=True, eq=False)
class RunMask:
    """Class of every pixel, written as runs in row-major order.

    A run begins where `starts` says and ends where the next one begins, so it may pass over
    the ends of rows. Two runs side by side may hold the same class; `merge` joins them.

    Raises
    ------
    ValueError
        If the three do not describe one mask.

    Examples
    --------
    >>> mask = RunMask(np.array([0, 3]), np.array([0, 2], np.uint16), (2, 3))
    >>> mask.to_array()
    array([[0, 0, 0],
           [2, 2, 2]], dtype=uint16)
    """

    # shape (n_runs,): flat pixel offset at which each run begins: the first is 0, strictly
    # increasing
    starts: Starts
    # shape (n_runs,): class of each run: 0 is BACKGROUND, i + 1 is label i
    classes: NDArray[np.uint16]
    shape: tuple[int, int]  # (rows, columns), both at least 1

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise ValueError(f"a mask has at least one pixel, its shape cannot be {self.shape}")
        if self.starts.shape != self.classes.shape or self.starts.ndim != 1:
            raise ValueError("starts and classes are two flat arrays of one length")
        if not self.starts.size or self.starts[0] != 0 or self.starts[-1] >= self.n_pixels:
            raise ValueError("the first run begins at 0 and the last one inside the mask")
        if not (self.starts[1:] > self.starts[:-1]).all():
            raise ValueError("the starts of runs are strictly increasing")

    @property
    def n_pixels(self) -> int:
        """How many pixels the mask has."""
        return self.shape[0] * self.shape[1]

    @classmethod
    def from_array(cls, array: NDArray[np.integer]) -> Self:
        """Runs of a class map.

        Parameters
        ----------
        array : ndarray of int, shape (rows, columns)
            Class of each pixel, 0 .. 65535.

        Returns
        -------
        RunMask
            With no two equal runs side by side.

        Raises
        ------
        ValueError
            If `array` is not two-dimensional, is empty or holds a number outside the range.

        Examples
        --------
        >>> RunMask.from_array(np.array([[1, 1], [1, 0]])).starts
        array([0, 3], dtype=int32)
        """
        if array.ndim != 2 or not array.size:
            raise ValueError(f"a class map has two dimensions and a pixel, not shape {array.shape}")
        flat = array.ravel()
        starts, values = _find_runs(flat)
        if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
            raise ValueError("a class is a whole number from 0 to 65535")
        return cls(starts, values.astype(np.uint16), (array.shape[0], array.shape[1]))

    def to_array(self) -> NDArray[np.uint16]:
        """Class of each pixel: ndarray of uint16, shape (rows, columns)."""
        if self.starts.size == self.n_pixels:
            return self.classes.reshape(self.shape).copy()
        return np.repeat(self.classes, self.lengths()).reshape(self.shape)

    def rows(self, first: int, last: int) -> NDArray[np.uint16]:
        """Class of each pixel from row `first` up to, but without, row `last`.

        Examples
        --------
        >>> RunMask.from_array(np.array([[1, 1], [1, 0], [2, 0]])).rows(1, 3)
        array([[1, 0],
               [2, 0]], dtype=uint16)
        """
        columns = self.shape[1]
        return self.cut(first * columns, last * columns).to_array().reshape(-1, columns)

    def cut(self, begin: int, end: int) -> "RunMask":
        """The pixels from one flat offset up to another, as a mask of one row.

        Examples
        --------
        >>> RunMask.from_array(np.array([[1, 1, 0], [2, 2, 2]])).cut(1, 4).to_array()
        array([[1, 0, 2]], dtype=uint16)
        """
        if end - begin == self.n_pixels:
            return RunMask(self.starts, self.classes, (1, self.n_pixels))
        # In the array's own type: another one would have numpy convert the array each time.
        edges = np.array([begin, end - 1], self.starts.dtype)
        low, high = np.searchsorted(self.starts, edges, side="right")
        starts = np.maximum(self.starts[low - 1 : high] - begin, 0)
        return RunMask(starts, self.classes[low - 1 : high], (1, end - begin))

    def look_up(self, pixels: NDArray[np.integer]) -> NDArray[np.uint16]:
        """Class of each of some pixels, by flat offset."""
        return self.classes[np.searchsorted(self.starts, pixels, side="right") - 1]

    def rescale(self, shape: tuple[int, int]) -> "RunMask":
        """The mask in another size: each pixel takes the class under its centre."""
        rows, columns = (
            (2 * np.arange(new, dtype=np.int64) + 1) * old // (2 * new)
            for new, old in zip(shape, self.shape, strict=True)
        )
        starts, classes = [], []
        strip_rows = max(1, _PIECE // shape[1])
        for top in range(0, shape[0], strip_rows):
            source = rows[top : top + strip_rows, None] * self.shape[1] + columns
            strip = RunMask.from_array(self.look_up(source))
            starts.append((strip.starts + top * shape[1]).astype(offset_type(shape[0] * shape[1])))
            classes.append(strip.classes)
        return RunMask(np.concatenate(starts), np.concatenate(classes), shape).merge()

    def lengths(self) -> Starts:
        """How many pixels each run has."""
        lengths = np.empty_like(self.starts)
        np.subtract(self.starts[1:], self.starts[:-1], out=lengths[:-1])
        lengths[-1] = self.n_pixels - self.starts[-1]
        return lengths

    def merge(self) -> "RunMask":
        """The same mask, with no two equal runs side by side.

        Examples
        --------
        >>> RunMask(np.array([0, 1, 2]), np.array([4, 4, 0], np.uint16), (1, 3)).merge().starts
        array([0, 2])
        """
        keep = np.empty(self.starts.size, np.bool_)
        keep[0] = True
        np.not_equal(self.classes[1:], self.classes[:-1], out=keep[1:])
        if keep.all():
            return self
        return RunMask(self.starts[keep], self.classes[keep], self.shape)


def _find_runs(flat: NDArray[np.integer]) -> tuple[Starts, NDArray[np.integer]]:
    """Offsets at which a value differs from the one before, the first included, and the values."""
    starts: list[Starts] = [np.zeros(1, offset_type(flat.size))]
    for first in range(1, flat.size, _PIECE):
        piece = flat[first : first + _PIECE]
        changes = np.flatnonzero(piece != flat[first - 1 : first - 1 + piece.size])
        starts.append((changes + first).astype(offset_type(flat.size)))
    offsets = np.concatenate(starts)
    return offsets, flat[offsets]


def offset_type(n_pixels: int) -> type[np.int32] | type[np.int64]:
    """The integer type that holds the offsets of a mask of `n_pixels`.

    Examples
    --------
    >>> offset_type(100_000_000).__name__
    'int32'
    """
    return np.int32 if n_pixels <= np.iinfo(np.int32).max else np.int64


@dataclass(frozen=True, eq=False)
class ColorRuns:
    """Colour of every pixel as runs; each row begins a run of its own."""

    starts: Starts  # flat offsets
    colors: NDArray[np.uint8]  # red, green, blue and alpha of each; neighbours may be equal
    shape: tuple[int, int]  # (rows, columns)
