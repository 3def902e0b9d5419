"""The page's sections on several labels, on speed, and on masks."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.page_tables import (
    interval,
    made_by,
    markdown_table,
    mean,
    name_of,
    number,
)
from benchmarks.run_record import rows_of

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
PEER = "ck-dawid-skene-20-rounds"


def multi_label_section(record: Mapping[str, Any]) -> list[str]:
    """Lines on several labels an object."""
    lines = ["## Several labels an object", ""]
    lines += ["Two real sets; each label with a probability above 0.5 is chosen.", ""]
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
    return [*lines, *_multi_label_losses(rows), *made_by(record["run"])]


def _multi_label_losses(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Cases in which another method chooses better label sets."""
    lines = ["What is *not* shown: more than two sets, and other quorums than 0.5.", ""]
    lines += ["Where we lose (Jaccard index, by more than .005):", ""]
    losses = []
    for case in dict.fromkeys((row["set"], row["answers"]) for row in rows):
        here = {r["method"]: r["jaccard"] for r in rows if (r["set"], r["answers"]) == case}
        best = max(here, key=lambda method: here[method])
        if here[best] - here["multi-label"] > 0.005:
            values = f"{number(here['multi-label'])} against {number(here[best])}"
            losses.append(f"- {case[0]}, {case[1]} answers: {values} ({MULTI_LABEL_NAMES[best]})")
    return [*lines, *(losses or ["- nowhere"]), ""]


def speed_section(record: Mapping[str, Any]) -> list[str]:
    """Lines on time and memory."""
    rows = rows_of(record["times"])
    cases = list(dict.fromkeys((r["answers"], r["classes"]) for r in rows))
    table = []
    for case in sorted(cases, key=lambda case: (case[1], case[0])):
        here = [row for row in rows if (row["answers"], row["classes"]) == case]
        peer = next((row["cpu_seconds"] for row in here if row["method"] == PEER), None)
        for row in here:
            seconds = row["cpu_seconds"]
            cut = f"cut off after {row['cut_off_after']} s" if seconds is None else ""
            milliseconds = cut or f"{seconds * 1000:.3g}"
            ratio = f"{peer / seconds:.1f}" if peer and seconds else "-"
            peak = row["peak_after_mib"]
            added = None if peak is None else peak - row["peak_before_mib"]
            where = [f"{row['answers']:,}", str(row["classes"]), name_of(row["method"])]
            table.append([*where, milliseconds, ratio, number(peak, 0), number(added, 0)])
    headings = ("answers", "classes", "method", "CPU ms", "crowd-kit DawidSkene / it")
    exponents = [f"{name_of(e['method'])} {e['exponent']}" for e in record["exponents"]]
    return [
        "## Time and memory of classification",
        "",
        "![Time against answers](benchmarks/speed.svg)",
        "",
        "CPU time of the best repetition, one thread, inputs in memory; each case in a process of "
        "its own. The ratio is to crowd-kit's DawidSkene with 20 rounds on the same answers.",
        "",
        *markdown_table((*headings, "peak MiB", "of it the run's"), table),
        f"Time grows with this power of the answers, from 10,000 to 1,000,000 at 10 classes: "
        f"{'; '.join(exponents)}.",
        "",
        "What is *not* shown: reading JSON and S3, which a call does besides; and other machines, "
        "for only ratios carry over. Integer ids are given to everybody; crowd-kit is slower with "
        "texts.",
        "",
        "Where we lose: `majority` of ours and of crowd-kit is faster than `calibrated`, which "
        "does more.",
        "",
        *made_by(record["run"]),
    ]


def masks_section(speed: Mapping[str, Any] | None, quality: Any) -> list[str]:
    """Lines on masks; empty without results."""
    lines: list[str] = []
    if speed:
        cases = [
            [
                case["name"],
                case["kind"],
                case["size"],
                f"{case['cpu_ms']:.1f}",
                f"{case['peak_mb'] - case['before_mb']:.0f}",
                f"{case['peak_mb']:.0f}",
            ]
            for case in speed["cases"]
        ]
        headings = ("method", "what", "case", "CPU ms", "MB more", "MB in all")
        ratios = [[r["figure"], f"{r['ratio']:.2f}", r["target"]] for r in speed["ratios"]]
        lines += ["### Masks: time and memory", "", *markdown_table(headings, cases)]
        lines += markdown_table(("ratio", "measured", "target"), ratios)
        lines += _made("segmentation", speed)
    if quality:
        entries = quality["crowds"] if isinstance(quality, dict) else quality
        lines += ["### Masks: mean IoU with the truth", "", *_mask_quality(entries)]
        lines += _made("segmentation_quality", quality)
    return ["## Masks", "", *lines] if lines else []


def _made(module: str, record: Any) -> list[str]:
    if isinstance(record, dict) and "run" in record:
        return made_by(record["run"])
    return [f"Made by `python -m benchmarks.{module}`.", ""]


def _mask_quality(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    methods = list(dict.fromkeys(name for entry in entries for name in entry["mean_iou"]))
    table = []
    for crowd in dict.fromkeys(entry["crowd"] for entry in entries):
        here = [entry for entry in entries if entry["crowd"] == crowd]
        scores = []
        for name in methods:
            own = [entry["mean_iou"] for entry in here if name in entry["mean_iou"]]
            scores.append(number(mean(own, name)) if own else "-")
        sure = [entry["confidence"] for entry in here]
        table.append(
            [crowd, *scores, number(mean(sure, "error")), number(mean(sure, "spearman"), 2)]
        )
    headings = ("crowd", *methods, "error of the expected IoU", "its rank correlation")
    return markdown_table(headings, table)
