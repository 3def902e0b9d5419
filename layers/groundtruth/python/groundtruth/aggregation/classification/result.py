"""What an algorithm that learns about workers gives back."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.counts import WorkerCounts, add_up
from groundtruth.aggregation.classification.posterior import Posterior
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes

_SMALLEST_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class Contributions:
    """What a batch teaches about its workers, item by item.

    Kept apart by item, so that a store can add each item of a job once, however often the
    item is sent. Each vote of an item contributes 1 in all, spread over the classes that
    may be true. An item with a single vote contributes nothing (nobody confirms the
    answer), unless its truth is known.

    Parameters
    ----------
    items : ndarray of int, shape (n_cells,)
        Ascending.
    workers, truths, answers, amounts : ndarray, shape (n_cells,)
        As in `WorkerCounts`.
    n_workers, n_classes : int
        How many of each there are.
    """

    items: Ints
    workers: Ints
    truths: Ints
    answers: Ints
    amounts: Floats
    n_workers: int
    n_classes: int

    def of_item(self, item: int) -> WorkerCounts:
        """Return the contribution of one item; empty for an item that has none."""
        start, stop = np.searchsorted(self.items, [item, item + 1])
        return self._between(int(start), int(stop))

    def total(self) -> WorkerCounts:
        """Return the contribution of the whole batch."""
        return self._between(0, self.items.size)

    def _between(self, start: int, stop: int) -> WorkerCounts:
        part = slice(start, stop)
        columns = (self.workers[part], self.truths[part], self.answers[part], self.amounts[part])
        return WorkerCounts(*columns, self.n_workers, self.n_classes)


@dataclass(frozen=True, eq=False)
class Consolidation:
    """Result of an algorithm that learns about workers.

    Attributes
    ----------
    posterior : Posterior
        Probability of each class, item by item.
    votes : Votes
        The batch it is about.
    truth : Posterior
        How probable each class is to be true, as far as workers are judged by it.
    informative : ndarray of bool, shape (n_items,)
        Items that teach something about workers.
    rounds : int
        How many rounds were made.
    """

    posterior: Posterior
    votes: Votes
    truth: Posterior
    informative: NDArray[np.bool_]
    rounds: int

    @cached_property
    def contributions(self) -> Contributions:
        """What the batch alone taught about its workers, item by item."""
        return _contributions(self.votes, self.truth, self.informative)


def _contributions(votes: Votes, truth: Posterior, informative: NDArray[np.bool_]) -> Contributions:
    """Spread each vote over the classes that may be true; cells below 0.01 are left out."""
    kept = (truth.probabilities >= _SMALLEST_SHARE) & informative[truth.items]
    items, classes = truth.items[kept], truth.classes[kept]
    shares = truth.probabilities[kept]
    shares = shares / add_up(items, shares, votes.n_items)[items]
    first = np.searchsorted(items, votes.items)
    width = np.bincount(items, minlength=votes.n_items)[votes.items]
    vote = np.repeat(np.arange(votes.n_votes), width)
    cell = np.arange(vote.size) - np.repeat(np.cumsum(width) - width, width) + first[vote]
    return Contributions(
        items=votes.items[vote],
        workers=votes.workers[vote],
        truths=classes[cell],
        answers=votes.classes[vote],
        amounts=shares[cell],
        n_workers=votes.n_workers,
        n_classes=votes.n_classes,
    )
