"""A job's answers consolidated again, through the library's own path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from groundtruth.annotations import AnswerReader, Entry, merged
from groundtruth.contract.acs import DataObject
from groundtruth.output_styles import written
from groundtruth.tasks.base import Batch, Label
from groundtruth.worker_history.batch import BatchSkills
from groundtruth.worker_history.store import SkillKey, SkillStore
from labeljob.analysis.calls import EPOCH, Call, calls_by_date, time_in_name
from labeljob.analysis.job_on_file import JobOnFile
from labeljob.analysis.read_only import ReadOnly
from labeljob.analysis.side_files import SideFiles
from labeljob.job.layout import metadata_time


@dataclass(frozen=True)
class Replayed:
    """The new label of one data object.

    Attributes
    ----------
    object_id : str
        The data object.
    label : Label
        Its label.
    batch : Batch
        What it was consolidated with.
    """

    object_id: str
    label: Label
    batch: Batch

    def content(self, job: JobOnFile, style: str) -> dict[str, Any]:
        """What the output manifest gets: label and metadata in a style."""
        batch = replace(self.batch, settings=replace(self.batch.settings, output_style=style))
        content = written(self.label, job.attribute, job.core, batch)
        if style == "object":
            content[f"{job.attribute}-metadata"] = {
                "type": "groundtruth/custom",
                "job-name": batch.job_name.rpartition("/")[2],
                "human-annotated": "yes",
                "creation-date": metadata_time(batch.made_at),
            }
        return content


def calls_of(job: JobOnFile) -> list[Call]:
    """The calls the job was made of: its requests, else told apart by the labels' dates.

    Data objects that no call has come last, in a call of their own.
    """
    calls = [
        Call(tuple(item.object_id for item in objects), time_in_name(uri), uri)
        for uri in job.files.requests
        if (objects := job.files.request(uri))
    ]
    calls = calls or calls_by_date(job.lines, job.attribute)
    known = {object_id for call in calls for object_id in call.object_ids}
    answered = job.object_ids()
    if others := tuple(object_id for object_id in answered if object_id not in known):
        calls.append(Call(others, max((call.made_at for call in calls), default=EPOCH)))
    return calls


def all_at_once(job: JobOnFile) -> list[Call]:
    """One call with all answers of the job."""
    dates = [call.made_at for call in calls_by_date(job.lines, job.attribute)]
    return [Call(tuple(job.object_ids()), max(dates, default=EPOCH))]


def replay(
    job: JobOnFile,
    calls: Sequence[Call],
    *,
    store: ReadOnly,
    masks_uri: str,
    side_files: SideFiles | None = None,
    skills: SkillStore | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Iterator[Replayed]:
    """Consolidate a job's answers again, call by call.

    Parameters
    ----------
    job : JobOnFile
        The job, with the settings to use.
    calls : sequence of Call
        Which data objects are consolidated together. Of a data object in several calls the last
        label counts.
    store : ReadOnly
        Where masks are written.
    masks_uri : str
        What the labels call the folder of masks.
    side_files : SideFiles, optional
        What is known besides the answers.
    skills : SkillStore, optional
        Keeps what a call teaches about its workers for the calls after it.
    advance : callable
        Called as each data object is taken up.

    Yields
    ------
    Replayed
        One for each data object of each call.
    """
    for call in calls:
        batch = batch_of(job, call, store, masks_uri, side_files=side_files, skills=skills)
        ids: list[str] = []
        entries = _noted(entries_of(job, call), ids, advance)
        decode = partial(job.core.decode, classes=batch.classes)
        answers = AnswerReader(store).read(entries, decode)
        for at, label in enumerate(job.core.consolidate(answers, batch)):
            yield Replayed(ids[at], label, batch)


def batch_of(
    job: JobOnFile,
    call: Call,
    store: ReadOnly,
    masks_uri: str,
    *,
    side_files: SideFiles | None = None,
    skills: SkillStore | None = None,
) -> Batch:
    """What the task needs to know of a call besides its answers."""
    known = side_files or SideFiles()
    return Batch(
        classes=job.choices,
        classes_known=job.classes_from != "answers",
        settings=job.settings,
        job_name=job.name,
        made_at=call.made_at,
        masks_uri=masks_uri,
        store=store,
        kms_key=None,
        gold=known.gold,
        model=known.model,
        confidence_map=known.confidence_map,
        skills=BatchSkills(
            store=skills,
            key=SkillKey(job.core.name, job.choices, job.settings.skill_half_life_days),
            batch_id="\n".join(call.object_ids),
            job=job.name,
            made_at=call.made_at,
        ),
    )


def entries_of(job: JobOnFile, call: Call) -> Iterator[Entry]:
    """The data objects of a call, out of its own request if there is one."""
    if call.request is not None:
        objects: list[DataObject] = job.files.request(call.request)
        yield from merged(objects)
        return
    for item in job.answered(call.object_ids):
        yield Entry(item.object)


def _noted(
    entries: Iterator[Entry], ids: list[str], advance: Callable[[], object]
) -> Iterator[Entry]:
    for entry in entries:
        ids.append(entry.object.object_id)
        advance()
        yield entry
