"""One method of ours on some crowds, in a process of its own.

    python -m benchmarks.classification.case METHOD FOLDER CROWD.npz …

Writes FOLDER/<crowd>.<method>.npy and prints one JSON line per crowd.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.crowds import Crowd
from benchmarks.common.measuring import measure_all
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


if __name__ == "__main__":
    measure_all(sys.argv, prepare=votes_of, methods=METHODS, table=_table)
