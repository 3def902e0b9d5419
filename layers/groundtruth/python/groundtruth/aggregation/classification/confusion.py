"""Workers' confusion matrices: the M step, and what votes say by them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from groundtruth.aggregation.classification.counts import sum_groups
from groundtruth.aggregation.classification.em import Counts, VoteData
from groundtruth.aggregation.classification.votes import Floats, Ints

_VALUES_AT_ONCE = 2**17
"""Votes times classes of as many items as are looked at together: they fit in the cache."""

_SMALLEST_LOG_PRODUCT = -600.0


class _Group(NamedTuple):
    """Some items with equally many votes, and these and their pairs: (votes of each, n_items)."""

    items: Ints | slice  # a slice, which copies nothing, where the items follow each other
    votes: Ints
    pairs: Ints


@dataclass(frozen=True, eq=False)
class ConfusionModel:
    """P(answer | true class) of each worker, for batches whose layout lists all classes.

    A *pair* is a worker with an answer: number worker * n_classes + answer.
    """

    data: VoteData
    pairs: Ints  # by vote
    answers: Ints  # by pair
    stored: Floats  # by pair and true class: expected counts of earlier calls
    n_subtypes: int  # rates are by class and subtype

    @classmethod
    def from_data(cls, data: VoteData, *, n_subtypes: int = 1) -> Self:
        """Number the pairs and look up their stored counts."""
        n_workers, n_classes = data.votes.n_workers, data.votes.n_classes
        pairs = data.votes.workers * n_classes + data.votes.classes
        stored = np.zeros((n_workers * n_classes, n_classes))
        known = data.stored
        stored[known.workers * n_classes + known.answers, known.truths] = known.amounts
        return cls(
            data=data,
            pairs=pairs,
            answers=np.tile(np.arange(n_classes), n_workers),
            stored=stored,
            n_subtypes=n_subtypes,
        )

    @cached_property
    def groups(self) -> tuple[_Group, ...]:
        """All items that have votes."""
        n_rates = self.data.votes.n_classes * self.n_subtypes
        return tuple(_group_items(self.data.n_votes, self.pairs, n_rates))

    def count(self, truth: Floats) -> Counts:
        """Count, by how probable each class is to be true, by cell, earlier calls' answers too."""
        n_classes = self.data.votes.n_classes
        table = truth.reshape(-1, n_classes)
        answers = self.count_new(table.T) + self.stored
        by_worker = answers.reshape(self.data.votes.n_workers, n_classes, n_classes)
        return Counts(np.einsum("wcc->w", by_worker), answers, np.einsum("ij->j", table))

    def count_new(self, probabilities: Floats) -> Floats:
        """Count by pair what this batch alone shows.

        `probabilities` has a row for each thing that may be true of an item, and the counts have
        a column for each.
        """
        columns = np.array(probabilities, order="C")
        columns *= self.data.informative
        # Votes are sorted by item. (`take` would copy their items, which are read-only, each time.)
        by_vote = (np.repeat(column, self.data.n_votes) for column in columns)
        n_pairs = self.answers.size
        return np.stack([sum_groups(self.pairs, column, n_pairs) for column in by_vote], axis=1)

    def sum_answers(self, by_pair: Floats) -> Floats:
        """Add up the answers of each worker: shape (n_workers, n_columns)."""
        n_workers, n_classes = self.data.votes.n_workers, self.data.votes.n_classes
        total: Floats = by_pair.reshape(n_workers, n_classes, by_pair.shape[1]).sum(axis=1)
        return total

    def estimate_rates(self, counts: Counts, strength: float) -> Floats:
        """Find the most probable rates of the pairs, by true class: shape (n_pairs, n_classes).

        They are shrunk to the accuracy of all workers together, which counts for `strength` votes
        in each row of a matrix. No item is taken out.
        """
        n_classes, pairs = self.data.votes.n_classes, np.arange(self.answers.size)
        own = strength * self.data.share_of_right(float(counts.right.sum()))
        rates = counts.answers + (strength - own) / max(n_classes - 1, 1)
        rates[pairs, self.answers] = counts.answers[pairs, self.answers] + own
        totals = self.sum_answers(counts.answers) + strength
        shrunken: Floats = rates / np.repeat(totals, n_classes, axis=0)
        return shrunken

    def estimate_posterior(self, rates: Floats, prior: Floats) -> Floats:
        """Multiply the rates of each item's votes, and the prior where there are several votes.

        A product takes a fifth of the time of a sum of logarithms, which are taken where a product
        could underflow. Rows sum to 1; without a vote they are uniform.
        """
        n_classes = rates.shape[1]
        posterior = np.full((self.data.votes.n_items, n_classes), 1.0 / n_classes)
        smallest = np.log(rates.min(initial=1.0))
        for items, _, pairs in self.groups:
            factors = rates.take(pairs, axis=0)
            if len(pairs) * smallest > _SMALLEST_LOG_PRODUCT:
                product = np.multiply.reduce(factors)
            else:
                scores = np.log(factors, out=factors).sum(axis=0)
                product = np.exp(scores - scores.max(axis=1, keepdims=True))
            if len(pairs) > 1:
                product *= prior
            posterior[items] = product / np.einsum("ij->i", product)[:, np.newaxis]
        return posterior

    def log_likelihood_elsewhere(
        self,
        truth: Floats,
        counts: Counts,
        accuracy: Floats,
        strength: float,
        factors: Floats | float,
    ) -> Floats:
        """Log-likelihood of the classes, each vote judged without the item it is for [1]_.

        A worker's row of counts is shrunk to the worker's `accuracy`, by vote, which has the
        weight of `strength` votes, and with a population prior to the rates of all workers of
        that accuracy. The item's own expected count is taken out of the counts (the predictive form
        of collapsed variational inference), so that no item confirms itself. Each vote's
        log-likelihood is multiplied with its factor. Tables have the shape (n_items, n_classes).

        References
        ----------
        .. [1] A. Asuncion, M. Welling, P. Smyth and Y. W. Teh, "On smoothing and inference
           for topic models", UAI 2009. arXiv:1205.2662
        """
        data, population = self.data, self.data.population
        total = np.zeros_like(truth)
        informative = truth if data.informative.all() else truth * data.informative[:, np.newaxis]
        totals = self.sum_answers(counts.answers) + strength
        right = strength * accuracy
        wrong = (strength - right) / max(data.votes.n_classes - 1, 1)
        for items, votes, pairs in self.groups:
            own = informative[items]
            classes = data.votes.classes[votes]
            given = counts.answers.take(pairs, axis=0)
            given -= own
            if population is not None and len(votes) > 1:
                given += strength * population.estimate_rates(accuracy[votes], classes)
            else:
                chosen = np.arange(0, given.size, truth.shape[1]) + classes.ravel()
                given += np.repeat(wrong[votes], truth.shape[1]).reshape(given.shape)
                given.reshape(-1)[chosen] += (right[votes] - wrong[votes]).ravel()
            given /= totals.take(data.votes.workers[votes], axis=0) - own
            logs = np.log(given, out=given)
            if not isinstance(factors, float):
                logs *= factors[votes][..., np.newaxis]
            total[items] = logs.sum(axis=0)
        return total


def _group_items(n_votes: Ints, pairs: Ints, n_classes: int) -> Iterator[_Group]:
    """Items by how many votes they have, cut into groups that fit in the cache."""
    starts, order = np.cumsum(n_votes) - n_votes, np.argsort(n_votes, kind="stable")
    sizes, first = np.unique(n_votes[order], return_index=True)
    for size, begin, end in zip(sizes, first, np.append(first, order.size)[1:], strict=True):
        step = max(_VALUES_AT_ONCE // (max(size, 1) * n_classes), 1)
        for start in range(begin, end if size else begin, step):
            items = order[start : min(start + step, end)]
            votes = starts[items] + np.arange(size)[:, np.newaxis]
            in_a_row = items[-1] - items[0] == items.size - 1
            yield _Group(slice(items[0], items[-1] + 1) if in_a_row else items, votes, pairs[votes])
