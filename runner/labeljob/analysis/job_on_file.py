"""A finished job, read from its own files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from groundtruth.finishing.labels import JOB_NAME_PREFIX
from groundtruth.settings import Settings
from groundtruth.tasks.base import Task
from labeljob.analysis.answer_files import Answered, AnswerFiles, find_answer_files
from labeljob.analysis.damage import DamageList
from labeljob.analysis.output_lines import OutputLine, attribute_in, read_output_lines
from labeljob.analysis.place import JobPlace
from labeljob.analysis.recognition import known_classes, recognized_task
from labeljob.job.description import JobError
from labeljob.job.lines import read_lines
from labeljob.job.tasks import TASKS
from labeljob.task_types import TaskType


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the command line says of a job, over what its files say.

    Attributes
    ----------
    task : TaskType or None
        The job type.
    classes : tuple of str or None
        The classes in label order.
    attribute : str or None
        The label attribute name.
    """

    task: TaskType | None = None
    classes: tuple[str, ...] | None = None
    attribute: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobOnFile:
    """A finished job.

    Attributes
    ----------
    place : JobPlace
        Where its files are.
    name : str
        ``labeling-job/<name>``, as its labels have it.
    task : TaskType
        What workers were asked.
    attribute : str
        The label attribute name.
    classes : tuple of str
        The job's classes in label order.
    classes_from : str
        ``"given"``, ``"job"``, ``"manifest"`` or ``"answers"``.
    settings : Settings
        Those of the job, as far as they are known.
    lines : tuple of OutputLine
        The output manifest.
    files : AnswerFiles
        The answers.
    damage : DamageList
        What could not be used so far.
    """

    place: JobPlace
    name: str
    task: TaskType
    attribute: str
    classes: tuple[str, ...]
    classes_from: str
    settings: Settings
    lines: tuple[OutputLine, ...]
    files: AnswerFiles
    damage: DamageList

    @property
    def core(self) -> Task[Any]:
        """The library's part of the job type."""
        return TASKS[self.task]

    @property
    def choices(self) -> tuple[str, ...]:
        """Everything a worker may have chosen."""
        return self.core.all_classes(self.classes, self.settings)

    def object_ids(self) -> list[str]:
        """The data objects that have answers."""
        return self.files.object_ids()

    def answered(self, object_ids: Sequence[str]) -> Iterator[Answered]:
        """Data objects with their answers, and with the source that the manifest names."""
        sources = {line.object_id: line.source for line in self.lines}
        for item in self.files.read(object_ids):
            uri = sources.get(item.object.object_id)
            if uri and item.object.source is None:
                yield replace(item, object=replace(item.object, source={"s3Uri": uri}))
            else:
                yield item

    def with_settings(self, **changes: Any) -> JobOnFile:
        """The job with other settings."""
        return replace(self, settings=replace(self.settings, **changes))


def read_job(place: JobPlace, given: Given) -> JobOnFile:
    """Read a job's manifest and find out all that its files tell of it.

    Raises
    ------
    JobError
        If there is not a single answer, or nothing tells the job type.
    StorageError
        If the job's folder cannot be listed or read now.
    """
    damage = DamageList()
    if place.problem:
        damage.add("the job's description", place.problem)
    lines = read_output_lines(place, damage)
    files = find_answer_files(place, damage)
    known = place.description
    if not files.object_ids():
        raise JobError(
            f"{place.name} has no answers: nothing readable under annotations/worker-response/ "
            "nor under annotations/consolidated-annotation/consolidation-request/"
        )
    attribute = given.attribute or (known.attribute if known else None)
    attribute = attribute or attribute_in(lines, place.name) or "label"
    task = given.task or (known.task if known else None)
    task = task or recognized_task(lines, attribute, files, place)
    if given.classes:
        classes, source = given.classes, "given"
    elif known:
        classes, source = known.labels, "job"
    else:
        classes, source = known_classes(lines, attribute, files, place, TASKS[task])
    settings, _ = Settings().for_job(known.tags if known else {}, algorithms=TASKS[task].algorithms)
    return JobOnFile(
        place=place,
        name=_name(lines, attribute, place),
        task=task,
        attribute=attribute,
        classes=classes,
        classes_from=source,
        settings=settings,
        lines=lines or _lines_without_manifest(place, files),
        files=files,
        damage=damage,
    )


def _name(lines: Sequence[OutputLine], attribute: str, place: JobPlace) -> str:
    """The name in the labels, else that of the folder."""
    for line in lines:
        metadata = line.metadata(attribute)
        name = metadata.get("job-name", metadata.get("job_name"))
        if isinstance(name, str) and name:
            return JOB_NAME_PREFIX + name.removeprefix(JOB_NAME_PREFIX).lower()
    return JOB_NAME_PREFIX + place.name.lower()


def _lines_without_manifest(place: JobPlace, files: AnswerFiles) -> tuple[OutputLine, ...]:
    """Lines for a job whose manifest is lost: of its input manifest, else of the requests."""
    known = place.description
    if known is not None and Path(known.manifest).is_file():
        return tuple(
            OutputLine(line.object_id, line.text, line.values)
            for line in read_lines(Path(known.manifest))
        )
    sources: dict[str, str] = {}
    for uri in files.requests:
        for item in files.request(uri):
            source = item.source.get("s3Uri") if isinstance(item.source, dict) else None
            if isinstance(source, str):
                sources[item.object_id] = source
    return tuple(
        OutputLine(object_id, "", {"source-ref": sources[object_id]})
        if object_id in sources
        else OutputLine(object_id, "", {})
        for object_id in files.object_ids()
    )
