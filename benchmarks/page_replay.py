"""The page's section on small calls."""

from collections.abc import Mapping
from typing import Any

from benchmarks.page_tables import interval, made_by, markdown_table, mean, number
from benchmarks.run_record import rows_of

NAMES = {
    "builtin": "`builtin` (AWS's rule)",
    "majority": "`majority`",
    "fresh": "`calibrated`, nothing kept",
    "kept": "**`calibrated`, worker skill kept**",
    "calibrated, all at once": "`calibrated`, the whole job at once",
}
MEASURES = ("ece", "log_loss", "brier", "auroc")


def replay_section(record: Mapping[str, Any]) -> list[str]:
    """The section's lines."""
    scores = rows_of(record["scores"])
    lines = [
        "## Call by call",
        "",
        "Ground Truth consolidates a job in calls of 1 to 50 objects, and a call cannot see the "
        "others. The sets above are replayed so, in random order of arrival; the share is how much "
        "of the whole job's gain over majority is left.",
        "",
    ]
    gains = rows_of(record["gains"])
    for votes in dict.fromkeys(row["votes"] for row in gains):
        title = "all answers" if votes == "all" else f"{votes} answers per item"
        lines += [f"### Calls, {title}", ""]
        table = []
        for row in sorted(
            (row for row in gains if row["votes"] == votes), key=lambda row: str(row["call_size"])
        ):
            own = [
                score
                for score in scores
                if score["set"] in record["averaged"]
                and all(score[key] == row[key] for key in ("votes", "variant", "call_size"))
            ]
            plain = row["variant"] in ("majority", "calibrated, all at once")
            share = "-" if plain or row["share"] is None else f"{row['share']:.0%}"
            if share != "-":
                share += f" [{row['share_low']:.0%}, {row['share_high']:.0%}]"
            table.append(
                [
                    NAMES[row["variant"]],
                    str(row["call_size"]),
                    number(row["accuracy"], 4),
                    interval(row, "gain", sign=True),
                    share,
                    *(number(mean(own, name)) for name in MEASURES),
                ]
            )
        headings = ("method", "objects per call", "accuracy", "gain over majority [95 %]")
        measures = ("share of the whole job's gain", "ECE", "log loss", "Brier", "AUROC")
        lines += markdown_table((*headings, *measures), table)
    return [
        *lines,
        *_birds(scores),
        "What is *not* shown: jobs whose workers change as they go, or come back from an earlier "
        "job. The sets are the ones the defaults were chosen on.",
        "",
        "Where we lose: a share of a small gain is uncertain, as its interval says; where the "
        "whole job gains nothing over majority, neither do calls.",
        "",
        *made_by(record["run"]),
    ]


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
