"""How far the workers of a job agree: each with the others, and all beyond chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from labeljob.history.job import ObjectAnnotations
from labeljob.rounds.accuracy_curve import count_votes
from labeljob.tasks.base import Ints, JobType

Result = TypeVar("Result")

_LARGEST = 1000
"""Numbers in the answers to a data object up to which others may well have the same answers."""

_MOST = 100_000


def known(value: float) -> float | None:
    """A figure for JSON and tables, which know no NaN."""
    return None if math.isnan(value) else value


def remember(compute: Callable[[Ints], Result]) -> Callable[[Ints], Result]:
    """A function of the answers to a data object, computed once for all with the same answers.

    Millions of data objects have some thousand combinations of names; masks are hardly ever alike,
    and are computed each time. What is returned must not be changed.
    """
    known: dict[tuple[tuple[int, ...], bytes], Result] = {}

    def look_up(choices: Ints) -> Result:
        if choices.size > _LARGEST:
            return compute(choices)
        key = (choices.shape, choices.tobytes())
        try:
            return known[key]
        except KeyError:
            if len(known) == _MOST:
                known.clear()
            return known.setdefault(key, compute(choices))

    return look_up


def count_others_votes(choices: Ints, index: int, n_values: int) -> Ints | None:
    """How many workers but one chose each value, unit by unit; None if nobody else answered."""
    if len(choices) < 2:
        return None
    votes = count_votes(choices, n_values)
    votes[np.arange(votes.shape[0]), choices[index]] -= 1
    return votes


def measure_agreement(choices: Ints, index: int, job_type: JobType, n_classes: int) -> float | None:
    """How well one answer agrees with those of the others, in [0, 1]; None if there are none."""
    others = count_others_votes(choices, index, job_type.n_values(n_classes))
    return None if others is None else job_type.agree(choices[index], others)


def find_confusions(
    choices: Ints, index: int, job_type: JobType, n_classes: int
) -> Iterable[tuple[int, int, float]]:
    """What most others said, what one worker said, and a weight; as `JobType.confuse` has it."""
    others = count_others_votes(choices, index, job_type.n_values(n_classes))
    if others is None:
        return ()
    return job_type.confuse(others.argmax(axis=1), choices[index], n_classes)


def measure_dispute(choices: Ints, n_values: int) -> float:
    """Share of the answers that are not the most frequent one, averaged over disputable units.

    Of several labels, only those that anybody chose count; of a mask, all points do.
    """
    if not len(choices):
        return 0.0
    votes = count_votes(choices, n_values)
    against = 1.0 - votes.max(axis=1) / len(choices)
    if n_values == 2 and votes.shape[0] > 1:
        against = against[votes[:, 1] > 0]
    return float(against.mean()) if against.size else 0.0


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Coefficients of agreement; 1 is perfect, 0 what chance gives, NaN cannot be told."""

    # alpha, kappa: Krippendorff's alpha for nominal data and Fleiss' kappa; of several labels the
    # means
    alpha: float
    kappa: float
    # how many answers each data object has that kappa is about: the most frequent number
    kappa_raters: int
    pairwise: float  # share of pairs of answers that are equal, not corrected for chance
    # alpha of that class against all others, and how often the class was chosen
    by_class: dict[str, tuple[float, int]]


def compute_agreement(
    objects: Sequence[ObjectAnnotations], job_type: JobType, classes: Sequence[str]
) -> Agreement:
    """Agreement of the workers of a job [1]_ [2]_.

    References
    ----------
    .. [1] K. Krippendorff, "Computing Krippendorff's alpha-reliability", 2011.
    .. [2] J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological
       Bulletin 76, 1971. doi:10.1037/h0031619
    """
    n_values = job_type.n_values(len(classes))
    count = remember(lambda choices: count_votes(choices, n_values))
    votes = [count(obj.choices) for obj in objects if len(obj.workers) > 1]
    if not votes:
        return Agreement(
            alpha=math.nan, kappa=math.nan, kappa_raters=0, pairwise=math.nan, by_class={}
        )
    raters = Counter(int(table[0].sum()) for table in votes).most_common(1)[0][0]
    questions, by_class, counts = job_type.agreement_questions(votes, len(classes))
    return Agreement(
        alpha=_mean([_alpha(question) for question in questions]),
        kappa=_mean([_kappa(question, raters) for question in questions]),
        kappa_raters=raters,
        pairwise=_pairwise(np.concatenate(questions)),
        by_class={
            name: (_alpha(question), count)
            for name, question, count in zip(classes, by_class, counts, strict=True)
        },
    )


def _alpha(table: Ints) -> float:
    """Krippendorff's alpha; NaN where all answers of the job are the same."""
    import krippendorff  # here, since loading it takes as long as a small command

    if np.count_nonzero(table.sum(axis=0)) < 2:
        return math.nan
    return float(krippendorff.alpha(value_counts=table, level_of_measurement="nominal"))


def _kappa(table: Ints, raters: int) -> float:
    """Fleiss's kappa of the questions that so many workers answered; NaN where all agree on one."""
    same = table[table.sum(axis=1) == raters]
    if raters < 2 or np.count_nonzero(same.sum(axis=0)) < 2:
        return math.nan
    agreement = ((same * (same - 1)).sum(axis=1) / (raters * (raters - 1))).mean()
    by_chance = np.square(same.sum(axis=0) / same.sum()).sum()
    return float((agreement - by_chance) / (1.0 - by_chance))


def _pairwise(table: Ints) -> float:
    equal = (table * (table - 1)).sum()
    total = table.sum(axis=1)
    return float(equal / (total * (total - 1)).sum())


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan
