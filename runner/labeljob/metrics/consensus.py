"""What the other workers say, and how well an answer agrees with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from labeljob.history.annotations import Ballot, Ints
from labeljob.tasks.base import JobType


def counts(ballot: Ballot, n_classes: int) -> Ints:
    """How many workers chose each class, unit by unit.

    Returns
    -------
    ndarray of int, shape (n_units, n_classes)

    Examples
    --------
    >>> ballot = Ballot(object_id="0", source="", workers=("a", "b"), choices=np.array([[1], [1]]),
    ...     rejected=(), sittings={})
    >>> counts(ballot, 2)
    array([[0, 2]])
    """
    table = np.zeros((ballot.choices.shape[1], n_classes), dtype=np.int64)
    units = np.arange(ballot.choices.shape[1])
    for row in ballot.choices:
        table[units, row] += 1
    return table


def n_values(task: JobType, n_classes: int) -> int:
    """How many values a unit of a ballot can have."""
    return 2 if task.several_choices else n_classes


def others_choice(ballot: Ballot, at: int, n_values: int) -> Ints | None:
    """What most of the others say, unit by unit; of a tie the smallest value.

    Parameters
    ----------
    ballot : Ballot
        The answers.
    at : int
        The worker whose answer is left out.
    n_values : int
        How many values a unit can have.

    Returns
    -------
    ndarray of int, shape (n_units,), or None
        None if nobody else answered.
    """
    if len(ballot.workers) < 2:
        return None
    table = counts(ballot, n_values)
    table[np.arange(table.shape[0]), ballot.choices[at]] -= 1
    return np.asarray(table.argmax(axis=1))


def agreement_of(ballot: Ballot, at: int, task: JobType, n_classes: int) -> float | None:
    """How well one answer agrees with those of the others, in [0, 1].

    Of a single label: whether it is the one most others chose; where several are the most, the
    share of one of them. Of several labels: the Jaccard index with what most others chose. Of a
    mask: the mean intersection over union.
    """
    others = others_choice(ballot, at, n_values(task, n_classes))
    if others is None:
        return None
    own = ballot.choices[at]
    if task.single_choice:
        table = counts(ballot, n_classes)[0]
        table[own[0]] -= 1
        return float(table[own[0]] == table.max()) / int((table == table.max()).sum())
    if task.several_choices:
        either = np.count_nonzero(own | others)
        return float(np.count_nonzero(own & others) / either) if either else 1.0
    return grid_iou(own, others)


def grid_iou(one: Ints, other: Ints) -> float:
    """Intersection over union, averaged over the classes that either has.

    Examples
    --------
    >>> grid_iou(np.array([0, 1]), np.array([1, 1]))
    0.25
    """
    size = int(max(one.max(initial=0), other.max(initial=0))) + 1
    both = np.bincount(one[one == other], minlength=size)
    either = np.bincount(one, minlength=size) + np.bincount(other, minlength=size) - both
    present = either > 0
    return float((both[present] / either[present]).mean()) if present.any() else 1.0


def confusion_of(
    ballot: Ballot, at: int, task: JobType, n_classes: int
) -> Iterator[tuple[int, int, float]]:
    """What one worker said where the others said something, with a weight.

    Yields
    ------
    others, own : int
        Classes. Of several labels, those the others alone chose are spread over those the worker
        alone chose.
    weight : float
        All weights of an answer to a single label or of a mask sum to 1.
    """
    others = others_choice(ballot, at, n_values(task, n_classes))
    if others is None:
        return
    own = ballot.choices[at]
    if not task.several_choices:
        pairs, times = np.unique(others * n_classes + own, return_counts=True)
        for pair, count in zip(pairs.tolist(), times.tolist(), strict=True):
            yield *divmod(pair, n_classes), count / own.size
        return
    for label in np.flatnonzero(own & others).tolist():
        yield label, label, 1.0
    missed = np.flatnonzero(others > own).tolist()
    extra = np.flatnonzero(own > others).tolist()
    for true, said in product(missed, extra):
        yield true, said, 1.0 / max(len(missed), len(extra))


def dispute(ballot: Ballot, n_values: int) -> float:
    """Share of the answers that are not the most frequent one, averaged over disputable units.

    Of several labels, only those that anybody chose count; of a mask, all points do.
    """
    if not ballot.workers:
        return 0.0
    table = counts(ballot, n_values)
    against = 1.0 - table.max(axis=1) / len(ballot.workers)
    if n_values == 2 and table.shape[0] > 1:
        against = against[table[:, 1] > 0]
    return float(against.mean()) if against.size else 0.0
