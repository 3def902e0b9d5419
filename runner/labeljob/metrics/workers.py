"""What each worker of a job is worth, as far as the others tell, and who is to be checked."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundtruth.annotations import CANNOT_BE_LABELED, RejectedAnswer
from labeljob.history.job import ObjectAnnotations
from labeljob.history.job_files import AnswerTime
from labeljob.metrics.agreement import find_confusions, known, measure_agreement, remember
from labeljob.metrics.copying import find_copying
from labeljob.metrics.intervals import compute_wilson_interval
from labeljob.metrics.tails import binomial_tail
from labeljob.rounds.accuracy_curve import count_votes
from labeljob.tasks.base import Ints, JobType


class ComparedAnswer(NamedTuple):
    """One answer that others answered too: to what, how it agrees with theirs, in [0, 1], when."""

    object_id: str
    agreement: float
    time: AnswerTime | None


@dataclass(kw_only=True)
class Worker:
    """One worker of a job.

    `name` is what the worker is called, else the id shortened; `unusable` how many answers were
    rejected, besides those that say that the object cannot be labeled, which `unlabelable` counts;
    `confusion` how often the others said the first class and the worker the second; `compared` the
    answers that others gave too, in the order of the data objects; `seconds` the median time for a
    task and `pace` that between two answers, NaN where the job does not tell; `times` what these
    are medians of; `flags` words for what is suspicious, and why.
    """

    worker_id: str
    name: str
    answers: int = 0
    unusable: int = 0
    unlabelable: int = 0
    confusion: dict[tuple[int, int], float] = field(default_factory=lambda: defaultdict(float))
    compared: list[ComparedAnswer] = field(default_factory=list)
    seconds: float = math.nan
    pace: float = math.nan
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    flags: list[tuple[str, str]] = field(default_factory=list)

    @property
    def agreements(self) -> list[float]:
        """How each answer agrees with those of the others, if there are any."""
        return [item.agreement for item in self.compared]

    @property
    def rejected(self) -> int:
        """How many answers were set aside, for whatever reason."""
        return self.unusable + self.unlabelable

    def count_rejected(self, answer: RejectedAnswer) -> None:
        """Count an answer that was set aside."""
        if answer.reason == CANNOT_BE_LABELED:
            self.unlabelable += 1
        else:
            self.unusable += 1

    @property
    def agreement(self) -> float:
        """Mean agreement with the others; NaN if nobody else answered the same."""
        return float(np.mean(self.agreements)) if self.compared else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Where the agreement lies with 95 % probability, by Wilson's score.

        An agreement between 0 and 1, as masks have, is taken as that share of a right answer,
        which makes the interval too wide rather than too narrow.
        """
        return compute_wilson_interval(sum(self.agreements), len(self.agreements))

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
            "set-aside": self.rejected,
            "cannot-be-labeled": self.unlabelable,
            "agreement": known(self.agreement),
            "interval": [low, high],
            "seconds-median": known(self.seconds),
            "pace-seconds-median": known(self.pace),
            "mistakes": [
                {"others": true, "said": said, "times": round(times, 2)}
                for true, said, times in self.mistakes(classes)
            ],
            "flags": [{"flag": flag, "why": why} for flag, why in self.flags],
        }


def tabulate_workers(
    objects: Sequence[ObjectAnnotations],
    job_type: JobType,
    n_classes: int,
    names: Mapping[str, str] | None = None,
) -> dict[str, Worker]:
    """All workers of a job, by their ids; `names` are what some of them are called."""
    ids = {worker for obj in objects for worker in obj.workers}
    ids |= {item.worker_id for obj in objects for item in obj.rejected if item.worker_id}
    shown = name_workers(sorted(ids), names or {})
    table = {worker: Worker(worker_id=worker, name=shown[worker]) for worker in sorted(ids)}
    score = remember(partial(_score, job_type=job_type, n_classes=n_classes))
    for obj in objects:
        for item in obj.rejected:
            if item.worker_id:
                table[item.worker_id].count_rejected(item)
        for worker_id, (agreement, confusions) in zip(obj.workers, score(obj.choices), strict=True):
            worker = table[worker_id]
            worker.answers += 1
            if agreement is not None:
                time = obj.answer_times.get(worker_id)
                worker.compared.append(ComparedAnswer(obj.object_id, agreement, time))
                for true, said, weight in confusions:
                    worker.confusion[true, said] += weight
    _add_times(table, objects)
    return table


def _score(
    choices: Ints, job_type: JobType, n_classes: int
) -> list[tuple[float | None, tuple[tuple[int, int, float], ...]]]:
    """Of each answer to a data object, how it agrees with the others and what it confuses."""
    return [
        (
            measure_agreement(choices, index, job_type, n_classes),
            tuple(find_confusions(choices, index, job_type, n_classes)),
        )
        for index in range(len(choices))
    ]


def name_workers(ids: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """What each worker is called: the name, if it is known, else the id shortened.

    Examples
    --------
    >>> names = {"private.AAAA1234": "Ann", "private.BBBB1234": "Ann", "private.CC": "Bob"}
    >>> list(name_workers(["private.AAAA1234", "private.BBBB1234", "private.CC"], names).values())
    ['Ann (…A1234)', 'Ann (…B1234)', 'Bob']
    """
    called = {worker: names.get(worker, short) for worker, short in shorten_names(ids).items()}
    times = Counter(called.values())
    return {
        worker: called[worker] if times[called[worker]] == 1 else f"{called[worker]} ({short})"
        for worker, short in shorten_names(ids).items()
    }


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
        worker.times = {"seconds": spent, "pace": gaps}
        worker.seconds = median(spent) if spent else math.nan
        worker.pace = median(gaps) if len(gaps) > 1 else math.nan


FEWEST = 8
"""Answers from which on a worker is looked at."""

CONSTANT_SHARE = 0.9
HASTE = 0.35
"""Share of the crew's median time under which a worker is hasty."""

CERTAIN = 0.001
"""Probability, over the whole crew, under which a constant answer is no chance."""

HASTY = 0.01
"""Probability under which a worker's times are not below the limit by chance."""

FEWEST_TIMED = 3
"""Workers whose times must be known to speak of a usual time."""


def flag_workers(
    workers: Mapping[str, Worker],
    objects: Sequence[ObjectAnnotations],
    job_type: JobType,
    classes: Sequence[str],
) -> None:
    """Add flags to workers. Each tells why, how sure it is, and what else could explain it.

    ``constant``: nearly always one answer, which the others give far less often; the others count
    by how much they agree with each other, and the test is binomial at 0.001 over the crew.
    ``random``: the agreement is nearly that of chance.
    ``haste``: the median time is far below the crew's, by a sign test at 0.01.
    ``copying``: one of two workers gives the other's answers, as `find_copying` has it.
    ``unusable``: half of the answers or more were rejected; to say that an object cannot be
    labeled is an answer like any other.
    """
    active = [worker for worker in workers.values() if worker.answers >= FEWEST]
    n_values = job_type.n_values(len(classes))
    count = remember(lambda choices: count_votes(choices, n_values))
    votes = [count(obj.choices) for obj in objects if obj.workers]
    chance = job_type.chance_agreement(votes) if votes else 0.0
    if not job_type.label_is_mask:  # two masks are hardly ever the same
        _flag_constant(workers, active, objects, job_type, classes, chance)
    _flag_random(active, job_type, chance)
    _flag_haste(active)
    for pair in find_copying(objects, job_type, n_values):
        for worker_id, partner_id in (pair.workers, pair.workers[::-1]):
            why = (
                f"the same answers as {workers[partner_id].name} in about {pair.share:.0%} of the "
                f"{pair.common} objects that both answered, beyond what their skill and the "
                f"objects explain ({_odds(pair.chance)} honest crews); or one person with two "
                "accounts, or two who decided together"
            )
            workers[worker_id].flags.append(("copying", why))
    for worker in workers.values():
        total = worker.answers + worker.rejected
        if worker.unusable >= 3 and 2 * worker.unusable >= total:
            why = (
                f"{worker.unusable} of {total} answers set aside (a count, no matter of chance); "
                "or the page or the browser is at fault"
            )
            worker.flags.append(("unusable", why))


def _odds(chance: float) -> str:
    """A small probability in words: ``under 1 in 1,000``."""
    return f"under 1 in {10 ** min(int(-math.log10(max(chance, 1e-9))), 6):,}"


def _flag_constant(
    workers: Mapping[str, Worker],
    active: Sequence[Worker],
    objects: Sequence[ObjectAnnotations],
    job_type: JobType,
    classes: Sequence[str],
    chance: float,
) -> None:
    trust = {
        worker_id: max(worker.agreement - chance, 0.0) if worker.agreements else 0.0
        for worker_id, worker in workers.items()
    }
    numbers: dict[bytes, int] = {}
    distinct: list[Ints] = []

    def number(choices: Ints) -> list[int]:
        for row in choices:
            if numbers.setdefault(row.tobytes(), len(distinct)) == len(distinct):
                distinct.append(row)
        return [numbers[row.tobytes()] for row in choices]

    codes = remember(number)
    index = {worker_id: position for position, worker_id in enumerate(workers)}
    item = np.repeat(np.arange(len(objects)), [len(obj.workers) for obj in objects])
    who = np.array([index[name] for obj in objects for name in obj.workers], np.int64)
    answer = np.array([code for obj in objects for code in codes(obj.choices)], np.int64)
    usual_answer, times = _find_usual_answers(who, answer, len(workers))
    others = _share_others(item, who, answer, usual_answer, np.array(list(trust.values())))
    for worker in active:
        position = index[worker.worker_id]
        count, usual = int(times[position]), float(others[position])
        share = count / worker.answers
        probability = binomial_tail(count, worker.answers, usual) * len(active)
        if share >= CONSTANT_SHARE and usual <= share - 0.3 and probability < CERTAIN:
            description = job_type.describe_answer(distinct[usual_answer[position]], classes)
            why = (
                f"{description} in {share:.0%} of the answers, the others {usual:.0%} of "
                f"the same objects ({_odds(probability)} by chance); or a rule that only this "
                "worker was told"
            )
            worker.flags.append(("constant", why))


def _find_usual_answers(who: Ints, answer: Ints, n_workers: int) -> tuple[Ints, Ints]:
    """What each worker said most often, and how often; of several, what came first."""
    pairs = who * (answer.max(initial=0) + 1) + answer
    _, first, times = np.unique(pairs, return_index=True, return_counts=True)
    order = np.lexsort((-first, times))  # what is written last stays
    usual, most = np.full(n_workers, -1), np.zeros(n_workers, np.int64)
    usual[who[first[order]]] = answer[first[order]]
    most[who[first[order]]] = times[order]
    return usual, most


def _share_others(
    item: Ints, who: Ints, answer: Ints, usual: Ints, trust: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much of the others' trust is with each worker's usual answer, a mean over data objects.

    1 for a worker whom nobody else's trust can be compared with. Answers are in the order of the
    data objects, so that those to one are so many rows apart.
    """
    total, alike = np.zeros(item.size), np.zeros(item.size)
    for apart in range(1, int(np.bincount(item).max(initial=1))):
        first = np.flatnonzero(item[apart:] == item[:-apart])
        for own, other in ((first, first + apart), (first + apart, first)):
            weight = trust[who[other]]
            total[own] += weight
            alike[own] += weight * (answer[other] == usual[who[own]])
    known = total > 0
    n_known = np.bincount(who[known], minlength=usual.size)
    shares = np.bincount(who[known], alike[known] / total[known], minlength=usual.size)
    return np.divide(shares, n_known, out=np.ones(usual.size), where=n_known > 0)


def _flag_random(active: Sequence[Worker], job_type: JobType, chance: float) -> None:
    compared = [worker for worker in active if worker.agreements]
    usual = median(worker.agreement for worker in compared) if compared else math.nan
    for worker in compared:
        upper = worker.interval[1]
        if why := job_type.explain_low_agreement(worker.agreement, upper, usual, chance):
            worker.flags.append(("random", f"{why}; or the instructions were not understood"))


def _flag_haste(active: Sequence[Worker]) -> None:
    for name, what in (("seconds", "a task"), ("pace", "from one answer to the next")):
        known = [value for worker in active if not math.isnan(value := getattr(worker, name))]
        if len(known) < FEWEST_TIMED or (
            name == "pace" and any(not math.isnan(worker.seconds) for worker in active)
        ):
            continue
        usual = median(known)
        for worker in active:
            times = worker.times[name]
            below = sum(value < HASTE * usual for value in times)
            probability = binomial_tail(below, len(times), 0.5)
            value = getattr(worker, name)
            if value < HASTE * usual and probability < HASTY:
                why = (
                    f"{value:.1f} s for {what}, the crew {usual:.1f} s (by chance in under 1 of "
                    "100); or the images were known, or the others' times hold pauses"
                )
                worker.flags.append(("haste", why))
