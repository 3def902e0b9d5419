"""How labels by majority grow better as answers come in, one at a time.

More answers than a data object has are drawn, for single labels, from a Pólya urn [1]_: a new
answer is like one of those before, chosen at random, or comes from what is known of all data
objects. How much the latter weighs follows from how alike the answers to one object are: from
their intraclass correlation [2]_. Errors of workers on hard objects stay alike that way. Label
sets and masks stay as they are once all answers are in.

References
----------
.. [1] D. Blackwell and J. B. MacQueen, "Ferguson distributions via Pólya urn schemes", Annals of
   Statistics 1(2), 1973. doi:10.1214/aos/1176342372
.. [2] M. S. Ridout, C. G. B. Demétrio and D. Firth, "Estimating intraclass correlation for binary
   data", Biometrics 55(1), 1999. doi:10.1111/j.0006-341X.1999.00137.x
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from labeljob.history.annotations import Ballot
from labeljob.metrics.consensus import grid_iou
from labeljob.rounds.gold_scores import jaccard_index
from labeljob.tasks.base import JobType

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Grow = Callable[[Ints, np.random.Generator], Growth]

_ALIKE_UNKNOWN = 0.5
"""Intraclass correlation where no data object has two answers."""


@dataclass(frozen=True)
class Growth:
    """Labels after 1, 2, … answers.

    Attributes
    ----------
    quality : ndarray of float, shape (n_items, most)
        How right they are, in [0, 1]. Where several labels are tied, the mean of them.
    leads : ndarray of int, shape (n_items, most), or None
        Votes between the first class and the second; of several labels the smallest of the
        leads of yes over no, or no over yes. None for masks.
    """

    quality: Floats
    leads: Ints | None


def growth_of(
    ballots: Sequence[Ballot], task: JobType, n_classes: int, true: Sequence[Ints] | None
) -> Grow:
    """A function from an order of the answers to the growth of the labels.

    Parameters
    ----------
    ballots : sequence of Ballot
        With one answer each, or more.
    task : JobType
        The job type.
    n_classes : int
        What a unit of a ballot can be.
    true : sequence of ndarray of int, or None
        The right labels in the units of a ballot; None to take what all answers give.
    """
    if task.single_choice:
        return _of_classes(ballots, n_classes, true)
    if task.several_choices:
        return _of_label_sets(ballots, true)
    return _of_masks(ballots, n_classes, true)


def _of_classes(ballots: Sequence[Ballot], n_classes: int, true: Sequence[Ints] | None) -> Grow:
    n_items, width = len(ballots), max(len(one.workers) for one in ballots)
    chosen = np.zeros((n_items, width), dtype=np.int64)
    for at, one in enumerate(ballots):
        chosen[at, : len(one.workers)] = one.choices[:, 0]
    items = np.arange(n_items)
    right = np.array([int(row[0]) for row in true]) if true else _most_voted(ballots, n_classes)
    urn = Urn.of(ballots, right, n_classes)

    def growth(order: Ints, rng: np.random.Generator) -> Growth:
        votes = chosen[items[:, None], order]
        counts = np.zeros((n_items, max(n_classes, 2)), dtype=np.int64)
        quality, leads = np.zeros(order.shape), np.zeros(order.shape, dtype=np.int64)
        for at in range(order.shape[1]):
            if at and (order[:, at] < 0).any():
                drawn = urn.drawn(votes[:, :at], right, rng)
                votes[:, at] = np.where(order[:, at] < 0, drawn, votes[:, at])
            counts[items, votes[:, at]] += 1
            top = counts.max(axis=1)
            tied = counts == top[:, None]
            quality[:, at] = tied[items, right] / tied.sum(axis=1)
            leads[:, at] = top - np.partition(counts, -2, axis=1)[:, -2]
        return Growth(quality, leads)

    return growth


def _most_voted(ballots: Sequence[Ballot], n_classes: int) -> Ints:
    counts = [np.bincount(one.choices[:, 0], minlength=n_classes) for one in ballots]
    return np.array([int(row.argmax()) for row in counts])


@dataclass(frozen=True)
class Urn:
    """What answers to a data object are like before any is known.

    Attributes
    ----------
    rights, wrongs : float
        How many right and wrong answers it weighs.
    wrong_up_to : ndarray of float, shape (n_classes, n_classes)
        For each right class the summed shares of the wrong answers.
    """

    rights: float
    wrongs: float
    wrong_up_to: Floats

    @classmethod
    def of(cls, ballots: Sequence[Ballot], right: Ints, n_classes: int) -> Self:
        """The urn that fits the answers of a pilot."""
        sizes = np.array([len(one.workers) for one in ballots], dtype=np.float64)
        hits = [
            int((one.choices[:, 0] == own).sum())
            for one, own in zip(ballots, right.tolist(), strict=True)
        ]
        alike = intraclass_correlation(np.array(hits, dtype=np.float64), sizes)
        weight = (1 - alike) / alike
        share = sum(hits) / float(sizes.sum())
        table = np.ones((n_classes, n_classes)) * 1e-6
        for one, own in zip(ballots, right.tolist(), strict=True):
            table[own] += np.bincount(one.choices[:, 0], minlength=n_classes)
        np.fill_diagonal(table, 0.0 if n_classes > 1 else 1.0)
        up_to = table.cumsum(axis=1) / table.sum(axis=1, keepdims=True)
        return cls(weight * share, weight * (1 - share), up_to)

    def drawn(self, votes: Ints, right: Ints, rng: np.random.Generator) -> Ints:
        """One more answer to each data object, shape (n_items,), after some votes."""
        n_items, n_votes = votes.shape
        place = rng.random(n_items) * (self.rights + self.wrongs + n_votes)
        wrong = (self.wrong_up_to[right] > rng.random((n_items, 1))).argmax(axis=1)
        again = votes[np.arange(n_items), rng.integers(0, n_votes, n_items)]
        of_urn = np.where(place < self.rights, right, wrong)
        return np.where(place < self.rights + self.wrongs, of_urn, again)


def intraclass_correlation(hits: Floats, sizes: Floats) -> float:
    """How alike the answers to one data object are, by analysis of variance, in [0.01, 0.99].

    Parameters
    ----------
    hits, sizes : ndarray of float, shape (n_items,)
        Right answers, and all answers.

    Examples
    --------
    >>> intraclass_correlation(np.array([3.0, 0.0, 3.0]), np.array([3.0, 3.0, 3.0]))
    0.99
    """
    total, n_items = float(sizes.sum()), sizes.size
    within_freedom = total - n_items
    if n_items < 2 or within_freedom <= 0:
        return _ALIKE_UNKNOWN
    within = float((hits - hits**2 / sizes).sum()) / within_freedom
    between = float((hits**2 / sizes).sum() - hits.sum() ** 2 / total) / (n_items - 1)
    typical = (total - float((sizes**2).sum()) / total) / (n_items - 1)
    whole = between + (typical - 1) * within
    return float(np.clip((between - within) / whole, 0.01, 0.99)) if whole > 0 else 0.01


def _of_label_sets(ballots: Sequence[Ballot], true: Sequence[Ints] | None) -> Grow:
    right = true or [majority_set(one.choices.sum(axis=0), len(one.workers)) for one in ballots]

    def growth(order: Ints, rng: np.random.Generator) -> Growth:
        quality, leads = np.zeros(order.shape), np.zeros(order.shape, dtype=np.int64)
        for item, one in enumerate(ballots):
            yes = np.zeros(one.choices.shape[1], dtype=np.int64)
            asked = 0
            for at, answer in enumerate(order[item].tolist()):
                if answer >= 0:
                    yes = yes + one.choices[answer]
                    asked += 1
                quality[item, at] = jaccard_index(majority_set(yes, asked), right[item])
                leads[item, at] = np.abs(2 * yes - asked).min()
        return Growth(quality, leads)

    return growth


def majority_set(votes: Ints, n_workers: int) -> Ints:
    """The labels that more than half of the workers chose, else the one most often chosen.

    Examples
    --------
    >>> majority_set(np.array([2, 1, 0]), 3), majority_set(np.array([1, 1, 0]), 2)
    (array([1, 0, 0]), array([1, 0, 0]))
    """
    chosen = 2 * votes > n_workers
    if not chosen.any():
        chosen[votes.argmax()] = True
    return chosen.astype(np.int64)


def _of_masks(ballots: Sequence[Ballot], n_classes: int, true: Sequence[Ints] | None) -> Grow:
    right = true or [_majority_mask(_counts(one.choices, n_classes)) for one in ballots]

    def growth(order: Ints, rng: np.random.Generator) -> Growth:
        quality = np.zeros(order.shape)
        for item, one in enumerate(ballots):
            units = np.arange(one.choices.shape[1])
            counts = np.zeros((units.size, n_classes), dtype=np.int64)
            for at, answer in enumerate(order[item].tolist()):
                if answer >= 0:
                    counts[units, one.choices[answer]] += 1
                quality[item, at] = grid_iou(_majority_mask(counts), right[item])
        return Growth(quality, None)

    return growth


def _counts(choices: Ints, n_classes: int) -> Ints:
    units = np.arange(choices.shape[1])
    counts = np.zeros((units.size, n_classes), dtype=np.int64)
    for row in choices:
        counts[units, row] += 1
    return counts


def _majority_mask(counts: Ints) -> Ints:
    return np.asarray(counts.argmax(axis=1))
