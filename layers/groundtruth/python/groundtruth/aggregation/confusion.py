"""What answers say about the true class when workers' mix-ups are modelled in full."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.batch import Batch
from groundtruth.aggregation.layout import Shares
from groundtruth.aggregation.ranks import Ranks
from groundtruth.aggregation.skill import add_up
from groundtruth.aggregation.votes import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Rates P(answer | true class) of the workers of a dense batch.

    A *kind* is a worker with an answer. Tables go class by class, so that each step is a
    gather or a sum over plain vectors.

    Attributes
    ----------
    batch : Batch
        A batch whose layout is dense.
    ranks : Ranks
        The order of the votes in here.
    workers, classes, kinds : ndarray of int, shape (n_votes,)
        Worker, chosen class and kind of each vote, in that order.
    kind_workers, kind_answers : ndarray of int, shape (n_kinds,)
        Worker and answer of each kind.
    stored : ndarray of float, shape (n_classes, n_kinds)
        Stored counts by true class and kind.
    stored_rows : ndarray of float, shape (n_classes, n_workers)
        Stored counts by true class and worker.
    """

    batch: Batch
    ranks: Ranks
    workers: Ints
    classes: Ints
    kinds: Ints
    kind_workers: Ints
    kind_answers: Ints
    stored: Floats
    stored_rows: Floats

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """Find the kinds of a batch and look up their stored counts."""
        votes, ranks = batch.votes, Ranks.of(batch.votes)
        workers, classes = votes.workers[ranks.order], votes.classes[ranks.order]
        kind_of_vote = workers * votes.n_classes + classes
        kinds = np.arange(votes.n_workers * votes.n_classes)
        if kinds.size > 4 * votes.n_votes + 1000:
            kinds, kind_of_vote = np.unique(kind_of_vote, return_inverse=True)
        kind_workers, answers = np.divmod(kinds, votes.n_classes)
        everyone = np.arange(votes.n_workers)
        truths = np.arange(votes.n_classes)[:, np.newaxis]
        stored = batch.prior.lookup(kind_workers, truths, answers)
        rows = batch.prior.lookup_rows(everyone, truths)
        return cls(
            batch, ranks, workers, classes, kind_of_vote, kind_workers, answers, stored, rows
        )

    def without_own_item(
        self, truth: Shares, accuracy: Floats, strength: float, factors: Floats | None
    ) -> Shares:
        """Log-likelihood of the classes, each vote judged without the item it is for [1]_.

        A worker's row of counts is shrunk to the worker's accuracy, which has the weight of
        `strength` votes. The item's own expected count is taken out of the counts (the
        predictive form of collapsed variational inference), so that no item confirms itself.

        Parameters
        ----------
        truth : Shares
            How probable each class is to be true.
        accuracy : ndarray of float, shape (n_votes,)
            How often the worker behind each vote is right; votes in canonical order.
        strength : float
            Weight of that in votes, larger than 0.
        factors : ndarray of float, shape (n_votes,), optional
            Each vote's evidence is multiplied with this.

        References
        ----------
        .. [1] A. Asuncion, M. Welling, P. Smyth and Y. W. Teh, "On smoothing and inference
           for topic models", UAI 2009. arXiv:1205.2662
        """
        right = strength * accuracy[self.ranks.order]
        wrong = (strength - right) / max(self.batch.votes.n_classes - 1, 1)
        weights = None if factors is None else factors[self.ranks.order]
        table = self._counted(truth)
        counts, rows = self._expected(table)
        rows += strength
        scores = np.empty_like(table)
        for block in self.ranks.blocks:
            here = block.votes
            workers, classes, kinds = self.workers[here], self.classes[here], self.kinds[here]
            for true in range(len(table)):
                own = block.spread(table[true][block.items])
                expected = np.where(classes == true, right[here], wrong[here])
                expected += counts[true].take(kinds)
                expected -= own
                expected /= rows[true].take(workers) - own
                evidence = np.log(expected, out=expected)
                if weights is not None:
                    evidence *= weights[here]
                scores[true][block.items] = block.collect(evidence)
        return Shares(scores.ravel(), np.zeros(self.batch.votes.n_items))

    def posterior_rates(self, truth: Shares, strength: float) -> Shares:
        """Log-likelihood of the classes under the most probable rates.

        Rows are shrunk to the accuracy of all workers together, and no item is taken out.

        Parameters
        ----------
        truth : Shares
            How probable each class is to be true.
        strength : float
            Weight of that accuracy in votes, larger than 0.

        Returns
        -------
        Shares
            Measured against the first class, whose values are 0.
        """
        table = self._counted(truth)
        counts, rows = self._expected(table)
        own_class = self.kind_answers == np.arange(len(table))[:, np.newaxis]
        right = strength * self.batch.pooled_accuracy(float(counts[own_class].sum()))
        wrong = (strength - right) / max(len(table) - 1, 1)
        evidence = np.log(counts + np.where(own_class, right, wrong))
        evidence -= np.log(rows + strength)[:, self.kind_workers]
        evidence -= evidence[0].copy()
        scores = np.zeros_like(table)
        for block in self.ranks.blocks:
            kinds = self.kinds[block.votes]
            for true in range(1, len(table)):
                scores[true][block.items] = block.collect(evidence[true].take(kinds))
        return Shares(scores.ravel(), np.zeros(self.batch.votes.n_items))

    def _counted(self, truth: Shares) -> Floats:
        """Shares by class and item; 0 for items that teach nothing."""
        table = truth.cells.reshape(self.batch.votes.n_classes, self.batch.votes.n_items)
        return table if self.batch.counted.all() else table * self.batch.counted

    def _expected(self, table: Floats) -> tuple[Floats, Floats]:
        """Counts by true class and kind, and by true class and worker."""
        new = np.zeros_like(self.stored)
        for block in self.ranks.blocks:
            kinds = self.kinds[block.votes]
            for true in range(len(table)):
                shares = block.spread(table[true][block.items])
                new[true] += add_up(kinds, shares, self.kind_workers.size)
        n_workers = self.batch.votes.n_workers
        rows = [add_up(self.kind_workers, counts, n_workers) for counts in new]
        return new + self.stored, np.array(rows) + self.stored_rows


def one_coin(batch: Batch, accuracy: Floats, factors: Floats | None) -> Shares:
    """Log-likelihood of the classes if all mix-ups of a worker are equally probable.

    Measured against a class that nobody chose. It needs memory for the votes only, and is
    what a batch with many classes gets: full tables can not be learned there.
    """
    wrong = (1.0 - accuracy) / max(batch.votes.n_classes - 1, 1)
    evidence = np.log(accuracy / wrong)
    if factors is not None:
        evidence = evidence * factors
    return Shares(batch.layout.add_votes(evidence), np.zeros(batch.votes.n_items))


def known_of_lone(batch: Batch, accuracy: Floats, shares: Shares) -> Shares:
    """The shares, where an item with one vote gets what is known of its worker alone.

    Parameters
    ----------
    batch : Batch
        The votes.
    accuracy : ndarray of float, shape (n_votes,)
        How often the worker behind each vote is right.
    shares : Shares
        Result for the other items.
    """
    lone = batch.votes.votes_per_item == 1
    if not lone.any():
        return shares
    known = batch.layout.softmax(one_coin(batch, accuracy, None))
    return Shares(
        np.where(batch.layout.spread(lone.astype(np.float64)) > 0, known.cells, shares.cells),
        np.where(lone, known.others, shares.others),
    )
