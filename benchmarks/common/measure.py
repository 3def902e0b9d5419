"""CPU time and memory of a call in a process of its own; needs nothing but Python.

Memory is counted from the bare process, after its imports and before its inputs are made.
"""

import ctypes
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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
