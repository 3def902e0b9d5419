"""The page's section on synthetic crews: how right, how honest, and how far from the limit."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from benchmarks.common.record import rows_of
from benchmarks.report.synthetic_model import model_lines
from benchmarks.report.tables import (
    folded,
    interval,
    made_by,
    markdown_table,
    mean,
    name_of,
    number,
)

TASKS = {
    "one": ("One class an object", "classes"),
    "several": ("Several labels an object", "labels"),
}
WORDS = {
    "accuracy": "accuracy",
    "ece": "ECE",
    "log_loss": "log loss",
    "brier": "Brier",
    "auroc": "AUROC",
}
BASE, DEFAULT, LIMIT = "majority", "calibrated", "limit"
SEVERAL_NAMES = {"builtin": "`builtin` (AWS's rule, squeezed and rounded)"}
COPY = "ck-majority"
"""A peer that gives what `BASE` gives: it has no column where methods go across."""
LARGE_LOSS = 0.01
NAMED = 3
"""How many of the crews that we lose on are named."""

NOT_SHOWN = (
    "What is *not* shown: errors that go together. But for copycats and confusers these workers "
    "err independently of each other, every wrong class as often as another, and every class is "
    "true as often as another. Dawid and Skene's model assumes the first of these; `calibrated` "
    "expects real workers, who err together on hard objects, and holds its confidence back. On "
    "real crowds (above) that is what makes it honest; here it makes it too modest. Few workers "
    "answer each job and it is consolidated in one call: large crews and small calls are above."
)

type Row = Mapping[str, Any]


def synthetic_section(record: Row) -> list[str]:
    """The section's lines."""
    plan = record["plan"]
    crews = "; ".join(f"{name}: `{workers}`" for name, workers in plan["workers"].items())
    skills = ", ".join(f"{kind} {share}" for kind, share in plan["skills"].items())
    lines = [
        "## Synthetic crews",
        "",
        "Answers of the product's own synthetic workforce (`labeljob synthesize`), each behaviour "
        f"as a crew; {len(plan['seeds'])} jobs of {plan['objects']} data objects together "
        "in every figure. The *limit* is Bayes' rule for somebody who knows the kind of "
        "every worker, the difficulty of every object, who copies whom and how tired everybody "
        "is: on average nothing can be better. Within a sample chance may put a method above it.",
        "",
        "![Accuracy and Brier score of each crew beside the limit](benchmarks/synthetic.svg)",
        "",
        f"Crews: {crews}. Right in so many cases: {skills}.",
        "",
        "Intervals: data objects drawn again within their jobs; crews and seeds stay as they are.",
        "",
        "Where methods go across, crowd-kit's MajorityVote has no column: it gives what "
        "`majority` gives.",
        "",
    ]
    for task in TASKS:
        lines += _task_lines(record, task)
    lines += model_lines(record) if "model" in record else []
    return [*lines, NOT_SHOWN, *_cut_off(rows_of(record["cut_off"])), "", *made_by(record["run"])]


def _task_lines(record: Row, task: str) -> list[str]:
    title, word = TASKS[task]
    classes, answers = record["plan"]["main"][task]
    size = f"{classes} {word}, {answers} answers an object"
    rows = [row for row in rows_of(record["scores"]) if row["task"] == task]
    gains = [row for row in rows_of(record["gains"]) if row["task"] == task]
    lines = [f"### {title}: {size}, mean over the crews", ""]
    if word == "labels":
        lines += [
            "Each label of each object is a decision between yes and no; a peer decides them one "
            "by one. The Brier score counts both sides, as for two classes.",
            "",
        ]
    judged = _judged(rows)
    lines += [
        f"AUROC is the mean over the {len(judged)} of {len({row['crew'] for row in rows})} crews "
        "on which every method of the table errs; without an error there is none.",
        "",
        *_mean_table(rows, gains, judged),
    ]
    lines += [f"### {title}: accuracy of each crew, {size}", ""]
    lines += _crew_table(rows, gains, lambda row: number(row["accuracy"]))
    honest = _crew_table(rows, [], lambda row: f"{number(row['brier'])} / {number(row['ece'])}")
    lines += folded(f"{title}: Brier / ECE of each crew, {size}", honest)
    lines += [f"### {title}: other sizes, mean over the crews, accuracy / Brier", ""]
    lines += _size_table([row for row in rows_of(record["sizes"]) if row["task"] == task], word)
    return [*lines, *_losses(rows, title)]


def _mean_table(rows: Sequence[Row], gains: Sequence[Row], judged: Collection[str]) -> list[str]:
    """Each method's mean over the crews, its difference to majority, and its way to the limit."""
    means = {method: _means(own, judged) for method, own in _by_method(rows).items()}
    names = SEVERAL_NAMES if rows[0]["task"] == "several" else {}
    start, end = (means[method]["accuracy"] or 0.0 for method in (BASE, LIMIT))
    found = {row["method"]: row for row in gains if row["crew"] == "all"}
    table = []
    for method, values in means.items():
        gain = found.get(method)
        cells = [number(value) for value in values.values()]
        way = ((values["accuracy"] or 0.0) - start) / (end - start) if end > start else 0.0
        differences = [
            interval(gain, name, sign=True) if gain else "-" for name in ("accuracy", "brier")
        ]
        table.append([names.get(method, name_of(method)), *cells, *differences, f"{way:.0%}"])
    last = ("accuracy - majority [95 %]", "Brier - majority [95 %]", "of the way to the limit")
    return markdown_table(("method", *WORDS.values(), *last), table)


def _crew_table(rows: Sequence[Row], gains: Sequence[Row], show: Callable[[Row], str]) -> list[str]:
    """Crews down, methods across."""
    methods = [method for method in _by_method(rows) if method != COPY]
    found = {(row["crew"], row["method"]): row for row in rows}
    gained = {row["crew"]: interval(row, "accuracy", sign=True) for row in gains}
    table = []
    for crew in dict.fromkeys(row["crew"] for row in rows):
        cells = [
            show(found[crew, method]) if (crew, method) in found else "-" for method in methods
        ]
        table.append([crew, *cells, *([gained[crew]] if gained else [])])
    last = ["`calibrated` - majority [95 %]"] if gained else []
    return markdown_table(["crew", *map(short, methods), *last], table)


def _size_table(rows: Sequence[Row], word: str) -> list[str]:
    methods = [method for method in _by_method(rows) if method != COPY]
    found = {(row["classes"], row["answers"], row["method"]): row for row in rows}
    table = []
    for size in dict.fromkeys(key[:2] for key in found):
        here = [found[(*size, method)] for method in methods]
        cells = [f"{number(row['accuracy'])} / {number(row['brier'])}" for row in here]
        table.append([str(size[0]), str(size[1]), *cells])
    return markdown_table([word, "answers", *map(short, methods)], table)


def short(method: str) -> str:
    """A method's name without what stands in brackets."""
    return name_of(method).split(" (")[0].strip("*")


def _by_method(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of each method, the limit last."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["method"], []).append(row)
    if LIMIT in groups:
        groups[LIMIT] = groups.pop(LIMIT)
    return groups


def _judged(rows: Sequence[Row]) -> set[str]:
    """Crews on which every method has an AUROC, for it errs."""
    return {row["crew"] for row in rows} - {row["crew"] for row in rows if row["auroc"] is None}


def _means(rows: Sequence[Row], judged: Collection[str]) -> dict[str, float | None]:
    """Mean of each measure over the crews that have it; of AUROC over those that are judged."""
    fair = [row for row in rows if row["crew"] in judged]
    return {name: mean(fair if name == "auroc" else rows, name) for name in WORDS}


def _losses(rows: Sequence[Row], title: str) -> list[str]:
    """Crews on which another method is better than the default, the worst of them by name."""
    lines = [f"Where we lose ({title.lower()}; `calibrated` against the best other method):", ""]
    crews = list(dict.fromkeys(row["crew"] for row in rows))
    for measure, better in (("accuracy", max), ("brier", min), ("ece", min)):
        worse: list[tuple[float, str]] = []
        for crew in crews:
            here = {row["method"]: row[measure] for row in rows if row["crew"] == crew}
            own, most = here[DEFAULT], here.pop(LIMIT)
            best = better(here, key=lambda method: here[method])
            if abs(here[best] - own) > LARGE_LOSS:
                pair = f"{number(own)}; {short(best)} {number(here[best])}"
                worse.append((abs(here[best] - own), f"{crew} ({pair}; limit {number(most)})"))
        texts = [text for _, text in sorted(worse, reverse=True)[:NAMED]]
        count = f"on {len(worse)} of {len(crews)} crews"
        said = f"{count}, most on {', '.join(texts)}" if texts else "nowhere"
        lines.append(f"- {WORDS[measure]}, by more than {LARGE_LOSS}: {said}")
    return [*lines, ""]


def _cut_off(rows: Sequence[Row]) -> list[str]:
    """Cases of slow peers that took too long."""
    counts: dict[tuple[str, float], int] = {}
    for row in rows:
        key = row["method"], row["seconds"]
        counts[key] = counts.get(key, 0) + 1
    return [
        f"{name_of(method)} was cut off after {seconds:g} CPU seconds in {count} jobs; a crew of "
        "which a job is missing has no figure of it."
        for (method, seconds), count in counts.items()
    ]
