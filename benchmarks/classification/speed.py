"""Time and memory of classification against the number of answers, and how they grow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.classification.methods import run_method
from benchmarks.common.crowds import speed_crowd
from benchmarks.common.record import table

METHODS = (
    "majority",
    "builtin",
    "weighted",
    "calibrated",
    "calibrated-20-rounds",
    "dawid-skene-20-rounds",
    "ck-majority",
    "ck-dawid-skene-20-rounds",
)
SIZES = (
    (450, 9, 10, 50),
    (10_000, 5, 10, 100),
    (100_000, 5, 10, 500),
    (1_000_000, 5, 10, 2000),
    (100_000, 5, 4, 500),
    (1_000_000, 5, 4, 2000),
)
"""Answers, answers per item, classes, workers."""
MANY_CLASSES = (1_000_000, 5, 1000, 20_000)
FITTED_FROM = 10_000
COLUMNS = (
    "answers",
    "per_item",
    "classes",
    "workers",
    "method",
    "cpu_seconds",
    "repetitions",
    "peak_before_mib",
    "peak_after_mib",
)


def speed(
    folder: Path,
    *,
    methods: Sequence[str] = METHODS,
    sizes: Sequence[tuple[int, int, int, int]] = SIZES,
    many_classes: bool = True,
) -> dict[str, Any]:
    """Measure each method at each size, one process a case and one case at a time."""
    cases = [(size, method) for size in sizes for method in methods]
    if many_classes:
        cases.append((MANY_CLASSES, "calibrated"))
    rows = []
    for size, method in cases:
        (line,) = run_method(method, folder, [speed_crowd(*size)])
        names = ("answers", "per_item", "classes", "workers")
        rows.append(line | dict(zip(names, size, strict=True)))
    return {"times": table(rows, COLUMNS), "exponents": _exponents(rows)}


def _exponents(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Power of the answers that the time grows with, from 10,000 answers on, at 10 classes."""
    found = []
    for method in dict.fromkeys(row["method"] for row in rows):
        points = [
            (row["answers"], row["cpu_seconds"])
            for row in rows
            if row["method"] == method and row["classes"] == 10 and row["answers"] >= FITTED_FROM
        ]
        if len(points) > 1:
            answers, seconds = np.log(np.array(points)).T
            found.append({"method": method, "exponent": round(float(_slope(answers, seconds)), 2)})
    return found


def _slope(x: Any, y: Any) -> float:
    return float(np.polyfit(x, y, 1)[0])
