"""Probability of each class for each item, and the result of algorithms that learn of workers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.counts import CountUpdates, sum_groups
from groundtruth.aggregation.classification.dependence import Evidence
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes

Scalar = TypeVar("Scalar", bound=np.generic)

MOST_LISTED_CLASSES = 20
"""With more classes than this, only those that somebody chose are listed one by one."""

SAME = 1e-9
"""Probabilities that differ by no more count as equal.

Sums over parts of the items are rounded in another order than one over all of them.
"""

_ITEMS_AT_ONCE = 4096
_SMALLEST_SHARE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class ClassLayout:
    """Which classes of which items have a value of their own.

    A *cell* holds the value of one class of one item. With many classes, those that nobody chose
    for an item have one cell together, the *rest*, for nothing tells them apart. So 1,000 classes
    and a million votes take as much memory as the votes do.
    """

    items: Ints  # by cell, ascending; every item has one
    classes: Ints  # by cell, ascending within an item; of a rest the first it stands for
    widths: Floats  # by cell: how many classes it stands for, 1 unless it is a rest
    is_rest: NDArray[np.bool_]  # by cell
    starts: Ints  # by item: its first cell
    n_items: int
    n_classes: int

    @classmethod
    def from_votes(cls, votes: Votes, gold: Ints) -> Self:
        """Lay out a batch; a known truth (-1 where unknown) is listed even if nobody chose it."""
        n_items, n_classes = votes.n_items, votes.n_classes
        if n_classes <= MOST_LISTED_CLASSES:
            codes, rests = np.arange(n_items * n_classes), np.empty(0, dtype=np.int64)
        else:
            known = np.flatnonzero(gold >= 0)
            chosen = votes.items * n_classes + votes.classes
            listed = np.unique(np.concatenate([chosen, known * n_classes + gold[known]]))
            rests = _find_rests(listed, n_items, n_classes)
            codes = np.sort(np.concatenate([listed, rests]))
        items, classes = np.divmod(codes, n_classes)
        n_cells = np.bincount(items, minlength=n_items)
        is_rest = np.zeros(codes.size, dtype=np.bool_)
        is_rest[np.searchsorted(codes, rests)] = True
        widths = np.ones(codes.size)
        widths[is_rest] += n_classes - n_cells[items[is_rest]]
        starts = np.cumsum(n_cells) - n_cells
        return cls(items, classes, widths, is_rest, starts, n_items, n_classes)

    @property
    def is_complete(self) -> bool:
        """Whether every class is listed: values then reshape to (n_items, n_classes)."""
        return self.n_classes <= MOST_LISTED_CLASSES

    def find_cells(self, items: Ints, classes: Ints) -> Ints:
        """Return the cells of some listed classes."""
        wanted = items * self.n_classes + classes
        if self.is_complete:
            return wanted
        return np.searchsorted(self.items * self.n_classes + self.classes, wanted)

    def spread(self, by_item: NDArray[Scalar]) -> NDArray[Scalar]:
        """Give each cell its item's value."""
        return np.repeat(by_item, self.n_classes) if self.is_complete else by_item[self.items]

    def find_largest(self, values: Floats) -> Floats:
        """Return the largest value of each item: shape (n_items,)."""
        if self.is_complete:  # several times faster than what follows
            columns = np.ascontiguousarray(values.reshape(self.n_items, self.n_classes).T)
            return columns.max(axis=0)
        return np.maximum.reduceat(values, self.starts)

    def find_best(self, values: Floats) -> Ints:
        """Return each item's cell with the largest probability; of equal ones the first."""
        best = np.flatnonzero(values >= self.spread(self.find_largest(values) - SAME))
        return best[np.searchsorted(best, self.starts)]

    def raise_cells(self, values: Floats, cells: Ints, wanted: Floats) -> Floats:
        """Raise the probabilities of these cells, one of an item at most, to those wanted.

        The item's other classes share the rest as before.
        """
        scale = np.ones(self.n_items)
        scale[self.items[cells]] = (1.0 - wanted) / (1.0 - values[cells])
        raised = values * self.spread(scale)
        raised[cells] = wanted
        return raised

    def normalize(self, values: Floats) -> Floats:
        """Scale the values so that those of all classes of an item sum to 1."""
        weights = values if self.is_complete else values * self.widths
        totals = np.bincount(self.items, weights=weights, minlength=self.n_items)
        scaled: Floats = values / self.spread(totals)
        return scaled

    def softmax(self, scores: Floats) -> Floats:
        """Turn logarithms into probabilities that sum to 1 for each item."""
        if not self.is_complete:
            powers = scores - self.spread(self.find_largest(scores))
            return self.normalize(np.exp(powers, out=powers))
        # The same, several times faster: class by class, for as many items as fit in the cache.
        table = scores.reshape(self.n_items, self.n_classes)
        posterior = np.empty_like(table)
        for first in range(0, self.n_items, _ITEMS_AT_ONCE):
            columns = np.array(table[first : first + _ITEMS_AT_ONCE].T, order="C")
            columns -= columns.max(axis=0)
            np.exp(columns, out=columns)
            columns /= sum(columns)  # row by row, so that no other item changes a bit
            posterior[first : first + _ITEMS_AT_ONCE] = columns.T
        return posterior.ravel()


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Probability of each class by item.

    Attributes
    ----------
    layout : ClassLayout
        What the probabilities are of.
    probabilities : ndarray of float, shape (n_cells,)
        Probability of each cell's class, or of *each* class that the cell stands for.

    Examples
    --------
    >>> votes = Votes(np.array([0, 1]), np.array([0, 0]), np.array([1, 0]), 2, 1, 2)
    >>> layout = ClassLayout.from_votes(votes, gold=np.array([-1, -1]))
    >>> posterior = Posterior(layout, np.array([0.25, 0.75, 0.5, 0.5]))
    >>> posterior.labels
    array([1, 0])
    >>> posterior.confidences
    array([0.75, 0.5 ])
    """

    layout: ClassLayout
    probabilities: Floats

    @property
    def labels(self) -> Ints:
        """Most probable class by item; a tie goes to the class listed first."""
        return self.layout.classes[self.layout.find_best(self.probabilities)]

    @property
    def confidences(self) -> Floats:
        """Probability of the label: ndarray of float, shape (n_items,)."""
        return self.layout.find_largest(self.probabilities)

    def dense(self, first: int = 0, last: int | None = None) -> Floats:
        """Return all probabilities, from an item on and up to another if these are given.

        ndarray of float, shape (n_items, n_classes).
        """
        layout = self.layout
        last = layout.n_items if last is None else last
        cells = slice(*np.searchsorted(layout.items, [first, last]))
        items, is_rest = layout.items[cells] - first, layout.is_rest[cells]
        rest, probabilities = np.zeros(last - first), self.probabilities[cells]
        rest[items[is_rest]] = probabilities[is_rest]
        table = np.repeat(rest[:, np.newaxis], layout.n_classes, axis=1)
        table[items, layout.classes[cells]] = probabilities
        return table


def _find_rests(listed: Ints, n_items: int, n_classes: int) -> Ints:
    """Code of the first class that is not listed, for each item that has one."""
    items, classes = np.divmod(listed, n_classes)
    n_listed = np.bincount(items, minlength=n_items)
    ranks = np.arange(listed.size) - (np.cumsum(n_listed) - n_listed)[items]
    # Up to the first gap, an item's classes are 0, 1, 2, …
    first = np.bincount(items[classes == ranks], minlength=n_items)
    codes: Ints = (np.arange(n_items) * n_classes + first)[first < n_classes]
    return codes


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
    evidence : Evidence, optional
        What each item shows of whether workers err together; only of algorithms that ask.
    elsewhere : Evidence, optional
        What the other items and earlier calls show of it, by item: the item's dependence was
        found from this.
    """

    posterior: Posterior
    votes: Votes
    truth: Posterior
    informative: NDArray[np.bool_]
    rounds: int
    evidence: Evidence | None = None
    elsewhere: Evidence | None = None

    @cached_property
    def count_updates(self) -> CountUpdates:
        """What the batch alone taught about its workers, item by item.

        Classes that are less probable than 0.01, or that nobody chose of many, are left out.
        """
        votes, layout, probabilities = self.votes, self.truth.layout, self.truth.probabilities
        kept = (probabilities >= _SMALLEST_SHARE) & self.informative[layout.items] & ~layout.is_rest
        items, classes, shares = layout.items[kept], layout.classes[kept], probabilities[kept]
        shares = shares / sum_groups(items, shares, votes.n_items)[items]
        # Each vote meets each class that its item may be.
        n_kept = np.bincount(items, minlength=votes.n_items)[votes.items]
        vote = np.repeat(np.arange(votes.n_votes), n_kept)
        rank = np.arange(vote.size) - np.repeat(np.cumsum(n_kept) - n_kept, n_kept)
        cell = np.searchsorted(items, votes.items)[vote] + rank
        return CountUpdates(
            items=votes.items[vote],
            workers=votes.workers[vote],
            truths=classes[cell],
            answers=votes.classes[vote],
            amounts=shares[cell],
            n_workers=votes.n_workers,
            n_classes=votes.n_classes,
        )
