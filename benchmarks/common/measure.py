"""CPU time and memory of calls, the same way for ours and for peers; needs NumPy only.

Memory is counted from the bare process, after its imports and before its inputs are made.
"""

import argparse
import ctypes
import json
import resource
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from benchmarks.common.crowds import Crowd

ENOUGH_SECONDS, MOST_REPETITIONS = 0.5, 9
TOO_LONG_FOR_TWO = 2.5
"""CPU seconds; a call that takes less is run twice at least."""

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def measured(prepare: Callable[[], Any], call: Callable[[Any], Any]) -> dict[str, Any]:
    """Make a call's inputs, which is not timed, and measure the call.

    Parameters
    ----------
    prepare : callable
        Makes the inputs.
    call : callable
        What is measured; gets the inputs. It is repeated for half a CPU second, at most nine times.

    Returns
    -------
    dict
        ``cpu_seconds`` of the best repetition, the ``rounds`` of a method that has such,
        ``bare_mib`` of the process before its inputs, ``inputs_mib`` that these need, and
        ``run_mib`` that the call needs besides, at its peak.
    """
    forget_peak()
    bare = memory_mib("VmRSS")
    given = prepare()
    forget_peak()
    before = memory_mib("VmRSS")
    seconds: list[float] = []
    while _unsettled(seconds):
        start = time.process_time()
        found = call(given)
        seconds.append(time.process_time() - start)
        rounds = getattr(found, "rounds", None)
        del found
    return {
        "cpu_seconds": min(seconds),
        "rounds": rounds,
        "bare_mib": bare,
        "inputs_mib": max(before - bare, 0.0),
        "run_mib": max(memory_mib("VmHWM") - before, 0.0),
    }


def _unsettled(seconds: Sequence[float]) -> bool:
    if len(seconds) < 2:
        return sum(seconds) < TOO_LONG_FOR_TWO
    return sum(seconds) < ENOUGH_SECONDS and len(seconds) < MOST_REPETITIONS


def forget_peak() -> None:
    """Give freed memory back, and let the largest memory of this process begin anew."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; other libraries keep less
    if trim is not None:
        trim(0)
    if _CLEAR.exists():
        _CLEAR.write_text("5", encoding="ascii")


def memory_mib(name: str) -> float:
    """``VmRSS``, the memory of this process in MiB, or ``VmHWM``, the most it was.

    Outside Linux both are the most it ever was.
    """
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # of macOS, in bytes
    lines = _STATUS.read_text(encoding="utf-8").splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kibibytes) / 1024


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
