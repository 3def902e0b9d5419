"""cleanlab's CROWDLAB on jobs with a model's probabilities; runs in the peers' own environment.

python -m benchmarks.peers.cleanlab as-given|calibrated FOLDER JOB.npz …

Writes FOLDER/<job>.<way>.npz with the class and its quality score, and prints the version.
"""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from cleanlab.multiannotator import get_label_quality_multiannotator


def main() -> None:
    """Run what the command line asks for."""
    _, way, folder, *paths = sys.argv
    for path in map(Path, paths):
        with np.load(path) as arrays:
            given = np.full(arrays["shape"], np.nan)
            given[arrays["items"], arrays["workers"]] = arrays["classes"]
            probabilities = arrays["probabilities"]
        found = get_label_quality_multiannotator(
            given,
            probabilities,
            calibrate_probs=way == "calibrated",
            return_detailed_quality=False,
            return_annotator_stats=False,
            verbose=False,
        )["label_quality"]
        np.savez(
            Path(folder) / f"{path.stem}.{way}.npz",
            classes=found["consensus_label"].to_numpy(dtype=np.int64),
            confidences=found["consensus_quality_score"].to_numpy(dtype=np.float64),
        )
    print(version("cleanlab"))


if __name__ == "__main__":
    main()
