"""What each worker of a job is worth, as far as the other workers tell."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

from labeljob.history.annotations import ObjectAnnotations
from labeljob.history.answer_files import Sitting
from labeljob.metrics.agreement import find_confusions, measure_agreement
from labeljob.tasks.base import JobType


@dataclass(kw_only=True)
class Worker:
    """One worker of a job.

    Attributes
    ----------
    worker_id : str
        The id, as long as it is.
    name : str
        The id shortened, the same everywhere and different for each worker.
    answers, unusable : int
        How many count, and how many were set aside.
    agreements : list of float
        Agreement of each answer with those of the others, in [0, 1].
    confusion : dict of (int, int) to float
        How often the others said the first class and the worker the second; only pairs that
        were met.
    seconds : float
        Median time for a task, in seconds; NaN if the job does not tell.
    pace : float
        Median time between two answers, in seconds; NaN with fewer than three.
    flags : list of (str, str)
        A word for what is suspicious, and why.
    """

    worker_id: str
    name: str
    answers: int = 0
    unusable: int = 0
    confusion: dict[tuple[int, int], float] = field(default_factory=lambda: defaultdict(float))
    agreements: list[float] = field(default_factory=list)
    seconds: float = math.nan
    pace: float = math.nan
    flags: list[tuple[str, str]] = field(default_factory=list)

    @property
    def agreement(self) -> float:
        """Mean agreement with the others; NaN if nobody else answered the same."""
        return float(np.mean(self.agreements)) if self.agreements else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Where the agreement lies with 95 % probability, by Wilson's score.

        An agreement between 0 and 1, as masks have, is taken as that share of a right answer,
        which makes the interval too wide rather than too narrow.
        """
        # Slow to load, and without hints.
        from statsmodels.stats.proportion import (  # type: ignore[import-untyped]
            proportion_confint,
        )

        if not self.agreements:
            return (0.0, 1.0)
        low, high = proportion_confint(sum(self.agreements), len(self.agreements), method="wilson")
        return (max(0.0, float(low)), min(1.0, float(high)))

    def mistakes(self, classes: Sequence[str], most: int = 2) -> list[tuple[str, str, float]]:
        """What the others said, what the worker said instead, and how often; most often first."""
        off = [(pair, times) for pair, times in self.confusion.items() if pair[0] != pair[1]]
        off.sort(key=lambda row: (-row[1], row[0]))
        return [(classes[true], classes[said], times) for (true, said), times in off[:most]]

    def as_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """The worker for `--json`."""
        low, high = self.interval
        return {
            "worker-id": self.worker_id,
            "answers": self.answers,
            "set-aside": self.unusable,
            "agreement": _number(self.agreement),
            "interval": [low, high],
            "seconds-median": _number(self.seconds),
            "pace-seconds-median": _number(self.pace),
            "mistakes": [
                {"others": true, "said": said, "times": round(times, 2)}
                for true, said, times in self.mistakes(classes)
            ],
            "flags": [{"flag": flag, "why": why} for flag, why in self.flags],
        }


def tabulate_workers(
    objects: Sequence[ObjectAnnotations], job_type: JobType, n_classes: int
) -> dict[str, Worker]:
    """All workers of a job, by their ids.

    Parameters
    ----------
    objects : sequence of ObjectAnnotations
        The answers.
    job_type : JobType
        The job type.
    n_classes : int
        What a unit of an answer can be.
    """
    ids = {worker for obj in objects for worker in obj.workers}
    ids |= {item.worker_id for obj in objects for item in obj.rejected if item.worker_id}
    names = short_names(sorted(ids))
    table = {worker: Worker(worker_id=worker, name=names[worker]) for worker in sorted(ids)}
    for obj in objects:
        for item in obj.rejected:
            if item.worker_id:
                table[item.worker_id].unusable += 1
        for at, worker in enumerate(obj.workers):
            table[worker].answers += 1
            score = measure_agreement(obj, at, job_type, n_classes)
            if score is not None:
                table[worker].agreements.append(score)
                for true, said, weight in find_confusions(obj, at, job_type, n_classes):
                    table[worker].confusion[true, said] += weight
    _add_times(table, objects)
    return table


def short_names(ids: Sequence[str]) -> dict[str, str]:
    """The last letters of each id, as few as tell them apart, four at least.

    Examples
    --------
    >>> short_names(["public.AAAA1234", "public.BBBB1234", "me"])
    {'public.AAAA1234': '…A1234', 'public.BBBB1234': '…B1234', 'me': 'me'}
    """
    length = 4
    while len({name[-length:] for name in ids}) < len(ids):
        length += 1
    return {name: name if len(name) <= length + 1 else f"…{name[-length:]}" for name in ids}


def _add_times(table: dict[str, Worker], objects: Sequence[ObjectAnnotations]) -> None:
    sittings: dict[str, list[Sitting]] = defaultdict(list)
    for obj in objects:
        for worker_id, sitting in obj.sittings.items():
            sittings[worker_id].append(sitting)
    for worker_id, worker in table.items():
        own = sittings[worker_id]
        spent = [one.seconds for one in own if one.seconds is not None]
        moments = sorted(one.submitted for one in own if one.submitted is not None)
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
        worker.seconds = median(spent) if spent else math.nan
        worker.pace = median(gaps) if len(gaps) > 1 else math.nan


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
