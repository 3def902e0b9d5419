"""Why a data object has its label: votes, what each weighs, posterior and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from groundtruth.annotations import AnswerReader, Entry
from groundtruth.contract.acs import DataObject
from groundtruth.tasks.base import Batch, Label
from labeljob.analysis.ballots import Ballot, unit_classes
from labeljob.analysis.calls import Call
from labeljob.analysis.consensus import agreement_of
from labeljob.analysis.explanation import Explanation, Vote
from labeljob.analysis.job_on_file import JobOnFile
from labeljob.analysis.read_only import ReadOnly
from labeljob.analysis.replaying import batch_of, entries_of
from labeljob.analysis.side_files import SideFiles
from labeljob.analysis.workers import Worker
from labeljob.job.description import JobError


class NothingKept(ReadOnly):
    """The job's files, and masks that are made and forgotten."""

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        """Forget the mask: an explanation writes nothing."""


def object_named(job: JobOnFile, name: str) -> str:
    """The id of a data object: its number, its image's URI, or its file's name.

    Raises
    ------
    JobError
        If there is none, or several images have that name.
    """
    answered = set(job.object_ids())
    if name in answered:
        return name
    found = [
        line.object_id
        for line in job.lines
        if name in (line.source, PurePosixPath(line.source).name, PurePosixPath(line.source).stem)
    ]
    if len(found) > 1:
        raise JobError(f"{name} is the name of {len(found)} images; give the object's number")
    if not found and not any(line.object_id == name for line in job.lines):
        raise JobError(f"the job has no data object {name}: neither a number nor an image's name")
    chosen = found[0] if found else name
    if chosen not in answered:
        raise JobError(f"data object {chosen} has no answers that can be read")
    return chosen


def explain(
    job: JobOnFile,
    object_id: str,
    calls: Sequence[Call],
    ballots: Sequence[Ballot],
    workers: Mapping[str, Worker],
    side_files: SideFiles | None = None,
) -> Explanation:
    """Find out why a data object has its label.

    The call that holds it is consolidated again; and once more without each of its answers,
    except of masks, where that would take too long.

    Parameters
    ----------
    job : JobOnFile
        The job, with the settings to use.
    object_id : str
        The data object.
    calls : sequence of Call
        What is consolidated together.
    ballots : sequence of Ballot
        All answers of the job.
    workers : mapping of str to Worker
        All workers, from the same answers.
    side_files : SideFiles, optional
        What is known besides the answers.
    """
    call = next(call for call in reversed(calls) if object_id in call.object_ids)
    ballot = next(one for one in ballots if one.object_id == object_id)
    if not job.task.classifies:
        call = replace(call, object_ids=(object_id,))  # masks know nothing of each other
    entries = [
        entry
        for entry in entries_of(job, call)
        if job.task.classifies or entry.object.object_id == object_id
    ]
    batch = batch_of(job, call, NothingKept(job.place), "masks", side_files=side_files)
    label = _label(entries, object_id, job, batch)
    votes = []
    for at, worker in enumerate(ballot.workers):
        sitting = ballot.sittings.get(worker)
        votes.append(
            Vote(
                worker=workers[worker],
                said=said(ballot, at, job),
                agreement=agreement_of(ballot, at, job.task, len(unit_classes(job))),
                seconds=sitting.seconds if sitting else None,
                without=_without(entries, object_id, worker, job, batch),
            )
        )
    return Explanation(
        job=job,
        ballot=ballot,
        call=call,
        result=label.as_object(),
        status=label.status,
        votes=tuple(votes),
    )


def said(ballot: Ballot, at: int, job: JobOnFile) -> str:
    """One answer in words; of a mask the classes and how much of the image each covers."""
    own, names = ballot.choices[at], unit_classes(job)
    if own.size == 1:
        return names[int(own[0])]
    if job.task.classifies:
        return ", ".join(name for name, chosen in zip(names, own, strict=True) if chosen)
    shares = [(float((own == number).mean()), name) for number, name in enumerate(names)]
    return ", ".join(f"{name} {share:.0%}" for share, name in shares if share > 0)


def _label(entries: Sequence[Entry], object_id: str, job: JobOnFile, batch: Batch) -> Label:
    decoded = AnswerReader(batch.store).read(
        iter(entries), lambda content: job.core.decode(content, batch.classes)
    )
    at = next(at for at, one in enumerate(entries) if one.object.object_id == object_id)
    return list(job.core.consolidate(decoded, batch))[at]


def _without(
    entries: Sequence[Entry], object_id: str, worker: str, job: JobOnFile, batch: Batch
) -> tuple[str, float | None] | None:
    if not job.task.classifies:
        return None
    fewer = [
        replace(entry, object=_lacking(entry, worker))
        if entry.object.object_id == object_id
        else entry
        for entry in entries
    ]
    value = _label(fewer, object_id, job, batch).as_object()
    if "class-map" in value:
        confidences = value["confidence-map"].values()
        return ", ".join(value["class-map"].values()), min(confidences, default=None)
    return value["class-name"] or "no label", value["confidence"]


def _lacking(entry: Entry, worker: str) -> DataObject:
    kept = tuple(item for item in entry.object.annotations if item.worker_id != worker)
    return replace(entry.object, annotations=kept)
