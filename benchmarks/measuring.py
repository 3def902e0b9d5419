"""Time and memory of methods, the same way for ours and for peers; needs NumPy only."""

import json
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.classification_inputs import Crowd

_ENOUGH_SECONDS = 1.0
_MOST_REPETITIONS = 20
_LARGEST_TABLE = 20_000_000


def measure_all(
    arguments: Sequence[str],
    *,
    prepare: Callable[[Crowd], Any],
    methods: Mapping[str, Callable[[Any], Any]],
    table: Callable[[Any], Any],
) -> None:
    """Run one method on crowds as ``METHOD FOLDER CROWD.npz …`` ask for.

    Prints a JSON line per crowd: best CPU seconds, repetitions, and peak memory of the process in
    MiB before and after. Preparing the input (arrays, data frames) is not timed.
    """
    _, method, folder, *paths = arguments
    for path in paths:
        crowd = Crowd.load(Path(path))
        given = prepare(crowd)
        before = _peak()
        seconds: list[float] = []
        while not seconds or (sum(seconds) < _ENOUGH_SECONDS and len(seconds) < _MOST_REPETITIONS):
            start = time.process_time()
            found = methods[method](given)
            seconds.append(time.process_time() - start)
        if crowd.n_items * crowd.n_classes <= _LARGEST_TABLE:
            np.save(Path(folder) / f"{crowd.name}.{method}.npy", table(found))
        print(
            json.dumps(
                {
                    "crowd": crowd.name,
                    "method": method,
                    "answers": int(crowd.items.size),
                    "cpu_seconds": min(seconds),
                    "repetitions": len(seconds),
                    "peak_before_mib": before,
                    "peak_after_mib": _peak(),
                }
            ),
            flush=True,
        )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
