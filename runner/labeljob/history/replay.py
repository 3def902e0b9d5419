"""A job's answers consolidated again, through the library's own path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

from groundtruth.annotations import AnswerReader, Entry, merged
from groundtruth.contract.acs import DataObject
from groundtruth.tasks.base import ConsolidationContext, Label
from groundtruth.tasks.label_format import format_label
from groundtruth.worker_history.store import BatchSkills, SkillKey, SkillStore
from labeljob.history.auxiliary_inputs import SideFiles
from labeljob.history.job import JobOnFile
from labeljob.history.output_labels import OutputLine
from labeljob.jobs.description import metadata_time
from labeljob.jobs.job_location import ReadOnly

GAP = timedelta(seconds=5)
"""Labels that are further apart in time are of different calls."""

EPOCH = datetime.fromtimestamp(0, tz=UTC)


@dataclass(frozen=True)
class Call:
    """One call: which data objects were consolidated together, and when.

    Attributes
    ----------
    object_ids : tuple of str
        The data objects.
    made_at : datetime
        In UTC; the epoch if nothing tells.
    request : str or None
        URI of the call's own payload.
    """

    object_ids: tuple[str, ...]
    made_at: datetime
    request: str | None = None


def calls_by_date(lines: Sequence[OutputLine], attribute: str) -> list[Call]:
    """Tell calls apart by the labels' creation dates: a gap of more than 5 s begins a new call.

    Parameters
    ----------
    lines : sequence of OutputLine
        The output manifest.
    attribute : str
        The label attribute name.

    Returns
    -------
    list of Call
        In time order; the data objects of a call in the order of the manifest. Lines without a
        label of a human have no part in it.
    """
    dated = sorted(
        (moment, at)
        for at, line in enumerate(lines)
        if (moment := creation_date(line, attribute)) is not None
    )
    if not dated:
        return []
    starts = [0]
    starts += [at for at, (one, two) in enumerate(pairwise(dated), 1) if two[0] - one[0] > GAP]
    ends = [*starts[1:], len(dated)]
    return [_call(lines, dated[start:end]) for start, end in zip(starts, ends, strict=True)]


def _call(lines: Sequence[OutputLine], dated: Sequence[tuple[datetime, int]]) -> Call:
    places = sorted(at for _, at in dated)
    return Call(tuple(lines[at].object_id for at in places), dated[-1][0])


def creation_date(line: OutputLine, attribute: str) -> datetime | None:
    """When the label of a line was made, in UTC; None if no human made it or nobody says when."""
    metadata = line.metadata(attribute)
    if metadata.get("human-annotated") == "no":
        return None
    text = metadata.get("creation-date", metadata.get("creation_date"))
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def time_in_name(uri: str) -> datetime:
    """The time in the name of a call's file, in UTC; the epoch if there is none.

    Examples
    --------
    >>> time_in_name("s3://bucket/job/iteration-1/2026-03-02_10:15:28.json").isoformat()
    '2026-03-02T10:15:28+00:00'
    """
    numbers = [int(number) for number in re.findall(r"\d+", uri.rpartition("/")[2])[:6]]
    try:
        year, month, day, hour, minute, second = numbers
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return EPOCH


@dataclass(frozen=True)
class Replayed:
    """The new label of one data object.

    Attributes
    ----------
    object_id : str
        The data object.
    label : Label
        Its label.
    batch : ConsolidationContext
        What it was consolidated with.
    """

    object_id: str
    label: Label
    batch: ConsolidationContext

    def content(self, job: JobOnFile, style: str) -> dict[str, Any]:
        """What the output manifest gets: label and metadata in a style."""
        batch = replace(self.batch, settings=replace(self.batch.settings, output_style=style))
        content = format_label(self.label, job.attribute, job.core, batch)
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
) -> ConsolidationContext:
    """What the task needs to know of a call besides its answers."""
    known = side_files or SideFiles()
    return ConsolidationContext(
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
            key=SkillKey(job.core.schema_name, job.choices, job.settings.skill_half_life_days),
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
