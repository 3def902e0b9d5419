"""How workers get better, or worse, from their first answer to their last."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labeljob.metrics.intervals import compute_wilson_interval
from labeljob.metrics.workers import ComparedAnswer, Worker

FEWEST = 20
"""Dated answers from which on a worker has a curve."""

ANSWERS_A_POINT = 10
MOST_POINTS = 8
CERTAIN = 0.01
"""Probability, over the whole crew, under which a change is no chance."""

Trend = Literal["rising", "falling", ""]


@dataclass(frozen=True, kw_only=True)
class LearningPoint:
    """Successive answers of a worker, or of a crew.

    Attributes
    ----------
    answers : int
        How many, those with nobody to be compared with left out.
    began, ended : datetime
        When the first and the last of them came in, in UTC.
    agreement : float
        Their mean agreement with the others, in [0, 1].
    interval : tuple of (float, float)
        Where that lies with 95 % probability.
    seconds : float
        Median time for a task; NaN where the job does not tell.
    """

    answers: int
    began: datetime
    ended: datetime
    agreement: float
    interval: tuple[float, float]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The point for `--json`."""
        return {
            "answers": self.answers,
            "from": self.began.isoformat(),
            "to": self.ended.isoformat(),
            "agreement": self.agreement,
            "interval": list(self.interval),
            "seconds-median": None if math.isnan(self.seconds) else self.seconds,
        }


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """Agreement with the others over time.

    Attributes
    ----------
    points : tuple of LearningPoint
        Equally many answers each, in order of time; two at least.
    before, after : float
        Mean agreement in the first half of the answers and in the second.
    trend : str
        ``"rising"`` or ``"falling"`` if the halves differ by more than chance; else empty.
    """

    points: tuple[LearningPoint, ...]
    before: float
    after: float
    trend: Trend = ""

    def as_json(self) -> dict[str, Any]:
        """The curve for `--json`."""
        return {
            "first-half": self.before,
            "second-half": self.after,
            "trend": self.trend or None,
            "points": [point.as_json() for point in self.points],
        }


def measure_learning(workers: Mapping[str, Worker]) -> dict[str, LearningCurve]:
    """The curves of those workers who have enough dated answers, by their ids.

    The halves are compared by the Mann-Whitney test at 0.01 over all curves (Bonferroni). That
    data objects became harder, or others began to agree, can be behind a change too.
    """
    dated = {worker_id: _in_order(worker.compared) for worker_id, worker in workers.items()}
    dated = {worker_id: answers for worker_id, answers in dated.items() if len(answers) >= FEWEST}
    return {
        worker_id: _make_curve(answers, certain=CERTAIN / len(dated))
        for worker_id, answers in dated.items()
    }


def measure_crew_learning(workers: Iterable[Worker]) -> LearningCurve | None:
    """The curve of all answers together; None if too few are dated."""
    answers = _in_order([item for worker in workers for item in worker.compared])
    return _make_curve(answers, certain=CERTAIN) if len(answers) >= FEWEST else None


@dataclass(frozen=True)
class _Dated:
    """One answer that was compared with the others'."""

    submitted: float  # UTC seconds
    agreement: float
    seconds: float | None


def _in_order(compared: Iterable[ComparedAnswer]) -> list[_Dated]:
    dated = [
        _Dated(item.time.submitted.timestamp(), item.agreement, item.time.seconds)
        for item in compared
        if item.time is not None and item.time.submitted is not None
    ]
    return sorted(dated, key=lambda item: item.submitted)


def _make_curve(answers: Sequence[_Dated], *, certain: float) -> LearningCurve:
    n_points = min(MOST_POINTS, len(answers) // ANSWERS_A_POINT)
    edges = np.linspace(0, len(answers), n_points + 1).round().astype(int).tolist()
    values = np.array([item.agreement for item in answers])
    half = len(answers) // 2
    before, after = float(values[:half].mean()), float(values[half:].mean())
    trend: Trend = ""
    if compare_halves(values) < certain and before != after:
        trend = "rising" if after > before else "falling"
    return LearningCurve(
        points=tuple(_make_point(answers[start:stop]) for start, stop in pairwise(edges)),
        before=before,
        after=after,
        trend=trend,
    )


def _make_point(answers: Sequence[_Dated]) -> LearningPoint:
    total = sum(item.agreement for item in answers)
    seconds = [item.seconds for item in answers if item.seconds is not None]
    return LearningPoint(
        answers=len(answers),
        began=datetime.fromtimestamp(answers[0].submitted, UTC),
        ended=datetime.fromtimestamp(answers[-1].submitted, UTC),
        agreement=total / len(answers),
        interval=compute_wilson_interval(total, len(answers)),
        seconds=median(seconds) if seconds else math.nan,
    )


def compare_halves(values: NDArray[np.float64]) -> float:
    """Probability that chance alone makes two halves of a series differ so much [1]_.

    The Mann-Whitney test, two-sided, with the normal approximation, corrected for ties and for
    continuity.

    Parameters
    ----------
    values : ndarray of float, shape (n_values,)
        In order of time, four at least.

    Returns
    -------
    float
        In [0, 1]; 1 if all values are the same.

    References
    ----------
    .. [1] H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is
       stochastically larger than the other", Annals of Mathematical Statistics 18, 1947.
       doi:10.1214/aoms/1177730491

    Examples
    --------
    >>> round(compare_halves(np.array([0.0] * 10 + [1.0] * 10)), 5)
    2e-05
    """
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[codes]
    first, total = values.size // 2, values.size
    second = total - first
    ties = float((counts.astype(np.float64) ** 3 - counts).sum()) / (total * (total - 1))
    variance = first * second / 12 * (total + 1 - ties)
    if variance <= 0:
        return 1.0
    surplus = abs(float(ranks[:first].sum()) - first * (first + 1) / 2 - first * second / 2)
    return math.erfc(max(surplus - 0.5, 0.0) / math.sqrt(2 * variance))
