"""Annotations of another tool written as a labeling job that `labeljob run` might have run."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from groundtruth.contract.fields import checked_labels, label_category_file
from labeljob.formats.imports.foreign import ForeignAnswer, ForeignImages, ImportProblem
from labeljob.jobs.description import JobDescription, JobError, answer_time, description_path
from labeljob.jobs.job_location import Place, open_place
from labeljob.jobs.manifest_lines import compact_json
from labeljob.output_files import write_text
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import JOB_TYPES

type Content = dict[str, Any]


class PageAnswers:
    """The answers to one image.

    Attributes
    ----------
    skipped : list of str
        What is not among the answers: where, and why.
    empty : int
        Answers that say nothing.
    """

    def __init__(self, task: JobType, classes: tuple[str, ...], source: str) -> None:
        self._task = task
        self._classes = classes
        self._source = source
        self.skipped: list[str] = []
        self.empty = 0

    def of(self, given: Sequence[ForeignAnswer]) -> Iterator[tuple[ForeignAnswer, Content]]:
        """The answers, each with what the page of the job type submits."""
        sizes = [answer.size for answer in given if answer.size]
        for answer in given:
            if self._task.label_is_mask:
                content = self._mask(answer, answer.size or next(iter(sizes), None))
            else:
                content = self._choice(answer)
            if content is not None:
                yield answer, content

    def _skip(self, answer: ForeignAnswer, problem: str) -> None:
        self.skipped.append(f"{self._source}, {answer.worker}: {problem}")

    def _choice(self, answer: ForeignAnswer) -> Content | None:
        if answer.regions:
            self._skip(answer, f"{len(answer.regions)} regions; the job is of whole images")
        single = self._task.single_choice
        if len(answer.choices) > 1 and single:
            self._skip(answer, f"chose {', '.join(answer.choices)}; the job has one label an image")
            return None
        self.empty += not answer.choices
        said = "".join(answer.choices) if single else answer.choices
        return self._task.submit(said, self._classes)

    def _mask(self, answer: ForeignAnswer, size: tuple[int, int] | None) -> Content | None:
        if answer.choices:
            self._skip(answer, f"{', '.join(answer.choices)}, of the whole image")
        if size is None:
            self._skip(answer, "nothing is painted, and nothing tells the size of the image")
            return None
        mask = np.zeros(size, dtype=np.uint8)
        for region in answer.regions:
            if region.label not in self._classes:
                self._skip(answer, f"{region.label!r} is no label of the job")
                return None
            try:
                pixels = region.drawn()
            except ImportProblem as error:
                self.skipped.append(str(error))
                return None
            if pixels.shape != size:
                self._skip(answer, f"regions of {pixels.shape} and {size} pixels in one image")
                return None
            mask[pixels] = self._classes.index(region.label) + 1
        self.empty += not answer.regions
        return self._task.submit(mask, self._classes)


LONGEST_NAME = 63
CREW = "imported"
ATTRIBUTE = "label"

type Contents = list[tuple[ForeignAnswer, dict[str, Any]]]


@dataclass(kw_only=True)
class Imported:
    """What came of an import.

    Attributes
    ----------
    job : str
        The job's folder.
    task : JobType
        What people were asked.
    labels : tuple of str
        The classes, in label order.
    objects, answers, unanswered, empty : int
        Images, answers, images without an answer, and answers that say nothing.
    skipped : list of str
        What is not in the job: where, and why.
    """

    job: str
    task: JobType
    labels: tuple[str, ...]
    objects: int = 0
    answers: int = 0
    unanswered: int = 0
    empty: int = 0
    skipped: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The outcome for `--json`."""
        return {**vars(self), "task": self.task.name, "labels": list(self.labels)}


def write_job(
    images: ForeignImages,
    folder: Path,
    *,
    name: str,
    task: JobType | None = None,
    labels: Sequence[str] | None = None,
    prefix: str = "",
    advance: Callable[[], object] = lambda: None,
) -> Imported:
    """Write worker-response files, a manifest, the label category file and a description.

    Raises `ContractError`, `JobError`.
    """
    place = open_place(str(folder), endpoint_url=None)
    if description_path(place.jobs, name).exists():
        raise JobError(f"{folder} has a job {name} already; choose another --job-name")
    task = task or task_of(images)
    classes = checked_labels(list(labels or images.used_labels()), path="labels")
    if task.max_labels is not None and len(classes) > task.max_labels:
        room = task.max_labels
        raise JobError(f"masks have room for {room} classes, and there are {len(classes)}")
    description = _description(images, place, name, task, classes, prefix)
    root = description.layout.root
    made = Imported(job=place.shown(root), task=task, labels=classes, skipped=images.skipped)
    for at, (source, given) in enumerate(images.answers.items()):
        pages = PageAnswers(task, classes, source)
        contents = list(pages.of(given))
        made.skipped += pages.skipped
        made.empty += pages.empty
        made.objects += 1
        made.answers += len(contents)
        made.unanswered += not contents
        if contents:
            _write_response(place, description, str(at), contents)
        advance()
    lines = "".join(f"{compact_json({'source-ref': prefix + one})}\n" for one in images.answers)
    _put(place, description.layout.output_manifest, lines)
    _put(place, description.label_file, json.dumps(label_category_file(list(classes)), indent=2))
    write_text(Path(description.manifest), lines)
    path = description_path(place.jobs, name)
    write_text(path, json.dumps(description.as_json(), indent=2) + "\n")
    return made


def task_of(images: ForeignImages) -> JobType:
    """What people were asked; raises `JobError` if the annotations do not tell."""
    given = [answer for answers in images.answers.values() for answer in answers]
    most = max((len(answer.choices) for answer in given), default=0)
    has_regions = any(answer.regions for answer in given)
    if has_regions and most:
        raise JobError("there are labels of images and of regions; say with --task which to take")
    if not has_regions and not most:
        skipped = f"; {images.skipped[0]}" if images.skipped else ""
        raise JobError(f"there is not one label in the annotations{skipped}")
    types = JOB_TYPES.values()
    return next(one for one in types if one.fits(most_choices=most, has_regions=has_regions))


def job_name(path: Path) -> str:
    """A job's name after a file.

    Examples
    --------
    >>> job_name(Path("exports/project_7 at 2026.json"))
    'project-7-at-2026'
    """
    return re.sub(r"[^a-zA-Z0-9]+", "-", path.stem).strip("-")[:LONGEST_NAME].strip("-") or "import"


def _description(
    images: ForeignImages,
    place: Place,
    name: str,
    task: JobType,
    classes: tuple[str, ...],
    prefix: str,
) -> JobDescription:
    answers = [answer for given in images.answers.values() for answer in given]
    times = [answer.submitted for answer in answers if answer.submitted]
    started = min(times, default=images.made_at or datetime.now(UTC)).replace(microsecond=0)
    digested = "\n".join(f"{prefix}{source}" for source in images.answers)
    return JobDescription(
        name=name,
        task=task,
        labels=classes,
        attribute=ATTRIBUTE,
        output=place.output,
        manifest=str(place.jobs / f"{name.lower()}.manifest"),
        manifest_digest=hashlib.sha256(digested.encode()).hexdigest(),
        crew=CREW,
        per_object=max((len(given) for given in images.answers.values()), default=1),
        seed=0,
        truth="",
        batch_size=50,
        tags={},
        started=started,
    )


def _write_response(
    place: Place, description: JobDescription, object_id: str, contents: Contents
) -> None:
    times = [answer.submitted for answer, _ in contents if answer.submitted]
    uri = description.layout.worker_response(object_id, max(times, default=description.started))
    answers = [_timed(answer, content) for answer, content in contents]
    _put(place, uri, json.dumps({"answers": answers}))


def _timed(answer: ForeignAnswer, content: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"answerContent": content, "workerId": answer.worker}
    if answer.submitted:
        values["submissionTime"] = answer_time(answer.submitted)
        if answer.seconds is not None:
            accepted = answer.submitted - timedelta(seconds=answer.seconds)
            values["acceptanceTime"] = answer_time(accepted)
    if answer.seconds is not None:
        values["timeSpentInSeconds"] = answer.seconds
    return values


def _put(place: Place, uri: str, text: str) -> None:
    place.store.write(uri, text.encode(), content_type="application/json", kms_key=None)
