"""The page's tables of means: every method over all sets, and its difference to majority."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.classification.quality import BASE, GAINS
from benchmarks.common.intervals import RESAMPLED
from benchmarks.common.record import rows_of
from benchmarks.report.tables import interval, markdown_table, mean, name_of, number

type Row = Mapping[str, Any]

MEASURES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "ece": "ECE",
    "ece_equal_mass": "ECE, equal mass",
    "log_loss": "log loss",
    "brier": "Brier",
    "auroc": "AUROC",
}
DEFAULT = "calibrated"


def shifted(record: Row) -> str:
    """How the intervals of measures are made that are no means over items, if there are any."""
    there = [
        word
        for name, word in MEASURES.items()
        if name in RESAMPLED and name != "log_loss" and name in record["differences"]["columns"]
    ]
    if not there:
        return ""
    return (
        f" Those of {', '.join(there)} are moved so that the mean of the draws lies on the figure: "
        "drawing items again makes ECE larger by itself."
    )


def mean_tables(record: Row, rows: Sequence[Row], votes: int | str) -> list[str]:
    """Lines of the tables for one number of answers per item.

    Parameters
    ----------
    record : mapping
        The result.
    rows : sequence of mapping
        Its scores with so many answers.
    votes : int or str
        How many.
    """
    averaged = record["averaged"]
    full, partial = [], []
    default = {row["set"]: row for row in rows if row["method"] == DEFAULT}
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method and row["set"] in averaged]
        if len(own) == len(averaged):
            full.append((method, [number(mean(own, name)) for name in MEASURES]))
        elif own:
            same = [default[row["set"]] for row in own]
            pairs = (f"{number(mean(own, name))} / {number(mean(same, name))}" for name in MEASURES)
            partial.append([name_of(method), f"{len(own)} of {len(averaged)}", *pairs])
    cells = [[name_of(method), *means] for method, means in full]
    lines = markdown_table(("method", *MEASURES.values()), cells)
    lines += _gains(record["differences"], [method for method, _ in full], votes)
    if partial:
        lines += ["On the sets that a peer finished: the peer's mean / that of `calibrated`.", ""]
        lines += markdown_table(("method", "sets", *MEASURES.values()), partial)
    return lines


def _gains(differences: Row, methods: Sequence[str], votes: int | str) -> list[str]:
    """Differences to majority with their intervals, of the measures that have them."""
    names = [name for name in MEASURES if name in GAINS and name in differences["columns"]]
    gains = {row["method"]: row for row in rows_of(differences) if row["votes"] == votes}
    table = [
        [name_of(method), *(interval(gains[method], name, sign=True) for name in names)]
        for method in methods
        if method in gains
    ]
    if not table:
        return []
    headings = (f"difference to `{BASE}`", *(f"{MEASURES[name]} [95 %]" for name in names))
    return markdown_table(headings, table)
