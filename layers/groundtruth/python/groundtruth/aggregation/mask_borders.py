"""How long the borders between the classes of a mask are."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from groundtruth.masks.runs import RunMask

_RUNS = 1 << 16  # in one piece of the picture, so that it stays in the cache
_DENSE_SHARE = 0.2  # runs per pixel from which single pixels are cheaper than runs


def border_lengths(mask: RunMask, n_classes: int) -> NDArray[np.int64]:
    """Length of each class's borders with other classes, in sides of pixels.

    The picture's edge is no border.

    Parameters
    ----------
    mask : RunMask
        Its classes are below `n_classes`.
    n_classes : int
        How many classes there are, with BACKGROUND.

    Returns
    -------
    ndarray of int64, shape (n_classes,)

    Examples
    --------
    >>> border_lengths(RunMask.from_array(np.array([[0, 0, 2], [0, 2, 2]])), n_classes=3)
    array([3, 0, 3])
    """
    rows, columns = mask.shape
    begins = np.unique(mask.starts[::_RUNS] // columns).tolist()
    lengths = np.zeros(n_classes, np.int64)
    for first, last in pairwise([*begins, rows]):
        low, high = mask.runs_between(first * columns, last * columns)
        dense = high - low > _DENSE_SHARE * (last - first) * columns
        add = _add_pixels if dense else _add_runs
        add(lengths, mask, first, last)
    return lengths


def _add_runs(lengths: NDArray[np.int64], mask: RunMask, first: int, last: int) -> None:
    """Add the borders within some rows, and those with the row that comes next."""
    rows, columns = mask.shape
    begin, end = first * columns, min(last + 1, rows) * columns
    low, high = mask.runs_between(begin, end)
    starts = np.maximum(mask.starts[low:high].astype(np.int64) - begin, 0)
    classes, own = mask.classes[low:high], (last - first) * columns
    beside = np.flatnonzero(starts[1:] % columns)
    beside = beside[: np.searchsorted(beside, np.searchsorted(starts, own) - 1)]
    _add(lengths, classes[beside], classes[beside + 1], None)
    # Each run beside itself one row lower: both are sorted, which a stable sort makes use of.
    both = np.concatenate((starts, starts + columns))
    order = np.argsort(both, kind="stable")
    above = np.cumsum(order >= starts.size)
    here = np.arange(1, both.size + 1) - above
    at = np.clip(both[order], columns, end - begin)
    pixels = np.diff(at, append=end - begin)
    _add(lengths, classes[here - 1], classes[above - 1], pixels)


def _add_pixels(lengths: NDArray[np.int64], mask: RunMask, first: int, last: int) -> None:
    """The same, pixel by pixel."""
    table = mask.rows(first, min(last + 1, mask.shape[0]))
    own = table[: last - first]
    _add(lengths, own[:, 1:].ravel(), own[:, :-1].ravel(), None)
    _add(lengths, table[1:].ravel(), table[:-1].ravel(), None)


def _add(
    lengths: NDArray[np.int64],
    left: NDArray[np.uint16],
    right: NDArray[np.uint16],
    sides: NDArray[np.int64] | None,
) -> None:
    """Add the sides, of 1 each if None, at which two classes meet to the lengths of both."""
    met = np.flatnonzero(left != right)
    weights = None if sides is None else sides[met].astype(np.float64)
    for classes in (left, right):
        found = np.bincount(classes[met], weights=weights, minlength=lengths.size)
        lengths += found.astype(np.int64)
