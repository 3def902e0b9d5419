"""What more or fewer workers would cost and gain, estimated from the answers of a pilot.

The pilot's answers to each data object are put into random order many times, and consolidated by
majority as they come.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from labeljob.history.job import ObjectAnnotations
from labeljob.jobs.description import JobError
from labeljob.rounds import LEAD, MOST_WORKERS
from labeljob.rounds.accuracy_curve import AccuracyCurve
from labeljob.tasks.base import Ints, JobType, Truth

STARTS = (2, 3)
CLOSE = 0.01
"""Quality for which nobody buys more answers, where no goal is given."""
_NORMAL_95 = 1.959964

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """How many workers each data object gets.

    After `start` answers, more are added one at a time until the first class has `lead` more than
    the second, or there are `most`; a lead of 0 adds none.
    """

    start: int
    lead: int = 0
    most: int = MOST_WORKERS

    def __str__(self) -> str:
        if not self.lead:
            return f"always {self.start}"
        return f"start with {self.start}, add until the lead is {self.lead}, at most {self.most}"

    def count_answers(self, curve: AccuracyCurve) -> Ints:
        """How many answers each data object gets, shape (n_items,)."""
        n_items = curve.quality.shape[0]
        if not self.lead or curve.leads is None:
            return np.full(n_items, self.start)
        enough = curve.leads[:, self.start - 1 : self.most] >= self.lead
        enough[:, -1] = True
        return self.start + enough.argmax(axis=1)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a plan would cost and how good its labels would be.

    `quality` is in [0, 1]: the share of right labels, or of those that all the pilot's answers
    give; of several labels the Jaccard index, of masks the mean intersection over union. It lies in
    `interval` with 95 % probability, as far as the choice of data objects goes. `stopped_at` is the
    share of the data objects that got so many answers; `extrapolated`, whether it needs more
    answers than most data objects of the pilot have.
    """

    plan: Plan
    answers: float
    quality: float
    interval: tuple[float, float]
    gain: float
    stopped_at: Mapping[int, float]
    extrapolated: bool

    def as_json(self, *, price: float | None, objects: int, single: Estimate) -> dict[str, Any]:
        """The estimate for `--json`, with costs if there is a price for an answer."""
        values: dict[str, Any] = {
            "plan": str(self.plan),
            "start": self.plan.start,
            "lead": self.plan.lead or None,
            "answers-per-object": round(self.answers, 4),
            "quality": round(self.quality, 5),
            "interval": [round(end, 5) for end in self.interval],
            "gain-over-one-worker": round(self.gain, 5),
            "stopped-at": {str(n): round(share, 4) for n, share in self.stopped_at.items()},
            "extrapolated": self.extrapolated,
        }
        if price is not None:
            values["cost"] = round(price * self.answers * objects, 2)
            more = price * (self.answers - single.answers)
            values["cost-of-one-more-right"] = round(more / self.gain, 4) if self.gain > 0 else None
        return values


def list_plans(job_type: JobType, *, most: int, lead: int = LEAD) -> list[Plan]:
    """Always 1, 2, … workers, then those that add workers where they are needed.

    Masks have no lead: their pixels do.

    Examples
    --------
    >>> from labeljob.tasks.registry import find_job_type
    >>> [str(plan) for plan in list_plans(find_job_type("image-multi-class"), most=3)][2:]
    ['always 3', 'start with 2, add until the lead is 2, at most 3']
    """
    fixed = [Plan(n) for n in range(1, most + 1)]
    if not job_type.has_lead:
        return fixed
    return fixed + [Plan(start, lead, most) for start in STARTS if start < most]


def estimate_plans(
    objects: Sequence[ObjectAnnotations],
    job_type: JobType,
    classes: Sequence[str],
    plans: Sequence[Plan],
    *,
    truths: Mapping[str, Truth] | None,
    replays: int,
    rng: np.random.Generator,
    advance: Callable[[], object] = lambda: None,
) -> list[Estimate]:
    """Estimate what plans would cost and gain, from answers put into random order `replays` times.

    Data objects without a truth are left out; without truths, labels are judged by those that all
    answers of the pilot give. Raises `JobError` if no data object can be judged.
    """
    pilot = [obj for obj in objects if obj.workers and (not truths or obj.object_id in truths)]
    if not pilot:
        raise JobError("the pilot has no data object with a usable answer (and a truth)")
    true = None
    if truths:
        true = [job_type.truth_choices(truths[obj.object_id], classes) for obj in pilot]
    sizes = np.array([len(obj.workers) for obj in pilot])
    most = max(max(plan.most if plan.lead else plan.start for plan in plans), 1)
    compared = [Plan(1), *plans]
    quality = np.zeros((len(compared), len(pilot)))
    counts = np.zeros((len(compared), most + 1))
    simulate = job_type.simulate_curve([obj.choices for obj in pilot], len(classes), true)
    items = np.arange(len(pilot))
    for _ in range(replays):
        curve = simulate(shuffle_answers(sizes, most, rng), rng)
        for row, plan in enumerate(compared):
            answers = plan.count_answers(curve)
            quality[row] += curve.quality[items, answers - 1]
            counts[row] += np.bincount(answers, minlength=most + 1)
        advance()
    quality /= replays
    shares = counts / counts.sum(axis=1, keepdims=True)
    return list(_estimates(plans, quality, shares, float(np.median(sizes))))


def _estimates(
    plans: Sequence[Plan], quality: Floats, shares: Floats, typical: float
) -> Iterator[Estimate]:
    """One estimate for each plan; the first row is that of one worker."""
    one_worker = float(quality[0].mean())
    for plan, row, share in zip(plans, quality[1:], shares[1:], strict=True):
        mean = float(row.mean())
        spread = float(row.std(ddof=1)) if row.size > 1 else math.inf
        half = min(1.0, _NORMAL_95 * spread / math.sqrt(row.size))
        yield Estimate(
            plan=plan,
            answers=float(share @ np.arange(share.size)),
            quality=mean,
            interval=(max(0.0, mean - half), min(1.0, mean + half)),
            gain=mean - one_worker,
            stopped_at={n: float(share[n]) for n in np.flatnonzero(share).tolist()},
            extrapolated=(plan.most if plan.lead else plan.start) > typical,
        )


def recommend(estimates: Sequence[Estimate], goal: float | None = None) -> Estimate:
    """The plan with the fewest answers that is good enough.

    That is what reaches `goal`, a quality in [0, 1], with no more answers than the pilot has if
    possible. Without a goal, and where no plan reaches it, it is what is within `CLOSE` of the best
    that the pilot's answers tell of.
    """
    measured = [row for row in estimates if not row.extrapolated] or list(estimates)
    enough = max(row.quality for row in measured) - CLOSE
    groups = [[row for row in measured if row.quality >= enough]]
    if goal is not None:
        reaching = [row for row in estimates if row.quality >= goal]
        groups[:0] = [[row for row in reaching if row in measured], reaching]
    return min(next(filter(None, groups)), key=lambda row: row.answers)


def shuffle_answers(sizes: Ints, most: int, rng: np.random.Generator) -> Ints:
    """A random order of each data object's answers, shape (n_items, most); -1 for none.

    Examples
    --------
    >>> shuffle_answers(np.array([1, 3]), 3, np.random.default_rng(0)).tolist()
    [[0, -1, -1], [0, 1, 2]]
    """
    n_items, width = sizes.size, max(int(sizes.max()), most)
    keys = rng.random((n_items, width))
    missing = np.arange(width) >= sizes[:, None]
    keys[missing] = math.inf
    order = keys.argsort(axis=1)
    return np.where(missing, -1, order)[:, :most]
