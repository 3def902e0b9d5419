"""Methods run on crowds, each in a process of its own; peers in their own environment.

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

from benchmarks.common.crowds import Crowd
from benchmarks.common.environment import run_module
from benchmarks.common.measure import measure_all
from groundtruth.aggregation.classification.builtin import builtin
from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.dawid_skene import DawidSkeneSettings, dawid_skene
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


OURS = ("majority", "builtin", "weighted", "dawid-skene", "calibrated")
FAST_PEERS = ("ck-majority", "ck-wawa", "ck-dawid-skene")
SLOW_PEERS = ("ck-one-coin", "ck-glad", "ck-mace")


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
    module = "peers.crowdkit" if method.startswith("ck-") else "classification.methods"
    extra = [*(["--once"] if once else []), *(["--limit", str(limit)] if limit else [])]
    paths = [saved(folder, crowd) for crowd in crowds]
    print(f"{method} …", file=sys.stderr, flush=True)
    text = run_module(module, method, folder, *paths, *extra)
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def saved(folder: Path, crowd: Crowd) -> Path:
    """The crowd's file; written when it is not there."""
    path = folder / f"{crowd.name}.npz"
    if not path.exists():
        crowd.save(path)
    return path


if __name__ == "__main__":
    measure_all(sys.argv, prepare=votes_of, methods=METHODS, table=_table)
