"""Which classes of which items get a probability of their own while an algorithm runs."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from groundtruth.aggregation.classification.counts import add_up
from groundtruth.aggregation.classification.posterior import Posterior
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes

MOST_DENSE_CLASSES = 20
"""With more classes than this, only classes that were chosen get a cell."""


_ITEMS_AT_ONCE = 8192


class Shares(NamedTuple):
    """Values of the cells, and of *each* class of an item that has no cell."""

    cells: Floats
    others: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Cells of a batch: all classes of all items, or the chosen ones of many.

    Attributes
    ----------
    items, classes : ndarray of int, shape (n_cells,)
        Item and class of each cell, sorted by both. Empty where dense: the cells then
        reshape to (n_items, n_classes).
    own : ndarray of int, shape (n_votes,)
        The cell each vote is for.
    unlisted : ndarray of float, shape (n_items,)
        How many classes of an item have no cell.
    n_items, n_classes : int
        How many of each there are.
    dense : bool
        Whether every class of every item has a cell.
    """

    items: Ints
    classes: Ints
    own: Ints
    unlisted: Floats
    n_items: int
    n_classes: int
    dense: bool

    @classmethod
    def of(cls, votes: Votes, gold: Ints) -> Self:
        """Lay out a batch; a known truth has a cell even if nobody chose it.

        Parameters
        ----------
        votes : Votes
            The batch.
        gold : ndarray of int, shape (n_items,)
            True classes, -1 where unknown.
        """
        n_items, n_classes = votes.n_items, votes.n_classes
        dense = n_classes <= MOST_DENSE_CLASSES
        if dense:
            items = classes = np.empty(0, dtype=np.int64)
            own = votes.items * n_classes + votes.classes
        else:
            chosen = votes.items * n_classes + votes.classes
            known = np.flatnonzero(gold >= 0)
            codes = np.unique(np.concatenate([chosen, known * n_classes + gold[known]]))
            items, classes = np.divmod(codes, n_classes)
            own = np.searchsorted(codes, chosen)
        listed = n_classes if dense else np.bincount(items, minlength=n_items)
        unlisted = np.full(n_items, float(n_classes)) - listed
        return cls(items, classes, own, unlisted, n_items, n_classes, dense)

    def table(self, cells: Floats) -> Floats:
        """Look at the cells of a dense layout as a table: shape (n_items, n_classes)."""
        return cells.reshape(self.n_items, self.n_classes)

    def add_votes(self, weights: Floats) -> Floats:
        """Add up the weights of the votes, cell by cell: shape (n_cells,)."""
        n_cells = self.n_classes * self.n_items if self.dense else self.items.size
        return add_up(self.own, weights, n_cells)

    def spread(self, by_item: Floats) -> Floats:
        """Give each cell its item's value: shape (n_cells,)."""
        return np.repeat(by_item, self.n_classes) if self.dense else by_item[self.items]

    def sum_by_class(self, cells: Floats) -> Floats:
        """Add up the values of a class's cells: shape (n_classes,)."""
        if self.dense:
            total: Floats = np.einsum("ij->j", self.table(cells))
            return total
        return add_up(self.classes, cells, self.n_classes)

    def sum_by_item(self, shares: Shares) -> Floats:
        """Add up an item's values, its classes without a cell too: shape (n_items,)."""
        if self.dense:
            total: Floats = np.einsum("ij->i", self.table(shares.cells))
            return total
        return add_up(self.items, shares.cells, self.n_items) + self.unlisted * shares.others

    def normalized(self, shares: Shares) -> Shares:
        """Scale the values so that each item's sum to 1."""
        total = self.sum_by_item(shares)
        if self.dense:
            table = self.table(shares.cells) / total[:, np.newaxis]
            return Shares(table.ravel(), shares.others / total)
        return Shares(shares.cells / self.spread(total), shares.others / total)

    def softmax(self, scores: Shares) -> Shares:
        """Turn logarithms into probabilities that sum to 1 for each item."""
        if self.dense:
            table = np.empty((self.n_items, self.n_classes))
            for first in range(0, self.n_items, _ITEMS_AT_ONCE):
                some = slice(first, first + _ITEMS_AT_ONCE)
                table[some] = softmax(np.array(self.table(scores.cells)[some].T, order="C")).T
            return Shares(table.ravel(), np.zeros(self.n_items))
        top = np.where(self.unlisted > 0, scores.others, -np.inf)
        np.maximum.at(top, self.items, scores.cells)
        others = np.where(self.unlisted > 0, np.exp(scores.others - top), 0.0)
        return self.normalized(Shares(np.exp(scores.cells - top[self.items]), others))

    def settled(self, shares: Shares, gold: Ints) -> Shares:
        """Put all probability of items with a known truth, the others being -1, on that truth."""
        others = np.where(gold >= 0, 0.0, shares.others)
        if not self.dense:
            known = gold[self.items]
            hit = (known == self.classes).astype(np.float64)
            return Shares(np.where(known >= 0, hit, shares.cells), others)
        cells, known = shares.cells.copy(), np.flatnonzero(gold >= 0)
        table = self.table(cells)
        table[known] = 0.0
        table[known, gold[known]] = 1.0
        return Shares(cells, others)

    def raised(self, shares: Shares, items: Ints, cells: Ints, least: Floats) -> Shares:
        """Give some cells, one of each item in `items`, at least a probability below 1.

        The item's other classes share the rest as before. A cell that is not its item's most
        probable one stays as it is.
        """
        before = shares.cells[cells]
        low = (before < least) & (before >= self._best(shares)[items])
        if not low.any():
            return shares
        scale = np.ones(self.n_items)
        scale[items[low]] = (1.0 - least[low]) / (1.0 - before[low])
        found = shares.cells * self.spread(scale)
        found[cells[low]] = least[low]
        return Shares(found, shares.others * scale)

    def _best(self, shares: Shares) -> Floats:
        """Largest value of each item: shape (n_items,)."""
        if self.dense:
            table = self.table(shares.cells)
            best: Floats = np.maximum.reduce(list(table.T))
            return best
        best = shares.others.copy()
        np.maximum.at(best, self.items, shares.cells)
        return best

    def posterior(self, shares: Shares) -> Posterior:
        """Return probabilities as a result that outlives the layout."""
        if self.dense:
            return Posterior.from_dense(self.table(shares.cells))
        return Posterior(self.items, self.classes, shares.cells, shares.others, self.n_classes)


def softmax(table: Floats) -> Floats:
    """Turn logarithms, shape (n_classes, n_items), into probabilities: in place."""
    table -= table.max(axis=0)
    np.exp(table, out=table)
    table /= table.sum(axis=0)
    return table


def largest_change(before: Floats, after: Floats) -> float:
    """Find the largest change of a value; 0 if there is none."""
    return float(np.abs(after - before).max(initial=0.0))
