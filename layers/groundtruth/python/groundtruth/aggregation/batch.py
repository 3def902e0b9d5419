"""A batch made ready for the algorithms that learn about workers."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.layout import Layout, Shares
from groundtruth.aggregation.result import Consolidation
from groundtruth.aggregation.skill import WorkerCounts, add_up
from groundtruth.aggregation.votes import Floats, Ints, Votes

PRIOR_ACCURACY = 0.7
"""What a worker is taken to be worth before anything is known."""
_PRIOR_VOTES_PER_CLASS = 4
_MOST_PRIOR_VOTES = 80
_ACCURACY_LIMITS = (0.01, 0.99)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Votes with their layout, stored counts and known truths.

    Attributes
    ----------
    votes, layout : Votes, Layout
        The votes and where their classes have cells.
    gold : ndarray of int, shape (n_items,)
        True classes, -1 where unknown.
    prior : WorkerCounts
        Counts of earlier calls; empty when there are none.
    received : ndarray of float, shape (n_cells,)
        How many votes each cell has.
    counted : ndarray of float, shape (n_items,)
        1 for items that teach something about workers: two votes or more, or a known
        truth. A single vote confirms only itself and counts 0.
    given, right : ndarray of float, shape (n_workers,)
        Votes that count, the stored ones too; expected right ones among the stored.
    """

    votes: Votes
    layout: Layout
    gold: Ints
    prior: WorkerCounts
    received: Floats
    counted: Floats
    given: Floats
    right: Floats

    @classmethod
    def of(cls, votes: Votes, prior: WorkerCounts | None, gold: Ints | None) -> Self:
        """Check the arguments against each other and make them ready.

        Raises
        ------
        ValueError
            If `prior` is about other numbers of workers or classes, or `gold` has another
            shape or names no class.
        """
        if prior is None:
            prior = WorkerCounts.empty(votes.n_workers, votes.n_classes)
        if (prior.n_workers, prior.n_classes) != (votes.n_workers, votes.n_classes):
            raise ValueError("prior_counts must have the workers and classes of the votes")
        known = np.full(votes.n_items, -1) if gold is None else np.asarray(gold)
        if known.shape != (votes.n_items,) or (known.size and known.dtype.kind not in "iu"):
            raise ValueError(f"gold must hold {votes.n_items} whole numbers")
        if np.any(known < -1) or np.any(known >= votes.n_classes):
            raise ValueError(f"gold must lie in -1 to {votes.n_classes - 1}")
        counted = ((votes.votes_per_item > 1) | (known >= 0)).astype(np.float64)
        new = add_up(votes.workers, counted[votes.items], votes.n_workers)
        layout = Layout.of(votes, known)
        return cls(
            votes=votes,
            layout=layout,
            gold=known,
            prior=prior,
            received=layout.add_votes(np.ones(votes.n_votes)),
            counted=counted,
            given=new + prior.given_by_worker(),
            right=prior.right_by_worker(),
        )

    def start(self) -> Shares:
        """Return the vote shares, smoothed by one vote that is spread over the classes."""
        even = np.full(self.votes.n_items, 1.0 / self.votes.n_classes)
        raw = Shares(self.received + even[self.layout.items], even)
        return self.with_gold(self.layout.normalized(raw))

    def with_gold(self, shares: Shares) -> Shares:
        """Put all probability of items with a known truth on that truth."""
        if not np.any(self.gold >= 0):
            return shares
        known = self.gold[self.layout.items]
        hit = (known == self.layout.classes).astype(np.float64)
        return Shares(
            np.where(known >= 0, hit, shares.cells), np.where(self.gold >= 0, 0.0, shares.others)
        )

    def pooled_accuracy(self, agreed: float) -> float:
        """Estimate how often workers are right, all together.

        Parameters
        ----------
        agreed : float
            How many votes that count are expected to be right, the stored ones too.
        """
        prior = float(min(_PRIOR_VOTES_PER_CLASS * self.votes.n_classes, _MOST_PRIOR_VOTES))
        return float((agreed + PRIOR_ACCURACY * prior) / (self.given.sum() + prior))

    def accuracy(self, truth: Shares, strength: float) -> Floats:
        """Estimate how often the worker behind each vote is right on other items.

        The only vote on an item is judged by what is known of its worker alone, so that other
        workers of the batch do not change how sure it is.

        Parameters
        ----------
        truth : Shares
            How probable each class is to be true.
        strength : float
            How many votes the pooled accuracy counts for (for the only vote on an item
            0.7, the accuracy before any evidence); above 0.

        Returns
        -------
        ndarray of float, shape (n_votes,)
            From 0.01 to 0.99.
        """
        workers, counted = self.votes.workers, self.counted[self.votes.items]
        agreed = truth.cells[self.layout.own] * counted
        right = self.right + add_up(workers, agreed, self.votes.n_workers)
        lone = self.votes.votes_per_item[self.votes.items] == 1
        pooled = np.where(lone, PRIOR_ACCURACY, self.pooled_accuracy(float(right.sum())))
        expected = right[workers] - agreed + strength * pooled
        by_vote = expected / (self.given[workers] - counted + strength)
        return np.clip(by_vote, *_ACCURACY_LIMITS)

    def log_frequencies(self) -> Shares:
        """Return the logarithm of how often each class was chosen, smoothed by one vote each."""
        n_classes = self.votes.n_classes
        chosen = np.bincount(self.votes.classes, minlength=n_classes) + 1.0
        chosen += add_up(self.prior.answers, self.prior.amounts, n_classes)
        share = chosen / chosen.sum()
        cells = share[self.layout.classes]
        rest = 1.0 - add_up(self.layout.items, cells, self.votes.n_items)
        others = np.maximum(rest, 1e-9) / np.maximum(self.layout.unlisted, 1.0)
        return Shares(np.log(cells), np.log(others))

    def weights(self, accuracy: Floats, max_weights: Floats | None) -> Floats:
        """Weigh each vote by its worker's accuracy above chance [1]_, from 0.05 to 1.

        References
        ----------
        .. [1] H. Li and B. Yu, "Error rate bounds and iterative weighted majority voting
           for crowdsourcing", 2014. arXiv:1411.4086
        """
        n_classes = self.votes.n_classes
        weights = np.maximum((n_classes * accuracy - 1) / max(n_classes - 1, 1), 0.05)
        if max_weights is None:
            return weights
        return np.minimum(weights, _caps(max_weights, self.votes.n_workers)[self.votes.workers])

    def result(self, shares: Shares, truth: Shares, rounds: int) -> Consolidation:
        """Return the result, with what the batch taught if `truth` is how it was."""
        return Consolidation(
            posterior=self.layout.posterior(shares),
            votes=self.votes,
            truth=self.layout.posterior(truth),
            informative=self.counted > 0,
            rounds=rounds,
        )


def _caps(max_weights: Floats, n_workers: int) -> Floats:
    caps = np.asarray(max_weights, dtype=np.float64)
    if caps.shape != (n_workers,) or not np.all(caps >= 0):
        raise ValueError(f"max_weights must hold {n_workers} numbers that are not negative")
    return caps
