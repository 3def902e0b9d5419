"""Time and memory of methods, the same way for ours and for peers; needs NumPy only."""

import argparse
import json
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from benchmarks.common.crowds import Crowd
from benchmarks.common.measure import forget_peak, memory_mib

_ENOUGH_SECONDS = 1.0
_MOST_REPETITIONS = 20
_LARGEST_TABLE = 20_000_000


class CutOff(BaseException):
    """A case took longer than it may; no peer can catch it by catching `Exception`."""


def measure_all(
    arguments: Sequence[str],
    *,
    prepare: Callable[[Crowd], Any],
    methods: Mapping[str, Callable[[Any], Any]],
    table: Callable[[Any], Any],
) -> None:
    """Run one method on crowds as ``METHOD FOLDER CROWD.npz … [--once] [--limit S]`` ask for.

    Prints a JSON line per crowd: best CPU seconds, repetitions, and memory of the process in MiB
    before the first run and at its peak; or after how many seconds the case was cut off.
    Preparing the input (arrays, data frames) is not timed.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("method", choices=methods)
    parser.add_argument("folder", type=Path)
    parser.add_argument("crowds", type=Path, nargs="+")
    parser.add_argument("--once", action="store_true", help="no repetitions")
    parser.add_argument("--limit", type=float, default=0.0, help="CPU seconds of one case")
    options = parser.parse_args(arguments[1:])
    signal.signal(signal.SIGPROF, _cut_off)
    for path in options.crowds:
        crowd = Crowd.load(path)
        line = {"crowd": crowd.name, "method": options.method, "answers": int(crowd.items.size)}
        given = prepare(crowd)
        forget_peak()
        before = memory_mib("VmRSS")
        try:
            found, seconds = _repeated(methods[options.method], given, options)
        except CutOff:
            print(json.dumps(line | {"cut_off_after": options.limit}), flush=True)
            continue
        if crowd.n_items * crowd.n_classes <= _LARGEST_TABLE:
            np.save(options.folder / f"{crowd.name}.{options.method}.npy", table(found))
        line |= {"cpu_seconds": min(seconds), "repetitions": len(seconds)}
        line |= {"peak_before_mib": before, "peak_after_mib": memory_mib("VmHWM")}
        print(json.dumps(line), flush=True)


def _repeated(
    method: Callable[[Any], Any], given: Any, options: argparse.Namespace
) -> tuple[Any, list[float]]:
    """The last result, and the CPU seconds of each repetition."""
    most = 1 if options.once else _MOST_REPETITIONS
    seconds: list[float] = []
    while len(seconds) < min(most, 2) or (sum(seconds) < _ENOUGH_SECONDS and len(seconds) < most):
        if options.limit:  # a timer that runs makes the CPU clock coarse: 4 ms
            signal.setitimer(signal.ITIMER_PROF, options.limit)
        start = time.process_time()
        found = method(given)
        seconds.append(time.process_time() - start)
        if options.limit:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
    return found, seconds


def _cut_off(signal_number: int, frame: FrameType | None) -> None:
    raise CutOff
