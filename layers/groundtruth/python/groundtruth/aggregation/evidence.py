"""What votes say about the true class by the rates at which workers mix up classes."""

import numpy as np

from groundtruth.aggregation.classification.confusion import Confusion
from groundtruth.aggregation.classification.votes import Floats
from groundtruth.aggregation.layout import softmax
from groundtruth.aggregation.products import most_factors
from groundtruth.aggregation.ranks import Block


def rates_of_kinds(model: Confusion, truth: Floats, strength: float) -> Floats:
    """Find the most probable rates P(answer | true class).

    Rows are shrunk to the accuracy of all workers together, and no item is taken out.

    Parameters
    ----------
    model : Confusion
        The workers.
    truth : ndarray of float, shape (n_items, n_classes)
        How probable each class is to be true.
    strength : float
        Weight of that accuracy in votes, larger than 0.

    Returns
    -------
    ndarray of float, shape (n_kinds, n_classes)
        By kind and true class; in (0, 1].
    """
    expected = model.expected(truth, strength)
    right = strength * model.batch.pooled_accuracy(float(expected.right.sum()))
    own = (np.arange(len(expected.counts)), model.kind_answers)
    rates: Floats = expected.counts + (strength - right) / max(expected.counts.shape[1] - 1, 1)
    rates[own] = expected.counts[own] + right
    rates /= expected.rows[model.kind_workers]
    return rates


class Posteriors:
    """Posterior of the classes, given a prior and the rates of the workers.

    Where votes are in ranks, the rates of an item's votes are multiplied, as long as the
    product can be held; otherwise their logarithms are added up.

    Parameters
    ----------
    model : Confusion
        The workers.
    rates : ndarray of float, shape (n_kinds, n_classes)
        From `rates_of_kinds`.
    prior : ndarray of float, shape (n_classes,)
        Probability of each class, larger than 0. Not used for items with fewer than two votes.
    """

    def __init__(self, model: Confusion, rates: Floats, prior: Floats) -> None:
        self._model = model
        self._smallest = min(float(rates.min(initial=1.0)), float(prior.min()))
        self._rates, self._prior = rates, prior
        self._weighted = self._logs = np.empty(0)

    def put(self, block: Block, table: Floats) -> None:
        """Work out the posterior of a block's items.

        Parameters
        ----------
        block : Block
            Some items and their votes.
        table : ndarray of float, shape (n_items, n_classes)
            Where to put it.
        """
        most = most_factors(smallest=self._smallest, largest=1.0)
        if len(block.parts) < most and all(isinstance(part.items, slice) for part in block.parts):
            self._multiply(block, table)
        else:
            table[:] = softmax(self._scores(block)).T

    def _multiply(self, block: Block, table: Floats) -> None:
        """Put in the products of the prior and the rates, scaled to sum to 1."""
        if not self._weighted.size:
            self._weighted = self._rates * self._prior
        kinds, parts = self._model.kinds[block.votes], block.parts
        first, several = kinds[parts[0].votes], parts[1].size if len(parts) > 1 else 0
        self._weighted.take(first[:several], axis=0, mode="clip", out=table[:several])
        self._rates.take(first[several:], axis=0, mode="clip", out=table[several : first.size])
        table[first.size :] = 1.0
        for part in parts[1:]:
            rows = self._model.spare[0, : part.size]
            self._rates.take(kinds[part.votes], axis=0, mode="clip", out=rows)
            here = table[part.items]
            here *= rows
        table /= np.einsum("ij->i", table)[:, np.newaxis]

    def _scores(self, block: Block) -> Floats:
        """Logarithms of the same products: shape (n_classes, n_items)."""
        if not self._logs.size:
            self._logs = np.log(self._rates)
        kinds = self._model.kinds[block.votes]
        totals = np.zeros((block.n_items, self._rates.shape[1]))
        for part in block.parts:
            rows = self._model.spare[0, : part.size]
            self._logs.take(kinds[part.votes], axis=0, mode="clip", out=rows)
            part.add_to(totals, rows)
        scores = np.array(totals.T, order="C")
        scores += np.log(self._prior)[:, np.newaxis] * self._model.several[block.items]
        return scores
