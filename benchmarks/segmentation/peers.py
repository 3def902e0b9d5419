"""Peers of mask consolidation on crowds, each in processes and an environment of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.environment import MASK_REQUIREMENTS, ROOT, peers_python
from benchmarks.segmentation.crowds import Crowd

PEERS = (
    "SimpleITK LabelVoting",
    "SimpleITK MultiLabelSTAPLE",
    "crowd-kit MajorityVote",
    "crowd-kit EM",
    "crowd-kit RASA",
)
_PACKAGES = ("SimpleITK", "crowd-kit", "numpy", "pandas")
_VERSIONS = (
    "import sys; from importlib.metadata import version\nfor n in sys.argv[1:]: print(version(n))"
)

type Masks = list[NDArray[np.integer]]


def peer_versions() -> dict[str, str]:
    """Versions in the peers' environment."""
    python = peers_python(ROOT / ".tools", MASK_REQUIREMENTS)
    command = [str(python), "-c", _VERSIONS, *_PACKAGES]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(zip(_PACKAGES, found.split(), strict=True))


def run_peers(crowds: Sequence[Crowd]) -> dict[str, tuple[list[Masks], float]]:
    """Masks and CPU seconds of each peer.

    Parameters
    ----------
    crowds : sequence of Crowd
        What they run on.

    Returns
    -------
    dict
        By peer: for each crowd its masks, and the CPU seconds for all of them.

    Raises
    ------
    subprocess.CalledProcessError
        If the environment cannot be made or a peer fails.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        names = [f"crowd{index}" for index in range(len(crowds))]
        for name, crowd in zip(names, crowds, strict=True):
            maps = {f"p{at}": np.stack(one.maps) for at, one in enumerate(crowd.pictures)}
            np.savez(folder / f"{name}.npz", n_classes=np.array(crowd.n_classes), **maps)
        return {peer: _run(peer, folder, names) for peer in PEERS}


def _run(peer: str, folder: Path, names: Sequence[str]) -> tuple[list[Masks], float]:
    """One peer on all crowds, in one process."""
    python = peers_python(ROOT / ".tools", MASK_REQUIREMENTS)
    library = ROOT / "layers" / "groundtruth" / "python"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = f"{ROOT}:{library}"
    command = [str(python), "-m", "benchmarks.peers.segmentation", peer, str(folder), *names]
    print(f"{peer} …", file=sys.stderr, flush=True)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    seconds = sum(json.loads(line)["cpu_seconds"] for line in done.stdout.splitlines())
    found = []
    for name in names:
        with np.load(folder / f"{name}.out.npz") as stored:
            found.append([stored[f"p{at}"] for at in range(len(stored.files))])
    return found, seconds
