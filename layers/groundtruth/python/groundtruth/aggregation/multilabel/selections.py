"""Sets of labels: those each worker picked and those decided on, and what they teach of workers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.dependence import Evidence
from groundtruth.aggregation.classification.votes import Floats, Ints

Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Selections:
    """Answers that pick any number of labels, held in one canonical order.

    A label that an answer leaves out is a vote against it. The order of the arguments
    carries no meaning, and an answer that is there twice counts once.

    Parameters
    ----------
    items, workers : ndarray of int, shape (n_answers,)
        Indices from 0 of what was answered and by whom.
    picked : ndarray of bool, shape (n_answers, n_labels)
        Whether the answer picks the label; at least one label.
    n_items, n_workers : int
        How many of each there are. An item or a worker may have no answer.

    Raises
    ------
    ValueError
        If shapes differ or an index is out of range.

    Examples
    --------
    >>> answers = Selections(
    ...     np.array([0, 0]), np.array([0, 1]), np.array([[True, False], [True, True]]), 1, 2
    ... )
    >>> answers.counts
    array([[2., 1.]])
    """

    items: Ints
    workers: Ints
    picked: Bools
    n_items: int
    n_workers: int

    def __post_init__(self) -> None:
        picked = np.array(self.picked)
        if picked.ndim != 2 or picked.dtype != np.bool_ or picked.shape[1] < 1:
            raise ValueError("picked must be a table of truth values with a column or more")
        items = _indices("items", self.items, self.n_items, len(picked))
        workers = _indices("workers", self.workers, self.n_workers, len(picked))
        pairs = items * self.n_workers + workers
        if not np.all(np.diff(pairs) > 0):  # else they are in order, and none is there twice
            order = np.lexsort((*picked.T, pairs))
            same = np.diff(pairs[order]) == 0
            same &= np.all(picked[order[1:]] == picked[order[:-1]], axis=1)
            order = order[np.append(True, ~same)]
            items, workers, picked = items[order], workers[order], picked[order]
        for name, column in (("items", items), ("workers", workers), ("picked", picked)):
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    @property
    def n_labels(self) -> int:
        """How many labels there are."""
        return int(self.picked.shape[1])

    @property
    def answers_per_item(self) -> Ints:
        """How many answers each item received: ndarray of int, shape (n_items,)."""
        return np.bincount(self.items, minlength=self.n_items)

    @property
    def counts(self) -> Floats:
        """How many answers pick each label: ndarray of float, shape (n_items, n_labels)."""
        return sum_rows(self.items, self.picked.astype(np.float64), self.n_items)


def sum_rows(groups: Ints, rows: Floats, n_groups: int) -> Floats:
    """Add up rows group by group: shape (n_groups, n_columns)."""
    n_columns = rows.shape[1]
    cells = (groups[:, np.newaxis] * n_columns + np.arange(n_columns)).ravel()
    sums = np.bincount(cells, weights=rows.ravel(), minlength=n_groups * n_columns)
    return sums.astype(np.float64, copy=False).reshape(n_groups, n_columns)


def _indices(name: str, values: Ints, limit: int, length: int) -> Ints:
    array = np.asarray(values)
    if array.shape != (length,):
        raise ValueError(f"{name} must have one entry per answer")
    if array.size and (array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= limit):
        raise ValueError(f"{name} must hold whole numbers from 0 to {limit - 1}")
    return array.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class LabelSets:
    """The labels decided on.

    Attributes
    ----------
    chosen : ndarray of bool, shape (n_items, n_labels)
        Whether the label is reported.
    below_quorum : ndarray of bool, shape (n_items,)
        True where no label passed the quorum and the best one stands in.
    """

    chosen: Bools
    below_quorum: Bools


def choose_labels(
    posterior: Floats,
    *,
    quorum: float = 0.5,
    exclusion: int | None = None,
    at_least_one: bool = True,
) -> LabelSets:
    """Labels more probable than the quorum.

    Parameters
    ----------
    posterior : ndarray of float, shape (n_items, n_labels)
        Probability that each label applies.
    quorum : float
        From 0 to 1; a label at the quorum does not pass.
    exclusion : int, optional
        Index of the label that excludes all others ("none of the above"). If it passes
        together with others, the more probable side stays; a tie goes to the others.
    at_least_one : bool
        Whether an item where nothing passes gets its best label, a tie to the label listed
        first (workers had to pick one).

    Raises
    ------
    ValueError
        If `quorum` is not in [0, 1] or `exclusion` names no label.

    Examples
    --------
    >>> decided = choose_labels(np.array([[0.9, 0.2, 0.6], [0.4, 0.3, 0.1]]), exclusion=2)
    >>> decided.chosen.tolist()
    [[True, False, False], [True, False, False]]
    >>> decided.below_quorum.tolist()
    [False, True]
    """
    n_items, n_labels = posterior.shape
    if not 0.0 <= quorum <= 1.0:
        raise ValueError(f"quorum must lie in 0 to 1, not {quorum}")
    if exclusion is not None and not 0 <= exclusion < n_labels:
        raise ValueError(f"exclusion must lie in 0 to {n_labels - 1}")
    chosen = posterior > quorum
    below = ~chosen.any(axis=1)
    if at_least_one and n_items:
        chosen[below, posterior[below].argmax(axis=1)] = True
    if exclusion is not None and n_labels > 1:
        others = np.delete(posterior, exclusion, axis=1).max(axis=1)
        alone = chosen[:, exclusion] & (posterior[:, exclusion] > others)
        chosen[alone] = np.arange(n_labels) == exclusion
        several = chosen.sum(axis=1) > 1
        chosen[several, exclusion] = False
    return LabelSets(chosen, below)


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

    Attributes
    ----------
    items, workers : ndarray of int, shape (n_answers,)
        Item, ascending, and worker of each answer.
    picked : ndarray of bool, shape (n_answers, n_labels)
    truths : ndarray of float, shape (n_answers, n_labels)
        How probable it is that the label applies.
    counted : ndarray of float, shape (n_answers, n_labels)
        1 where the answer counts, else 0.
    n_workers : int
        How many workers there are.
    """

    items: Ints
    workers: Ints
    picked: Bools
    truths: Floats
    counted: Floats
    n_workers: int

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
    """Result of the multi-label algorithm.

    Attributes
    ----------
    posterior : ndarray of float, shape (n_items, n_labels)
        Probability that each label applies.
    selections : Selections
        The batch it is about.
    truth : ndarray of float, shape (n_items, n_labels)
        How probable each label is, as far as workers are judged by it.
    counted : ndarray of float, shape (n_items, n_labels)
        1 where workers are judged, else 0.
    rounds : int
        How many rounds were made.
    evidence : Evidence
        What each item shows of whether workers err together.
    elsewhere : Evidence
        What all but the item show of it, earlier calls included: by it the posterior was mixed.
    """

    posterior: Floats
    selections: Selections
    truth: Floats
    counted: Floats
    rounds: int
    evidence: Evidence
    elsewhere: Evidence

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
