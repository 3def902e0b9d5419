"""The votes on a batch: who chose which class for which data object."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

_LARGEST_CODE = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Votes as three flat arrays, held in one canonical order.

    The order of the arguments carries no meaning: votes are sorted by item, worker and
    class when the object is made, so that every sum over them is the same to the last bit.
    A vote that is there twice (same item, worker and class) counts once.
    A worker who chose two classes for one item counts with both votes.
    For results that do not depend on the order of a payload either, number items and
    workers by their sorted ids.

    Parameters
    ----------
    items, workers, classes : ndarray of int, shape (n_votes,)
        Indices from 0 of what was voted on, who voted and what was chosen.
    n_items, n_workers, n_classes : int
        How many of each there are; `n_classes` is at least 1. An item or a worker may
        have no vote.

    Raises
    ------
    ValueError
        If the arrays differ in shape, are not whole numbers, or an index is out of range.

    Examples
    --------
    >>> votes = Votes(
    ...     items=np.array([1, 0, 0]),
    ...     workers=np.array([0, 1, 0]),
    ...     classes=np.array([2, 0, 0]),
    ...     n_items=2,
    ...     n_workers=2,
    ...     n_classes=3,
    ... )
    >>> votes.counts
    array([[2., 0., 0.],
           [0., 0., 1.]])
    """

    items: Ints
    workers: Ints
    classes: Ints
    n_items: int
    n_workers: int
    n_classes: int

    def __post_init__(self) -> None:
        if self.n_items < 0 or self.n_workers < 0 or self.n_classes < 1:
            raise ValueError("n_items and n_workers must be at least 0, n_classes at least 1")
        columns = (
            _indices("items", self.items, self.n_items),
            _indices("workers", self.workers, self.n_workers),
            _indices("classes", self.classes, self.n_classes),
        )
        if len({column.shape for column in columns}) != 1:
            raise ValueError("items, workers and classes must have the same length")
        ordered = _canonical(*columns, n_workers=self.n_workers, n_classes=self.n_classes)
        for name, column in zip(("items", "workers", "classes"), ordered, strict=True):
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    @property
    def n_votes(self) -> int:
        """How many votes there are, each counted once."""
        return int(self.items.size)

    @property
    def counts(self) -> Floats:
        """Votes by item and class: ndarray of float, shape (n_items, n_classes)."""
        return self.weighted_counts(np.ones(self.n_votes))

    @property
    def votes_per_item(self) -> Ints:
        """How many votes each item received: ndarray of int, shape (n_items,)."""
        return np.bincount(self.items, minlength=self.n_items)

    @property
    def votes_per_worker(self) -> Ints:
        """How many votes each worker gave: ndarray of int, shape (n_workers,)."""
        return np.bincount(self.workers, minlength=self.n_workers)

    def weighted_counts(self, weights: Floats) -> Floats:
        """Sum the weights of the votes, in canonical order, by item and class."""
        cells = self.items * self.n_classes + self.classes
        sums = np.bincount(cells, weights=weights, minlength=self.n_items * self.n_classes)
        # An empty bincount holds whole numbers, whatever its weights.
        return sums.astype(np.float64, copy=False).reshape(self.n_items, self.n_classes)


def _indices(name: str, values: Ints, limit: int) -> Ints:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, not of shape {array.shape}")
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"{name} must hold whole numbers, not {array.dtype}")
    if array.size and (array.min() < 0 or array.max() >= limit):
        raise ValueError(f"{name} must lie in 0 to {limit - 1}")
    return array.astype(np.int64)


def _canonical(
    items: Ints, workers: Ints, classes: Ints, *, n_workers: int, n_classes: int
) -> tuple[Ints, Ints, Ints]:
    """Sort by item, worker and class, and keep each vote once."""
    if not items.size:
        return items, workers, classes
    if (int(items.max()) + 1) * n_workers * n_classes > _LARGEST_CODE:
        order = np.lexsort((classes, workers, items))
    else:
        codes = (items * n_workers + workers) * n_classes + classes
        if np.all(codes[1:] > codes[:-1]):
            return items, workers, classes
        order = np.argsort(codes, kind="stable")
    items, workers, classes = items[order], workers[order], classes[order]
    same = (items[1:] == items[:-1]) & (workers[1:] == workers[:-1])
    first = np.append(True, ~(same & (classes[1:] == classes[:-1])))
    return items[first], workers[first], classes[first]
