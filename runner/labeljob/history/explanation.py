"""Why a data object has its label: votes, what each weighs, posterior and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from groundtruth.annotations import AnswerReader, Entry
from groundtruth.contract.acs import DataObject
from groundtruth.tasks.base import ConsolidationContext, Dependence, Label, algorithm_of
from labeljob.history.auxiliary_inputs import AuxiliaryInputs
from labeljob.history.differences import describe_label
from labeljob.history.job import JobOnFile, ObjectAnnotations
from labeljob.history.replay import Call, judge_workers, make_context, read_entries
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import ReadOnly
from labeljob.metrics.agreement import measure_agreement
from labeljob.metrics.workers import Worker


@dataclass(frozen=True, kw_only=True)
class Vote:
    """One worker's answer and what it did.

    `without` is label and confidence if this answer had not been given; None if not tried.
    """

    worker: Worker
    said: str
    agreement: float | None
    seconds: float | None
    without: tuple[str, float | None] | None

    def as_json(self) -> dict[str, Any]:
        """The vote for `--json`."""
        low, high = self.worker.interval
        label, confidence = self.without or (None, None)
        return {
            "worker-id": self.worker.worker_id,
            "said": self.said,
            "agreement-here": self.agreement,
            "seconds": self.seconds,
            "worker": {
                "answers": self.worker.answers,
                "agreement": self.worker.agreement if self.worker.agreements else None,
                "interval": [low, high],
                "flags": [flag for flag, _ in self.worker.flags],
            },
            "without": {"label": label, "confidence": confidence} if self.without else None,
        }


@dataclass(frozen=True, kw_only=True)
class DependenceEffect:
    """What the dependence of workers' errors does to a label.

    `confidence` is the label's, the lowest of several; `if_independent` and `if_dependent` are
    what it would be with the dependence 0 and 1.
    """

    found: Dependence
    confidence: float | None
    if_independent: float | None
    if_dependent: float | None

    def as_json(self) -> dict[str, Any]:
        """The effect for `--json`."""
        return {
            **_dependence_as_json(self.found),
            "confidence": self.confidence,
            "confidence-if-independent": self.if_independent,
            "confidence-if-dependent": self.if_dependent,
        }


def _dependence_as_json(found: Dependence) -> dict[str, Any]:
    """The dependence of a label for `--json`."""
    return {
        "dependence": found.value,
        "correlation": found.correlation,
        "pairs": found.pairs,
        "earlier-pairs": found.earlier_pairs,
    }


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a data object has its label.

    `manifest` is the label that it has in the job's manifest; `dependence` is None of algorithms
    that do not look for it.
    """

    job: JobOnFile
    annotations: ObjectAnnotations
    call: Call
    manifest: Label | None
    result: Mapping[str, Any]
    status: str
    dependence: DependenceEffect | None
    votes: tuple[Vote, ...]

    @property
    def posterior(self) -> dict[str, float]:
        """Probability of each class as the algorithm gave it, else the share of the votes."""
        posterior = self.result.get("posterior")
        if isinstance(posterior, Mapping):
            return {str(name): float(value) for name, value in posterior.items()}
        if isinstance(posterior, Sequence) and not isinstance(posterior, str):
            return dict(zip(self.job.choices, map(float, posterior), strict=False))
        votes = self.result.get("votes") or {}
        total = len(self.votes)
        return {name: count / total for name, count in votes.items()} if total else {}

    @property
    def posterior_from(self) -> str:
        """``"algorithm"`` or ``"votes"``."""
        return "algorithm" if self.result.get("posterior") is not None else "votes"

    def as_json(self) -> dict[str, Any]:
        """The explanation for `--json`."""
        job, settings = self.job, self.job.settings
        told = self.manifest.dependence if self.manifest else None
        return {
            "object": self.annotations.object_id,
            "source": self.annotations.source,
            "task": job.task.name,
            "manifest": describe_label(self.manifest),
            "result": dict(self.result),
            "status": self.status,
            "posterior": self.posterior,
            "posterior-from": self.posterior_from,
            "dependence": self.dependence.as_json() if self.dependence else None,
            "dependence-in-manifest": _dependence_as_json(told) if told else None,
            "votes": [vote.as_json() for vote in self.votes],
            "comments": dict(self.annotations.comments),
            "set-aside": [vars(item) for item in self.annotations.rejected],
            "call": {
                "objects": len(self.call.object_ids),
                "made-at": self.call.made_at.isoformat(),
            },
            "settings": {
                "algorithm": algorithm_of(job.core, settings),
                "hash": settings.label_hash,
                "quorum": settings.quorum,
                "min-confidence": settings.min_confidence,
                "exclusion-category": settings.exclusion_category,
                "answer-field": settings.answer_field,
            },
        }


class NothingKept(ReadOnly):
    """The job's files, and masks that are made and forgotten."""

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        """Forget the mask: an explanation writes nothing."""


def find_object(job: JobOnFile, name: str) -> str:
    """The id of a data object, told by its number, its image's URI, or its file's name.

    Raises `JobError` if there is none, or several images have that name.
    """
    answered = set(job.object_ids())
    if name in answered:
        return name
    matches = [
        line.object_id
        for line in job.lines
        if name in (line.source, PurePosixPath(line.source).name, PurePosixPath(line.source).stem)
    ]
    if len(matches) > 1:
        raise JobError(f"{name} is the name of {len(matches)} images; give the object's number")
    if not matches and not any(line.object_id == name for line in job.lines):
        raise JobError(f"the job has no data object {name}: neither a number nor an image's name")
    object_id = matches[0] if matches else name
    if object_id not in answered:
        raise JobError(f"data object {object_id} has no answers that can be read")
    return object_id


def explain(
    job: JobOnFile,
    object_id: str,
    calls: Sequence[Call],
    objects: Sequence[ObjectAnnotations],
    workers: Mapping[str, Worker],
    auxiliary: AuxiliaryInputs | None = None,
) -> Explanation:
    """Find out why a data object has its label.

    The call that holds it is consolidated again; and once more without each of its answers,
    except of masks, where that would take too long.
    """
    call = next(call for call in reversed(calls) if object_id in call.object_ids)
    obj = next(obj for obj in objects if obj.object_id == object_id)
    batch = make_context(job, call, NothingKept(job.place), "masks", auxiliary=auxiliary)
    judged = judge_workers(job, call, batch)
    batch = judged or batch
    alone = replace(call, object_ids=(object_id,)) if job.task.independent_objects else call
    entries = [
        entry
        for entry in read_entries(job, alone)
        if not job.task.independent_objects or entry.object.object_id == object_id
    ]
    label = _consolidate_one(entries, object_id, job, batch)
    votes = []
    for index, worker in enumerate(obj.workers):
        answer_time = obj.answer_times.get(worker)
        votes.append(
            Vote(
                worker=workers[worker],
                said=job.task.describe_answer(obj.choices[index], job.unit_classes),
                agreement=measure_agreement(obj.choices, index, job.task, len(job.unit_classes)),
                seconds=answer_time.seconds if answer_time else None,
                without=_consolidate_without(entries, object_id, worker, job, batch),
            )
        )
    line = next((line for line in job.lines if line.object_id == object_id), None)
    return Explanation(
        job=job,
        annotations=obj,
        call=call if judged else alone,
        manifest=line.label(job.attribute) if line else None,
        result=job.core.encode_object(label),
        status=label.status,
        dependence=_try_dependence(label, entries, object_id, job, batch),
        votes=tuple(votes),
    )


def _try_dependence(
    label: Label,
    entries: Sequence[Entry],
    object_id: str,
    job: JobOnFile,
    batch: ConsolidationContext,
) -> DependenceEffect | None:
    if label.dependence is None:
        return None
    independent, dependent = (
        _consolidate_one(entries, object_id, job, replace(batch, dependence=value)).confidence
        for value in (0.0, 1.0)
    )
    return DependenceEffect(
        found=label.dependence,
        confidence=label.confidence,
        if_independent=independent,
        if_dependent=dependent,
    )


def _consolidate_one(
    entries: Sequence[Entry], object_id: str, job: JobOnFile, batch: ConsolidationContext
) -> Label:
    decoded = AnswerReader(batch.store).read(
        iter(entries), lambda content: job.core.decode(content, batch.classes, batch.settings)
    )
    index = next(
        index for index, entry in enumerate(entries) if entry.object.object_id == object_id
    )
    return list(job.core.consolidate(decoded, batch))[index]


def _consolidate_without(
    entries: Sequence[Entry],
    object_id: str,
    worker: str,
    job: JobOnFile,
    batch: ConsolidationContext,
) -> tuple[str, float | None] | None:
    if job.task.independent_objects:
        return None
    fewer = [
        replace(entry, object=_drop_answer(entry, worker))
        if entry.object.object_id == object_id
        else entry
        for entry in entries
    ]
    value = job.core.encode_object(_consolidate_one(fewer, object_id, job, batch))
    if "class-map" in value:
        confidences = value["confidence-map"].values()
        return ", ".join(value["class-map"].values()), min(confidences, default=None)
    return value["class-name"] or "no label", value["confidence"]


def _drop_answer(entry: Entry, worker: str) -> DataObject:
    kept = tuple(item for item in entry.object.annotations if item.worker_id != worker)
    return replace(entry.object, annotations=kept)
