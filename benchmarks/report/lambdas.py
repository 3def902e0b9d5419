"""The page's section on the Lambda functions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.common.record import rows_of
from benchmarks.report.lambda_aims import BATCH, Aim, aims_of
from benchmarks.report.tables import made_by, markdown_table, number

FAR = 2.0

type Row = Mapping[str, Any]


def lambda_section(record: Row) -> list[str]:
    """Lines on the functions as built.

    Parameters
    ----------
    record : mapping
        What `benchmarks.lambdas` wrote.
    """
    aims = list(aims_of(record))
    return [
        "## Lambda functions",
        "",
        *_emulation(record["conditions"]),
        *markdown_table(("figure", "measured", "aim"), ([a.what, a.text, a.aim] for a in aims)),
        *_starts(record),
        *_warm(record),
        *_rates(record),
        *_packages(record),
        "What is *not* shown: AWS. Not Firecracker, nor the download and unzipping of a package, "
        "nor S3's, SageMaker's and DynamoDB's real latency; worker skill is not kept, which would "
        "be three requests a batch to DynamoDB; nor arm64, whose prices are taken with the times "
        "of this processor. AWS is said to give a start more processor time than the share; that "
        "is not played here. The price is Lambda's alone, and "
        "cold starts are not in it: AWS bills the init of managed runtimes, too.",
        "",
        "[operations.md](operations.md#power-tuning) has inputs for AWS Lambda Power Tuning, which "
        "measures the same on AWS.",
        "",
        f"Where we lose: {' '.join(_losses(record, aims))}",
        "",
        *_made_by(record),
    ]


def _emulation(conditions: Row) -> list[str]:
    """What was measured instead of AWS, and how."""
    if conditions["limits"]:
        share = (
            f"A memory size's share of a vCPU is memory / {conditions['mb_per_processor']} MB, "
            f"kept by a quota of a control group in periods of {conditions['period_ms']:g} ms; "
            "the emulator's own work counts in it. Memory itself is not limited. "
            "Peak memory is the high-water mark of the control group, which counts a file's pages "
            "only if it was the first to read them, beside the largest resident size of the Python "
            "process, which counts all."
        )
    else:
        share = (
            "This machine lets no control group be made. Times at a share of a vCPU, which is "
            f"memory / {conditions['mb_per_processor']} MB, are computed: processor time divided "
            "by the share, and waiting as it was. Peak memory is the sum of the processes' "
            "largest resident sizes (VmHWM, which is what ru_maxrss reports)."
        )
    return [
        "The functions as `make build` makes them, in AWS's runtime interface emulator on this "
        "machine, with Lambda's file system: an emulation, not AWS.",
        f"S3 and SageMaker are moto's, on the same machine. {share}",
        "Times are the emulator's own: init from the start of Python to the first request for an "
        "event, a call from the event to the response. The first call opens AWS's clients.",
        "The emulator's boto3 holds no compiled files, so every first call compiles it; whether "
        "AWS's does we do not know, so its import is measured either way.",
        f"The full batch is {BATCH} (data objects x workers), made by `labeljob synthesize`; its "
        f"masks have {conditions['mask_size']} pixels. The example is the one under `events/`.",
        "",
    ]


def _starts(record: Row) -> list[str]:
    rows = [
        [
            f"`{r['function']}`",
            "whole processor" if r["memory_mb"] is None else f"{r['memory_mb']} MB (its own)",
            number(r["share"], 2),
            str(r["starts"]),
            f"{r['init_ms']:.0f} ({r['init_ms_best']:.0f})",
            f"{r['first_ms']:.0f} ({r['first_ms_best']:.0f})",
        ]
        for r in rows_of(record["starts"])
    ]
    headings = ("function", "memory", "vCPU", "starts", "init ms (best)", "first call ms (best)")
    return ["### Lambda: cold start", "", *markdown_table(headings, rows)]


def _warm(record: Row) -> list[str]:
    rows = [
        [
            f"`{r['function']}`",
            r["input"],
            r["objects_from"],
            str(r["calls"]),
            *(number(r[name], 2) for name in ("ms_p50", "ms_p95", "ms_best", "processor_ms")),
            *(number(r[name], 0) for name in ("peak_mb", "process_mb")),
        ]
        for r in rows_of(record["warm"])
    ]
    headings = (
        *("function", "input", "objects from", "calls", "p50 ms", "p95 ms", "best ms"),
        *("CPU ms", "peak MB", "process MB"),
    )
    return [
        "### Lambda: warm calls on a whole processor",
        "",
        "From a folder instead of S3, no AWS client is opened: that is the time and the memory "
        "without S3. CPU ms is the mean and holds the emulator's own work.",
        "",
        *markdown_table(headings, rows),
    ]


def _rates(record: Row) -> list[str]:
    costs = {(r["function"], r["memory_mb"]): r for r in rows_of(record["costs"])}
    rates = rows_of(record["rates"])
    rows = []
    for r in rates:
        own = costs[r["function"], r["memory_mb"]]
        rows.append(
            [
                f"`{r['function']}`",
                f"{r['memory_mb']}{' (its own)' if r['own'] else ''}",
                number(r["share"], 2),
                number(r["ms_mean"], 1),
                f"{r['objects_per_second']:,.0f}",
                number(r["peak_mb"], 0),
                number(own["gb_seconds"], 3),
                *(f"{1e6 * own[name]:,.0f}" for name in ("usd_x86_64", "usd_arm64")),
            ]
        )
    headings = (
        *("function", "MB", "vCPU", "ms a call", "objects/s", "peak MB"),
        *("GB-s", "10^-6 $, x86_64", "10^-6 $, arm64"),
    )
    return [
        "### Lambda: throughput and cost by memory",
        "",
        "Warm calls one after another with objects from S3: PRE with its example, one object a "
        f"call; ACS with {BATCH}. GB-seconds and dollars are for {record['prices']['objects']:,} "
        "objects.",
        "",
        *markdown_table(headings, rows),
        *_arithmetic(record["prices"], next(iter(costs.values()))),
    ]


def _arithmetic(prices: Row, row: Row) -> list[str]:
    """How the cost of one row came about."""
    price, request = prices["usd_per_gb_second"], prices["usd_per_request"]
    return [
        f"Prices: {prices['source']}, as others quoted that page on {prices['as_of']}: "
        f"${price['x86_64']:.10f} (x86_64) "
        f"and ${price['arm64']:.10f} (arm64) a GB-second, ${request:.7f} a request; the day's "
        "price list counts. A call is billed by the whole millisecond, and waiting is billed too.",
        f"The first row: {row['calls']:,} calls x {row['billed_ms']:g} ms x {row['memory_mb']} / "
        f"1024 GB = {row['gb_seconds']:g} GB-s; {row['gb_seconds']:g} x ${price['x86_64']:.10f} + "
        f"{row['calls']:,} x ${request:.7f} = ${row['usd_x86_64']:.7f}.",
        "",
    ]


def _packages(record: Row) -> list[str]:
    imports = [
        [r["what"], *(number(r[name], 0) for name in ("cpu_ms", "cpu_ms_best", "wall_ms"))]
        for r in rows_of(record["imports"])
    ]
    sizes = [[f"`{r['function']}`", number(r["mb"], 1)] for r in rows_of(record["sizes"])]
    return [
        "### Lambda: imports and packages",
        "",
        *markdown_table(("import of", "CPU ms, median", "CPU ms, best", "ms"), imports),
        *markdown_table(("function with its layers", "MB unzipped"), sizes),
    ]


def _losses(record: Row, aims: Sequence[Aim]) -> Iterator[str]:
    """Aims that were missed, slow first calls, and memory that costs more than it brings."""
    missed = [f"{aim.what}: {aim.text}, the aim is {aim.aim}" for aim in aims if not aim.reached]
    yield f"missed: {'; '.join(missed)}." if missed else "no aim was missed."
    starts = rows_of(record["starts"])
    slowest = max(starts, key=lambda row: row["first_ms"])
    yield (
        f"The first call of `{slowest['function']}` takes {slowest['first_ms'] / 1000:.1f} s at "
        f"{slowest['share']:.2f} vCPU, because boto3 is imported then and not at the start."
    )
    for name in dict.fromkeys(row["function"] for row in rows_of(record["costs"])):
        here = [row for row in rows_of(record["costs"]) if row["function"] == name]
        own, best = next(r for r in here if r["own"]), min(here, key=lambda r: r["usd_x86_64"])
        if own["usd_x86_64"] > FAR * best["usd_x86_64"]:
            yield (
                f"`{name}` costs {own['usd_x86_64'] / best['usd_x86_64']:.1f} times as much at its "
                f"own {own['memory_mb']} MB as at {best['memory_mb']} MB."
            )


def _made_by(record: Row) -> list[str]:
    used = record["conditions"]["versions"]
    text = ", ".join(f"{name} {version}" for name, version in used.items() if version)
    *lines, _ = made_by(record["run"])
    return [*lines, f"Emulator: {text}; measured by {record['conditions']['meter']}.", ""]
