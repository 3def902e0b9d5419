"""What each worker of a job is worth, as far as the others tell, and who is to be checked."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from statistics import median
from typing import Any

import numpy as np

from labeljob.history.annotations import ObjectAnnotations
from labeljob.history.job_files import AnswerTime
from labeljob.metrics.agreement import count_votes, find_confusions, measure_agreement
from labeljob.tasks.base import JobType


@dataclass(kw_only=True)
class Worker:
    """One worker of a job.

    `name` is the id shortened; `confusion` how often the others said the first class and the
    worker the second; `seconds` the median time for a task and `pace` that between two answers,
    NaN where the job does not tell; `flags` words for what is suspicious, and why.
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
    """All workers of a job, by their ids."""
    ids = {worker for obj in objects for worker in obj.workers}
    ids |= {item.worker_id for obj in objects for item in obj.rejected if item.worker_id}
    names = shorten_names(sorted(ids))
    table = {worker: Worker(worker_id=worker, name=names[worker]) for worker in sorted(ids)}
    for obj in objects:
        for item in obj.rejected:
            if item.worker_id:
                table[item.worker_id].unusable += 1
        for index, worker in enumerate(obj.workers):
            table[worker].answers += 1
            score = measure_agreement(obj, index, job_type, n_classes)
            if score is not None:
                table[worker].agreements.append(score)
                for true, said, weight in find_confusions(obj, index, job_type, n_classes):
                    table[worker].confusion[true, said] += weight
    _add_times(table, objects)
    return table


def shorten_names(ids: Sequence[str]) -> dict[str, str]:
    """The last letters of each id, as few as tell them apart, four at least.

    Examples
    --------
    >>> shorten_names(["public.AAAA1234", "public.BBBB1234", "me"])
    {'public.AAAA1234': '…A1234', 'public.BBBB1234': '…B1234', 'me': 'me'}
    """
    length = 4
    while len({name[-length:] for name in ids}) < len(ids):
        length += 1
    return {name: name if len(name) <= length + 1 else f"…{name[-length:]}" for name in ids}


def _add_times(table: dict[str, Worker], objects: Sequence[ObjectAnnotations]) -> None:
    answer_times: dict[str, list[AnswerTime]] = defaultdict(list)
    for obj in objects:
        for worker_id, answer_time in obj.answer_times.items():
            answer_times[worker_id].append(answer_time)
    for worker_id, worker in table.items():
        own = answer_times[worker_id]
        spent = [time.seconds for time in own if time.seconds is not None]
        moments = sorted(time.submitted for time in own if time.submitted is not None)
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
        worker.seconds = median(spent) if spent else math.nan
        worker.pace = median(gaps) if len(gaps) > 1 else math.nan


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


FEWEST = 8
"""Answers from which on a worker is looked at."""

CONSTANT_SHARE = 0.9
HASTE = 0.35
"""Share of the crew's median time under which a worker is hasty."""

COPY_LEVEL = 0.001
"""Probability over all pairs under which equal errors are no chance."""

FEWEST_ERRORS = 5
"""Common errors from which on two workers are compared."""


@dataclass
class PairErrors:
    """Data objects on which two workers both differ from all others."""

    both_wrong: int = 0
    same: int = 0


def flag_workers(
    workers: Mapping[str, Worker],
    objects: Sequence[ObjectAnnotations],
    job_type: JobType,
    classes: Sequence[str],
) -> None:
    """Add flags to workers.

    ``constant``: nearly always one answer, which the others give far less often.
    ``random``: the agreement is nearer to that of chance than to the crew's.
    ``haste``: the median time is far below the crew's.
    ``copying``: two workers give the same wrong answer too often for chance; the test is
    binomial, at 0.001 over all pairs.
    ``unusable``: half of the answers or more were rejected.
    """
    active = [worker for worker in workers.values() if worker.answers >= FEWEST]
    _flag_constant(active, objects, job_type, classes)
    _flag_random(active, objects, job_type, len(classes))
    _flag_haste(active)
    _flag_copying(workers, objects, job_type, len(classes))
    for worker in workers.values():
        total = worker.answers + worker.unusable
        if worker.unusable >= 3 and 2 * worker.unusable >= total:
            worker.flags.append(("unusable", f"{worker.unusable} of {total} answers set aside"))


def _flag_constant(
    active: Sequence[Worker],
    objects: Sequence[ObjectAnnotations],
    job_type: JobType,
    classes: Sequence[str],
) -> None:
    if job_type.label_is_mask:  # two masks are hardly ever the same
        return
    said: dict[str, Counter[bytes]] = defaultdict(Counter)
    others: dict[str, Counter[bytes]] = defaultdict(Counter)
    descriptions: dict[bytes, str] = {}
    for obj in objects:
        answers = [row.tobytes() for row in obj.choices]
        for row, answer in zip(obj.choices, answers, strict=True):
            descriptions[answer] = job_type.describe_answer(row, classes)
        for index, worker_id in enumerate(obj.workers):
            said[worker_id][answers[index]] += 1
            others[worker_id].update(answers[:index] + answers[index + 1 :])
    for worker in active:
        answer, count = said[worker.worker_id].most_common(1)[0]
        total = others[worker.worker_id].total()
        usual = others[worker.worker_id][answer] / total if total else 1.0
        share = count / worker.answers
        if share >= CONSTANT_SHARE and usual <= share - 0.3:
            why = f"{descriptions[answer]} in {share:.0%} of the answers, the others {usual:.0%}"
            worker.flags.append(("constant", why))


def _flag_random(
    active: Sequence[Worker],
    objects: Sequence[ObjectAnnotations],
    job_type: JobType,
    n_classes: int,
) -> None:
    compared = [worker for worker in active if worker.agreements]
    if not compared:
        return
    n_values = job_type.n_values(n_classes)
    chance = job_type.chance_agreement(
        [count_votes(obj.choices, n_values) for obj in objects if obj.workers]
    )
    usual = median(worker.agreement for worker in compared)
    for worker in compared:
        upper = worker.interval[1]
        if why := job_type.explain_low_agreement(worker.agreement, upper, usual, chance):
            worker.flags.append(("random", why))


def _flag_haste(active: Sequence[Worker]) -> None:
    for name, what in (("seconds", "a task"), ("pace", "from one answer to the next")):
        known = [value for worker in active if not math.isnan(value := getattr(worker, name))]
        if len(known) < 3 or (name == "pace" and any(not math.isnan(w.seconds) for w in active)):
            continue
        usual = median(known)
        for worker in active:
            value = getattr(worker, name)
            if value < HASTE * usual:
                why = f"{value:.1f} s for {what}, the crew {usual:.1f} s"
                worker.flags.append(("haste", why))


def _flag_copying(
    workers: Mapping[str, Worker],
    objects: Sequence[ObjectAnnotations],
    job_type: JobType,
    n_classes: int,
) -> None:
    # Slow to load, and without hints.
    from scipy.stats import binomtest  # type: ignore[import-untyped]

    pairs = find_pair_errors(objects, job_type, n_classes)
    wrong = sum(pair.both_wrong for pair in pairs.values())
    same = sum(pair.same for pair in pairs.values())
    tested = [item for item in pairs.items() if item[1].both_wrong >= FEWEST_ERRORS]
    for ids, pair in tested:
        rest = wrong - pair.both_wrong
        # One more of each kind, so that a job with few errors proves nothing.
        expected = (same - pair.same + 1) / (rest + 2)
        chance = binomtest(pair.same, pair.both_wrong, expected, alternative="greater").pvalue
        if chance * max(1, len(tested)) < COPY_LEVEL:
            for worker_id, partner_id in (ids, ids[::-1]):
                why = (
                    f"the same error as {workers[partner_id].name} in {pair.same} of "
                    f"{pair.both_wrong} objects that both got wrong"
                )
                workers[worker_id].flags.append(("copying", why))


def find_pair_errors(
    objects: Sequence[ObjectAnnotations], job_type: JobType, n_classes: int
) -> dict[tuple[str, str], PairErrors]:
    """For each two workers, the data objects on which both differ from what all others say."""
    pairs: dict[tuple[str, str], PairErrors] = defaultdict(PairErrors)
    n_values = job_type.n_values(n_classes)
    for obj in objects:
        if len(obj.workers) < 3:
            continue
        votes = count_votes(obj.choices, n_values)
        units = np.arange(votes.shape[0])
        answers = zip(obj.workers, obj.choices, strict=True)
        for (worker, first), (partner, second) in combinations(answers, 2):
            rest = votes.copy()
            rest[units, first] -= 1
            rest[units, second] -= 1
            consensus = rest.argmax(axis=1)
            if all(
                job_type.similarity(own, consensus) < job_type.error_similarity
                for own in (first, second)
            ):
                pair = pairs[min(worker, partner), max(worker, partner)]
                pair.both_wrong += 1
                pair.same += job_type.similarity(first, second) >= job_type.copy_similarity
    return pairs
