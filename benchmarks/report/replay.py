"""The page's section on small calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.classification.calls import DRAWS
from benchmarks.common.record import rows_of
from benchmarks.report.tables import interval, made_by, markdown_table, mean, number

NAMES = {
    "builtin": "`builtin` (AWS's rule)",
    "majority": "`majority`",
    "fresh": "`calibrated`, nothing kept",
    "kept": "**`calibrated`, worker skill kept**",
    "calibrated, all at once": "`calibrated`, the whole job at once",
}
MEASURES = ("ece", "log_loss", "brier", "auroc")
AIM = 0.75

type Row = Mapping[str, Any]


def replay_section(record: Mapping[str, Any]) -> list[str]:
    """The section's lines."""
    scores, gains = rows_of(record["scores"]), rows_of(record["gains"])
    sizes = sorted({row["call_size"] for row in gains if row["call_size"] != "all"})
    lines = [
        "## Call by call",
        "",
        "Ground Truth consolidates a job in calls of a few objects, and a call cannot see the "
        f"others. The sets above are replayed so, in calls of {', '.join(map(str, sizes))} "
        "objects and random order of arrival; the share is how much of the whole job's gain over "
        "majority is left. Intervals: items drawn again "
        f"{DRAWS:,} times within their sets.",
        "",
    ]
    for votes in dict.fromkeys(row["votes"] for row in gains):
        title = "all answers" if votes == "all" else f"{votes} answers per item"
        rows = [row for row in gains if row["votes"] == votes]
        rows.sort(key=lambda row: str(row["call_size"]))
        headings = ("method", "objects per call", "accuracy", "gain over majority [95 %]")
        measures = ("share of the whole job's gain", "ECE", "log loss", "Brier", "AUROC")
        cells = [_cells(row, scores, record["averaged"]) for row in rows]
        lines += [f"### Calls, {title}", "", *markdown_table((*headings, *measures), cells)]
    return [
        *lines,
        *_orders(rows_of(record["orders"]) if "orders" in record else []),
        *_birds(scores),
        "What is *not* shown: jobs whose workers change as they go, or come back from an earlier "
        "job. The sets are the ones the defaults were chosen on.",
        "",
        f"Where we lose: {_shortfall(gains)} "
        "Where the whole job gains little over majority, a share of it is uncertain.",
        "",
        *made_by(record["run"]),
    ]


def _cells(row: Row, scores: Sequence[Row], averaged: Sequence[str]) -> list[str]:
    own = [
        score
        for score in scores
        if score["set"] in averaged
        and all(score[key] == row[key] for key in ("votes", "variant", "call_size"))
    ]
    plain = row["variant"] in ("majority", "calibrated, all at once")
    share = "-"
    if not plain and row["share"] is not None:
        share = f"{row['share']:.0%} [{row['share_low']:.0%}, {row['share_high']:.0%}]"
    accuracy, gain = number(row["accuracy"], 4), interval(row, "gain", sign=True)
    means = (number(mean(own, name)) for name in MEASURES)
    return [NAMES[row["variant"]], str(row["call_size"]), accuracy, gain, share, *means]


def _orders(rows: Sequence[Row]) -> list[str]:
    """Kept skill in several orders of arrival, and once workers are known."""
    if not rows:
        return []
    table = []
    for votes, size in dict.fromkeys((row["votes"], row["call_size"]) for row in rows):
        here = [row for row in rows if (row["votes"], row["call_size"]) == (votes, size)]
        cells = ["all" if votes == "all" else str(votes), str(size)]
        cells += [
            ", ".join(_percent(row[name]) for row in here) for name in ("share", "share_late")
        ]
        table.append(cells)
    headings = ("answers per item", "objects per call", "whole job", "its second half")
    return [
        "### The share with kept skill, in other orders of arrival",
        "",
        f"One figure for each of {len({row['order'] for row in rows})} random orders. A call knows "
        "little of workers who just came; the second half of a job is judged by what the first "
        "half taught.",
        "",
        *markdown_table(headings, table),
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _shortfall(gains: Sequence[Row]) -> str:
    """Shares of the gain with kept skill that are below the aim."""
    texts = []
    for row in gains:
        share = row["share"]
        if row["variant"] == "kept" and share is not None and share < AIM:
            answers = "all answers" if row["votes"] == "all" else f"{row['votes']} answers an item"
            texts.append(f"{share:.0%} in calls of {row['call_size']} ({answers})")
    if not texts:
        return f"kept skill keeps {AIM:.0%} of the gain at every size of call."
    return f"kept skill keeps less than the {AIM:.0%} we aim at: {', '.join(texts)}."


def _birds(scores: list[dict[str, Any]]) -> list[str]:
    """The birds job in random order: the AUROC that small calls do not reach."""
    here = [row for row in scores if row["set"] == "birds" and row["votes"] == "all"]
    if not here:
        return []
    table = [
        [NAMES[row["variant"]], str(row["call_size"])]
        + [number(row[name]) for name in ("accuracy", "auroc", "ece")]
        for row in sorted(here, key=lambda row: str(row["call_size"]))
    ]
    headings = ("method", "objects per call", "accuracy", "AUROC", "ECE")
    lines = ["### The birds job call by call", "", *markdown_table(headings, table)]
    whole = next(row for row in here if row["call_size"] == "all")["auroc"]
    calls = [row["auroc"] for row in here if row["variant"] == "kept"]
    said = f"AUROC is {whole:.3f} for the whole job at once and {min(calls):.3f} to "
    return [*lines, f"{said}{max(calls):.3f} call by call with kept skill.", ""]
