"""Methods run on crowds, each in a process of its own; peers in their own environment."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.crowds import Crowd
from benchmarks.common.environment import ROOT, peers_python

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
    """Run a method on crowds, in a process of its own.

    Parameters
    ----------
    method : str
        A name of ours, or a peer's, which begins with ``ck-``.
    folder : Path
        Where crowds and results are kept: the results as ``<crowd>.<method>.npy``.
    crowds : sequence of Crowd
        What it runs on.
    once : bool
        Whether a case is run once, rather than for the best time of several.
    limit : float
        CPU seconds that a case may take; without a limit if 0.

    Returns
    -------
    list of dict
        A line per crowd, as `measuring.measure_all` prints it.
    """
    if not crowds:
        return []
    module = "peers.crowdkit" if method.startswith("ck-") else "classification.case"
    extra = [*(["--once"] if once else []), *(["--limit", str(limit)] if limit else [])]
    paths = [saved(folder, crowd) for crowd in crowds]
    text = run_module(module, method, folder, *paths, *extra)
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def saved(folder: Path, crowd: Crowd) -> Path:
    """The crowd's file; written when it is not there."""
    path = folder / f"{crowd.name}.npz"
    if not path.exists():
        crowd.save(path)
    return path


def run_module(module: str, *arguments: str | Path) -> str:
    """What a module of `benchmarks` prints, run on one thread; peers in their environment."""
    peer = module.startswith("peers.")
    python = str(peers_python(ROOT / ".tools")) if peer else sys.executable
    library = ROOT / "layers" / "groundtruth" / "python"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = f"{ROOT}:{library}"
    command = [python, "-m", f"benchmarks.{module}", *map(str, arguments)]
    print(f"{module} {arguments[0]} …", file=sys.stderr, flush=True)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout
