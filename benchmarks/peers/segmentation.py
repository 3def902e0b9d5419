"""One peer's masks for some crowds; runs in the peers' own environment.

python -m benchmarks.peers.segmentation NAME FOLDER CROWD …

A crowd is FOLDER/CROWD.npz with the class maps of each picture, shape (workers, rows, columns),
and the number of classes as `n_classes`. The masks go to FOLDER/CROWD.out.npz; a line of JSON
says how many CPU seconds they took.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.segmentation.methods import MODELS, VOTES


def main() -> None:
    """Run one peer with its default settings."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    call = {**VOTES, **MODELS}[name]
    call([np.eye(8, dtype=np.uint8)] * 3, 2)  # imports on first use are no part of the time
    for crowd in sys.argv[3:]:
        with np.load(folder / f"{crowd}.npz") as stored:
            n_classes = int(stored["n_classes"])
            pictures = [stored[f"p{index}"] for index in range(len(stored.files) - 1)]
        started = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # divisions by empty masks
            results = [call(list(maps), n_classes) for maps in pictures]
        seconds = time.process_time() - started
        found = {f"p{index}": np.asarray(one, np.uint8) for index, one in enumerate(results)}
        np.savez(folder / f"{crowd}.out.npz", **found)
        print(json.dumps({"crowd": crowd, "cpu_seconds": round(seconds, 2)}), flush=True)


if __name__ == "__main__":
    main()
