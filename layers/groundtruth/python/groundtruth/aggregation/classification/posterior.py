"""Probability of each class for each item; classes nobody chose may share one value."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.classification.votes import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Probabilities by item and class, with memory for the classes that were chosen.

    A *cell* is a class of an item that has a probability of its own. All classes of an
    item without a cell have the same probability, `others`. So 1,000 classes and a
    million votes take as much memory as the votes do.

    Parameters
    ----------
    items, classes : ndarray of int, shape (n_cells,)
        The cells, sorted by item and class, each there once.
    probabilities : ndarray of float, shape (n_cells,)
        Probability of each cell.
    others : ndarray of float, shape (n_items,)
        Probability of *each* class that has no cell; 0 where all have one.
    n_classes : int
        How many classes there are.

    Examples
    --------
    >>> posterior = Posterior.from_dense(np.array([[0.25, 0.75], [0.5, 0.5]]))
    >>> posterior.labels
    array([1, 0])
    >>> posterior.confidences
    array([0.75, 0.5 ])
    """

    items: Ints
    classes: Ints
    probabilities: Floats
    others: Floats
    n_classes: int

    @classmethod
    def from_dense(cls, probabilities: Floats) -> Self:
        """Posterior in which every class of every item has a cell.

        Parameters
        ----------
        probabilities : ndarray of float, shape (n_items, n_classes)
            Rows sum to 1.
        """
        n_items, n_classes = probabilities.shape
        items, classes = np.empty((2, n_items, n_classes), dtype=np.int64)
        items[:] = np.arange(n_items)[:, np.newaxis]
        classes[:] = np.arange(n_classes)
        return cls(
            items=items.ravel(),
            classes=classes.ravel(),
            probabilities=probabilities.ravel(),
            others=np.zeros(n_items),
            n_classes=n_classes,
        )

    @property
    def n_items(self) -> int:
        """How many items there are."""
        return int(self.others.size)

    @property
    def labels(self) -> Ints:
        """Most probable class by item; a tie goes to the class listed first."""
        best = self._best_cells()
        starts = np.searchsorted(self.items, np.arange(self.n_items))
        ranks = np.arange(self.items.size) - starts[self.items]
        at_best = np.flatnonzero(self.probabilities == best[self.items])
        found, first = np.unique(self.items[at_best], return_index=True)
        labels = np.full(self.n_items, self.n_classes)
        labels[found] = self.classes[at_best[first]]
        # The first class without a cell is where the cells' classes stop being 0, 1, 2, …
        missing = np.bincount(self.items, minlength=self.n_items)
        gaps = np.flatnonzero(self.classes > ranks)
        found, first = np.unique(self.items[gaps], return_index=True)
        missing[found] = ranks[gaps[first]]
        unlisted = (self.others > best) | ((self.others == best) & (missing < labels))
        return np.where(unlisted, missing, labels)

    @property
    def confidences(self) -> Floats:
        """Probability of the label: ndarray of float, shape (n_items,)."""
        return np.maximum(self._best_cells(), self.others)

    def dense(self) -> Floats:
        """Return all probabilities: ndarray of float, shape (n_items, n_classes)."""
        table = np.repeat(self.others[:, np.newaxis], self.n_classes, axis=1)
        table[self.items, self.classes] = self.probabilities
        return table

    def of_item(self, item: int) -> tuple[Ints, Floats]:
        """Return the cells of one item: their classes, ascending, and probabilities."""
        start, stop = np.searchsorted(self.items, [item, item + 1])
        return self.classes[start:stop], self.probabilities[start:stop]

    def _best_cells(self) -> Floats:
        """Largest probability among an item's cells; -1 where it has none."""
        best = np.full(self.n_items, -1.0)
        starts = np.flatnonzero(np.diff(self.items, prepend=-1))
        if starts.size:
            best[self.items[starts]] = np.maximum.reduceat(self.probabilities, starts)
        return best
