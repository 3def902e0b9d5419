"""What the other workers say, and how well an answer agrees with it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from labeljob.history.annotations import ObjectAnnotations
from labeljob.tasks.base import Ints, JobType


def count_votes(choices: Ints, n_values: int) -> Ints:
    """How many workers chose each value, unit by unit.

    Parameters
    ----------
    choices : ndarray of int, shape (n_workers, n_units)
        The answers to one data object.
    n_values : int
        How many values a unit can have.

    Returns
    -------
    ndarray of int, shape (n_units, n_values)

    Examples
    --------
    >>> count_votes(np.array([[1], [1]]), 2)
    array([[0, 2]])
    """
    votes = np.zeros((choices.shape[1], n_values), dtype=np.int64)
    units = np.arange(choices.shape[1])
    for row in choices:
        votes[units, row] += 1
    return votes


def count_others_votes(obj: ObjectAnnotations, index: int, n_values: int) -> Ints | None:
    """How many workers but one chose each value, unit by unit; None if nobody else answered."""
    if len(obj.workers) < 2:
        return None
    votes = count_votes(obj.choices, n_values)
    votes[np.arange(votes.shape[0]), obj.choices[index]] -= 1
    return votes


def measure_agreement(
    obj: ObjectAnnotations, index: int, job_type: JobType, n_classes: int
) -> float | None:
    """How well one answer agrees with those of the others, in [0, 1]; None if there are none."""
    others = count_others_votes(obj, index, job_type.n_values(n_classes))
    return None if others is None else job_type.agree(obj.choices[index], others)


def find_confusions(
    obj: ObjectAnnotations, index: int, job_type: JobType, n_classes: int
) -> Iterable[tuple[int, int, float]]:
    """What most others said, what one worker said, and a weight; as `JobType.confuse` has it."""
    others = count_others_votes(obj, index, job_type.n_values(n_classes))
    if others is None:
        return ()
    return job_type.confuse(others.argmax(axis=1), obj.choices[index], n_classes)


def measure_dispute(obj: ObjectAnnotations, n_values: int) -> float:
    """Share of the answers that are not the most frequent one, averaged over disputable units.

    Of several labels, only those that anybody chose count; of a mask, all points do.
    """
    if not obj.workers:
        return 0.0
    votes = count_votes(obj.choices, n_values)
    against = 1.0 - votes.max(axis=1) / len(obj.workers)
    if n_values == 2 and votes.shape[0] > 1:
        against = against[votes[:, 1] > 0]
    return float(against.mean()) if against.size else 0.0
