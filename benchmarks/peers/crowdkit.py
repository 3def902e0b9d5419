"""Methods of crowd-kit; runs in the peers' own environment.

python -m benchmarks.peers.crowdkit METHOD FOLDER CROWD.npz …
python -m benchmarks.peers.crowdkit scaling METHOD SIZES
python -m benchmarks.peers.crowdkit labels BASE CROWD.npz TABLE.npy

The first measures a method on some crowds, the second at one size; the third is BinaryRelevance on
one multi-label crowd.
"""

import json
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
from crowdkit.aggregation import GLAD, MACE, DawidSkene, MajorityVote, OneCoinDawidSkene, Wawa

from benchmarks.common.crowds import Crowd, crowd_of
from benchmarks.common.measure import measure_all, measure_size


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

BASES = {"majority": MajorityVote, "dawid-skene": lambda: DawidSkene(n_iter=100)}


def run_at_size(method: str, text: str) -> None:
    """Measure a method at one size, and print JSON."""
    sizes = json.loads(text)
    small = {name: min(size, 100) for name, size in sizes.items()}
    METHODS[method](Answers(crowd_of(small)))  # what is set up on first use is no part of the run
    print(json.dumps(measure_size(lambda: Answers(crowd_of(sizes)), METHODS[method])))


def aggregate_labels(base: str, source: str, target: str) -> None:
    """Aggregate each label as BinaryRelevance does, but keep the probabilities; print seconds."""
    with np.load(source) as arrays:
        items, workers, picked = arrays["items"], arrays["workers"], arrays["picked"]
        table = np.zeros(arrays["gold"].shape)
    start = time.process_time()
    for label in range(picked.shape[1]):
        columns = {"task": items, "worker": workers, "label": picked[:, label].astype(int)}
        frame = pd.DataFrame(columns).drop_duplicates(["task", "worker"])
        found = BASES[base]().fit_predict_proba(frame)
        if 1 in found.columns:
            table[found.index, label] = found[1].fillna(0.0)
    print(time.process_time() - start)
    np.save(target, table)


if __name__ == "__main__":
    if sys.argv[1] == "scaling":
        run_at_size(*sys.argv[2:])
    elif sys.argv[1] == "labels":
        aggregate_labels(*sys.argv[2:])
    else:
        measure_all(sys.argv, prepare=Answers, methods=METHODS, table=lambda found: found.table())
