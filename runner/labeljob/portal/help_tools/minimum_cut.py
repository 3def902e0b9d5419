"""Minimum cuts of pictures, and a process that works them out.

SciPy holds Python's lock all the time that it works one out, which may be a third of a second: in
the portal's own process nothing else would be answered meanwhile.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import scipy  # type: ignore[import-untyped]  # its parts are loaded when they are first used
from numpy.typing import NDArray

SURE = 10_000.0
"""Log odds of what is known."""

_PER_UNIT = 100  # capacities are whole numbers

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

Borders = tuple[NDArray[np.int64], NDArray[np.int64], Floats]
"""Pairs of neighbors, and what it costs to part them."""

Cut = Callable[[Floats, Borders], Mask]
"""Works out the division that costs least."""


def cut(odds: Floats, borders: Borders) -> Mask:
    """The division that costs least: the odds against it, and the borders it goes through."""
    first, second, weights = borders
    n_pixels = odds.size
    source, sink = n_pixels, n_pixels + 1
    flat = np.clip(odds.ravel(), -SURE, SURE)
    (likely,), (unlikely,) = np.nonzero(flat > 0), np.nonzero(flat <= 0)
    rows = [first, second, np.full(len(likely), source), unlikely]
    columns = [second, first, likely, np.full(len(unlikely), sink)]
    capacities = [weights, weights, flat[likely], -flat[unlikely]]
    graph = scipy.sparse.csr_array(
        (
            np.rint(_PER_UNIT * np.concatenate(capacities)).astype(np.int32),
            (np.concatenate(rows), np.concatenate(columns)),
        ),
        shape=(n_pixels + 2, n_pixels + 2),
    )
    csgraph = scipy.sparse.csgraph
    left_over = graph - csgraph.maximum_flow(graph, source, sink).flow
    left_over.data = np.maximum(left_over.data, 0)
    left_over.eliminate_zeros()
    mask = np.zeros(n_pixels + 2, dtype=bool)
    mask[csgraph.breadth_first_order(left_over, source, return_predecessors=False)] = True
    return mask[:n_pixels].reshape(odds.shape)


class CutProcess:
    """A process that works out one cut after the other; it is started for the first, and stays.

    It ends with this object, and with the process that has it, however that ends.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = lambda: None

    def cut(self, odds: Floats, borders: Borders) -> Mask:
        """The division that costs least; it is worked out here if the process has gone."""
        try:
            if self._process is None:
                self._process = _start()
                self._end = weakref.finalize(self, _end, self._process)
            return _ask(self._process, odds, borders)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._end()
            self._process = None
            return cut(odds, borders)


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "labeljob.portal.help_tools.minimum_cut"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl+C is for the portal, which ends it
    )


def _ask(process: subprocess.Popen[bytes], odds: Floats, borders: Borders) -> Mask:
    if process.stdin is None or process.stdout is None:
        raise OSError("the process has no pipes")
    pickle.dump((odds, borders), process.stdin)
    process.stdin.flush()
    return np.asarray(pickle.load(process.stdout))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def main() -> None:
    """Work out what comes on the standard input, until nobody is there any more."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    with suppress(EOFError, BrokenPipeError, pickle.UnpicklingError):
        while True:
            odds, borders = pickle.load(source)
            pickle.dump(cut(odds, borders), target)
            target.flush()


if __name__ == "__main__":
    main()
