"""One method of crowd-kit on some crowds; runs in the peers' own environment.

python -m benchmarks.peers.crowdkit METHOD FOLDER CROWD.npz …
"""

import sys
from typing import Any

import numpy as np
import pandas as pd
from crowdkit.aggregation import GLAD, MACE, DawidSkene, MajorityVote, OneCoinDawidSkene, Wawa

from benchmarks.common.crowds import Crowd
from benchmarks.common.measuring import measure_all


class Answers:
    """A crowd as crowd-kit wants it, with the sizes to make a table of the result."""

    def __init__(self, crowd: Crowd) -> None:
        self.n_items, self.n_classes = crowd.n_items, crowd.n_classes
        columns = {"task": crowd.items, "worker": crowd.workers, "label": crowd.classes}
        self.frame = pd.DataFrame(columns).drop_duplicates(["task", "worker"])


class Found:
    """A result of crowd-kit; its table is made after the clock has stopped."""

    def __init__(self, answers: Answers, probabilities: pd.DataFrame) -> None:
        self.answers, self.probabilities = answers, probabilities

    def table(self) -> np.ndarray[Any, Any]:
        """Probabilities, uniform for items crowd-kit left out."""
        rows, columns = range(self.answers.n_items), range(self.answers.n_classes)
        table = self.probabilities.reindex(index=rows, columns=columns, fill_value=0.0)
        values = np.nan_to_num(table.to_numpy(dtype=float))
        values[values.sum(axis=1) == 0] = 1.0
        return values / values.sum(axis=1, keepdims=True)


def _probabilities(model: Any) -> Any:
    return lambda answers: Found(answers, model().fit_predict_proba(answers.frame))


METHODS = {
    "ck-majority": _probabilities(MajorityVote),
    "ck-wawa": _probabilities(Wawa),
    "ck-dawid-skene": _probabilities(lambda: DawidSkene(n_iter=100)),
    "ck-one-coin": _probabilities(lambda: OneCoinDawidSkene(n_iter=100)),
    "ck-glad": _probabilities(lambda: GLAD(silent=True)),
    "ck-mace": _probabilities(lambda: MACE(random_state=0)),
    "ck-dawid-skene-20-rounds": _probabilities(lambda: DawidSkene(n_iter=20, tol=0.0)),
}


if __name__ == "__main__":
    measure_all(sys.argv, prepare=Answers, methods=METHODS, table=lambda found: found.table())
