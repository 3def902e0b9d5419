"""Expectation maximisation: what the algorithms that learn about workers share.

An algorithm makes a `VoteData`, gives `iterate` its `Rounds`, and turns what the last one found
into the posterior. A round has two halves: `count` adds up over all items what is learned of the
workers (the M step), and `estimate` says by that how probable the classes of each item are (the E
step). Counts of some items may be added to those of others, and nothing else goes from item to
item. So the items may be in parts, each of which is given the counts of all.

Values are flat arrays with one entry for each cell of the layout, or one for each vote in canonical
order.
"""

from dataclasses import dataclass
from typing import Generic, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.counts import (
    PRIOR_ACCURACY,
    PopulationPrior,
    WorkerCounts,
    shrink_to_prior,
    sum_groups,
)
from groundtruth.aggregation.classification.posterior import (
    SAME,
    ClassLayout,
    Consolidation,
    Posterior,
)
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes

T = TypeVar("T")
Scalar = TypeVar("Scalar", bound=np.generic)

_ACCURACY_LIMITS = (0.01, 0.99)
_LARGEST_FLOOR = 1 - 1e-9
_ROUNDING = 1e-12
_PRIOR_GOLD = 5.0
"""How many items of known truth, for each class, the frequencies of the votes count for."""


NOTHING: Floats = np.empty(0)
"""Where nothing is counted."""


class VoteTotals(NamedTuple):
    """What is counted over all votes before any round; those of some items may be added."""

    votes: Floats  # by worker: those that count
    chosen: Floats  # by class: votes for it
    gold: Floats  # by class: items that are known to be of it


class Counts(NamedTuple):
    """What a round counts over all items; those of some items may be added."""

    right: Floats  # by worker: how many votes are expected to be right
    # By worker and class chosen, and by true class: expected votes, shape (n_workers * n_classes,
    # n_classes). Without a row where an algorithm does not ask, or not every class is listed.
    answers: Floats
    # By class, and by subtype where an algorithm has some: expected items. Empty if nobody asks.
    true: Floats


class Fit(NamedTuple, Generic[T]):
    """Where the rounds ended."""

    posterior: Floats  # by cell, of the last round
    truth: Floats  # the same, with all probability on the truth where that is known
    details: T  # what else the last round found
    rounds: int


@dataclass(frozen=True, slots=True, eq=False)
class VoteData:
    """Votes, with known truths and what earlier calls taught about the workers."""

    votes: Votes
    layout: ClassLayout
    cells: Ints  # by vote: the cell of the class chosen
    gold: Ints  # by item: the true class, -1 where unknown
    n_votes: Ints  # by item
    informative: Floats  # by item: 0 for a single vote, which confirms only itself, else 1
    is_single: NDArray[np.bool_]  # by vote: whether it is the only one on its item
    counted: Floats  # by vote: `informative` of its item
    stored: WorkerCounts  # of earlier calls
    own: VoteTotals  # of these votes
    totals: VoteTotals  # of all votes: of these, and of those in other parts
    n_answers: Floats  # by worker: votes that count, the stored ones too
    stored_right: Floats  # by worker: how many of the stored ones are expected to be right
    population: PopulationPrior | None  # None if nothing is known of it

    @classmethod
    def from_votes(
        cls,
        votes: Votes,
        prior_counts: WorkerCounts | None,
        gold: Ints | None,
        population_counts: Floats | None = None,
        in_population: NDArray[np.bool_] | None = None,
        totals: VoteTotals | None = None,
    ) -> Self:
        """Check the arguments, those of `calibrated`, against each other; make them ready.

        `totals` are those of all votes, if these are a part of them.
        """
        stored = prior_counts
        if stored is None:
            stored = WorkerCounts.empty(votes.n_workers, votes.n_classes)
        if (stored.n_workers, stored.n_classes) != (votes.n_workers, votes.n_classes):
            raise ValueError("prior_counts must have the workers and classes of the votes")
        known = np.full(votes.n_items, -1) if gold is None else np.asarray(gold)
        if known.shape != (votes.n_items,) or (known.size and known.dtype.kind not in "iu"):
            raise ValueError(f"gold must hold {votes.n_items} whole numbers")
        if np.any(known < -1) or np.any(known >= votes.n_classes):
            raise ValueError(f"gold must lie in -1 to {votes.n_classes - 1}")
        layout, n_votes = ClassLayout.from_votes(votes, known), votes.votes_per_item
        informative = ((n_votes > 1) | (known >= 0)).astype(np.float64)
        counted = informative[votes.items]
        own = VoteTotals(
            votes=sum_groups(votes.workers, counted, votes.n_workers),
            chosen=np.bincount(votes.classes, minlength=votes.n_classes).astype(np.float64),
            gold=np.bincount(known[known >= 0], minlength=votes.n_classes).astype(np.float64),
        )
        totals = totals or own
        present = stored if in_population is None else stored.select_workers(in_population)
        return cls(
            votes=votes,
            layout=layout,
            cells=layout.find_cells(votes.items, votes.classes),
            gold=known,
            n_votes=n_votes,
            informative=informative,
            is_single=(n_votes == 1)[votes.items],
            counted=counted,
            stored=stored,
            own=own,
            totals=totals,
            n_answers=totals.votes + stored.answers_by_worker(),
            stored_right=stored.right_by_worker(),
            population=PopulationPrior.from_counts(population_counts, present),
        )

    def sum_votes(self, weights: Floats) -> Floats:
        """Add up the weights of the votes for each cell."""
        return sum_groups(self.cells, weights, self.layout.items.size)

    def count_votes(self) -> Floats:
        """Count the votes for each cell."""
        return self.sum_votes(np.ones(self.votes.n_votes))

    def find_largest_vote(self, values: Floats) -> Floats:
        """Return the largest value of each item's votes, 0 without one: shape (n_items,)."""
        largest, starts = np.zeros(self.votes.n_items), np.cumsum(self.n_votes) - self.n_votes
        voted = self.n_votes > 0
        if values.size:
            largest[voted] = np.maximum.reduceat(values, starts[voted])
        return largest

    def spread(self, by_item: NDArray[Scalar]) -> NDArray[Scalar]:
        """Give each cell its item's value."""
        return self.layout.spread(by_item)

    def start(self) -> Floats:
        """Return the vote shares, smoothed by one vote that is spread over the classes."""
        received = self.count_votes()
        return self.settle_gold(self.layout.normalize(received + 1.0 / self.votes.n_classes))

    def settle_gold(self, posterior: Floats) -> Floats:
        """Put all probability of items with a known truth on that truth."""
        if not np.any(self.gold >= 0):
            return posterior
        gold = self.spread(self.gold)
        return np.where(gold >= 0, gold == self.layout.classes, posterior)

    def count_right(self, truth: Floats) -> Floats:
        """Count how many answers of each worker are expected to be right, the stored ones too."""
        right = sum_groups(
            self.votes.workers, truth[self.cells] * self.counted, self.votes.n_workers
        )
        return right + self.stored_right

    def share_of_right(self, right: float) -> float:
        """Estimate how often workers are right, all together, if so many answers are right."""
        answers, population = float(self.n_answers.sum()), self.population
        if population is not None:
            right, answers = right + population.absent_right, answers + population.absent_answers
        return shrink_to_prior(right, answers, self.votes.n_classes)

    def estimate_accuracy(
        self,
        truth: Floats,
        strength: float,
        *,
        right: Floats | None = None,
        alone: bool = False,
        row_strength: float = 0.0,
    ) -> Floats:
        """Estimate how often the worker behind each vote is right on other items: shape (n_votes,).

        The only vote on an item is judged by what is known of its worker alone, so that other
        workers of the batch do not change how sure it is. `right` counts the right answers of each
        worker, if not by these votes alone. The accuracy of all workers counts for
        `strength` votes (for such a vote, or with `alone`, 0.7 does). With `row_strength` the
        estimate, from 0.01 to 0.99, counts for so many votes once more in each row of a confusion
        matrix, where an algorithm shrinks these to it.
        """
        workers = self.votes.workers
        by_worker = self.count_right(truth) if right is None else right
        others_right = by_worker[workers] - truth[self.cells] * self.counted
        answers = self.n_answers[workers] - self.counted
        prior: Floats | float = PRIOR_ACCURACY
        if not alone:
            shared = self.share_of_right(float(by_worker.sum()))
            prior = np.where(self.is_single, PRIOR_ACCURACY, shared)
        accuracy = (others_right + strength * prior) / (answers + strength)
        accuracy = np.clip(accuracy, *_ACCURACY_LIMITS)
        if row_strength > 0:
            more = row_strength * self.votes.n_classes
            accuracy = (others_right + more * accuracy) / (answers + more)
        return accuracy

    def log_likelihood_ratios(self, accuracy: Floats) -> Floats:
        """Log of P(vote | its class) / P(vote | another) if a worker errs to all classes alike."""
        ratios: Floats = np.log(accuracy * max(self.votes.n_classes - 1, 1) / (1.0 - accuracy))
        return ratios

    def weigh(self, accuracy: Floats, max_weights: Floats | None) -> Floats:
        """Weigh each vote by its worker's accuracy above chance [1]_, from 0.05 to 1.

        References
        ----------
        .. [1] H. Li and B. Yu, "Error rate bounds and iterative weighted majority voting
           for crowdsourcing", 2014. arXiv:1411.4086
        """
        n_workers, n_classes = self.votes.n_workers, self.votes.n_classes
        weights = np.maximum((n_classes * accuracy - 1) / max(n_classes - 1, 1), 0.05)
        if max_weights is None:
            return weights
        caps = np.asarray(max_weights, dtype=np.float64)
        if caps.shape != (n_workers,) or not np.all(caps >= 0):
            raise ValueError(f"max_weights must hold {n_workers} numbers of 0 or more")
        return np.minimum(weights, caps[self.votes.workers])

    def cap_factors(self, accuracy: Floats, max_weights: Floats | None) -> Floats | float:
        """How much of what each vote says its worker's largest weight leaves."""
        if max_weights is None:
            return 1.0
        return self.weigh(accuracy, max_weights) / self.weigh(accuracy, None)

    def share_weights(
        self, weights: Floats, smoothing: float, *, mean: float | None = None
    ) -> Floats:
        """Share of the weights by class, smoothed by some votes of mean weight.

        `mean` is that of all votes, if these are a part of them.
        """
        if mean is None:
            mean = float(weights.mean()) if weights.size else 0.0
        even = (smoothing * mean or 1.0) / self.votes.n_classes
        return self.layout.normalize(self.sum_votes(weights) + even)

    def count_gold(self, earlier: Floats | None = None) -> Floats:
        """Count the items of known truth by class, those of earlier calls too."""
        n_classes = self.votes.n_classes
        known = self.totals.gold
        if earlier is None:
            return known
        more = np.asarray(earlier, dtype=np.float64)
        if more.shape != (n_classes,) or not np.all((more >= 0) & np.isfinite(more)):
            raise ValueError(f"earlier_gold must hold {n_classes} numbers of 0 or more")
        return known + more

    def log_class_prior(self, power: float, known: Floats | None = None) -> Floats:
        """Log of the class frequencies; flat for items with fewer than two votes.

        A class's frequency is how often it was chosen, in earlier calls too, smoothed by one vote,
        to a power. `known`, shape (n_classes,), counts items of known truth, drawn at random: with
        them it is how many of these are of the class, smoothed by 5 for each class that are spread
        like that. An item's own truth does not count for it.
        """
        stored, layout, n_classes = self.stored, self.layout, self.votes.n_classes
        chosen = self.totals.chosen + 1.0
        if self.population is None:
            chosen += sum_groups(stored.answers, stored.amounts, n_classes)
        else:
            chosen += self.population.answers
        prior: Floats = power * np.log(self._spread_classes(chosen / chosen.sum()))
        if known is not None and known.sum() > 0:
            own = self.spread(self.gold) == layout.classes
            right = self._spread_classes(known) - own
            total = known.sum() - self.spread(self.gold >= 0)
            strength = _PRIOR_GOLD * n_classes
            prior = np.log((right + strength * layout.softmax(prior)) / (total + strength))
        several: Floats = prior * self.spread(self.n_votes > 1)
        return several

    def _spread_classes(self, by_class: Floats) -> Floats:
        """Give each cell its class's value, and a rest the mean of its classes'."""
        layout = self.layout
        values: Floats = by_class[layout.classes]
        if not layout.is_complete:
            listed = sum_groups(layout.items, np.where(layout.is_rest, 0.0, values), layout.n_items)
            rest = np.maximum(by_class.sum() - listed, 1e-9)[layout.items] / layout.widths
            values = np.where(layout.is_rest, rest, values)
        return values

    def restore_single_votes(self, posterior: Floats, accuracy: Floats) -> Floats:
        """Give items with one vote what is known of its worker alone."""
        if not self.is_single.any():
            return posterior
        known = self.layout.softmax(self.sum_votes(self.log_likelihood_ratios(accuracy)))
        return np.where(self.spread(self.n_votes == 1), known, posterior)

    def raise_to_floor(
        self,
        posterior: Floats,
        truth: Floats,
        strength: float,
        *,
        right: Floats | None = None,
        row_strength: float = 0.0,
        max_weights: Floats | None = None,
    ) -> Floats:
        """Make items whose votes all agree no less sure than their best worker would be alone.

        Smoothing and tempering would else make two agreeing workers less sure than one of them.
        The item's other classes share the rest as before. A class that is not the most probable
        one stays as it is. The arguments are those of `estimate_accuracy` and `weigh`.
        """
        layout, n_votes = self.layout, self.spread(self.n_votes)
        received = self.count_votes()
        cells = np.flatnonzero((received == n_votes) & (n_votes > 1))
        if not cells.size:
            return posterior
        items, before = layout.items[cells], posterior[cells]
        accuracy = self.estimate_accuracy(
            truth, strength, right=right, alone=True, row_strength=row_strength
        )
        accuracy = np.minimum(accuracy, _LARGEST_FLOOR)
        ratios = self.log_likelihood_ratios(accuracy) * self.cap_factors(accuracy, max_weights)
        odds = np.exp(-self.find_largest_vote(ratios)[items])
        floor = 1.0 / (1.0 + (self.votes.n_classes - 1) * odds)
        largest = layout.find_largest(posterior)[items] - SAME
        low = (floor - before > _ROUNDING) & (before >= largest)
        return layout.raise_cells(posterior, cells[low], floor[low])


@dataclass(frozen=True, kw_only=True)
class Rounds(Generic[T]):
    """The rounds of an algorithm on some items; what `estimate` finds is by cell."""

    data: VoteData

    def start(self) -> Floats:
        """Return how probable each class is taken to be true at first."""
        return self.data.start()

    def count(self, truth: Floats) -> Counts:
        """Count by how probable each class is to be true what workers did (M step)."""
        return Counts(self.data.count_right(truth), NOTHING, NOTHING)

    def estimate(self, truth: Floats, counts: Counts) -> tuple[Floats, T]:
        """Find the posterior by such counts of all items (E step).

        Returns that, and what else the algorithm wants to have of the last round.
        """
        raise NotImplementedError

    def settle(self, posterior: Floats) -> Floats:
        """Return how probable each class is to be true, where some truths are known."""
        return self.data.settle_gold(posterior)

    def find_change(self, before: Floats, after: Floats) -> float:
        """By how much the probability of a class changed at most."""
        return float(np.abs(after - before).max(initial=0.0))

    def conclude(self, fit: Fit[T], right: Floats | None = None) -> Consolidation:
        """Return the result.

        `right` counts the right answers of each worker by the truth that was found, if there are
        other parts.
        """
        raise NotImplementedError


def iterate(rounds: Rounds[T], *, tolerance: float, max_rounds: int) -> Fit[T]:
    """Make rounds until no probability changes by `tolerance` or more; 0 makes all of them."""
    truth, made = rounds.start(), 0
    while True:
        posterior, details = rounds.estimate(truth, rounds.count(truth))
        before, truth, made = truth, rounds.settle(posterior), made + 1
        if rounds.find_change(before, truth) < tolerance or made >= max_rounds:
            return Fit(posterior, truth, details, made)


def conclude(data: VoteData, posterior: Floats, fit: Fit[T]) -> Consolidation:
    """Return the result, with what the batch taught."""
    return Consolidation(
        posterior=Posterior(data.layout, posterior),
        votes=data.votes,
        truth=Posterior(data.layout, fit.truth),
        informative=data.informative > 0,
        rounds=fit.rounds,
    )
