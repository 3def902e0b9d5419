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
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
CurveSimulation: TypeAlias = "Callable[[Ints, np.random.Generator], AccuracyCurve]"
"""Takes an order of the answers, shape (n_items, most), -1 where there are no more."""

_UNKNOWN_CORRELATION = 0.5
"""Intraclass correlation where no data object has two answers."""


@dataclass(frozen=True)
class AccuracyCurve:
    """Labels after 1, 2, … answers; both arrays have shape (n_items, most).

    `quality` is how right they are, in [0, 1], where several labels are tied the mean of them.
    `leads` are votes between the first class and the second; of several labels the smallest lead
    of yes over no, or no over yes; None for masks.
    """

    quality: Floats
    leads: Ints | None


def simulate_votes(
    choices: Sequence[Ints],
    true: Sequence[Ints] | None,
    *,
    n_values: int,
    majority: Callable[[Ints], Ints],
    similarity: Callable[[Ints, Ints], float],
    has_lead: bool,
) -> CurveSimulation:
    """Labels by majority, which stay as they are once all answers are in.

    Answers to an object have shape (n_workers, n_units), right labels (n_units,). `majority` makes
    a label of votes of shape (n_units, n_values); without `true`, all answers' label is right.
    """
    right = true or [majority(count_votes(answers, n_values)) for answers in choices]

    def simulate(order: Ints, rng: np.random.Generator) -> AccuracyCurve:
        quality, leads = np.zeros(order.shape), np.zeros(order.shape, dtype=np.int64)
        for item, answers in enumerate(choices):
            units = np.arange(answers.shape[1])
            votes = np.zeros((units.size, n_values), dtype=np.int64)
            for step, answer in enumerate(order[item].tolist()):
                if answer >= 0:
                    votes[units, answers[answer]] += 1
                quality[item, step] = similarity(majority(votes), right[item])
                if has_lead:
                    leads[item, step] = np.abs(votes[:, 1] - votes[:, 0]).min()
        return AccuracyCurve(quality, leads if has_lead else None)

    return simulate


def count_votes(choices: Ints, n_values: int) -> Ints:
    """How many workers chose each value, shape (n_units, n_values).

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


def simulate_classes(
    choices: Sequence[Ints], n_classes: int, true: Sequence[Ints] | None
) -> CurveSimulation:
    """Single labels by majority, with further answers from a Pólya urn."""
    answers = [own[:, 0] for own in choices]
    n_items, width = len(answers), max(own.size for own in answers)
    table = np.zeros((n_items, width), dtype=np.int64)
    for item, own in enumerate(answers):
        table[item, : own.size] = own
    items = np.arange(n_items)
    if true:
        right = np.array([int(row[0]) for row in true])
    else:
        right = np.array([int(np.bincount(own).argmax()) for own in answers])
    urn = PolyaUrn.fit(answers, right, n_classes)

    def simulate(order: Ints, rng: np.random.Generator) -> AccuracyCurve:
        votes = table[items[:, None], order]
        counts = np.zeros((n_items, max(n_classes, 2)), dtype=np.int64)
        quality, leads = np.zeros(order.shape), np.zeros(order.shape, dtype=np.int64)
        for step in range(order.shape[1]):
            if step and (order[:, step] < 0).any():
                further = urn.draw(votes[:, :step], right, rng)
                votes[:, step] = np.where(order[:, step] < 0, further, votes[:, step])
            counts[items, votes[:, step]] += 1
            top = counts.max(axis=1)
            tied = counts == top[:, None]
            quality[:, step] = tied[items, right] / tied.sum(axis=1)
            leads[:, step] = top - np.partition(counts, -2, axis=1)[:, -2]
        return AccuracyCurve(quality, leads)

    return simulate


@dataclass(frozen=True)
class PolyaUrn:
    """What answers to a data object are like before any is known.

    `rights` and `wrongs` are how many answers it weighs; `wrong_up_to`, shape (n_classes,
    n_classes), has for each right class the summed shares of the wrong answers.
    """

    rights: float
    wrongs: float
    wrong_up_to: Floats

    @classmethod
    def fit(cls, answers: Sequence[Ints], right: Ints, n_classes: int) -> Self:
        """The urn that fits the answers of a pilot."""
        sizes = np.array([own.size for own in answers], dtype=np.float64)
        hits = [int((own == true).sum()) for own, true in zip(answers, right, strict=True)]
        correlation = compute_intraclass_correlation(np.array(hits, dtype=np.float64), sizes)
        weight = (1 - correlation) / correlation
        share = sum(hits) / float(sizes.sum())
        table = np.ones((n_classes, n_classes)) * 1e-6
        for own, true in zip(answers, right, strict=True):
            table[true] += np.bincount(own, minlength=n_classes)
        np.fill_diagonal(table, 0.0 if n_classes > 1 else 1.0)
        up_to = table.cumsum(axis=1) / table.sum(axis=1, keepdims=True)
        return cls(weight * share, weight * (1 - share), up_to)

    def draw(self, votes: Ints, right: Ints, rng: np.random.Generator) -> Ints:
        """One more answer to each data object, shape (n_items,), after some votes."""
        n_items, n_votes = votes.shape
        position = rng.random(n_items) * (self.rights + self.wrongs + n_votes)
        wrong = (self.wrong_up_to[right] > rng.random((n_items, 1))).argmax(axis=1)
        again = votes[np.arange(n_items), rng.integers(0, n_votes, n_items)]
        of_urn = np.where(position < self.rights, right, wrong)
        return np.where(position < self.rights + self.wrongs, of_urn, again)


def compute_intraclass_correlation(hits: Floats, sizes: Floats) -> float:
    """How alike the answers to one data object are, by analysis of variance, in [0.01, 0.99].

    Examples
    --------
    >>> compute_intraclass_correlation(np.array([3.0, 0.0, 3.0]), np.array([3.0, 3.0, 3.0]))
    0.99
    """
    total, n_items = float(sizes.sum()), sizes.size
    within_freedom = total - n_items
    if n_items < 2 or within_freedom <= 0:
        return _UNKNOWN_CORRELATION
    within = float((hits - hits**2 / sizes).sum()) / within_freedom
    between = float((hits**2 / sizes).sum() - hits.sum() ** 2 / total) / (n_items - 1)
    typical = (total - float((sizes**2).sum()) / total) / (n_items - 1)
    whole = between + (typical - 1) * within
    return float(np.clip((between - within) / whole, 0.01, 0.99)) if whole > 0 else 0.01
