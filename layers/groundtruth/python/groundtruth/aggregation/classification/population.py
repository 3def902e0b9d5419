"""What all workers together are known for: which classes they mix up, and how often."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.votes import Floats, Ints

PRIOR_ACCURACY = 0.7
"""What a worker is taken to be worth before anything is known."""
_PRIOR_VOTES_PER_CLASS = 4
_MOST_PRIOR_VOTES = 80

_STRENGTH = 100.0
"""How many votes for each true class the accuracy for all classes together counts for."""
_RATE_LIMITS = (0.005, 0.995)


@dataclass(frozen=True, slots=True, eq=False)
class PopulationPrior:
    """What a worker is taken to be like by the counts of all workers of earlier calls [1]_.

    A worker of whom little is known mixes up the classes as all workers do: a class that is
    hard for all is harder for this worker too, and mistakes go where those of all go.

    Attributes
    ----------
    absent_answers, absent_right : float
        Answers of workers who are not in the batch, and how many of them are expected to be
        right.
    answers : ndarray of float, shape (n_classes,)
        How often each class was chosen.
    ease : ndarray of float, shape (n_classes,)
        Log odds of a right answer where a class is true, less those for all classes together.
    mistakes : ndarray of float, shape (n_classes, n_classes)
        Share of each class chosen (first axis) in the wrong answers where a class is true
        (second axis); 0 for right answers.

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

    absent_answers: float
    absent_right: float
    answers: Floats
    ease: Floats
    mistakes: Floats

    @classmethod
    def from_counts(cls, counts: Floats | None, present: WorkerCounts) -> Self | None:
        """Learn from what earlier calls taught; None if that is nothing.

        Parameters
        ----------
        counts : ndarray of float, shape (n_classes, n_classes), optional
            Expected counts of all workers by true class and class chosen.
        present : WorkerCounts
            Those of some of these workers, and of no others: all together have no less.

        Raises
        ------
        ValueError
            If `counts` has another shape, or a number is negative or not finite.
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

        Parameters
        ----------
        accuracy : ndarray of float, any shape
            How often the worker behind each vote is right; above 0, below 1.
        classes : ndarray of int, the same shape
            Class chosen.

        Returns
        -------
        ndarray of float, the same shape and (n_classes,)
            Above 0, at most 0.995.
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
