"""The page's section on masks."""

import re
from collections.abc import Mapping
from typing import Any

from benchmarks.report.mask_quality import mask_quality
from benchmarks.report.tables import made_by, markdown_table

KINDS = {
    "pipeline": "whole object",
    "fusion": "fusion",
    "runs": "fusion of runs",
    "memory": "whole object, answers from files",
}

type Row = Mapping[str, Any]


def masks_section(speed: Row | None, quality: Row | None) -> list[str]:
    """Lines on masks; empty without results.

    Parameters
    ----------
    speed : mapping, optional
        What `benchmarks.segmentation.speed` wrote.
    quality : mapping, optional
        What `benchmarks.segmentation.quality` wrote.
    """
    lines = [*(_speed(speed) if speed else []), *(mask_quality(quality) if quality else [])]
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
        "the classes (k) and the workers (n); in noise-10, say, 10 % of the pixels have random "
        "classes. The floor is Pillow decoding all and encoding one. Ours works out confidences, "
        "too; of the others only the models do.",
        "",
        "![Time of fusion from class maps](benchmarks/masks.svg)",
        "",
        *markdown_table(headings, cases),
        *markdown_table(("ratio of CPU times", "measured", "aim"), ratios),
        "What is *not* shown: S3, and images of real jobs. The masks are drawn by synthetic "
        "workers; masks with more runs take longer, up to those of noise." + _not_run(record),
        "",
        f"Where we lose: {_slower(record)}",
        "",
        *made_by(record["run"]),
    ]


def _not_run(record: Row) -> str:
    if any(case["name"] == "torch.mode" for case in record["cases"]):
        return ""
    return " torch.mode was not run: torch takes gigabytes and is not among the locked peers."


def _slower(record: Row) -> str:
    """Aims that were missed, and cases in which another method is faster."""
    missed = [
        f"{r['figure']}: {r['ratio']:.2f}, the aim is {r['target']}"
        for r in record["ratios"]
        if not _reached(r)
    ]
    ours = {(c["kind"], c["size"]): c["cpu_ms"] for c in record["cases"] if c["name"] == "ours"}
    faster = [
        f"{c['name']} is {ours[c['kind'], c['size']] / c['cpu_ms']:.1f} times as fast in "
        f"{KINDS.get(c['kind'], c['kind'])}, {c['size']}"
        for c in record["cases"]
        if not c["name"].startswith("ours") and c["cpu_ms"] < ours.get((c["kind"], c["size"]), 0.0)
    ]
    return "; ".join(missed + faster) + "." if missed or faster else "no case and no aim."


def _reached(ratio: Row) -> bool:
    relation, limit = re.fullmatch(r"(at most|at least) ([\d.]+)", ratio["target"]).groups()
    return (
        ratio["ratio"] <= float(limit) if relation == "at most" else ratio["ratio"] >= float(limit)
    )
