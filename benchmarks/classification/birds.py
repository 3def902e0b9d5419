"""A real Ground Truth job: AWS's own labels and confidences beside ours and the peers'.

    python -m benchmarks.classification.birds --data FOLDER

FOLDER holds `birds-job/`: 302 images, 5 workers each, with the manifest that AWS's function made.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.classification.methods import FAST_PEERS, OURS, SLOW_PEERS, run_method
from benchmarks.classification.replay import replay_calls
from benchmarks.common.crowds import Crowd, real_crowds
from benchmarks.common.environment import ROOT, peers_python
from benchmarks.common.record import data_option, output_option, run_record, table, write_result
from benchmarks.common.scores import auroc, equal_mass_gap, equal_width_gap

AWS = "AWS, as in its manifest"
NEW_CALL_AFTER = 5.0
"""Seconds between two creation dates of the manifest from which on a new call began."""
DRAWS = 2000
N_BINS = 10

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]
type Measure = Callable[[Floats, Flags], float]

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
            results[method] = _winner(np.load(Path(name) / f"birds.{method}.npy"), crowd)
    calls = _calls(lines)
    for variant in ("builtin", "fresh", "kept"):
        results[f"{variant}, in AWS's calls"] = _winner(replay_calls(crowd, calls, variant), crowd)
    given = {"data": data_option(options.data)}
    record = {
        "run": run_record("benchmarks.classification.birds", given, seed=0),
        "items": crowd.n_items,
        "calls": [int(call.size) for call in calls],
    }
    write_result(options.output, record | _figures(results))


def _manifest(folder: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """Image and metadata of every line of the job's output manifest."""
    path = folder / "manifests" / "output" / "output.manifest"
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    return [
        (
            Path(line["source-ref"]).stem,
            next(value for key, value in line.items() if key.endswith("-metadata")),
        )
        for line in lines
    ]


def _of_manifest(lines: list[tuple[str, Mapping[str, Any]]], folder: Path) -> tuple[Floats, Flags]:
    truths = {
        entry["ImageId"]: entry["Label"]
        for entry in json.loads((folder / "true_labels.json").read_text(encoding="utf-8"))
    }
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


def _winner(posterior: Floats, crowd: Crowd) -> tuple[Floats, Flags]:
    return posterior.max(axis=1), posterior.argmax(axis=1) == crowd.gold


def _figures(results: Mapping[str, tuple[Floats, Flags]]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    size = len(results[AWS][0])
    draws = rng.integers(0, size, (DRAWS, size))
    rows, points = [], []
    base = {name: _spread(measure, *results[AWS], draws) for name, measure in MEASURES.items()}
    for method, (sure, right) in results.items():
        row: dict[str, Any] = {"method": method}
        for name, measure in MEASURES.items():
            spread = _spread(measure, sure, right, draws)
            row[name] = measure(sure, right)
            row[f"{name}_low"], row[f"{name}_high"] = _middle(spread)
            row[f"{name}_gain"] = row[name] - measure(*results[AWS])
            row[f"{name}_gain_low"], row[f"{name}_gain_high"] = _middle(spread - base[name])
        rows.append(row)
        points += [{"method": method} | point for point in _curve(sure, right)]
    ends = ("", "_low", "_high", "_gain", "_gain_low", "_gain_high")
    columns = ["method", *(f"{name}{end}" for name in MEASURES for end in ends)]
    curve = ("method", "items", "confidence", "accuracy")
    return {"scores": table(rows, columns), "reliability": table(points, curve)}


def _spread(measure: Measure, sure: Floats, right: Flags, draws: NDArray[np.int64]) -> Floats:
    return np.array([measure(sure[draw], right[draw]) for draw in draws])


def _middle(values: Floats) -> tuple[float, float]:
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def _curve(sure: Floats, right: Flags) -> list[dict[str, Any]]:
    bins = np.minimum((sure * N_BINS).astype(int), N_BINS - 1)
    return [
        {
            "items": int(np.count_nonzero(bins == place)),
            "confidence": float(sure[bins == place].mean()),
            "accuracy": float(right[bins == place].mean()),
        }
        for place in np.unique(bins)
    ]


if __name__ == "__main__":
    main()
