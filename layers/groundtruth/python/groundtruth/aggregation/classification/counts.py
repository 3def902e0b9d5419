"""What is known of workers: expected counts of (true class, chosen class), of each and of all."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.votes import Floats, Ints

PRIOR_ACCURACY = 0.7
"""What a worker is taken to be worth before anything is known."""
_PRIOR_VOTES_PER_CLASS = 4
_MOST_PRIOR_VOTES = 80

_STRENGTH = 100.0
"""How many votes for each true class the accuracy for all classes together counts for."""
_RATE_LIMITS = (0.005, 0.995)


@dataclass(frozen=True, eq=False)
class WorkerCounts:
    """Expected confusion counts of each worker, only the cells that are not zero [1]_.

    The counts are sufficient statistics: counts of two batches may be added, and a store
    may keep them as plain numbers by worker, true class and chosen class. They are held in
    one canonical order (worker, truth, answer); cells given twice are added up.

    Parameters
    ----------
    workers, truths, answers : ndarray of int, shape (n_cells,)
        Who voted, what the true class was, what was chosen.
    amounts : ndarray of float, shape (n_cells,)
        How often, as an expectation: finite, not negative.
    n_workers, n_classes : int
        How many of each there are.

    Raises
    ------
    ValueError
        If the arrays differ in length, an index is out of range or an amount is negative
        or not finite.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer
       error-rates using the EM algorithm", Applied Statistics 28 (1979).
       doi:10.2307/2346806

    Examples
    --------
    >>> counts = WorkerCounts.from_dense(np.array([[[8.0, 2.0], [0.0, 5.0]]]))
    >>> counts.amounts
    array([8., 2., 5.])
    """

    workers: Ints
    truths: Ints
    answers: Ints
    amounts: Floats
    n_workers: int
    n_classes: int

    def __post_init__(self) -> None:
        columns = [np.asarray(getattr(self, name)) for name in ("workers", "truths", "answers")]
        amounts = np.asarray(self.amounts, dtype=np.float64)
        if any(column.shape != amounts.shape or column.ndim != 1 for column in columns):
            raise ValueError("workers, truths, answers and amounts must have the same length")
        limits = (self.n_workers, self.n_classes, self.n_classes)
        for column, limit in zip(columns, limits, strict=True):
            if column.size and (column.dtype.kind not in "iu" or column.min() < 0):
                raise ValueError("workers, truths and answers must be whole and not negative")
            if column.size and column.max() >= limit:
                raise ValueError("workers, truths and answers must be below their number")
        if not np.all(np.isfinite(amounts)) or np.any(amounts < 0):
            raise ValueError("amounts must be finite and not negative")
        codes = self._encode(*(column.astype(np.int64) for column in columns))
        order = np.lexsort((amounts, codes))
        codes, amounts = codes[order], amounts[order]
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        sums = np.add.reduceat(amounts, starts) if starts.size else amounts
        rest, answers = np.divmod(codes[starts], self.n_classes)
        workers, truths = np.divmod(rest, self.n_classes)
        fields = {"workers": workers, "truths": truths, "answers": answers, "amounts": sums}
        for name, column in fields.items():
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    @classmethod
    def empty(cls, n_workers: int, n_classes: int) -> Self:
        """Return counts of workers of whom nothing is known."""
        nothing = np.empty(0, dtype=np.int64)
        return cls(nothing, nothing, nothing, np.empty(0), n_workers, n_classes)

    @classmethod
    def from_dense(cls, amounts: Floats) -> Self:
        """Return counts from an array of shape (n_workers, n_classes, n_classes)."""
        table = np.asarray(amounts, dtype=np.float64)
        if table.ndim != 3 or table.shape[1] != table.shape[2]:
            raise ValueError("amounts must have shape (n_workers, n_classes, n_classes)")
        workers, truths, answers = np.nonzero(table)
        amounts = table[workers, truths, answers]
        return cls(workers, truths, answers, amounts, len(table), table.shape[1])

    def dense(self) -> Floats:
        """Return the counts as an array of shape (n_workers, n_classes, n_classes)."""
        table = np.zeros((self.n_workers, self.n_classes, self.n_classes))
        table[self.workers, self.truths, self.answers] = self.amounts
        return table

    def select_workers(self, selected: NDArray[np.bool_]) -> Self:
        """Return the counts of some workers alone: `selected` has one entry for each worker."""
        if np.shape(selected) != (self.n_workers,):
            raise ValueError(f"of {self.n_workers} workers each is selected or not")
        kept = np.asarray(selected, dtype=np.bool_)[self.workers]
        columns = (self.workers[kept], self.truths[kept], self.answers[kept], self.amounts[kept])
        return type(self)(*columns, self.n_workers, self.n_classes)

    def look_up(self, workers: Ints, truths: Ints, answers: Ints) -> Floats:
        """Return the amounts of the cells asked for, 0 where nothing is known."""
        wanted = self._encode(workers, truths, answers)
        if not self.amounts.size:
            return np.zeros(wanted.shape)
        codes = self._encode(self.workers, self.truths, self.answers)
        nearest = np.minimum(np.searchsorted(codes, wanted), codes.size - 1)
        return np.where(codes[nearest] == wanted, self.amounts[nearest], 0.0)

    def answers_by_worker(self) -> Floats:
        """Return how many answers are known of each worker: shape (n_workers,)."""
        return sum_groups(self.workers, self.amounts, self.n_workers)

    def right_by_worker(self) -> Floats:
        """Return how many of those are expected to be right: shape (n_workers,)."""
        right = self.truths == self.answers
        return sum_groups(self.workers[right], self.amounts[right], self.n_workers)

    def _encode(self, workers: Ints, truths: Ints, answers: Ints) -> Ints:
        return (workers * self.n_classes + truths) * self.n_classes + answers


@dataclass(frozen=True, eq=False)
class CountUpdates:
    """What a batch teaches about its workers, item by item.

    Kept apart by item, so that a store can add each item of a job once, however often the
    item is sent. Each vote of an item counts 1 in all, spread over the classes that may be
    true. An item with a single vote teaches nothing (nobody confirms the answer), unless its
    truth is known.

    Parameters
    ----------
    items : ndarray of int, shape (n_cells,)
        Ascending.
    workers, truths, answers, amounts : ndarray, shape (n_cells,)
        As in `WorkerCounts`.
    n_workers, n_classes : int
        How many of each there are.
    """

    items: Ints
    workers: Ints
    truths: Ints
    answers: Ints
    amounts: Floats
    n_workers: int
    n_classes: int

    def of_item(self, item: int) -> WorkerCounts:
        """Return what one item teaches; empty counts if it teaches nothing."""
        start, stop = np.searchsorted(self.items, [item, item + 1])
        return self._total(slice(int(start), int(stop)))

    def total(self) -> WorkerCounts:
        """Return what the whole batch teaches."""
        return self._total(slice(None))

    def _total(self, part: slice) -> WorkerCounts:
        columns = (self.workers[part], self.truths[part], self.answers[part], self.amounts[part])
        return WorkerCounts(*columns, self.n_workers, self.n_classes)


def sum_groups(groups: Ints, amounts: Floats, n_groups: int) -> Floats:
    """Sum the amounts group by group: shape (n_groups,)."""
    return np.bincount(groups, weights=amounts, minlength=n_groups).astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class PopulationPrior:
    """What a worker is taken to be like by the counts of all workers of earlier calls [1]_.

    A worker of whom little is known mixes up the classes as all workers do: a class that is
    hard for all is harder for this worker too, and mistakes go where those of all go.

    References
    ----------
    .. [1] H.-C. Kim and Z. Ghahramani, "Bayesian classifier combination", AISTATS 2012.

    Examples
    --------
    >>> counts = np.array([[950.0, 50.0], [400.0, 600.0]])
    >>> prior = PopulationPrior.from_counts(counts, WorkerCounts.empty(0, 2))
    >>> prior.estimate_rates(np.array([0.75, 0.75]), np.array([0, 1])).round(2)
    array([[0.93, 0.42],
           [0.07, 0.58]])
    """

    absent_answers: float  # of workers who are not in the batch
    absent_right: float  # how many of them are expected to be right
    answers: Floats  # how often each class was chosen
    ease: Floats  # log odds of a right answer by true class, less those for all classes together
    mistakes: Floats  # by class chosen and true class: share of the wrong answers

    @classmethod
    def from_counts(cls, counts: Floats | None, present: WorkerCounts) -> Self | None:
        """Learn from counts of all, by true class and class chosen; None if there are none.

        `present` are the counts of some of these workers, and of no others: all together have
        no less.
        """
        if counts is None:
            return None
        n_classes = present.n_classes
        table = np.array(counts, dtype=np.float64)
        if table.shape != (n_classes, n_classes):
            raise ValueError(f"population_counts must have {n_classes} rows and columns")
        if not np.all(np.isfinite(table)) or np.any(table < 0):
            raise ValueError("population_counts must be finite and not negative")
        some = np.zeros(table.shape)
        np.add.at(some, (present.truths, present.answers), present.amounts)
        np.maximum(table, some, out=table)
        if n_classes < 2 or not table.any():
            return None
        accuracy = shrink_to_prior(float(table.trace()), float(table.sum()), n_classes)
        accuracy = min(max(accuracy, _RATE_LIMITS[0]), _RATE_LIMITS[1])
        plain = np.full(table.shape, (1.0 - accuracy) / (n_classes - 1))
        np.fill_diagonal(plain, accuracy)
        rates = table + _STRENGTH * plain
        rates /= rates.sum(axis=1, keepdims=True)
        right = rates.diagonal().copy()
        np.fill_diagonal(rates, 0.0)
        wrong = rates.sum(axis=1)  # 1 - right, but never rounded to 0
        absent = table - some
        return cls(
            absent_answers=float(absent.sum()),
            absent_right=float(absent.trace()),
            answers=table.sum(axis=0),
            ease=np.log(right / wrong) - np.log(accuracy / (1.0 - accuracy)),
            mistakes=np.ascontiguousarray((rates / wrong[:, np.newaxis]).T),
        )

    def estimate_rates(self, accuracy: Floats, classes: Ints) -> Floats:
        """Estimate how often workers choose what they chose, for each class that may be true.

        `accuracy` and `classes` are by vote, of any shape; the result has an axis of classes more.
        """
        odds = np.exp(np.log(accuracy / (1.0 - accuracy))[..., np.newaxis] + self.ease)
        right = np.clip(odds / (1.0 + odds), *_RATE_LIMITS)
        chosen = np.arange(self.ease.size) == classes[..., np.newaxis]
        return np.where(chosen, right, (1.0 - right) * self.mistakes[classes])


def shrink_to_prior(right: float, answers: float, n_classes: int) -> float:
    """Share of right answers, shrunk to 0.7, which counts for some answers for each class.

    Examples
    --------
    >>> shrink_to_prior(0.0, 0.0, 2), shrink_to_prior(92.0, 92.0, 2)
    (0.7, 0.976)
    """
    votes = float(min(_PRIOR_VOTES_PER_CLASS * n_classes, _MOST_PRIOR_VOTES))
    return (right + PRIOR_ACCURACY * votes) / (answers + votes)
