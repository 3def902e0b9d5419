"""The rows of the page's beginning that are on time and cost."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.classification.speed import SIZES
from benchmarks.common.record import rows_of
from benchmarks.report.lambda_aims import BATCH
from benchmarks.report.tables import name_of, number
from benchmarks.segmentation.inputs import SIZES as SIZES_OF_MASKS

type Row = Mapping[str, Any]
type Line = tuple[str, str, str]

ANSWERS, PER_ITEM, CLASSES, _ = SIZES[0]
DEFAULT, SAME_ROUNDS = "calibrated", "calibrated-20-rounds"
PEER = "ck-dawid-skene-20-rounds"
FUNCTION = "acs_image_multi_class"
MASKS = "1080p-k11-n5"
MASK_FIGURES = {
    "whole object, best SimpleITK / ours": "SimpleITK, best built: {ratio:.1f} times the CPU time",
    "whole object, plain numpy / ours": "straightforward NumPy: {ratio:.0f} times",
}


def speed_rows(record: Row) -> Iterator[Line]:
    """One call, at the same number of rounds as the peer, and by default."""
    here = {
        row["method"]: row["cpu_seconds"]
        for row in rows_of(record["times"])
        if (row["answers"], row["classes"]) == (ANSWERS, CLASSES)
    }
    if all(method in here for method in (DEFAULT, SAME_ROUNDS, PEER)):
        own, peer = here[SAME_ROUNDS], here[PEER]
        yield (
            f"How fast is one call of {ANSWERS // PER_ITEM} objects and {PER_ITEM} answers each?",
            f"{name_of(SAME_ROUNDS)}: {own * 1000:.1f} ms; the default, which stops when it has "
            f"settled: {here[DEFAULT] * 1000:.1f} ms",
            f"{name_of(PEER)}: {peer * 1000:.0f} ms, {peer / own:.0f} times ours at as many rounds",
        )


def mask_rows(record: Row) -> Iterator[Line]:
    """One object's masks, from the workers' PNGs to the PNG of the result."""
    ratios = {row["figure"]: row["ratio"] for row in record["ratios"]}
    cases = {(row["kind"], row["name"], row["size"]): row for row in record["cases"]}
    ours = cases.get(("pipeline", "ours", MASKS))
    beside = [text.format(ratio=ratios[key]) for key, text in MASK_FIGURES.items() if key in ratios]
    if ours and beside:
        workers = SIZES_OF_MASKS[MASKS].n_workers
        yield (
            f"How fast are {workers} masks of 1080p fused, PNG in and PNG out?",
            f"{ours['cpu_ms']:.0f} ms, {ours['peak_mb']:.0f} MB",
            "; ".join(beside),
        )


def lambda_rows(record: Row) -> Iterator[Line]:
    """A warm call of the function as built, and its price."""
    warm = {
        row["objects_from"]: row["ms_p50"]
        for row in rows_of(record["warm"])
        if (row["function"], row["input"]) == (FUNCTION, BATCH)
    }
    costs = [row for row in rows_of(record["costs"]) if row["function"] == FUNCTION and row["own"]]
    if not warm or not costs:
        return
    times = " and ".join(f"{number(ms, 1)} ms ({place})" for place, ms in warm.items())
    dollars = 1e6 * costs[0]["usd_x86_64"]
    yield (
        f"How fast is the Lambda function, and what does it cost? (one warm call of {BATCH}, "
        "median, by where the objects are)",
        f"{times}; {record['prices']['objects']:,} objects for {dollars:,.1f} x 10^-6 $ at "
        f"{costs[0]['memory_mb']} MB",
        "an emulation, not AWS; Lambda's price alone",
    )
