"""One start of a built function in the Lambda runtime emulator, and calls one after another."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lambdas.inputs import Case
from benchmarks.lambdas.meters import Meter, descendants, meter, resident_peak
from labeljob.emulator import EmbeddedAws, EmulatedFunction, EmulatorError

_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_CALL = re.compile(r"INVOKE RTDONE\(status: success.*?duration: ([\d.]+)ms\)")


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What one start and the calls after it took.

    Attributes
    ----------
    init_ms : float
        From the start of Python until the runtime asked for its first event.
    calls_ms : tuple of float
        From an event handed to the runtime until its response: the first call, then the warm
        ones.
    warm_seconds : float
        From before the first warm call to after the last, as the caller sees it.
    processor_ms : float
        Processor time of one warm call on average, the emulator's own included.
    peak_mb : float
        The meter's high-water mark, in MB of a million bytes.
    process_mb : float
        Largest resident size of the function's Python process.
    isolated : bool
        Whether the function saw Lambda's file system.
    """

    init_ms: float
    calls_ms: tuple[float, ...]
    warm_seconds: float
    processor_ms: float
    peak_mb: float
    process_mb: float
    isolated: bool

    @property
    def first_ms(self) -> float:
        """The first call."""
        return self.calls_ms[0]

    @property
    def warm_ms(self) -> tuple[float, ...]:
        """The calls after the first."""
        return self.calls_ms[1:]


def observe(
    case: Case,
    build: Path,
    environment: dict[str, str] | None,
    *,
    n_warm: int,
    share: float | None = None,
) -> Observation:
    """Start a built function, call it once and then again and again.

    Parameters
    ----------
    case : Case
        The function and its event.
    build : Path
        The build folder.
    environment : dict of str to str or None
        Variables that lead the function to an S3 with its objects; None for the case's folder.
    n_warm : int
        How many calls after the first.
    share : float, optional
        Share of one processor core for emulator and function; all there is if left out. Without
        a control group it is ignored.

    Raises
    ------
    EmulatorError
        If the emulator cannot be started or reports no times.
    FunctionError
        If the function fails.
    """
    objects = case.folder if environment is None else None
    with ExitStack() as stack:
        gauge = stack.enter_context(meter())
        function = stack.enter_context(
            EmulatedFunction(case.function, build, environment, objects=objects)
        )
        gauge.adopt(descendants([function.process.pid]))
        if share is not None:
            gauge.limit(share)
        function.invoke(case.event)
        used, began = gauge.processor_seconds(), time.perf_counter()
        for _ in range(n_warm):
            function.invoke(case.event)
        warm_seconds = time.perf_counter() - began
        used = gauge.processor_seconds() - used
        init_ms, calls_ms = times_in(function.log, n_calls=n_warm + 1)
        return Observation(
            init_ms=init_ms,
            calls_ms=calls_ms,
            warm_seconds=warm_seconds,
            processor_ms=1000 * used / max(1, n_warm),
            peak_mb=gauge.peak_bytes() / 1e6,
            process_mb=_python_peak(function.process.pid) / 1e6,
            isolated=function.isolated,
        )


def times_in(log: str, *, n_calls: int) -> tuple[float, tuple[float, ...]]:
    """Milliseconds of the start and of each call, as the emulator's log has them.

    Raises
    ------
    EmulatorError
        If there is not one start, or not as many calls as were made.

    Examples
    --------
    >>> log = '''INIT REPORT(durationMs: 89.77)
    ... INVOKE RTDONE(status: success, produced bytes: 0, duration: 0.6ms)'''
    >>> times_in(log, n_calls=1)
    (89.77, (0.6,))
    """
    starts = [float(text) for text in _INIT.findall(log)]
    calls = tuple(float(text) for text in _CALL.findall(log))
    if len(starts) != 1 or len(calls) != n_calls:
        raise EmulatorError(
            f"the emulator's log tells of {len(starts)} starts and {len(calls)} calls, "
            f"not of 1 and {n_calls}"
        )
    return starts[0], calls


@contextmanager
def serving(case: Case) -> Iterator[dict[str, str]]:
    """Variables that lead a function to an S3 on this machine with the case's objects."""
    with EmbeddedAws(case.jobs) as aws:
        case.upload(aws)
        yield aws.environment


def meter_in_use() -> Meter:
    """What this machine measures with."""
    with meter() as gauge:
        return gauge


def _python_peak(emulator: int) -> int:
    """Largest resident size of the Python process that the emulator started."""
    return max(resident_peak(pid) for pid in descendants([emulator]) if _is_python(pid))


def _is_python(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "comm").read_text(encoding="utf-8").startswith("python")
    except OSError:
        return False
