"""The label whose colour is nearest to each of many colours, if one is near at all."""

import numpy as np
from numpy.typing import NDArray

REACH = 5
"""How far off a channel may be at most, for a colour to be near another."""

FAR = np.iinfo(np.int16).max

_BITS = 5  # a cell of the colour space has the upper bits of each channel in common
_LOW = 8 - _BITS
_SPAN = 3  # a colour reaches into so many cells of a channel at most
_STRIDES = np.array([1 << 2 * _BITS, 1 << _BITS, 1])


class NearColors:
    """Finds which of some colours is near another.

    A colour is compared only with those that reach into its cell of the colour space, so that
    many different ones cost little however many labels there are.

    Parameters
    ----------
    colors : ndarray of int16, shape (n_colors, 3)
        The colours to find: red, green and blue.

    Examples
    --------
    >>> near = NearColors(np.array([[0, 0, 0], [40, 40, 40]], np.int16))
    >>> numbers = np.array([0x030001, 0x282628, 0x141414], np.uint32)
    >>> near.possible(numbers)
    array([ True,  True, False])
    >>> near.nearest(numbers[:2])
    (array([0, 1]), array([3, 2], dtype=int16))
    """

    def __init__(self, colors: NDArray[np.int16]) -> None:
        low = np.maximum(colors - REACH, 0) >> _LOW
        high = np.minimum(colors + REACH, 255) >> _LOW
        steps = np.indices((_SPAN, _SPAN, _SPAN)).reshape(3, -1).T
        reached = low[:, None] + steps
        inside = (reached <= high[:, None]).all(axis=2)
        cells = reached[inside] @ _STRIDES
        counts = np.bincount(cells, minlength=1 << 3 * _BITS)
        self._colors = colors
        self._rows = np.nonzero(inside)[0][np.argsort(cells, kind="stable")]
        self._ends = np.cumsum(counts)
        self._counts = counts
        self._reached = counts > 0

    def possible(self, numbers: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Whether a colour may be near: False where certainly none is.

        Parameters
        ----------
        numbers : ndarray of uint32
            Red, green and blue from the lowest byte on; the highest one does not count.
        """
        return self._reached[_cells(numbers)]

    def nearest(self, numbers: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.int16]]:
        """Which colour is nearest to each of many, by the channel that is most off.

        Parameters
        ----------
        numbers : ndarray of uint32, shape (n_numbers,)
            As for `possible`.

        Returns
        -------
        which : ndarray of int, shape (n_numbers,)
            Row of the colour, the first of those equally near; -1 if none is near.
        distance : ndarray of int16, shape (n_numbers,)
            By how much the channel is off, 0 .. `REACH`; `FAR` if no colour is near.
        """
        rgb = np.ascontiguousarray(numbers).view(np.uint8).reshape(-1, 4)[:, :3].astype(np.int16)
        which = np.full(len(rgb), -1, np.intp)
        best = np.full(len(rgb), FAR, np.int16)
        cells = _cells(numbers)
        end = self._ends[cells]
        turn = end - self._counts[cells]
        at = np.flatnonzero(turn < end)
        while at.size:  # a round for each of the colours that reach into a cell
            row = self._rows[turn[at]]
            distance = np.abs(rgb[at] - self._colors[row]).max(axis=1)
            nearer = (distance < best[at]) & (distance <= REACH)
            best[at[nearer]] = distance[nearer]
            which[at[nearer]] = row[nearer]
            turn[at] += 1
            at = at[turn[at] < end[at]]
        return which, best


def _cells(numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The cell of each colour."""
    red, green, blue = (numbers >> np.uint32(8 * channel + _LOW) for channel in range(3))
    mask = np.uint32((1 << _BITS) - 1)
    upper = (red & mask) << np.uint32(2 * _BITS) | (green & mask) << np.uint32(_BITS)
    return np.asarray(upper | blue & mask)
