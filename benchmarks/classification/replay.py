"""A job replayed call by call, as Ground Truth invokes the ACS, with and without kept skill.

    python -m benchmarks.classification.replay CALL_SIZE FOLDER CROWD.npz …

Writes FOLDER/<crowd>.<variant>.<size>.npy for each variant, and with kept skill one more for each
other order of arrival, FOLDER/<crowd>.kept.<size>.<order>.npy.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.crowds import Crowd
from groundtruth.aggregation.classification.builtin import builtin
from groundtruth.aggregation.classification.calibrated import calibrated
from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.majority import majority
from groundtruth.aggregation.classification.votes import Votes

VARIANTS = ("builtin", "majority", "fresh", "kept")
ORDERS = (0, 1, 2)
"""Random orders of arrival; the first is that of all variants."""


@dataclass
class Memory:
    """Counts of all workers of a job, as a skill store keeps them."""

    crowd: Crowd
    counts: NDArray[np.float64] = field(init=False)
    _all: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.crowd.n_workers, self.crowd.n_classes, self.crowd.n_classes)
        self.counts = np.zeros(shape)
        self._all = np.zeros(shape[1:])

    def of(self, workers: NDArray[np.int64]) -> WorkerCounts:
        """Counts of the workers of one call."""
        return WorkerCounts.from_dense(self.counts[workers])

    def of_all(self) -> NDArray[np.float64]:
        """Counts of all workers together, which a store keeps as those of one more."""
        return self._all

    def add(self, workers: NDArray[np.int64], counts: WorkerCounts) -> None:
        """Add what a call taught."""
        self.counts[workers] += counts.dense()
        self._all += counts.dense().sum(axis=0)


def replay(crowd: Crowd, size: int, variant: str, *, seed: int = 0) -> NDArray[np.float64]:
    """Posterior of all items, consolidated in calls of so many items in arrival order."""
    arrival = arrivals(crowd, seed)
    calls = [arrival[first : first + size] for first in range(0, crowd.n_items, size)]
    return replay_calls(crowd, calls, variant)


def arrivals(crowd: Crowd, order: int) -> NDArray[np.int64]:
    """All items in a random order of arrival."""
    return np.random.default_rng(order).permutation(crowd.n_items)


def replay_calls(
    crowd: Crowd, calls: Iterable[NDArray[np.int64]], variant: str
) -> NDArray[np.float64]:
    """Posterior of all items, consolidated in these calls, one after the other."""
    by_item = np.argsort(crowd.items, kind="stable")
    starts = np.searchsorted(crowd.items[by_item], np.arange(crowd.n_items + 1))
    memory = Memory(crowd)
    table = np.empty((crowd.n_items, crowd.n_classes))
    for listed in calls:
        # Items of a call in sorted order: the result does not depend on how it lists them.
        call = np.sort(listed)
        places = np.concatenate([by_item[starts[item] : starts[item + 1]] for item in call])
        items = np.repeat(np.arange(call.size), starts[call + 1] - starts[call])
        workers, numbers = np.unique(crowd.workers[places], return_inverse=True)
        classes = crowd.classes[places]
        votes = Votes(items, numbers, classes, call.size, workers.size, crowd.n_classes)
        table[call] = _consolidated(votes, workers, variant, memory)
    return table


def _consolidated(
    votes: Votes, workers: NDArray[np.int64], variant: str, memory: Memory
) -> NDArray[np.float64]:
    if variant == "builtin":
        return builtin(votes)
    if variant == "majority":
        return majority(votes)
    kept = variant == "kept"
    stored, pool = (memory.of(workers), memory.of_all()) if kept else (None, None)
    found = calibrated(votes, prior_counts=stored, population_counts=pool)
    if kept:
        memory.add(workers, found.count_updates.total())
    return found.posterior.dense()


if __name__ == "__main__":
    _, call_size, folder, *paths = sys.argv
    for path in paths:
        given = Crowd.load(Path(path))
        for kind in VARIANTS:
            found = replay(given, int(call_size), kind)
            np.save(Path(folder) / f"{given.name}.{kind}.{call_size}.npy", found)
        for order in ORDERS[1:]:
            found = replay(given, int(call_size), "kept", seed=order)
            np.save(Path(folder) / f"{given.name}.kept.{call_size}.{order}.npy", found)
