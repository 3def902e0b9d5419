"""Items whose votes all agree: no less sure than the best of their workers alone.

Smoothing and tempering would else make two agreeing workers less sure than one of them.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.classification.counts import add_up
from groundtruth.aggregation.classification.em import Batch
from groundtruth.aggregation.classification.votes import Floats, Ints
from groundtruth.aggregation.layout import Shares

_HIGHEST = 1 - 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Unanimous:
    """The items of a batch with two votes or more, all for one class.

    Attributes
    ----------
    batch : Batch
        The votes.
    items : ndarray of int, shape (n,)
        The items.
    cells : ndarray of int, shape (n,)
        Where that class is in the layout's cells.
    votes : ndarray of int
        Their votes, one item after the other.
    starts : ndarray of int, shape (n,)
        Where each item's votes begin in `votes`.
    """

    batch: Batch
    items: Ints
    cells: Ints
    votes: Ints
    starts: Ints

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """Find them."""
        given, classes = batch.votes.items, batch.votes.classes
        starts = np.flatnonzero(np.diff(given, prepend=-1))
        sizes = np.diff(starts, append=given.size)
        agree = sizes > 1
        if starts.size:
            lowest, highest = (f.reduceat(classes, starts) for f in (np.minimum, np.maximum))
            agree &= lowest == highest
        first, chosen = starts[agree], sizes[agree]
        return cls(
            batch=batch,
            items=given[first],
            cells=batch.layout.own[first],
            votes=np.flatnonzero(np.repeat(agree, sizes)),
            starts=np.cumsum(chosen) - chosen,
        )

    def best_alone(
        self,
        truth: Shares,
        strength: float,
        *,
        row_strength: float = 0.0,
        max_weights: Floats | None = None,
    ) -> Floats:
        """How sure the best worker of each item would be alone, erring to all classes alike.

        Parameters
        ----------
        truth : Shares
            How probable each class is to be true, as far as workers are judged by it.
        strength : float
            How many votes the accuracy before any evidence counts for; above 0.
        row_strength : float, optional
            How many votes that accuracy counts for in each row of a confusion matrix, where
            an algorithm learns these.
        max_weights : ndarray of float, shape (n_workers,), optional
            Largest weight each worker may have.

        Returns
        -------
        ndarray of float, shape (n,)
        """
        if not self.items.size:
            return np.empty(0)
        batch, n_classes = self.batch, self.batch.votes.n_classes
        known = self._accuracies(truth, strength, row_strength * n_classes)
        known = np.minimum(known, _HIGHEST)
        evidence = np.log(known * max(n_classes - 1, 1) / (1.0 - known))
        if max_weights is not None:
            evidence *= batch.factors(known, batch.caps(max_weights)[self.votes])
        strongest = np.maximum.reduceat(evidence, self.starts)
        best: Floats = 1.0 / (1.0 + (n_classes - 1) * np.exp(-strongest))
        return best

    def _accuracies(self, truth: Shares, strength: float, more: float) -> Floats:
        """How often the worker behind each of the votes is right, as `Batch.accuracy` if alone."""
        batch, votes = self.batch, self.votes
        counted = batch.counted[batch.votes.items]
        agreed = truth.cells[batch.layout.own] * counted
        right = batch.right + add_up(batch.votes.workers, agreed, batch.votes.n_workers)
        workers, agreed, counted = batch.votes.workers[votes], agreed[votes], counted[votes]
        lone = np.ones(votes.size, np.bool_)
        known = batch.judged(right, workers, agreed, counted, lone, strength)
        drawn = right[workers] - agreed + more * known
        given = batch.given[workers] - counted + more
        return np.divide(drawn, given, out=known, where=more > 0)

    def raised(self, shares: Shares, least: Floats) -> Shares:
        """Give the items' classes, where they are the labels, at least so much: shape (n,)."""
        return self.batch.layout.raised(shares, self.items, self.cells, least)
