"""Workers whose answers look as if they did not look: to be checked, not to be judged."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import numpy as np

from labeljob.history.annotations import Ballot, Ints
from labeljob.metrics.consensus import counts, grid_iou, n_values
from labeljob.metrics.workers import Worker
from labeljob.tasks.base import JobType

FEWEST = 8
"""Answers from which on a worker is looked at."""

CONSTANT_SHARE = 0.9
HASTE = 0.35
"""Share of the crew's median time under which a worker is hasty."""

COPY_LEVEL = 0.001
FEWEST_ERRORS = 5
SAME_MASK = 0.98
WRONG_MASK = 0.9


@dataclass
class PairErrors:
    """Data objects on which two workers both differ from all others."""

    both_wrong: int = 0
    same: int = 0


def flag_workers(
    workers: Mapping[str, Worker], ballots: Sequence[Ballot], task: JobType, classes: Sequence[str]
) -> None:
    """Add flags to workers.

    ``constant``: nearly always one class, which the others choose far less often.
    ``random``: the agreement's interval ends below half way from chance to the crew's median.
    ``haste``: the median time is far below the crew's.
    ``copying``: two workers give the same wrong answer too often for chance; the test is
    binomial, at 0.001 over all pairs.
    ``unusable``: half of the answers or more had to be set aside.
    """
    looked_at = [worker for worker in workers.values() if worker.answers >= FEWEST]
    if task.classifies:
        _flag_constant(looked_at, ballots, task, classes)
        _flag_random(looked_at, ballots, task, len(classes))
    else:
        _flag_poor_masks(looked_at)
    _flag_haste(looked_at)
    _flag_copying(workers, ballots, task, len(classes))
    for worker in workers.values():
        total = worker.answers + worker.unusable
        if worker.unusable >= 3 and 2 * worker.unusable >= total:
            worker.flags.append(("unusable", f"{worker.unusable} of {total} answers set aside"))


def _flag_constant(
    looked_at: Sequence[Worker], ballots: Sequence[Ballot], task: JobType, classes: Sequence[str]
) -> None:
    said: dict[str, Counter[bytes]] = defaultdict(Counter)
    others: dict[str, Counter[bytes]] = defaultdict(Counter)
    meaning: dict[bytes, str] = {}
    for ballot in ballots:
        answers = [row.tobytes() for row in ballot.choices]
        for row, answer in zip(ballot.choices, answers, strict=True):
            meaning[answer] = _named(row, task, classes)
        for at, worker in enumerate(ballot.workers):
            said[worker][answers[at]] += 1
            others[worker].update(answers[:at] + answers[at + 1 :])
    for one in looked_at:
        answer, count = said[one.worker_id].most_common(1)[0]
        total = others[one.worker_id].total()
        usual = others[one.worker_id][answer] / total if total else 1.0
        share = count / one.answers
        if share >= CONSTANT_SHARE and usual <= share - 0.3:
            why = f"{meaning[answer]} in {share:.0%} of the answers, the others {usual:.0%}"
            one.flags.append(("constant", why))


def _named(row: Ints, task: JobType, classes: Sequence[str]) -> str:
    if task.single_choice:
        return classes[int(row[0])]
    return ", ".join(classes[at] for at in np.flatnonzero(row).tolist())


def _flag_random(
    looked_at: Sequence[Worker], ballots: Sequence[Ballot], task: JobType, n_classes: int
) -> None:
    usual = [worker.agreement for worker in looked_at if worker.agreements]
    if not usual:
        return
    if task.single_choice:
        total = sum(counts(ballot, n_classes)[0] for ballot in ballots if ballot.workers)
        chance = float(((total / np.sum(total)) ** 2).sum())
    else:
        chance = 0.0
    limit = (chance + median(usual)) / 2
    for worker in looked_at:
        if worker.agreements and worker.interval[1] < limit:
            why = f"agrees with the others in {worker.agreement:.0%}; by chance {chance:.0%}"
            worker.flags.append(("random", why))


def _flag_poor_masks(looked_at: Sequence[Worker]) -> None:
    usual = [worker.agreement for worker in looked_at if worker.agreements]
    for worker in looked_at:
        if worker.agreements and worker.agreement < median(usual) / 2:
            worker.flags.append(("random", f"mean IoU with the others {worker.agreement:.2f}"))


def _flag_haste(looked_at: Sequence[Worker]) -> None:
    for name, what in (("seconds", "a task"), ("pace", "from one answer to the next")):
        known = [value for one in looked_at if not math.isnan(value := getattr(one, name))]
        if len(known) < 3 or (name == "pace" and any(not math.isnan(w.seconds) for w in looked_at)):
            continue
        usual = median(known)
        for worker in looked_at:
            value = getattr(worker, name)
            if value < HASTE * usual:
                why = f"{value:.1f} s for {what}, the crew {usual:.1f} s"
                worker.flags.append(("haste", why))


def _flag_copying(
    workers: Mapping[str, Worker], ballots: Sequence[Ballot], task: JobType, n_classes: int
) -> None:
    # Slow to load, and without hints.
    from scipy.stats import binomtest  # type: ignore[import-untyped]

    pairs = pair_errors(ballots, task, n_classes)
    wrong = sum(pair.both_wrong for pair in pairs.values())
    same = sum(pair.same for pair in pairs.values())
    tested = [item for item in pairs.items() if item[1].both_wrong >= FEWEST_ERRORS]
    for (one, other), pair in tested:
        rest = wrong - pair.both_wrong
        # One more of each kind, so that a job with few errors proves nothing.
        expected = (same - pair.same + 1) / (rest + 2)
        chance = binomtest(pair.same, pair.both_wrong, expected, alternative="greater").pvalue
        if chance * max(1, len(tested)) < COPY_LEVEL:
            for name, partner in ((one, other), (other, one)):
                why = (
                    f"the same error as {workers[partner].name} in {pair.same} of "
                    f"{pair.both_wrong} objects that both got wrong"
                )
                workers[name].flags.append(("copying", why))


def pair_errors(
    ballots: Sequence[Ballot], task: JobType, n_classes: int
) -> dict[tuple[str, str], PairErrors]:
    """For each two workers, the data objects on which both differ from what all others say."""
    pairs: dict[tuple[str, str], PairErrors] = defaultdict(PairErrors)
    values = n_values(task, n_classes)
    for ballot in ballots:
        if len(ballot.workers) < 3:
            continue
        table = counts(ballot, values)
        units = np.arange(table.shape[0])
        for one, other in combinations(range(len(ballot.workers)), 2):
            first, second = ballot.choices[one], ballot.choices[other]
            rest = table.copy()
            rest[units, first] -= 1
            rest[units, second] -= 1
            consensus = rest.argmax(axis=1)
            if _wrong(first, consensus, task) and _wrong(second, consensus, task):
                key = sorted((ballot.workers[one], ballot.workers[other]))
                pair = pairs[key[0], key[1]]
                pair.both_wrong += 1
                pair.same += not _differ(first, second, task)
    return pairs


def _wrong(own: Ints, consensus: Ints, task: JobType) -> bool:
    if task.classifies:
        return not np.array_equal(own, consensus)
    return grid_iou(own, consensus) < WRONG_MASK


def _differ(first: Ints, second: Ints, task: JobType) -> bool:
    if task.classifies:
        return not np.array_equal(first, second)
    return grid_iou(first, second) < SAME_MASK
