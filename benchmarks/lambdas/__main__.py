"""Start, latency, memory, throughput and cost of the built functions, in the Lambda emulator.

    python -m benchmarks.lambdas [--only FUNCTION ...] [--quick] [--output FILE]

Needs what `make build` makes. AWS is not called: S3 and SageMaker are played on this machine.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import distributions, version
from math import ceil
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.common.record import ROOT, output_option, run_record, table, write_result
from benchmarks.lambdas.emulated import (
    BATCH,
    FUNCTIONS,
    MASK_SIZE,
    PERIOD_MICROSECONDS,
    Case,
    Observation,
    batch_case,
    example_case,
    meter_in_use,
    observe,
    serving,
)
from labeljob.emulator import BUILD_FOLDER, BuildError, BuiltApplication, EmulatorError
from labeljob.emulator.function import find_python, find_runtime_packages, merge_layers

PRICES_OF = "2026-11-22"
PRICE_SOURCE = "AWS Lambda Pricing, US East (N. Virginia), first tier, no free tier"
USD_PER_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
USD_PER_REQUEST = 0.0000002
MB_PER_GB = 1024
MB_PER_PROCESSOR = 1769
"""Memory at which Lambda gives a function the time of one whole vCPU, as its guide says."""

PER = 1000


def processor_share(memory_mb: int) -> float:
    """Share of a vCPU that comes with an amount of memory.

    Examples
    --------
    >>> round(processor_share(512), 3)
    0.289
    """
    return memory_mb / MB_PER_PROCESSOR


def billed_ms(durations_ms: Sequence[float]) -> float:
    """Mean of durations of which each is rounded up to a whole millisecond, as AWS bills them.

    Examples
    --------
    >>> billed_ms([0.2, 3.5])
    2.5
    """
    return sum(map(math.ceil, durations_ms)) / len(durations_ms)


def cost(*, billed: float, memory_mb: int, objects_per_call: int) -> dict[str, Any]:
    """US dollars for `PER` data objects.

    Examples
    --------
    >>> found = cost(billed=20, memory_mb=1024, objects_per_call=50)
    >>> found["calls"], round(found["gb_seconds"], 3), round(1e6 * found["usd_x86_64"], 2)
    (20, 0.4, 10.67)
    """
    calls = math.ceil(PER / objects_per_call)
    gb_seconds = calls * billed / 1000 * memory_mb / MB_PER_GB
    requests = calls * USD_PER_REQUEST
    found: dict[str, Any] = {"calls": calls, "gb_seconds": gb_seconds, "usd_requests": requests}
    for processor, price in USD_PER_GB_SECOND.items():
        found[f"usd_{processor}"] = requests + gb_seconds * price
    return found


IMPORTS = {
    "numpy alone": ("acs_image_multi_class", "import numpy"),
    "a classification ACS function": ("acs_image_multi_class", "import app"),
    "the segmentation ACS function": ("acs_semantic_segmentation", "import app"),
    "a PRE function": ("pre_image_multi_class", "import app"),
    "boto3 and an S3 client": ("pre_image_multi_class", "import boto3; boto3.client('s3')"),
}
"""What is imported: a built function's path, and the statements."""

COMPILED = {"boto3 and an S3 client, if compiled before": "boto3 and an S3 client"}
"""What is imported once more, from files that Python has compiled."""

_SCRIPT = """
import time
wall, used = time.perf_counter(), time.process_time()
{statements}
used, wall = time.process_time() - used, time.perf_counter() - wall
import json
print(json.dumps([1000 * used, 1000 * wall]))
"""


def package_sizes(build: Path, functions: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of function, and MB (of a million bytes) of its code with all its layers."""
    application = BuiltApplication(build)
    rows = []
    for name in functions:
        function = application.function(name)
        size = sum(map(_size, (function.code, *function.layers)))
        rows.append({"function": name, "mb": size / 1e6})
    return rows


def import_times(build: Path, *, n_times: int) -> list[dict[str, Any]]:
    """Rows of what is imported, best and median processor time, and median time, in ms.

    Each import runs in a process of its own with the function's variables, from the built
    layers; Python's own start is not counted. All take turns, so that other load meets all.
    """
    taken: dict[str, list[list[float]]] = {name: [] for name in (*IMPORTS, *COMPILED)}
    with tempfile.TemporaryDirectory() as folder:
        compiled = {"PYTHONPYCACHEPREFIX": folder}
        for name in COMPILED.values():
            _imported(build, name, compiled)
        for _ in range(n_times):
            for name in IMPORTS:
                taken[name].append(_imported(build, name, {"PYTHONDONTWRITEBYTECODE": "1"}))
            for name, same in COMPILED.items():
                taken[name].append(_imported(build, same, compiled))
    return [
        {
            "what": name,
            "cpu_ms_best": min(used for used, _ in times),
            "cpu_ms": median(used for used, _ in times),
            "wall_ms": median(wall for _, wall in times),
        }
        for name, times in taken.items()
    ]


def _imported(build: Path, what: str, variables: Mapping[str, str]) -> list[float]:
    name, statements = IMPORTS[what]
    function = BuiltApplication(build).function(name)
    paths = (
        function.code,
        merge_layers(function.layers) / "python",
        find_runtime_packages(ROOT / ".tools"),
    )
    environment = {
        **function.environment,
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONPATH": ":".join(map(str, paths)),
        **variables,
    }
    python = find_python() / "bin" / "python3.13"
    run = subprocess.run(
        [str(python), "-c", _SCRIPT.format(statements=statements)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    times: list[float] = json.loads(run.stdout)
    return times


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


WITH_S3, WITHOUT_S3 = "S3", "folder"
MEMORY_SIZES = (512, 1024, MB_PER_PROCESSOR)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is measured."""

    starts: int = 7
    calls: int = 200  # warm calls in a row
    mask_calls: int = 5  # the same with a full batch of masks, which takes seconds
    imports: int = 9  # how often each import is repeated
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


SEED = 1
BUILD = ROOT / BUILD_FOLDER
QUICK = Effort(starts=1, calls=30, imports=1, sizes=())
QUICK_FUNCTIONS = ("acs_image_multi_class",)
_COLUMNS = {
    "sizes": ("function", "mb"),
    "imports": ("what", "cpu_ms_best", "cpu_ms", "wall_ms"),
    "starts": (
        *("function", "memory_mb", "share", "starts", "init_ms_best", "init_ms"),
        *("first_ms_best", "first_ms", "peak_mb"),
    ),
    "warm": (
        *("function", "input", "objects", "objects_from", "calls", "ms_best", "ms_p50", "ms_p95"),
        *("processor_ms", "peak_mb", "process_mb"),
    ),
    "rates": (
        *("function", "input", "objects", "memory_mb", "own", "share", "calls", "ms_mean"),
        *("billed_ms", "objects_per_second", "processor_ms", "peak_mb"),
    ),
    "costs": (
        *("function", "memory_mb", "own", "calls", "billed_ms", "gb_seconds", "usd_requests"),
        *(f"usd_{processor}" for processor in USD_PER_GB_SECOND),
    ),
}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=FUNCTIONS, help="leave out the others")
    parser.add_argument("--quick", action="store_true", help="one function, few calls")
    output_option(parser, "lambda")
    options = parser.parse_args()
    functions = options.only or (QUICK_FUNCTIONS if options.quick else FUNCTIONS)
    try:
        found = lambda_figures(functions, QUICK if options.quick else Effort())
    except (BuildError, EmulatorError) as error:
        raise SystemExit(str(error)) from error
    module = "benchmarks.lambdas" + (" --quick" if options.quick else "")
    run = run_record(module, {"only": options.only}, seed=SEED)
    write_result(options.output, {"run": run} | found)


def lambda_figures(functions: Sequence[str], effort: Effort) -> dict[str, Any]:
    """Everything that the result holds, but for the record of the run."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _COLUMNS}
    rows["sizes"] = package_sizes(BUILD, FUNCTIONS)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in functions:
            cases = [example_case(name, folder / f"{name}-example")]
            if name.startswith("acs_"):
                cases.append(batch_case(name, folder / f"{name}-batch", seed=SEED))
            rows["starts"] += start_rows(cases[0], BUILD, effort)
            for case in cases:
                rows["warm"] += warm_rows(case, BUILD, effort)
            rates = list(rate_rows(cases[-1], BUILD, effort))
            rows["rates"] += rates
            rows["costs"] += map(cost_row, rates)
            print(f"{name} measured", file=sys.stderr)
    rows["imports"] = import_times(BUILD, n_times=effort.imports)
    tables = {name: table(rows[name], columns) for name, columns in _COLUMNS.items()}
    return {"conditions": _conditions(), "prices": _prices(), **tables}


def _conditions() -> dict[str, Any]:
    """What was measured with, and what the figures' names mean."""
    meter = meter_in_use()
    return {
        "meter": meter.how,
        "limits": meter.limits,
        "period_ms": PERIOD_MICROSECONDS / 1000,
        "mb_per_processor": MB_PER_PROCESSOR,
        "mask_size": MASK_SIZE,
        "versions": {
            "SAM CLI": _tool_version("sam/lib/python*/site-packages", "aws-sam-cli"),
            "awslambdaric": _tool_version("runtime", "awslambdaric"),
            "boto3": _tool_version("runtime", "boto3"),
            "moto": version("moto"),
        },
    }


def _prices() -> dict[str, Any]:
    return {
        "source": PRICE_SOURCE,
        "as_of": PRICES_OF,
        "usd_per_gb_second": USD_PER_GB_SECOND,
        "usd_per_request": USD_PER_REQUEST,
        "objects": PER,
    }


def _tool_version(folder: str, package: str) -> str | None:
    """Version of a package that `make build` installed under .tools."""
    folders = [str(found) for found in (ROOT / ".tools").glob(folder)]
    found = distributions(name=package, path=folders)
    return next((one.version for one in found), None)


if __name__ == "__main__":
    main()
