"""Rows of the Lambda figures: starts, warm calls, throughput and cost of one function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.lambdas.costs import MB_PER_PROCESSOR, billed_ms, cost, processor_share
from benchmarks.lambdas.emulated import Observation, meter_in_use, observe, serving
from benchmarks.lambdas.inputs import BATCH, Case
from labeljob.emulator import BuiltApplication

WITH_S3, WITHOUT_S3 = "S3", "folder"
MEMORY_SIZES = (512, 1024, MB_PER_PROCESSOR)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is measured.

    Attributes
    ----------
    starts : int
        Cold starts of each function, on a whole processor and again on its own share of one.
    calls : int
        Warm calls in a row.
    mask_calls : int
        The same with a full batch of masks, which takes seconds.
    imports : int
        How often each import is repeated.
    sizes : sequence of int
        Memory sizes, in MB, at which throughput is measured, beside the function's own.
    """

    starts: int = 7
    calls: int = 200
    mask_calls: int = 5
    imports: int = 9
    sizes: Sequence[int] = MEMORY_SIZES

    def calls_of(self, case: Case) -> int:
        """Warm calls of a case."""
        masks = case.function == "acs_semantic_segmentation" and case.name == BATCH
        return self.mask_calls if masks else self.calls


def start_rows(case: Case, build: Path, effort: Effort) -> Iterator[dict[str, Any]]:
    """Cold starts with objects from S3: on a whole processor, then on the function's share."""
    memory_mb = BuiltApplication(build).function(case.function).memory
    shares = {None: 1.0, memory_mb: processor_share(memory_mb)}
    with serving(case) as environment:
        for size, share in shares.items():
            seen = [
                observe(case, build, environment, n_warm=0, share=None if size is None else share)
                for _ in range(effort.starts)
            ]
            yield {
                "function": case.function,
                "memory_mb": size,
                "share": share,
                "starts": len(seen),
                "init_ms_best": min(one.init_ms for one in seen),
                "init_ms": median(one.init_ms for one in seen),
                "first_ms_best": min(one.first_ms for one in seen),
                "first_ms": median(one.first_ms for one in seen),
                "peak_mb": median(one.peak_mb for one in seen),
            }
            if not meter_in_use().limits:
                return


def warm_rows(case: Case, build: Path, effort: Effort) -> Iterator[dict[str, Any]]:
    """Warm calls on a whole processor, with objects from S3 and from a folder."""
    for kind in (WITH_S3, WITHOUT_S3):
        with _surroundings(case, kind) as environment:
            seen = observe(case, build, environment, n_warm=effort.calls_of(case))
        yield {
            "function": case.function,
            "input": case.name,
            "objects": case.n_objects,
            "objects_from": kind,
            "calls": len(seen.warm_ms),
            "ms_best": min(seen.warm_ms),
            "ms_p50": percentile(seen.warm_ms, 50),
            "ms_p95": percentile(seen.warm_ms, 95),
            "processor_ms": seen.processor_ms,
            "peak_mb": seen.peak_mb,
            "process_mb": seen.process_mb,
        }


def rate_rows(case: Case, build: Path, effort: Effort) -> Iterator[dict[str, Any]]:
    """Throughput of calls one after another, with objects from S3, by memory size."""
    own = BuiltApplication(build).function(case.function).memory
    with serving(case) as environment:
        for memory_mb in sorted({*effort.sizes, own}):
            share = processor_share(memory_mb)
            n_calls = max(3, ceil(effort.calls_of(case) / 4))
            seen = observe(case, build, environment, n_warm=n_calls, share=share)
            taken, seconds = at_share(seen, share, limited=meter_in_use().limits)
            yield {
                "function": case.function,
                "input": case.name,
                "objects": case.n_objects,
                "memory_mb": memory_mb,
                "own": memory_mb == own,
                "share": share,
                "calls": n_calls,
                "ms_mean": fmean(taken),
                "billed_ms": billed_ms(taken),
                "objects_per_second": case.n_objects * n_calls / seconds,
                "processor_ms": seen.processor_ms,
                "peak_mb": seen.peak_mb,
            }


def at_share(seen: Observation, share: float, *, limited: bool) -> tuple[Sequence[float], float]:
    """Milliseconds of each warm call, and seconds of all, at a share of a processor.

    Where nothing could be limited, they are computed: a call's processor time takes ``1 / share``
    times as long, its waiting the same time as before.
    """
    if limited or share >= 1:
        return seen.warm_ms, seen.warm_seconds
    more = seen.processor_ms * (1 / share - 1)
    longer = [taken + more for taken in seen.warm_ms]
    return longer, seen.warm_seconds + len(longer) * more / 1000


def cost_row(rate: dict[str, Any]) -> dict[str, Any]:
    """What 1,000 data objects cost at a row of `rate_rows`."""
    found = cost(
        billed=rate["billed_ms"], memory_mb=rate["memory_mb"], objects_per_call=rate["objects"]
    )
    return {name: rate[name] for name in ("function", "memory_mb", "own", "billed_ms")} | found


def percentile(values: Sequence[float], percent: float) -> float:
    """Smallest value that at least so many percent of the values do not exceed.

    Examples
    --------
    >>> percentile([4.0, 1.0, 3.0, 2.0], 50), percentile([4.0, 1.0, 3.0, 2.0], 95)
    (2.0, 4.0)
    """
    return sorted(values)[max(0, ceil(percent / 100 * len(values)) - 1)]


def _surroundings(case: Case, kind: str) -> AbstractContextManager[dict[str, str] | None]:
    return serving(case) if kind == WITH_S3 else nullcontext()
