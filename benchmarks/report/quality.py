"""The page's section on labels: how right, and how honest the confidence, set by set."""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

from benchmarks.classification.runs import SLOW_PEERS
from benchmarks.common.record import rows_of
from benchmarks.common.scores import paired_intervals
from benchmarks.report.quality_means import DEFAULT, mean_tables, shifted
from benchmarks.report.tables import (
    folded,
    made_by,
    markdown_table,
    name_of,
    number,
)

type Row = Mapping[str, Any]

SHOWN = ("all", 3, 5)
"""Answers per item whose tables are shown at once."""
DRAWS = signature(paired_intervals).parameters["draws"].default
"""How often the intervals draw items again."""
JUDGED: Mapping[str, tuple[str, Callable[..., Row]]] = {
    "accuracy": ("accuracy", max),
    "ece": ("ECE", min),
    "brier": ("Brier", min),
    "auroc": ("AUROC", max),
}
LARGE_LOSS = 0.01
NAMED = 2
"""How many of the sets that we lose on are named."""

HONESTY = (
    "What is *not* shown: a held-out result. This paragraph alone is typed; it is from "
    "[decisions.md](decisions.md). About 145 configurations of `calibrated` were "
    "scored on these same sets before its defaults were fixed. Chosen on eleven sets and scored "
    "on the twelfth, the choice gains .0034 ± .0025 of accuracy over the settings it began with "
    "when chosen by Brier score, .0075 ± .0032 when chosen by accuracy, and nothing in Brier "
    "score. Read the differences between our methods and the peers with that in mind."
)


def quality_section(record: Row) -> list[str]:
    """The section's lines."""
    rows, averaged = rows_of(record["scores"]), list(record["averaged"])
    sizes = list(dict.fromkeys(row["votes"] for row in rows))
    lines = [
        "## How right the labels are, and how honest the confidence",
        "",
        f"{len(averaged)} crowds with known truth ({', '.join(averaged)}), {_listed(sizes)} "
        "of each item drawn at random. Every set counts the same in a "
        "mean. Differences are to `majority` on the same answers, with 95 % intervals over items "
        f"drawn again {DRAWS:,} times within their sets.{shifted(record)}",
        "",
        "![Accuracy against confidence](benchmarks/reliability.svg)",
        "",
    ]
    for votes in sorted(sizes, key=_order):
        table = mean_tables(record, [row for row in rows if row["votes"] == votes], votes)
        title = f"Means with {_answers(votes)}"
        lines += [f"### {title}", "", *table] if votes in SHOWN else folded(title, table)
    return [
        *lines,
        *_each_set(rows),
        *_cut_off(record["cut_off"]),
        *_not_asked(rows, record["cut_off"]),
        HONESTY,
        "Intervals hold for these sets, not for a set drawn anew.",
        "",
        *_losses(rows),
        *made_by(record["run"]),
    ]


def _each_set(rows: Sequence[Row]) -> list[str]:
    """Accuracy and ECE of every set, all answers."""
    whole = [row for row in rows if row["votes"] == "all"]
    methods = list(dict.fromkeys(row["method"] for row in whole))
    found = {(row["set"], row["method"]): row for row in whole}
    lines = [
        "### Each set, all answers: accuracy / ECE",
        "",
        "The best accuracy and the best ECE of a row are bold.",
        "",
    ]
    table = []
    for name in dict.fromkeys(row["set"] for row in whole):
        here = [found[name, method] for method in methods if (name, method) in found]
        best = max(row["accuracy"] for row in here), min(row["ece"] for row in here)
        cells = []
        for method in methods:
            row = found.get((name, method))
            cells.append("-" if row is None else f"{_best(row, best)}")
        table.append([name, *cells])
    headings = ["set", *(name_of(method).split(" (")[0].strip("*") for method in methods)]
    return [*lines, *markdown_table(headings, table)]


def _best(row: Row, best: tuple[float, float]) -> str:
    accuracy, gap = number(row["accuracy"]), number(row["ece"])
    if row["accuracy"] == best[0]:
        accuracy = f"**{accuracy}**"
    return f"{accuracy} / {f'**{gap}**' if row['ece'] == best[1] else gap}"


def _cut_off(entries: Sequence[Row]) -> list[str]:
    if not entries:
        return []
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        answers = "all" if entry["votes"] == "all" else f"{entry['votes']}"
        groups.setdefault((entry["method"], entry["why"]), []).append(f"{entry['set']} ({answers})")
    lines = ["Cases of slow peers that are missing above (set, answers per item):", ""]
    lines += [f"- {name_of(m)}, {why}: {', '.join(cases)}" for (m, why), cases in groups.items()]
    return [*lines, ""]


def _not_asked(rows: Sequence[Row], entries: Sequence[Row]) -> list[str]:
    """Numbers of answers that slow peers were not run with on any set."""
    groups: dict[tuple[int | str, ...], list[str]] = {}
    sizes = sorted({row["votes"] for row in rows}, key=_order)
    for method in SLOW_PEERS:
        tried = {one["votes"] for one in (*rows, *entries) if one["method"] == method}
        left = tuple(size for size in sizes if size not in tried)
        if tried and left:
            groups.setdefault(left, []).append(name_of(method))
    return [
        line
        for left, names in groups.items()
        for line in (
            f"Never run with {_listed(left)} answers per item, on any set, to save time "
            f"(`--slow-votes`): {', '.join(names)}.",
            "",
        )
    ]


def _losses(rows: Sequence[Row]) -> list[str]:
    """On how many sets another method beats the default, and on which by most."""
    lines = [
        f"Where we lose (`calibrated` against the best other method, by more than {LARGE_LOSS}, on "
        "all sets, those that are not in the means among them):",
        "",
    ]
    for votes in sorted({row["votes"] for row in rows}, key=_order):
        for measure, (word, better) in JUDGED.items():
            here = [row for row in rows if row["votes"] == votes and row[measure] is not None]
            lines.append(f"- {_answers(votes)}, {word}: {_worse(here, measure, better)}")
    return [*lines, ""]


def _worse(rows: Sequence[Row], measure: str, better: Callable[..., Row]) -> str:
    sets = list(dict.fromkeys(row["set"] for row in rows if row["method"] == DEFAULT))
    worse: list[tuple[float, str]] = []
    for name in sets:
        here = {row["method"]: row for row in rows if row["set"] == name}
        own, best = here[DEFAULT][measure], better(here.values(), key=lambda row: row[measure])
        if abs(best[measure] - own) > LARGE_LOSS:
            pair = f"{number(own)}; {name_of(best['method']).split(' (')[0]} "
            text = f"{name} ({pair}{number(best[measure])})"
            worse.append((abs(best[measure] - own), text))
    if not worse:
        return "nowhere"
    most = ", ".join(text for _, text in sorted(worse, reverse=True)[:NAMED])
    return f"on {len(worse)} of {len(sets)} sets, most on {most}"


def _order(votes: int | str) -> tuple[bool, int]:
    """All answers first, then ascending."""
    return votes != "all", 0 if votes == "all" else int(votes)


def _answers(votes: int | str) -> str:
    return "all answers" if votes == "all" else f"{votes} answer{'s' * (votes != 1)} per item"


def _listed(sizes: Sequence[int | str]) -> str:
    """Numbers of answers as in a sentence."""
    *first, last = (
        "all answers" if size == "all" else str(size) for size in sorted(sizes, key=_order)
    )
    return f"{', '.join(first)} and {last}" if first else last
