"""Methods run on crowds, each in a process of its own, and their time; peers in their own.

    python -m benchmarks.classification.methods METHOD FOLDER CROWD.npz …

runs one of ours, writes FOLDER/<crowd>.<method>.npy and prints one JSON line per crowd.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.crowds import Crowd, speed_crowd
from benchmarks.common.measure import measure_all
from benchmarks.common.record import run_module, table
from groundtruth.aggregation.classification.builtin import builtin
from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.dawid_skene import DawidSkeneSettings, dawid_skene
from groundtruth.aggregation.classification.ebcc import ebcc
from groundtruth.aggregation.classification.majority import majority
from groundtruth.aggregation.classification.posterior import Posterior
from groundtruth.aggregation.classification.votes import Votes
from groundtruth.aggregation.classification.weighted import weighted

ROUNDS = 20


def votes_of(crowd: Crowd) -> Votes:
    """A crowd's votes as our methods take them."""
    return Votes(
        crowd.items,
        crowd.workers,
        crowd.classes,
        crowd.n_items,
        crowd.n_workers,
        crowd.n_classes,
    )


METHODS = {
    "majority": lambda votes: majority(votes),
    "builtin": lambda votes: builtin(votes),
    "weighted": lambda votes: weighted(votes).posterior,
    "dawid-skene": lambda votes: dawid_skene(votes).posterior,
    "ebcc": lambda votes: ebcc(votes).posterior,
    "calibrated": lambda votes: calibrated(votes).posterior,
    "dawid-skene-20-rounds": lambda votes: (
        dawid_skene(votes, settings=DawidSkeneSettings(tolerance=0.0, max_rounds=ROUNDS)).posterior
    ),
    "calibrated-20-rounds": lambda votes: (
        calibrated(votes, settings=CalibratedSettings(tolerance=0.0, max_rounds=ROUNDS)).posterior
    ),
}


def _table(found: Posterior | NDArray[np.float64]) -> NDArray[np.float64]:
    return found.dense() if isinstance(found, Posterior) else found


OURS = ("majority", "builtin", "weighted", "dawid-skene", "ebcc", "calibrated")
FAST_PEERS = ("ck-majority", "ck-wawa", "ck-dawid-skene", "la-two-pass")
SLOW_PEERS = ("ck-one-coin", "ck-glad", "ck-mace")


def is_peer(method: str) -> bool:
    """Whether a method is not one of ours."""
    return method.startswith(("ck-", "la-"))


def run_method(
    method: str,
    folder: Path,
    crowds: Sequence[Crowd],
    *,
    once: bool = False,
    limit: float = 0.0,
) -> list[dict[str, Any]]:
    """Run a method on crowds, in a process of its own."""
    if not crowds:
        return []
    peer = is_peer(method)
    module = ("peers", "crowds") if peer else ("classification.methods",)
    extra = [*(["--once"] if once else []), *(["--limit", str(limit)] if limit else [])]
    paths = [saved(folder, crowd) for crowd in crowds]
    print(f"{method} …", file=sys.stderr, flush=True)
    text = run_module(*module, method, folder, *paths, *extra)
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def saved(folder: Path, crowd: Crowd) -> Path:
    """The crowd's file; written when it is not there."""
    path = folder / f"{crowd.name}.npz"
    if not path.exists():
        crowd.save(path)
    return path


TIMED = (
    "majority",
    "builtin",
    "weighted",
    "ebcc",
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


def measure_speed(
    folder: Path,
    *,
    methods: Sequence[str] = TIMED,
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


if __name__ == "__main__":
    measure_all(sys.argv, prepare=votes_of, methods=METHODS, table=_table)
