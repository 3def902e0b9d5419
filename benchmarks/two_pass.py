"""LA, label aggregation in two passes: a peer of which no package has a version [1]_.

Written from the paper's formulas. It gives a class and no probability; taken for one is the
class's share of the weights, moved up where one of an object's is below 0.

References
----------
.. [1] Y. Yang, Z.-Q. Zhao, Q. Bai, Q. Liu and W. Li, "A lightweight, effective and efficient
   model for label aggregation in crowdsourcing", 2022. arXiv:2212.00007
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.crowds import Crowd

_ORDER_SEED = 0
_SMALLEST = 1e-9

Floats: TypeAlias = NDArray[np.float64]


def aggregate_in_two_passes(crowd: Crowd) -> Floats:
    """Share of the weights by object and class; a tie goes to the class listed first."""
    accuracy = _judge_workers(crowd)
    sums = np.zeros((crowd.n_items, crowd.n_classes))
    voted = np.zeros(sums.shape, dtype=np.bool_)
    cells = (crowd.items, crowd.classes)
    np.add.at(sums, cells, crowd.n_classes * accuracy[crowd.workers] - 1.0)
    voted[cells] = True
    lowest = np.minimum(sums, 0.0).min(axis=1, keepdims=True)  # 0 where no one voted for it
    shares = np.where(voted, np.maximum(sums - lowest, _SMALLEST), 0.0)
    shares[~voted.any(axis=1)] = 1.0
    normalized: Floats = shares / shares.sum(axis=1, keepdims=True)
    return normalized


def _judge_workers(crowd: Crowd) -> Floats:
    """First pass, object by object in a random order: vote, then count who agreed with it.

    A worker's accuracy is the mode of its posterior, with the prior Beta(2, 2).
    """
    right, answers = np.ones(crowd.n_workers), np.full(crowd.n_workers, 2.0)
    order = np.argsort(crowd.items, kind="stable")
    ends = np.searchsorted(crowd.items[order], np.arange(1, crowd.n_items))
    objects = np.split(order, ends)
    for index in np.random.default_rng(_ORDER_SEED).permutation(crowd.n_items):
        workers, classes = crowd.workers[objects[index]], crowd.classes[objects[index]]
        if not workers.size:
            continue
        weights = np.bincount(classes, weights=right[workers] / answers[workers])
        np.add.at(answers, workers, 1.0)
        np.add.at(right, workers, classes == weights.argmax())
    return right / answers
