"""A picture as runs of equal colours, between a PNG reader and the classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.runs import Starts

MAX_RUNS = 1 << 22
_LARGE, _NOISE = 1 << 14, 0.75  # pixels, and runs per pixel, from which each pixel is one


@dataclass(frozen=True, eq=False)
class ColorRuns:
    """Colour of every pixel as runs; each row begins a run of its own.

    Attributes
    ----------
    starts : ndarray of int, shape (n_runs,)
        Flat pixel offset at which each run begins.
    colors : ndarray of uint8, shape (n_runs, 4)
        Red, green, blue and alpha of each run. Runs side by side may be equal.
    shape : tuple of int
        (rows, columns).
    """

    starts: Starts
    colors: NDArray[np.uint8]
    shape: tuple[int, int]


def check_complexity(n_runs: int) -> None:
    """Refuse a picture whose runs would need more memory than a mask is worth.

    Raises
    ------
    UnusableAnswer
        ``too-complex``.
    """
    if n_runs > MAX_RUNS:
        raise UnusableAnswer(
            "too-complex",
            f"The mask has over {MAX_RUNS} runs of colour; drawn ones have thousands.",
        )


def runs_of_strip(pixels: NDArray[np.generic]) -> tuple[NDArray[np.int64], int]:
    """Offsets, in a strip of rows, where the pixel differs from the one before or begins a row.

    In noise those of all pixels; how many runs there are goes with them.

    Parameters
    ----------
    pixels : ndarray, shape (rows, columns)
        One number per pixel.

    Returns
    -------
    starts, n_runs
        As `run_starts`.

    Examples
    --------
    >>> runs_of_strip(np.array([[7, 7, 8], [8, 8, 8]]))
    (array([0, 2, 3]), 3)
    """
    changes = np.empty(pixels.shape, np.bool_)
    changes[:, 0] = True
    np.not_equal(pixels[:, 1:], pixels[:, :-1], out=changes[:, 1:])
    return run_starts(changes)


def run_starts(begins: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Offsets, in a strip of rows, at which runs begin; in noise those of all pixels.

    Parameters
    ----------
    begins : ndarray of bool, shape (rows, columns)
        Whether a run must begin there.

    Returns
    -------
    starts : ndarray of int, shape (n_starts,)
        The offsets.
    n_runs : int
        At how many of them a run must begin.
    """
    if begins.size >= _LARGE:
        n_runs = int(np.count_nonzero(begins))
        if n_runs > _NOISE * begins.size:
            return np.arange(begins.size), n_runs
    starts = np.flatnonzero(begins)
    return starts, starts.size
