"""Votes for the tests of the algorithms that learn about workers."""

import numpy as np

from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.votes import Votes


def from_table(table, n_classes):
    """Votes from a table of classes: one row per item, one column per worker, -1 for none."""
    answers = np.array(table)
    items, workers = np.nonzero(answers >= 0)
    return Votes(items, workers, answers[items, workers], *answers.shape, n_classes)


def simulated(n_items, n_votes, accuracies, n_classes, *, seed=0):
    """Votes of workers with given accuracies on random truths, and the truths."""
    rng = np.random.default_rng(seed)
    truths = rng.integers(0, n_classes, n_items)
    workers = np.array(
        [rng.choice(len(accuracies), n_votes, replace=False) for _ in range(n_items)]
    ).ravel()
    items = np.repeat(np.arange(n_items), n_votes)
    right = rng.random(items.size) < np.array(accuracies)[workers]
    wrong = (truths[items] + rng.integers(1, max(n_classes, 2), items.size)) % n_classes
    classes = np.where(right, truths[items], wrong)
    return Votes(items, workers, classes, n_items, len(accuracies), n_classes), truths


def known(accuracies, n_classes, *, answers=100.0):
    """Stored counts of workers with given accuracies, so many answers for each class."""
    table = np.empty((len(accuracies), n_classes, n_classes))
    for worker, accuracy in enumerate(accuracies):
        table[worker] = answers * (1.0 - accuracy) / max(n_classes - 1, 1)
        np.fill_diagonal(table[worker], answers * accuracy)
    return WorkerCounts.from_dense(table)
