"""What answers say about the true class when workers' mix-ups are modelled in full."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from groundtruth.aggregation.classification.counts import add_up
from groundtruth.aggregation.classification.em import Batch
from groundtruth.aggregation.classification.votes import Floats, Ints
from groundtruth.aggregation.layout import Shares
from groundtruth.aggregation.ranks import Block, Ranks


class Expected(NamedTuple):
    """What the workers of a batch are expected to have done, the stored counts too.

    Attributes
    ----------
    counts : ndarray of float, shape (n_kinds, n_classes)
        Counts by kind and true class.
    rows : ndarray of float, shape (n_workers, n_classes)
        Answers by worker and true class, and the strength of what they are shrunk to.
    right : ndarray of float, shape (n_workers,)
        Right answers by worker.
    """

    counts: Floats
    rows: Floats
    right: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Rates P(answer | true class) of the workers of a dense batch.

    A *kind* is a worker with an answer. Items and votes are in the order of `ranks`.
    Tables have a row for each item, worker or kind: one look-up brings all its classes.

    Attributes
    ----------
    batch : Batch
        A batch whose layout is dense.
    ranks : Ranks
        The order of items and votes in here.
    workers, kinds : ndarray of int, shape (n_votes,)
        Worker and kind of each vote.
    own : ndarray of int, shape (n_votes,)
        Where the chosen class is in the rows by class of a part's votes, laid end to end.
    gold, counted, several : ndarray, shape (n_items,)
        True class, -1 where unknown; 1 where workers are judged by an item; 1 where an
        item has two votes or more; else 0.
    kind_workers, kind_answers : ndarray of int, shape (n_kinds,)
        Worker and answer of each kind.
    stored : ndarray of float, shape (n_kinds, n_classes)
        Stored counts by kind and true class.
    stored_rows : ndarray of float, shape (n_workers, n_classes)
        Stored counts by worker and true class.
    spare : ndarray of float, shape (3, n, n_classes)
        Room for values of the votes of any part; always the same, so that it is in the cache.
    """

    batch: Batch
    ranks: Ranks
    workers: Ints
    kinds: Ints
    own: Ints
    gold: Ints
    counted: Floats
    several: Floats
    kind_workers: Ints
    kind_answers: Ints
    stored: Floats
    stored_rows: Floats
    spare: Floats

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """Find the kinds of a batch and look up their stored counts."""
        votes, ranks = batch.votes, Ranks.of(batch.votes, batch.per_item)
        n_classes = votes.n_classes
        workers, classes = votes.workers[ranks.order], votes.classes[ranks.order]
        kind_of_vote = workers * n_classes + classes
        kinds = np.arange(votes.n_workers * n_classes)
        if kinds.size > 4 * votes.n_votes + 1000:
            kinds, kind_of_vote = np.unique(kind_of_vote, return_inverse=True)
        kind_workers, answers = np.divmod(kinds, n_classes)
        own = classes
        for block in ranks.blocks:
            for part in block.parts:
                here = own[block.votes][part.votes]
                here += np.arange(0, here.size * n_classes, n_classes)
        largest = max(part.size for block in ranks.blocks for part in block.parts)
        truths, everyone = np.arange(n_classes), np.arange(votes.n_workers)[:, np.newaxis]
        of_kinds = (kind_workers[:, np.newaxis], truths, answers[:, np.newaxis])
        return cls(
            batch=batch,
            ranks=ranks,
            workers=workers,
            kinds=kind_of_vote,
            own=own,
            gold=batch.gold[ranks.items],
            counted=batch.counted[ranks.items],
            several=(batch.per_item[ranks.items] > 1).astype(np.float64),
            kind_workers=kind_workers,
            kind_answers=answers,
            stored=batch.prior.lookup(*of_kinds),
            stored_rows=batch.prior.lookup_rows(everyone, truths),
            spare=np.empty((3, largest, n_classes)),
        )

    def table(self, shares: Shares) -> Floats:
        """Return shares of the batch as a table of their own: shape (n_items, n_classes)."""
        rows = self.batch.layout.table(shares.cells)
        return rows.copy() if isinstance(self.ranks.items, slice) else rows[self.ranks.items]

    def shares(self, table: Floats) -> Shares:
        """Return such a table as shares of the batch."""
        return Shares(self.ranks.restored(table).ravel(), np.zeros(self.batch.votes.n_items))

    def by_vote(self, values: Floats) -> Floats:
        """Bring values by vote back into the canonical order."""
        found = np.empty_like(values)
        found[self.ranks.order] = values
        return found

    def known(self, block: Block, learned: Floats) -> Floats:
        """Put all probability of a block's items with a known truth on that truth.

        Parameters
        ----------
        block : Block
            Some items and their votes.
        learned : ndarray of float, shape (n_classes, n_items)
            How probable each class is, for the items of the block; changed in place.
        """
        gold = self.gold[block.items]
        known = np.flatnonzero(gold >= 0)
        if known.size:
            learned[:, known] = 0.0
            learned[gold[known], known] = 1.0
        return learned

    def expected(self, truth: Floats, strength: float) -> Expected:
        """Count, for a table of how probable each class is to be true.

        Each row of a worker will be shrunk to something that has the weight of `strength`
        votes, and is that much larger.
        """
        counts = self._new_counts(truth)
        agreed = counts[np.arange(len(counts)), self.kind_answers]
        n_workers = self.batch.votes.n_workers
        right = self.batch.right + add_up(self.kind_workers, agreed, n_workers)
        rows = [add_up(self.kind_workers, column, n_workers) for column in counts.T]
        every_row = np.array(rows).T + (self.stored_rows + strength)
        counts += self.stored
        return Expected(counts, np.ascontiguousarray(every_row), right)

    def _new_counts(self, truth: Floats) -> Floats:
        """Counts of the batch alone, by kind and true class."""
        n_kinds, n_classes = self.stored.shape
        shares = truth if self.counted.all() else truth * self.counted[:, np.newaxis]
        if n_classes % 2:
            shares = np.append(shares, np.zeros((len(shares), 1)), axis=1)
        # Two classes at a time, as the real and the imaginary part: one look-up for both.
        pairs = np.zeros((-(-n_classes // 2), n_kinds), dtype=np.complex128)
        for pair, column in zip(pairs, shares.view(np.complex128).T, strict=True):
            for block in self.ranks.blocks:
                kinds, values = self.kinds[block.votes], column[block.items]
                for part in block.parts:
                    np.add.at(pair, kinds[part.votes], values[part.items])
        parts = pairs.view(np.float64).reshape(len(pairs), n_kinds, 2)
        rows = parts.transpose(1, 0, 2).reshape(n_kinds, 2 * len(pairs))
        return np.ascontiguousarray(rows[:, :n_classes])

    def counted_shares(self, truth: Floats, block: Block) -> Floats:
        """Return such a table's rows for the items of a block; 0 where they teach nothing."""
        counted = self.counted[block.items]
        here = truth[block.items]
        return here if counted.all() else here * counted[:, np.newaxis]
