"""What workers said of known objects: how right they were, and what that teaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from groundtruth.annotations import AnswerReader
from groundtruth.auxiliary_inputs import AuxiliaryLabels
from groundtruth.worker_history.store import SkillStore
from labeljob.history.annotations import ObjectAnnotations
from labeljob.history.job import JobOnFile
from labeljob.history.replay import EPOCH, Call, all_at_once, batch_of, entries_of
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import ReadOnly
from labeljob.metrics.workers import Worker, short_names
from labeljob.tasks.base import Truth


def score_workers(
    job: JobOnFile,
    objects: Iterable[ObjectAnnotations],
    truths: Mapping[str, Truth],
    choices: Sequence[str],
) -> list[Worker]:
    """How right each worker was on known objects.

    Parameters
    ----------
    job : JobOnFile
        The job.
    objects : iterable of ObjectAnnotations
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
    for obj in objects:
        if obj.object_id not in truths:
            continue
        true = job.task.truth_choices(truths[obj.object_id], choices)
        for item in obj.rejected:
            if item.worker_id:
                _worker(table, item.worker_id).unusable += 1
        for at, name in enumerate(obj.workers):
            worker, own = _worker(table, name), obj.choices[at]
            worker.answers += 1
            try:
                worker.agreements.append(job.task.similarity(own, true))
            except ValueError as error:
                raise JobError(
                    f"the true mask of {obj.source or obj.object_id} has another size than "
                    "the answers"
                ) from error
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
    if not job.task.takes_auxiliary_inputs:
        raise JobError("worker skill is learned from gold labels, and not from gold masks")
    job = job.with_settings(consolidation_algorithm=job.core.algorithms[0])
    made_at = all_at_once(job)[0].made_at
    call = Call(tuple(object_ids), made_at if made_at > EPOCH else datetime.now(UTC))
    store = ReadOnly(job.place)
    batch = batch_of(job, call, store, "masks", skills=skills)
    names = {object_id: tuple(job.task.truth_names(truth)) for object_id, truth in truths.items()}
    batch = replace(batch, gold=AuxiliaryLabels({}, names))
    decode = partial(job.core.decode, classes=batch.classes)
    answers = AnswerReader(store).read(entries_of(job, call), decode)
    for _ in job.core.consolidate(answers, batch):
        pass
    return batch.skills.note
