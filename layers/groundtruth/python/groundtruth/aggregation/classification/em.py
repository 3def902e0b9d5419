"""A batch made ready for the algorithms that learn about workers."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.counts import WorkerCounts, add_up
from groundtruth.aggregation.classification.population import PRIOR_ACCURACY, Pool, drawn_to_prior
from groundtruth.aggregation.classification.result import Consolidation
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes
from groundtruth.aggregation.layout import Layout, Shares

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
    per_item : ndarray of int, shape (n_items,)
        How many votes each item received.
    prior : WorkerCounts
        Counts of earlier calls; empty when there are none.
    received : ndarray of float, shape (n_cells,)
        How many votes each cell has.
    counted : ndarray of float, shape (n_items,)
        1 for items that teach something about workers: two votes or more, or a known
        truth. A single vote confirms only itself and counts 0.
    given, right : ndarray of float, shape (n_workers,)
        Votes that count, the stored ones too; expected right ones among the stored.
    pool : Pool or None
        What all workers of earlier calls together are like; None if that is not known.
    """

    votes: Votes
    layout: Layout
    gold: Ints
    per_item: Ints
    prior: WorkerCounts
    received: Floats
    counted: Floats
    given: Floats
    right: Floats
    pool: Pool | None

    @classmethod
    def of(
        cls,
        votes: Votes,
        prior: WorkerCounts | None,
        gold: Ints | None,
        pool: Floats | None = None,
        in_pool: NDArray[np.bool_] | None = None,
    ) -> Self:
        """Check the arguments, those of `calibrated`, against each other; make them ready.

        Raises
        ------
        ValueError
            If an argument is about other numbers of workers, items or classes.
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
        per_item = votes.votes_per_item
        counted = ((per_item > 1) | (known >= 0)).astype(np.float64)
        new = add_up(votes.workers, counted[votes.items], votes.n_workers)
        layout = Layout.of(votes, known)
        return cls(
            votes=votes,
            layout=layout,
            gold=known,
            per_item=per_item,
            prior=prior,
            received=layout.add_votes(np.ones(votes.n_votes)),
            counted=counted,
            given=new + prior.given_by_worker(),
            right=prior.right_by_worker(),
            pool=Pool.of(pool, prior if in_pool is None else prior.of_workers(in_pool)),
        )

    def start(self) -> Shares:
        """Return the vote shares, smoothed by one vote that is spread over the classes."""
        even = 1.0 / self.votes.n_classes
        raw = Shares(self.received + even, np.full(self.votes.n_items, even))
        return self.with_gold(self.layout.normalized(raw))

    def with_gold(self, shares: Shares) -> Shares:
        """Put all probability of items with a known truth on that truth."""
        if not np.any(self.gold >= 0):
            return shares
        return self.layout.settled(shares, self.gold)

    def pooled_accuracy(self, agreed: float) -> float:
        """Estimate how often workers are right, all together.

        Parameters
        ----------
        agreed : float
            How many votes that count are expected to be right, the stored ones too.
        """
        given, pool = float(self.given.sum()), self.pool
        if pool is not None:
            agreed, given = agreed + pool.absent_right, given + pool.absent_given
        return drawn_to_prior(agreed, given, self.votes.n_classes)

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
        lone = self.per_item[self.votes.items] == 1
        return self.judged(right, workers, agreed, counted, lone, strength)

    def judged(
        self,
        right: Floats,
        workers: Ints,
        agreed: Floats,
        counted: Floats | float,
        lone: NDArray[np.bool_] | None,
        strength: float,
    ) -> Floats:
        """Estimate `accuracy` for some votes.

        Parameters
        ----------
        right : ndarray of float, shape (n_workers,)
            How many votes of each worker are expected to be right, the stored ones too.
        workers : ndarray of int, shape (n_votes,)
            Who gave each vote.
        agreed : ndarray of float, shape (n_votes,)
            How probable each vote is to be right, as far as it counts.
        counted : ndarray of float, shape (n_votes,), or float
            1 for votes on items that teach something, else 0.
        lone : ndarray of bool, shape (n_votes,), optional
            The only votes on their items; none if left out.
        strength : float
            As in `accuracy`.
        """
        pooled = strength * self.pooled_accuracy(float(right.sum()))
        expected = (right + pooled).take(workers)
        expected -= agreed
        if lone is not None:
            known = right[workers[lone]] + strength * PRIOR_ACCURACY
            expected[lone] = known - agreed[lone]  # to the last bit the same in any batch
        given = (self.given + strength).take(workers)
        given -= counted
        expected /= given
        lowest, highest = _ACCURACY_LIMITS
        np.maximum(expected, lowest, out=expected)
        return np.minimum(expected, highest, out=expected)

    def frequencies(self) -> Floats:
        """Return how often each class was chosen, smoothed by one vote each; sums to 1."""
        n_classes = self.votes.n_classes
        chosen = self.layout.sum_by_class(self.received) + 1.0
        stored = add_up(self.prior.answers, self.prior.amounts, n_classes)
        chosen += stored if self.pool is None else self.pool.answers
        share: Floats = chosen / chosen.sum()
        return share

    def log_frequencies(self) -> Shares:
        """Return the logarithms of `frequencies` as shares."""
        share = self.frequencies()
        if self.layout.dense:
            logs = np.tile(np.log(share), self.votes.n_items)
            return Shares(logs, np.zeros(self.votes.n_items))
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
        weights = self._uncapped(accuracy)
        return weights if max_weights is None else np.minimum(weights, self.caps(max_weights))

    def caps(self, max_weights: Floats) -> Floats:
        """Return the largest weight of each vote.

        Raises
        ------
        ValueError
            If there is not one number for each worker, or one is negative.
        """
        caps = np.asarray(max_weights, dtype=np.float64)
        if caps.shape != (self.votes.n_workers,) or not np.all(caps >= 0):
            raise ValueError(f"max_weights must hold {self.votes.n_workers} numbers of 0 or more")
        return caps[self.votes.workers]

    def factors(self, accuracy: Floats, caps: Floats) -> Floats:
        """How much of the evidence of some votes their workers' largest weights leave."""
        weights = self._uncapped(accuracy)
        return np.minimum(weights, caps) / weights

    def _uncapped(self, accuracy: Floats) -> Floats:
        n_classes = self.votes.n_classes
        return np.maximum((n_classes * accuracy - 1) / max(n_classes - 1, 1), 0.05)

    def result(self, shares: Shares, truth: Shares, rounds: int) -> Consolidation:
        """Return the result, with what the batch taught if `truth` is how it was."""
        posterior = self.layout.posterior(shares)
        return Consolidation(
            posterior=posterior,
            votes=self.votes,
            truth=posterior if truth is shares else self.layout.posterior(truth),
            informative=self.counted > 0,
            rounds=rounds,
        )
