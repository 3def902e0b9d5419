"""Sets of labels: those each worker picked for each data object, and those decided on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.votes import Floats, Ints

type Bools = NDArray[np.bool_]


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
        picked = np.asarray(self.picked)
        if picked.ndim != 2 or picked.dtype != np.bool_ or picked.shape[1] < 1:
            raise ValueError("picked must be a table of truth values with a column or more")
        items = _indices("items", self.items, self.n_items, len(picked))
        workers = _indices("workers", self.workers, self.n_workers, len(picked))
        order = np.lexsort((*picked.T, workers, items))
        items, workers, picked = items[order], workers[order], picked[order]
        same = (items[1:] == items[:-1]) & (workers[1:] == workers[:-1])
        same &= np.all(picked[1:] == picked[:-1], axis=1)
        first = np.append(np.ones(min(len(picked), 1), dtype=np.bool_), ~same)
        fields = {"items": items[first], "workers": workers[first], "picked": picked[first]}
        for name, column in fields.items():
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
    """The labels decided on."""

    chosen: Bools  # shape (n_items, n_labels): whether the label is reported
    # shape (n_items,): true where no label passed the quorum and the best one stands in
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
