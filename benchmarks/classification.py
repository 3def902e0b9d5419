"""Quality, speed and memory of classification beside crowd-kit, each method in its own process.

    python -m benchmarks.classification --data FOLDER --output classification.json

FOLDER holds `classification/` and `birds-job/`; without it only generated crowds are measured.
Peers are installed on first use into `.tools/`. Times are CPU times of the best repetition on
one thread; only their ratios mean something elsewhere.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.classification_inputs import (
    SETS,
    Crowd,
    real_crowds,
    speed_crowd,
    subsample,
    synthetic_crowds,
)
from benchmarks.classification_metrics import reliability, scores
from benchmarks.classification_tables import print_tables
from benchmarks.peers_environment import ROOT, peers_python

OURS = ("majority", "builtin", "weighted", "dawid-skene", "calibrated")
PEERS = ("ck-majority", "ck-wawa", "ck-dawid-skene", "ck-one-coin", "ck-glad", "ck-mace")
SLOW_PEERS = ("ck-one-coin", "ck-glad", "ck-mace")
SPEED = ("dawid-skene-20-rounds", "calibrated-20-rounds", "calibrated", "majority")
SPEED_PEERS = ("ck-dawid-skene-20-rounds", "ck-majority")
SPEED_SIZES = (
    (450, 9, 10, 50),
    (10_000, 5, 10, 100),
    (100_000, 5, 10, 500),
    (100_000, 5, 4, 500),
    (1_000_000, 5, 10, 2000),
    (1_000_000, 5, 4, 2000),
)
CALL_SIZES = (1, 10, 50)
REPLAYED = ("majority", "fresh", "kept")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder with the real sets")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--votes", type=int, nargs="*", default=[1, 3, 5, 7, 9])
    parser.add_argument("--draws", type=int, default=2, help="subsamples of each size")
    parser.add_argument("--slow-up-to", type=int, default=30_000, help="answers for slow peers")
    parser.add_argument("--only", choices=("quality", "replay", "speed"))
    options = parser.parse_args()
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        crowds = list(synthetic_crowds(seed=1))
        if options.data:
            crowds += real_crowds(options.data, [*SETS, "birds"])
        if options.only in (None, "quality"):
            report["quality"] = _quality(folder, crowds, options)
        if options.only in (None, "replay"):
            report["replay"] = _replay(folder, crowds)
        if options.only in (None, "speed"):
            report["speed"] = _speed(folder)
    options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print_tables(report)


def _quality(folder: Path, crowds: Iterable[Crowd], options: argparse.Namespace) -> list[Any]:
    given = {}
    for crowd in crowds:
        given[crowd.name] = crowd
        for n_votes in options.votes:
            for draw in range(options.draws):
                smaller = subsample(crowd, n_votes, draw)
                given[smaller.name] = smaller
    found = []
    for method in (*OURS, *PEERS):
        small = [
            crowd
            for crowd in given.values()
            if method not in SLOW_PEERS or crowd.items.size <= options.slow_up_to
        ]
        times = {line["crowd"]: line for line in _run(method, folder, small)}
        for crowd in small:
            table = np.load(folder / f"{crowd.name}.{method}.npy")
            name, *sampled = crowd.name.split(".")
            found.append(
                {
                    "set": name,
                    "votes": int(sampled[0]) if sampled else "all",
                    "method": method,
                    "cpu_seconds": times[crowd.name]["cpu_seconds"],
                    "reliability": reliability(table, crowd.gold),
                    **scores(table, crowd.gold),
                }
            )
    return found


def _replay(folder: Path, crowds: Iterable[Crowd]) -> list[Any]:
    found = []
    for crowd in crowds:
        for given in (crowd, subsample(crowd, 3, 0)):
            path = _saved(folder, given)
            _python(sys.executable, "classification_case", "calibrated", folder, path)
            tables = {("all at once", 0): folder / f"{given.name}.calibrated.npy"}
            for size in CALL_SIZES:
                _python(sys.executable, "classification_replay", str(size), folder, path)
                for variant in ("builtin", *REPLAYED):
                    file = folder / f"{given.name}.{variant}.{size}.npy"
                    tables[variant, size] = file
            votes = 3 if given is not crowd else "all"
            for (variant, size), file in tables.items():
                entry = {"set": crowd.name, "votes": votes, "variant": variant, "call_size": size}
                found.append(entry | scores(np.load(file), given.gold))
    return found


def _speed(folder: Path) -> list[Any]:
    found = []
    for sizes in SPEED_SIZES:
        crowd = speed_crowd(*sizes)
        for method in (*SPEED, *SPEED_PEERS):
            found += _run(method, folder, [crowd])
    many_classes = speed_crowd(1_000_000, 5, 1000, 20_000)
    found += _run("calibrated", folder, [many_classes])
    return found


def _run(method: str, folder: Path, crowds: Sequence[Crowd]) -> list[dict[str, Any]]:
    """Run a method on crowds, in a process of its own."""
    paths = [_saved(folder, crowd) for crowd in crowds]
    if method.startswith("ck-"):
        python, module = str(peers_python(ROOT / ".tools")), "peers_crowdkit"
    else:
        python, module = sys.executable, "classification_case"
    lines = _python(python, module, method, folder, *paths).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def _saved(folder: Path, crowd: Crowd) -> Path:
    path = folder / f"{crowd.name}.npz"
    if not path.exists():
        crowd.save(path)
    return path


def _python(python: str, module: str, *arguments: str | Path) -> str:
    library = ROOT / "layers" / "groundtruth" / "python"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = f"{ROOT}:{library}"
    command = [python, "-m", f"benchmarks.{module}", *map(str, arguments)]
    print(f"{module} {arguments[0]} …", file=sys.stderr, flush=True)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    main()
