"""Classes for runs of unknown colours: those of the runs beside them, or of the row above."""

import numpy as np
from numpy.typing import NDArray

from groundtruth.masks.color_runs import ColorRuns
from groundtruth.masks.runs import Starts

UNKNOWN = -1

_NOTHING = np.iinfo(np.int32).max
_TRANSPARENT = 1 << 15  # more than any two colours differ by


def snapped_runs(runs: ColorRuns, classes: NDArray[np.int32]) -> tuple[Starts, NDArray[np.int32]]:
    """The runs with a class for each.

    An unknown run takes the class of the nearest known run of its row, on the side whose colour
    is more like its own. A row of which nothing is known is a copy of the next row above of
    which something is, or below if there is none above.

    Parameters
    ----------
    runs : ColorRuns
        The picture.
    classes : ndarray of int32, shape (n_runs,)
        Class of each run, or `UNKNOWN`; at least one is known.

    Returns
    -------
    starts : ndarray of int
        Flat pixel offset at which each run begins.
    classes : ndarray of int32
        Class of each of these runs.
    """
    filled = _from_beside(runs, classes)
    rows = np.arange(0, runs.shape[0] * runs.shape[1], runs.shape[1], dtype=runs.starts.dtype)
    begins = np.searchsorted(runs.starts, rows)
    known = filled[begins] != UNKNOWN
    if known.all():
        return runs.starts, filled
    source = _known_row(known)
    n_runs = np.diff(begins, append=filled.size)[source]
    ends = np.cumsum(n_runs)
    at = np.arange(ends[-1]) + np.repeat(begins[source] - (ends - n_runs), n_runs)
    return runs.starts[at] + np.repeat(rows - rows[source], n_runs), filled[at]


def _known_row(known: NDArray[np.bool_]) -> NDArray[np.intp]:
    """For each row itself if it is known, else the next known one above, else below."""
    index = np.arange(known.size)
    above = np.maximum.accumulate(np.where(known, index, -1))
    return np.where(above < 0, known.argmax(), above)


def _from_beside(runs: ColorRuns, classes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Classes with each unknown run filled from the known runs on either side, in its row."""
    index = np.arange(classes.size)
    known = classes != UNKNOWN
    left = np.maximum.accumulate(np.where(known, index, -1))
    right = np.minimum.accumulate(np.where(known, index, classes.size)[::-1])[::-1]
    row = runs.starts // runs.shape[1]
    rgb = runs.colors[:, :3].astype(np.int32)
    filled = classes.copy()
    at = np.flatnonzero(~known)
    distances = []
    for side in (left[at], right[at]):
        inside = (side >= 0) & (side < classes.size)
        neighbour = np.where(inside, side, 0)
        inside &= row[neighbour] == row[at]
        distance = np.abs(rgb[neighbour] - rgb[at]).sum(axis=1)
        distance += np.where(runs.colors[neighbour, 3] == 0, _TRANSPARENT, 0)
        distances.append(np.where(inside, distance, _NOTHING))
    nearest = np.where(distances[1] < distances[0], right[at], left[at])
    found = np.minimum(*distances) < _NOTHING
    filled[at[found]] = classes[nearest[found]]
    return filled
