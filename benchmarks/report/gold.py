"""The page's section on what some objects of known truth do for the confidence."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.classification.gold import FEWEST, MEASURES, PLAIN, SET_DRAWS
from benchmarks.common.record import rows_of
from benchmarks.report.tables import interval, made_by, markdown_table, number

NAMES = {
    PLAIN: "no object known",
    "map": "**a map fitted on them** (`labeljob calibrate`)",
    "gold": "workers judged by them (gold)",
    "gold and map": "**gold and a map**",
}
WORDS = ("ECE", "ECE, equal mass", "Brier", "log loss")
AIM = 0.2
"""By how much ECE is to be lower."""
SEEN = 0.0005
"""A loss that shows with three digits."""

type Row = Mapping[str, Any]


def gold_section(record: Row) -> list[str]:
    """The section's lines."""
    means, count = rows_of(record["means"]), record["gold_objects"]
    headings = ("answers per item", "method", "accuracy", "ECE [95 %]", "change of ECE [95 %]")
    table = [
        [
            "all" if row["answers"] == "all" else str(row["answers"]),
            NAMES[row["variant"]],
            number(row["accuracy"]),
            interval(row, "ece"),
            "-" if row["variant"] == PLAIN else percents(row, "ece_change"),
            *(number(row[name]) for name in MEASURES[1:]),
        ]
        for row in means
    ]
    return [
        f"## With {count} objects of known truth",
        "",
        f"`calibrated` on {len(record['sets'])} sets with at least {FEWEST} known truths "
        f"({', '.join(record['sets'])}). In each of {record['gold_draws']} draws {count} objects "
        "are known, and only the others are scored. All measures are of the winner's confidence; "
        f"every set counts the same. Intervals: sets drawn again {SET_DRAWS:,} times.",
        "",
        *markdown_table((*headings, *WORDS[1:]), table),
        _aim(means, count),
        "",
        "What is *not* shown: jobs whose known objects are not drawn at random, and calls that "
        "see a part of a job. Among few objects chance alone makes some ECE, which no map takes "
        "away. The defaults of `calibrated` were chosen on most of these sets.",
        "",
        *_losses(rows_of(record["scores"])),
        *made_by(record["run"]),
    ]


def percents(row: Row, name: str) -> str:
    """A change in percent with its middle 95 %."""
    low, high = (f"{row[f'{name}_{end}']:+.0%}" for end in ("low", "high"))
    return f"{row[name]:+.0%} [{low}, {high}]"


def _aim(means: Sequence[Row], count: int) -> str:
    """Whether ECE is lower by as much as we aim at."""
    texts, met = [], []
    for row in means:
        if row["variant"] == "map":
            met.append(row["ece_change"] <= -AIM)
            answers = _answers(row["answers"])
            texts.append(f"{percents(row, 'ece_change')} ({answers})")
    said = "is met" if all(met) else "is not met" if not any(met) else "is met in part"
    return (
        f"The aim, ECE at least {AIM:.0%} lower with {count} known objects, {said} by the map in "
        f"the mean over the sets: {', '.join(texts)}."
    )


def _losses(rows: Sequence[Row]) -> list[str]:
    """The sets whose ECE is higher with the known objects than without."""
    lines = ["Where we lose (sets whose ECE is higher than with no object known):", ""]
    for answers in dict.fromkeys(row["answers"] for row in rows):
        here = [row for row in rows if row["answers"] == answers]
        plain = {row["set"]: row["ece"] for row in here if row["variant"] == PLAIN}
        for variant in NAMES:
            worse = [
                f"{row['set']} ({number(plain[row['set']])} to {number(row['ece'])})"
                for row in here
                if row["variant"] == variant and row["ece"] > plain[row["set"]] + SEEN
            ]
            if variant != PLAIN:
                said = f"on {len(worse)} of {len(plain)} sets, {', '.join(worse)}"
                name = NAMES[variant].replace("*", "")
                lines.append(f"- {_answers(answers)}, {name}: {said if worse else 'nowhere'}")
    return [*lines, ""]


def _answers(answers: int | str) -> str:
    return "all answers" if answers == "all" else f"{answers} answers per item"
