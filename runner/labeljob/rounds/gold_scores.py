"""What workers said of known objects: how right they were, and what that teaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.annotations import AnswerReader
from groundtruth.auxiliary_inputs import AuxiliaryLabels
from groundtruth.worker_history.store import SkillStore
from labeljob.history.annotations import Ballot, Ints, grid_lines
from labeljob.history.job import JobOnFile
from labeljob.history.replay import EPOCH, Call, all_at_once, batch_of, entries_of
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import ReadOnly
from labeljob.metrics.consensus import grid_iou
from labeljob.metrics.workers import Worker, short_names
from labeljob.tasks.base import JobType, Truth


def units_of(truth: Truth, choices: Sequence[str]) -> Ints:
    """A truth in the units of a ballot.

    Parameters
    ----------
    truth : Truth
        A class, several, or a mask.
    choices : sequence of str
        Names of the classes, those of the job first.
    """
    if isinstance(truth, str):
        return np.array([choices.index(truth)])
    if isinstance(truth, frozenset):
        return np.array([name in truth for name in choices], dtype=np.int64)
    return at_grid(truth)


def at_grid(mask: NDArray[np.uint8]) -> Ints:
    """Class at the points of a mask at which `analysis.ballots` compares masks.

    Examples
    --------
    >>> at_grid(np.array([[0, 1], [1, 2]], dtype=np.uint8))
    array([0, 1, 1, 2])
    """
    rows, columns = (grid_lines(size) for size in mask.shape)
    return mask[np.ix_(rows, columns)].ravel().astype(np.int64)


def rightness(own: Ints, true: Ints, task: JobType) -> float:
    """How right an answer is, in [0, 1].

    Of a single label: 1 or 0. Of several: the Jaccard index. Of a mask: the mean intersection
    over union.

    Examples
    --------
    >>> from labeljob.tasks.registry import find_job_type
    >>> several = find_job_type("image-multi-class-multi-label")
    >>> rightness(np.array([1, 1, 0]), np.array([1, 0, 0]), several)
    0.5
    """
    if task.single_choice:
        return float(own[0] == true[0])
    return jaccard_index(own, true) if task.several_choices else grid_iou(own, true)


def jaccard_index(own: Ints, true: Ints) -> float:
    """Labels in common by labels in either, in [0, 1]; 1 if neither has one."""
    one, other = set(np.flatnonzero(own).tolist()), set(np.flatnonzero(true).tolist())
    return len(one & other) / len(one | other) if one | other else 1.0


def score_workers(
    job: JobOnFile,
    ballots: Iterable[Ballot],
    truths: Mapping[str, Truth],
    choices: Sequence[str],
) -> list[Worker]:
    """How right each worker was on known objects.

    Parameters
    ----------
    job : JobOnFile
        The job.
    ballots : iterable of Ballot
        Its answers.
    truths : mapping of str to Truth
        By the data objects' ids.
    choices : sequence of str
        Names of the classes, those of the job first.

    Returns
    -------
    list of Worker
        Whose `agreements` are with the truth; most answers first. `confusion` is kept for jobs
        with a single label.

    Raises
    ------
    JobError
        If a true mask has another size than the answers.
    """
    table: dict[str, Worker] = {}
    for ballot in ballots:
        if ballot.object_id not in truths:
            continue
        true = units_of(truths[ballot.object_id], choices)
        if not job.task.classifies and ballot.workers and true.size != ballot.choices.shape[1]:
            raise JobError(
                f"the true mask of {ballot.source or ballot.object_id} has another size than "
                "the answers"
            )
        for item in ballot.rejected:
            if item.worker_id:
                _worker(table, item.worker_id).unusable += 1
        for at, name in enumerate(ballot.workers):
            worker, own = _worker(table, name), ballot.choices[at]
            worker.answers += 1
            worker.agreements.append(rightness(own, true, job.task))
            if job.task.single_choice:
                worker.confusion[int(true[0]), int(own[0])] += 1
    for name, short in short_names(sorted(table)).items():
        table[name].name = short
    return sorted(table.values(), key=lambda worker: (-worker.answers, worker.worker_id))


def _worker(table: dict[str, Worker], name: str) -> Worker:
    return table.setdefault(name, Worker(worker_id=name, name=name))


def worker_json(worker: Worker, choices: Sequence[str]) -> dict[str, Any]:
    """A worker's score for `--json`."""
    low, high = worker.interval
    return {
        "worker-id": worker.worker_id,
        "gold-answers": worker.answers,
        "set-aside": worker.unusable,
        "right": round(sum(worker.agreements), 6),
        "accuracy": worker.agreement if worker.agreements else None,
        "interval": [low, high],
        "mistakes": [
            {"true": true, "said": said, "times": int(times)}
            for true, said, times in worker.mistakes(choices)
        ],
    }


def teach(
    job: JobOnFile,
    object_ids: Sequence[str],
    truths: Mapping[str, Truth],
    skills: SkillStore,
) -> str:
    """Let a skill store learn from known objects what the functions learn from gold.

    Parameters
    ----------
    job : JobOnFile
        A job with labels of whole images.
    object_ids : sequence of str
        The known objects.
    truths : mapping of str to Truth
        Names, by the data objects' ids.
    skills : SkillStore
        Is added to; each data object of a job counts once for ever.

    Returns
    -------
    str
        What went wrong; empty if nothing did.

    Raises
    ------
    JobError
        If the job is one of masks, for which the functions know no gold.
    """
    if not job.task.classifies:
        raise JobError("worker skill is learned from gold labels, and not from gold masks")
    job = job.with_settings(consolidation_algorithm=job.core.algorithms[0])
    made_at = all_at_once(job)[0].made_at
    call = Call(tuple(object_ids), made_at if made_at > EPOCH else datetime.now(UTC))
    store = ReadOnly(job.place)
    batch = batch_of(job, call, store, "masks", skills=skills)
    names = {object_id: _names(truth) for object_id, truth in truths.items()}
    batch = replace(batch, gold=AuxiliaryLabels({}, names))
    decode = partial(job.core.decode, classes=batch.classes)
    answers = AnswerReader(store).read(entries_of(job, call), decode)
    for _ in job.core.consolidate(answers, batch):
        pass
    return batch.skills.note


def _names(truth: Truth) -> tuple[str, ...]:
    return (truth,) if isinstance(truth, str) else tuple(sorted(map(str, truth)))
