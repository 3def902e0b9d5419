"""Start, latency, memory, throughput and cost of the built functions, in the Lambda emulator.

    python -m benchmarks.lambdas [--only FUNCTION ...] [--quick] [--output FILE]

Needs what `make build` makes. AWS is not called: S3 and SageMaker are played on this machine.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

from benchmarks.common.environment import ROOT
from benchmarks.common.record import output_option, run_record, table, write_result
from benchmarks.lambdas.emulated import PERIOD_MICROSECONDS, meter_in_use
from benchmarks.lambdas.inputs import FUNCTIONS, MASK_SIZE, batch_case, example_case
from benchmarks.lambdas.rows import (
    MB_PER_PROCESSOR,
    PER,
    PRICE_SOURCE,
    PRICES_OF,
    USD_PER_GB_SECOND,
    USD_PER_REQUEST,
    Effort,
    cost_row,
    import_times,
    package_sizes,
    rate_rows,
    start_rows,
    warm_rows,
)
from labeljob.emulator import BUILD_FOLDER, BuildError, EmulatorError

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
