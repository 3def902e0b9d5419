"""What is known of each worker: expected counts of (true class, chosen class)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.votes import Floats, Ints


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
    >>> counts.plus(counts).scaled(0.5).dense()
    array([[[8., 2.],
            [0., 5.]]])
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
        codes = self._codes(*(column.astype(np.int64) for column in columns))
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
        return cls(
            workers, truths, answers, table[workers, truths, answers], len(table), table.shape[1]
        )

    def dense(self) -> Floats:
        """Return the counts as an array of shape (n_workers, n_classes, n_classes)."""
        table = np.zeros((self.n_workers, self.n_classes, self.n_classes))
        table[self.workers, self.truths, self.answers] = self.amounts
        return table

    def plus(self, *others: Self) -> Self:
        """Return the sum of these counts and others of the same workers and classes."""
        return self.total([self, *others])

    @classmethod
    def total(cls, parts: Iterable[Self]) -> Self:
        """Return the sum of at least one part; all have the same workers and classes."""
        given = list(parts)
        if len({(part.n_workers, part.n_classes) for part in given}) != 1:
            raise ValueError("counts to be added must have the same workers and classes")
        return cls(
            np.concatenate([part.workers for part in given]),
            np.concatenate([part.truths for part in given]),
            np.concatenate([part.answers for part in given]),
            np.concatenate([part.amounts for part in given]),
            given[0].n_workers,
            given[0].n_classes,
        )

    def scaled(self, factor: float) -> Self:
        """Return the counts times a factor of at least 0: a decay of old counts."""
        columns = (self.workers, self.truths, self.answers, self.amounts * factor)
        return type(self)(*columns, self.n_workers, self.n_classes)

    def of_workers(self, chosen: NDArray[np.bool_]) -> Self:
        """Return the counts without those of other workers: `chosen` has one entry for each."""
        if np.shape(chosen) != (self.n_workers,):
            raise ValueError(f"of {self.n_workers} workers each is chosen or not")
        kept = np.asarray(chosen, dtype=np.bool_)[self.workers]
        return type(self)(
            self.workers[kept],
            self.truths[kept],
            self.answers[kept],
            self.amounts[kept],
            self.n_workers,
            self.n_classes,
        )

    def lookup(self, workers: Ints, truths: Ints, answers: Ints) -> Floats:
        """Return the amounts of the cells asked for, 0 where nothing is known."""
        codes = self._codes(self.workers, self.truths, self.answers)
        return _find(codes, self.amounts, self._codes(workers, truths, answers))

    def lookup_rows(self, workers: Ints, truths: Ints) -> Floats:
        """Return the amounts by worker and true class, added up over the answers."""
        codes = self.workers * self.n_classes + self.truths
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        sums = np.add.reduceat(self.amounts, starts) if starts.size else self.amounts
        return _find(codes[starts], sums, workers * self.n_classes + truths)

    def given_by_worker(self) -> Floats:
        """Return how many answers are known of each worker: shape (n_workers,)."""
        return add_up(self.workers, self.amounts, self.n_workers)

    def right_by_worker(self) -> Floats:
        """Return how many of those are expected to be right: shape (n_workers,)."""
        right = self.truths == self.answers
        return add_up(self.workers[right], self.amounts[right], self.n_workers)

    def _codes(self, workers: Ints, truths: Ints, answers: Ints) -> Ints:
        return (workers * self.n_classes + truths) * self.n_classes + answers


def add_up(groups: Ints, amounts: Floats, n_groups: int) -> Floats:
    """Sum the amounts group by group: shape (n_groups,)."""
    return np.bincount(groups, weights=amounts, minlength=n_groups).astype(np.float64, copy=False)


def _find(codes: Ints, amounts: Floats, wanted: Ints) -> Floats:
    """Amounts at `wanted` among ascending `codes`, 0 for a code that is not there."""
    if not codes.size:
        return np.zeros(wanted.shape)
    place = np.minimum(np.searchsorted(codes, wanted), codes.size - 1)
    return np.where(codes[place] == wanted, amounts[place], 0.0)
