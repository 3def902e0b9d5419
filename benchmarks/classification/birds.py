"""A real Ground Truth job: AWS's own labels and confidences beside ours and the peers'.

    python -m benchmarks.classification.birds --data FOLDER

FOLDER holds `birds-job/`: 302 images, 5 workers each, with the manifest that AWS's function made.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.classification.methods import FAST_PEERS, OURS, SLOW_PEERS, run_method
from benchmarks.classification.replay import replay_calls
from benchmarks.common.crowds import birds_manifest, birds_truths, real_crowds
from benchmarks.common.record import (
    ROOT,
    data_option,
    output_option,
    peers_python,
    run_record,
    table,
    write_result,
)
from benchmarks.common.scores import (
    auroc,
    equal_mass_gap,
    equal_width_gap,
    reliability,
    spread,
    winners,
)

AWS = "AWS, as in its manifest"
NEW_CALL_AFTER = 5.0
"""Seconds between two creation dates of the manifest from which on a new call began."""
DRAWS = 2000

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Measure: TypeAlias = Callable[[Floats, Flags], float]

MEASURES: Mapping[str, Measure] = {
    "accuracy": lambda sure, right: float(right.mean()),
    "mean_confidence": lambda sure, right: float(sure.mean()),
    "auroc": auroc,
    "ece": equal_width_gap,
    "ece_equal_mass": equal_mass_gap,
    "brier": lambda sure, right: float(((sure - right) ** 2).mean()),
}


def main() -> None:
    """Score all methods on the job and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the job")
    output_option(parser, "birds")
    options = parser.parse_args()
    crowd = next(real_crowds(options.data, ["birds"]), None)
    if crowd is None:
        return
    peers_python(ROOT / ".tools")
    lines = _manifest(options.data / "birds-job")
    results = {AWS: _of_manifest(lines, options.data / "birds-job")}
    with tempfile.TemporaryDirectory() as name:
        for method in (*OURS, *FAST_PEERS, *SLOW_PEERS):
            run_method(method, Path(name), [crowd], once=True)
            results[method] = winners(np.load(Path(name) / f"birds.{method}.npy"), crowd.gold)
    calls = _calls(lines)
    for variant in ("builtin", "fresh", "kept"):
        posterior = replay_calls(crowd, calls, variant)
        results[f"{variant}, in AWS's calls"] = winners(posterior, crowd.gold)
    given = {"data": data_option(options.data)}
    record = {
        "run": run_record("benchmarks.classification.birds", given, seed=0),
        "items": crowd.n_items,
        "calls": [int(call.size) for call in calls],
    }
    write_result(options.output, record | _figures(results))


def _manifest(folder: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """Image and metadata of every line of the job's output manifest."""
    return [
        (image, next(value for key, value in line.items() if key.endswith("-metadata")))
        for image, line in birds_manifest(folder)
    ]


def _of_manifest(lines: list[tuple[str, Mapping[str, Any]]], folder: Path) -> tuple[Floats, Flags]:
    truths = birds_truths(folder)
    sure = np.array([metadata["confidence"] for _, metadata in lines])
    right = np.array([truths[image] == metadata["class-name"] for image, metadata in lines])
    return sure, right


def _calls(lines: list[tuple[str, Mapping[str, Any]]]) -> list[NDArray[np.int64]]:
    """The data objects of each call that the service made, in time order."""
    dates = [datetime.fromisoformat(metadata["creation-date"]) for _, metadata in lines]
    times = np.array([(date - min(dates)).total_seconds() for date in dates])
    order = np.argsort(times, kind="stable")
    starts = np.flatnonzero(np.diff(times[order]) > NEW_CALL_AFTER) + 1
    return np.split(order, starts)


def _figures(results: Mapping[str, tuple[Floats, Flags]]) -> dict[str, Any]:
    size = len(results[AWS][0])
    draws = np.random.default_rng(0).integers(0, size, (DRAWS, size))
    draws = np.vstack((np.arange(size), draws))
    rows, points = [], []
    for method, (sure, right) in results.items():
        row: dict[str, Any] = {"method": method}
        for name, measure in MEASURES.items():
            own, base = (
                np.array([measure(one[draw], hits[draw]) for draw in draws])
                for one, hits in ((sure, right), results[AWS])
            )
            row |= spread(name, own) | spread(f"{name}_gain", own - base)
        rows.append(row)
        points += [{"method": method} | point for point in reliability(sure, right)]
    ends = ("", "_low", "_high", "_gain", "_gain_low", "_gain_high")
    columns = ["method", *(f"{name}{end}" for name in MEASURES for end in ends)]
    curve = ("method", "items", "confidence", "accuracy")
    return {"scores": table(rows, columns), "reliability": table(points, curve)}


if __name__ == "__main__":
    main()
