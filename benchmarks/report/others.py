"""The page's sections on several labels and on speed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.classification.speed import FITTED_FROM, SIZES
from benchmarks.common.record import rows_of
from benchmarks.report.tables import (
    interval,
    made_by,
    markdown_table,
    name_of,
    number,
)
from groundtruth.settings import Settings

MULTI_LABEL_NAMES = {
    "multi-label": "**`calibrated`** (default)",
    "majority": "`majority` of each label",
    "ck-majority": "crowd-kit MajorityVote of each label",
    "ck-dawid-skene": "crowd-kit DawidSkene of each label (BinaryRelevance)",
}
MULTI_LABEL = {
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "jaccard": "Jaccard",
    "subset_accuracy": "subset accuracy",
    "log_loss": "log loss",
    "brier": "Brier",
    "ece": "ECE",
}
HIGHER = ("macro_f1", "micro_f1", "jaccard", "subset_accuracy")
LARGE_LOSS = 0.005
PEER = "ck-dawid-skene-20-rounds"
VOTING = {"majority": "ck-majority"}
"""Methods that only vote, and the peer that only votes; beside EM their times mean nothing."""
CLASSES = SIZES[0][2]
SAME_ROUNDS = ("dawid-skene-20-rounds", "calibrated-20-rounds")
AIMS = {450: 50, 100_000: 15, 1_000_000: 20}
"""How many times faster than crowd-kit we want to be, by the number of answers."""


def multi_label_section(record: Mapping[str, Any]) -> list[str]:
    """Lines on several labels an object."""
    lines = ["## Several labels an object", ""]
    sets = len({row["set"] for row in rows_of(record["scores"])})
    lines += [
        f"{sets} real sets; each label with a probability above {Settings.quorum:g} is chosen.",
        "",
    ]
    gains = {(g["set"], g["answers"], g["method"]): g for g in rows_of(record["differences"])}
    rows = rows_of(record["scores"])
    headings = ("method", *MULTI_LABEL.values(), "Jaccard - majority [95 %]", "CPU s")
    for case in dict.fromkeys((row["set"], row["answers"]) for row in rows):
        answers = "all answers" if case[1] == "all" else f"{case[1]} answers per item"
        table = []
        for row in rows:
            if (row["set"], row["answers"]) == case:
                gain = gains.get((*case, row["method"]))
                measured = [number(row[name]) for name in MULTI_LABEL]
                difference = interval(gain, "jaccard", sign=True) if gain else "-"
                seconds = number(row["cpu_seconds"], 2)
                name = MULTI_LABEL_NAMES[row["method"]]
                table.append([name, *measured, difference, seconds])
        lines += [f"### {case[0]}, {answers}", "", *markdown_table(headings, table)]
    return [*lines, *_multi_label_losses(rows, sets), *made_by(record["run"])]


def _multi_label_losses(rows: Sequence[Mapping[str, Any]], sets: int) -> list[str]:
    """Cases in which another method has a better figure, measure by measure."""
    lines = [
        f"What is *not* shown: more than {sets} sets, and other quorums than {Settings.quorum:g}.",
        "",
        f"Where we lose (`calibrated` against the best other method, by more than {LARGE_LOSS:g}):",
        "",
    ]
    cases = list(dict.fromkeys((row["set"], row["answers"]) for row in rows))
    for measure, word in MULTI_LABEL.items():
        better = max if measure in HIGHER else min
        losses = []
        for case in cases:
            here = {r["method"]: r[measure] for r in rows if (r["set"], r["answers"]) == case}
            best = better(here, key=lambda method: here[method])
            if abs(here[best] - here["multi-label"]) > LARGE_LOSS:
                values = f"{number(here['multi-label'])}; {MULTI_LABEL_NAMES[best]}"
                losses.append(f"{case[0]}, {case[1]} answers ({values} {number(here[best])})")
        lines.append(f"- {word}: {', '.join(losses) or 'nowhere'}")
    return [*lines, ""]


def _slower(rows: Sequence[Mapping[str, Any]]) -> str:
    """Where we are not as much faster than crowd-kit, at the same number of rounds, as we aim."""
    seconds = {(r["answers"], r["classes"], r["method"]): r["cpu_seconds"] for r in rows}
    texts = []
    for (answers, classes, method), own in seconds.items():
        aim, peer = AIMS.get(answers), seconds.get((answers, classes, PEER))
        if method in SAME_ROUNDS and aim and peer and peer / own < aim:
            what = f"{name_of(method)}, {answers:,} answers, {classes} classes"
            texts.append(f"{what}: {peer / own:.1f} times, the aim is {aim}")
    if not texts:
        return "every aim against crowd-kit's DawidSkene is reached."
    return f"against crowd-kit's DawidSkene at the same number of rounds, {'; '.join(texts)}."


def speed_section(record: Mapping[str, Any]) -> list[str]:
    """Lines on time and memory."""
    rows = rows_of(record["times"])
    exponents = [f"{name_of(e['method'])} {e['exponent']}" for e in record["exponents"]]
    largest = max((row["answers"] for row in rows if row["classes"] == CLASSES), default=0)
    headings = ("answers", "classes", "method", "CPU ms", "crowd-kit / it")
    return [
        "## Time and memory of classification",
        "",
        "![Time against answers](benchmarks/speed.svg)",
        "",
        "CPU time of the best repetition, one thread, inputs in memory; each case in a process of "
        f"its own. The ratio is that of {name_of(PEER)} to the method, on the same answers; of "
        f"`majority`, that of {name_of(VOTING['majority'])}. `calibrated` without a number of "
        "rounds stops when it has settled.",
        "",
        *markdown_table((*headings, "peak MiB", "of it the run's"), _times(rows)),
        f"Time grows with this power of the answers, from {FITTED_FROM:,} to {largest:,} at "
        f"{CLASSES} classes: {'; '.join(exponents)}.",
        "",
        "What is *not* shown: reading JSON and S3, which a call does besides; and other machines, "
        "for only ratios carry over. Integer ids are given to everybody; crowd-kit is slower with "
        "texts.",
        "",
        f"Where we lose: {_slower(rows)} `majority` is always faster than `calibrated`, which "
        "does more.",
        "",
        *made_by(record["run"]),
    ]


def _times(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """Rows of the table, by classes and then answers."""
    cases = dict.fromkeys((row["answers"], row["classes"]) for row in rows)
    for case in sorted(cases, key=lambda case: (case[1], case[0])):
        here = [row for row in rows if (row["answers"], row["classes"]) == case]
        times = {row["method"]: row["cpu_seconds"] for row in here}
        for row in here:
            seconds, method = row["cpu_seconds"], row["method"]
            peer = times.get(VOTING.get(method, PEER)) if method not in VOTING.values() else None
            peak = row["peak_after_mib"]
            added = None if peak is None else peak - row["peak_before_mib"]
            yield [
                f"{row['answers']:,}",
                str(row["classes"]),
                name_of(method),
                f"{seconds * 1000:,.{2 if seconds < 0.1 else 0}f}",
                f"{peer / seconds:.1f}" if peer and seconds else "-",
                number(peak, 0),
                number(added, 0),
            ]
