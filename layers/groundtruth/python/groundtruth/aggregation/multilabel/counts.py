"""What is known of each worker and label in multi-label work."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from groundtruth.aggregation.classification.votes import Floats, Ints
from groundtruth.aggregation.multilabel.selections import Bools, Selections


@dataclass(frozen=True, slots=True, eq=False)
class LabelCounts:
    """Expected 2 x 2 counts of each worker and label; counts of two batches may be added.

    Attributes
    ----------
    amounts : ndarray of float, shape (n_workers, n_labels, 2, 2)
        ``amounts[worker, label, truth, picked]``: how often, as an expectation, the worker
        picked (1) or left out (0) a label that applies (1) or does not (0). Not negative.

    Raises
    ------
    ValueError
        If the shape differs or an amount is negative or not finite.
    """

    amounts: Floats

    def __post_init__(self) -> None:
        amounts = np.array(self.amounts, dtype=np.float64)
        if amounts.ndim != 4 or amounts.shape[2:] != (2, 2):
            raise ValueError("amounts must have shape (n_workers, n_labels, 2, 2)")
        if not np.all(np.isfinite(amounts)) or np.any(amounts < 0):
            raise ValueError("amounts must be finite and not negative")
        amounts.flags.writeable = False
        object.__setattr__(self, "amounts", amounts)

    @classmethod
    def empty(cls, n_workers: int, n_labels: int) -> Self:
        """Return counts of workers of whom nothing is known."""
        return cls(np.zeros((n_workers, n_labels, 2, 2)))


@dataclass(frozen=True, slots=True, eq=False)
class LabelCountUpdates:
    """What a batch teaches about its workers, item by item.

    Each answer of an item counts 1 per label in all. An item with one answer
    teaches nothing (nobody confirms the answer), unless a label's truth is known.
    """

    # items, workers: shape (n_answers,): item, ascending, and worker of each answer
    items: Ints
    workers: Ints
    picked: Bools  # shape (n_answers, n_labels)
    truths: Floats  # shape (n_answers, n_labels): how probable it is that the label applies
    counted: Floats  # shape (n_answers, n_labels): 1 where the answer counts, else 0
    n_workers: int  # how many workers there are

    def of_item(self, item: int) -> tuple[Ints, Floats]:
        """Return an item's workers, shape (n,), and amounts, shape (n, n_labels, 2, 2)."""
        start, stop = np.searchsorted(self.items, [item, item + 1])
        part = slice(start, stop)
        return self.workers[part], self._amounts(part)

    def total(self) -> LabelCounts:
        """Return what the whole batch teaches."""
        amounts = np.zeros((self.n_workers, self.picked.shape[1], 2, 2))
        np.add.at(amounts, self.workers, self._amounts(slice(None)))
        return LabelCounts(amounts)

    def _amounts(self, part: slice) -> Floats:
        picked = self.picked[part].astype(np.float64)
        truths, counted = self.truths[part], self.counted[part]
        against = counted * (1.0 - truths)
        applies = counted * truths
        rows = [[against * (1.0 - picked), against * picked]]
        rows.append([applies * (1.0 - picked), applies * picked])
        return np.moveaxis(np.array(rows), (0, 1), (2, 3))


@dataclass(frozen=True, eq=False)
class LabelConsolidation:
    """Result of the multi-label algorithm."""

    posterior: Floats  # shape (n_items, n_labels): probability that each label applies
    selections: Selections  # the batch it is about
    # shape (n_items, n_labels): how probable each label is, as far as workers are judged by it
    truth: Floats
    counted: Floats  # shape (n_items, n_labels): 1 where workers are judged, else 0
    rounds: int  # how many rounds were made

    @cached_property
    def count_updates(self) -> LabelCountUpdates:
        """What the batch alone taught about its workers, item by item."""
        given = self.selections
        return LabelCountUpdates(
            items=given.items,
            workers=given.workers,
            picked=given.picked,
            truths=self.truth[given.items],
            counted=self.counted[given.items],
            n_workers=given.n_workers,
        )
