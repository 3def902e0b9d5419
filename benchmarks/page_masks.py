"""The page's section on masks."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.page_tables import interval, made_by, markdown_table, mean, number

KINDS = {
    "pipeline": "whole object",
    "fusion": "fusion",
    "runs": "fusion of runs",
    "memory": "whole object, answers from files",
}
FAR = 0.05

type Row = Mapping[str, Any]


def masks_section(speed: Row | None, quality: Row | None) -> list[str]:
    """Lines on masks; empty without results.

    Parameters
    ----------
    speed : mapping, optional
        What `benchmarks.segmentation` wrote.
    quality : mapping, optional
        What `benchmarks.segmentation_quality` wrote.
    """
    lines = [*(_speed(speed) if speed else []), *(_quality(quality) if quality else [])]
    return ["## Masks", "", *lines] if lines else []


def _speed(record: Row) -> list[str]:
    cases = [
        [
            case["name"],
            KINDS.get(case["kind"], case["kind"]),
            case["size"],
            f"{case['cpu_ms']:.1f}",
            f"{case['peak_mb'] - case['before_mb']:.0f}",
            f"{case['peak_mb']:.0f}",
        ]
        for case in record["cases"]
    ]
    headings = ("method", "what", "case", "CPU ms", "MB more", "MB in all")
    ratios = [[r["figure"], f"{r['ratio']:.2f}", r["target"]] for r in record["ratios"]]
    return [
        "### Masks: time and memory",
        "",
        "The whole object is base64 in to PNG and confidences out; fusion alone begins with class "
        "maps in memory, or with runs, as our own reader gives them. A case is the image's size, "
        "the classes (k) and the workers (n). The floor is Pillow decoding all and encoding one.",
        "",
        *markdown_table(headings, cases),
        *markdown_table(("ratio of CPU times", "measured", "aim"), ratios),
        "What is *not* shown: S3, and images of real jobs. The masks are drawn by synthetic "
        "workers; masks with more runs take longer, up to those of noise.",
        "",
        f"Where we lose: {_slower(record)}",
        "",
        *made_by(record["run"]),
    ]


def _slower(record: Row) -> str:
    """Aims that were missed, and cases in which another method is faster."""
    missed = [
        f"{r['figure']}: {r['ratio']:.2f}, the aim is {r['target']}"
        for r in record["ratios"]
        if not _reached(r)
    ]
    ours = {(c["kind"], c["size"]): c["cpu_ms"] for c in record["cases"] if c["name"] == "ours"}
    faster = [
        f"{c['name']} is faster in {KINDS.get(c['kind'], c['kind'])}, {c['size']}"
        for c in record["cases"]
        if not c["name"].startswith("ours") and c["cpu_ms"] < ours.get((c["kind"], c["size"]), 0.0)
    ]
    return "; ".join(missed + faster) + "." if missed or faster else "no case and no aim."


def _reached(ratio: Row) -> bool:
    relation, limit = re.fullmatch(r"(at most|at least) ([\d.]+)", ratio["target"]).groups()
    return (
        ratio["ratio"] <= float(limit) if relation == "at most" else ratio["ratio"] >= float(limit)
    )


def _quality(record: Row) -> list[str]:
    entries = record["crowds"]
    methods = list(dict.fromkeys(name for entry in entries for name in entry["mean_iou"]))
    table = []
    for crowd in dict.fromkeys(entry["crowd"] for entry in entries):
        here = [entry for entry in entries if entry["crowd"] == crowd]
        scores = [[e["mean_iou"] for e in here if name in e["mean_iou"]] for name in methods]
        cells = [
            number(mean(own, name)) if own else "-"
            for name, own in zip(methods, scores, strict=True)
        ]
        sure = [entry["confidence"] for entry in here]
        error, ranks = number(mean(sure, "error")), number(mean(sure, "spearman"), 2)
        table.append([crowd, *cells, error, ranks])
    headings = ("crowd", *methods, "error of the expected IoU", "its rank correlation")
    gains = record.get("differences", [])
    rows = [[g["crowd"], g["method"], interval(g, "gain", sign=True)] for g in gains]
    return [
        "### Masks: mean IoU with the truth",
        "",
        *markdown_table(headings, table),
        *markdown_table(("crowd", "method", "mean IoU - majority [95 %]"), rows),
        "What is *not* shown: real jobs with masks and known truth, of which we know none that is "
        "public; in lidc and bsds each annotator in turn is the truth for the others. "
        + ("" if any(" " in name for name in methods) else "Peers were not scored in this run."),
        "",
        f"Where we lose: {_worse(gains)} {_unsure(entries)}",
        "",
        *made_by(record["run"]),
    ]


def _unsure(entries: Sequence[Row]) -> str:
    """On how many crowds the expected IoU is far from the true one."""
    far = {e["crowd"] for e in entries if e["confidence"]["error"] > FAR}
    crowds = {e["crowd"] for e in entries}
    return (
        f"The expected IoU is off by more than {FAR} on average on {len(far)} of {len(crowds)} "
        "crowds."
    )


def _worse(gains: Sequence[Row]) -> str:
    worse = [
        f"{g['crowd']}, `{g['method']}` ({interval(g, 'gain', sign=True)})"
        for g in gains
        if g["gain_high"] < 0
    ]
    if not worse:
        return "no method of ours is below majority by more than chance explains."
    return f"below majority by more than chance explains: {'; '.join(worse)}."
