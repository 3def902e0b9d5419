"""How far the workers of a job agree, beyond chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeljob.history.annotations import ObjectAnnotations
from labeljob.metrics.consensus import count_votes
from labeljob.tasks.base import Ints, JobType


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Coefficients of agreement; 1 is perfect, 0 what chance gives, NaN cannot be told.

    Attributes
    ----------
    alpha : float
        Krippendorff's alpha for nominal data; of several labels the mean over them.
    kappa : float
        Fleiss' kappa, likewise.
    kappa_raters : int
        How many answers each data object has that kappa is about: the most frequent number.
    pairwise : float
        Share of pairs of answers that are equal, not corrected for chance.
    by_class : dict of str to (float, int)
        Alpha of the question whether it is that class or another, and how often the class was
        chosen.
    """

    alpha: float
    kappa: float
    kappa_raters: int
    pairwise: float
    by_class: dict[str, tuple[float, int]]


def compute_agreement(
    objects: Sequence[ObjectAnnotations], job_type: JobType, classes: Sequence[str]
) -> Agreement:
    """Agreement of the workers of a job [1]_ [2]_.

    Parameters
    ----------
    objects : sequence of ObjectAnnotations
        The answers.
    job_type : JobType
        The job type.
    classes : sequence of str
        What a unit of an answer can be; of several labels, the labels.

    References
    ----------
    .. [1] K. Krippendorff, "Computing Krippendorff's alpha-reliability", 2011.
    .. [2] J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological
       Bulletin 76, 1971. doi:10.1037/h0031619
    """
    n_values = job_type.n_values(len(classes))
    votes = [count_votes(obj.choices, n_values) for obj in objects if len(obj.workers) > 1]
    if not votes:
        return Agreement(
            alpha=math.nan, kappa=math.nan, kappa_raters=0, pairwise=math.nan, by_class={}
        )
    raters = Counter(int(table[0].sum()) for table in votes).most_common(1)[0][0]
    questions, by_class, chosen = job_type.agreement_questions(votes, len(classes))
    return Agreement(
        alpha=_mean([_alpha(question) for question in questions]),
        kappa=_mean([_kappa(question, raters) for question in questions]),
        kappa_raters=raters,
        pairwise=_pairwise(np.concatenate(questions)),
        by_class={
            name: (_alpha(question), count)
            for name, question, count in zip(classes, by_class, chosen, strict=True)
        },
    )


def _alpha(table: Ints) -> float:
    """Krippendorff's alpha; NaN where all answers of the job are the same."""
    import krippendorff  # here, since loading it takes as long as a small command

    if np.count_nonzero(table.sum(axis=0)) < 2:
        return math.nan
    return float(krippendorff.alpha(value_counts=table, level_of_measurement="nominal"))


def _kappa(table: Ints, raters: int) -> float:
    # Slow to load, and without hints.
    from statsmodels.stats.inter_rater import fleiss_kappa  # type: ignore[import-untyped]

    same = table[table.sum(axis=1) == raters]
    if raters < 2 or np.count_nonzero(same.sum(axis=0)) < 2:
        return math.nan
    return float(fleiss_kappa(same))


def _pairwise(table: Ints) -> float:
    equal = (table * (table - 1)).sum()
    total = table.sum(axis=1)
    return float(equal / (total * (total - 1)).sum())


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan
