"""The beginning of the page: the figures most readers come for, and the table of contents."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.page_tables import markdown_table, mean, name_of, number
from benchmarks.run_record import rows_of

type Record = Mapping[str, Any]
type Line = tuple[str, str, str]

_FEW = 3
_ONE_CALL = (450, 10)
_PEER = "ck-dawid-skene-20-rounds"
_MASK_FIGURES = {
    "whole object, best SimpleITK / ours": "SimpleITK, best built: {ratio:.1f} times the CPU time",
    "whole object, plain numpy / ours": "straightforward NumPy: {ratio:.0f} times",
}


def summary(records: Mapping[str, Record]) -> list[str]:
    """A table of a few rows; no line if no result is there.

    Parameters
    ----------
    records : mapping of str to mapping
        The results by the names of their files.
    """
    found = [row for name, rows in _ROWS.items() if name in records for row in rows(records[name])]
    if not found:
        return []
    lines = ["In short; what is compared, what is not shown and where we lose is said below:", ""]
    return [*lines, *markdown_table(("question", "ours", "beside it"), found, rule="---|")]


def contents(lines: Sequence[str]) -> list[str]:
    """Links to the sections of a page."""
    titles = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    return [*(f"- [{title}](#{_anchor(title)})" for title in titles), ""] if titles else []


def _anchor(title: str) -> str:
    """What a heading is called in a link."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _birds(record: Record) -> Iterator[Line]:
    rows = {row["method"]: row for row in rows_of(record["scores"])}
    ours, aws = rows.get("calibrated"), rows.get("AWS, as in its manifest")
    kept = rows.get("kept, in AWS's calls")
    if ours and kept and aws:
        yield (
            "Does the confidence tell right from wrong labels? (AUROC of a real job)",
            f"{number(ours['auroc'], 2)}; in AWS's own calls {number(kept['auroc'], 2)}",
            f"AWS's function {number(aws['auroc'], 2)}; a coin 0.50",
        )


def _quality(record: Record) -> Iterator[Line]:
    rows = [
        row
        for row in rows_of(record["scores"])
        if row["votes"] == _FEW and row["set"] in record["averaged"]
    ]
    sets: dict[str, list[Record]] = {}
    for row in rows:
        sets.setdefault(row["method"], []).append(row)
    whole = {name: own for name, own in sets.items() if len(own) == len(record["averaged"])}
    peers = [name for name in whole if name.startswith("ck-")]
    if "calibrated" not in whole or not peers:
        return
    for word, measure, better in (("right", "accuracy", max), ("miscalibrated", "ece", min)):
        best = better(peers, key=lambda name: mean(whole[name], measure) or 0.0)
        yield (
            f"How {word} is it with {_FEW} answers? ({_WORDS[measure]}, mean of "
            f"{len(record['averaged'])} crowds)",
            number(mean(whole["calibrated"], measure)),
            f"`majority` {number(mean(whole['majority'], measure))}; the best of {len(peers)} "
            f"peers that finish: {name_of(best)} {number(mean(whole[best], measure))}",
        )


def _speed(record: Record) -> Iterator[Line]:
    here = {
        row["method"]: row["cpu_seconds"]
        for row in rows_of(record["times"])
        if (row["answers"], row["classes"]) == _ONE_CALL
    }
    if "calibrated" in here and _PEER in here:
        yield (
            "How fast is one call of 50 objects and 9 workers?",
            f"{here['calibrated'] * 1000:.1f} ms",
            f"{name_of(_PEER)}: {here[_PEER] / here['calibrated']:.0f} times that",
        )


def _masks(record: Record) -> Iterator[Line]:
    ratios = {row["figure"]: row["ratio"] for row in record["ratios"]}
    cases = {(row["kind"], row["name"], row["size"]): row for row in record["cases"]}
    ours = cases.get(("pipeline", "ours", "1080p-k11-n5"))
    beside = [
        text.format(ratio=ratios[key]) for key, text in _MASK_FIGURES.items() if key in ratios
    ]
    if ours and beside:
        yield (
            "How fast are five 1080p masks fused, PNG in and PNG out?",
            f"{ours['cpu_ms']:.0f} ms, {ours['peak_mb']:.0f} MB",
            "; ".join(beside),
        )


_WORDS = {"accuracy": "accuracy", "ece": "expected calibration error, lower is better"}
_ROWS: Mapping[str, Callable[[Record], Iterator[Line]]] = {
    "birds": _birds,
    "classification-quality": _quality,
    "classification-speed": _speed,
    "segmentation": _masks,
}
