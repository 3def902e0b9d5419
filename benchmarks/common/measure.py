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
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from benchmarks.common.crowds import Crowd

TOO_LONG_FOR_TWO = 2.5
"""CPU seconds; a call that takes less is run twice at least, if it may be."""
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_LARGEST_TABLE = 20_000_000


class CutOff(BaseException):
    """A case took longer than it may; no peer can catch it by catching `Exception`."""


def measure(
    prepare: Callable[[], Any],
    call: Callable[[Any], Any],
    *,
    enough_seconds: float = 0.5,
    most: int = 9,
    limit: float = 0.0,
) -> tuple[Any, dict[str, Any]]:
    """Make a call's input, which is not timed, and measure the call."""
    forget_peak()
    bare = memory_mib("VmRSS")
    given = prepare()
    forget_peak()
    before = memory_mib("VmRSS")
    signal.signal(signal.SIGPROF, _cut_off)
    seconds: list[float] = []
    result = None
    while _unsettled(seconds, enough_seconds, most):
        result = None  # or it would count in the memory of the next run
        if limit:  # a timer that runs makes the CPU clock coarse: 4 ms
            signal.setitimer(signal.ITIMER_PROF, limit)
        start = time.process_time()
        result = call(given)
        seconds.append(time.process_time() - start)
        if limit:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
    figures = {"cpu_seconds": min(seconds), "repetitions": len(seconds), "bare_mib": bare}
    return result, figures | {"before_mib": before, "peak_mib": memory_mib("VmHWM")}


def _unsettled(seconds: Sequence[float], enough: float, most: int) -> bool:
    if len(seconds) < 2:
        return len(seconds) < most and sum(seconds) < TOO_LONG_FOR_TWO
    return len(seconds) < most and sum(seconds) < enough


def _cut_off(signal_number: int, frame: FrameType | None) -> None:
    raise CutOff


def measure_size(prepare: Callable[[], Any], call: Callable[[Any], Any]) -> dict[str, Any]:
    """CPU seconds, rounds of a method that has such, and MiB of the process, input and run."""
    result, figures = measure(prepare, call)
    return {
        "cpu_seconds": figures["cpu_seconds"],
        "rounds": getattr(result, "rounds", None),
        "bare_mib": figures["bare_mib"],
        "inputs_mib": max(figures["before_mib"] - figures["bare_mib"], 0.0),
        "run_mib": max(figures["peak_mib"] - figures["before_mib"], 0.0),
    }


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
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("method", choices=methods)
    parser.add_argument("folder", type=Path)
    parser.add_argument("crowds", type=Path, nargs="+")
    parser.add_argument("--once", action="store_true", help="no repetitions")
    parser.add_argument("--limit", type=float, default=0.0, help="CPU seconds of one case")
    options = parser.parse_args(arguments[1:])
    method, most = methods[options.method], 1 if options.once else 20
    for path in options.crowds:
        crowd = Crowd.load(path)
        line = {"crowd": crowd.name, "method": options.method, "answers": int(crowd.items.size)}
        try:
            result, figures = measure(
                partial(prepare, crowd), method, enough_seconds=1.0, most=most, limit=options.limit
            )
        except CutOff:
            print(json.dumps(line | {"cut_off_after": options.limit}), flush=True)
            continue
        if crowd.n_items * crowd.n_classes <= _LARGEST_TABLE:
            np.save(options.folder / f"{crowd.name}.{options.method}.npy", table(result))
        line |= {name: figures[name] for name in ("cpu_seconds", "repetitions")}
        line |= {"peak_before_mib": figures["before_mib"], "peak_after_mib": figures["peak_mib"]}
        print(json.dumps(line), flush=True)


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
