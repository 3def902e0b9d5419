"""A finished job, read from its own files."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from groundtruth.annotations import AnswerReader, Entry
from groundtruth.contract.fields import is_label_name
from groundtruth.errors import StorageError
from groundtruth.finishing.job import FROM_NAMES, ClassesSeen
from groundtruth.finishing.outcomes import JOB_NAME_PREFIX, find_attribute
from groundtruth.settings import Settings
from groundtruth.tasks.base import Label, Task
from groundtruth.tasks.registry import find_task
from groundtruth.tasks.segmentation.task import BACKGROUND
from labeljob.history.job_files import (
    AnsweredObject,
    AnswerFiles,
    DamageList,
    OutputLine,
    find_answer_files,
    identify_lines,
    read_output_lines,
)
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace, ReadOnly
from labeljob.jobs.manifest_lines import read_lines
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import JOB_TYPES, find_job_type

SAMPLED = 50
"""Data objects whose answers are looked at to recognize the job type."""


def recognize_job_type(
    lines: Sequence[OutputLine], attribute: str, files: AnswerFiles, place: JobPlace
) -> JobType:
    """The job type of most labels, else of most answers' shape; raises `JobError` if none."""
    labels = (line.label(attribute) for line in lines)
    counts = Counter(
        find_job_type(find_task(label.task).name) for label in labels if label is not None
    )
    if not counts:
        for task in JOB_TYPES.values():
            usable = _names_in(files, place, task.library.class_names, some=SAMPLED)
            counts[task] = sum(bool(names) for names in usable)
    task, count = counts.most_common(1)[0]
    if not count:
        raise JobError("neither labels nor answers tell the job type; say it with --task")
    return task


def find_classes(
    lines: Sequence[OutputLine],
    attribute: str,
    files: AnswerFiles,
    place: JobPlace,
    core: Task[Any],
) -> tuple[tuple[str, ...], str]:
    """The classes in label order as far as labels tell, and where they are from.

    A label tells its class's place in the order. Classes that only answers name fill the places
    that are left, by their names; so do all classes if no label tells.
    """
    seen = ClassesSeen()
    is_mask = False
    for line in lines:
        if (label := line.label(attribute)) is not None:
            is_mask = is_mask or find_task(label.task).pixel_class_ids
            seen.add([item for item in label.classes if item.name != BACKGROUND])
    order = seen.order(None)
    shift = 1 if is_mask else 0
    name_at = {index - shift: name for name, index in order.index_of.items()}
    if order.source == FROM_NAMES:
        name_at = dict(enumerate(order.index_of))
    if is_mask and sorted(name_at) == list(range(len(name_at))):
        return tuple(name_at[index] for index in sorted(name_at)), "manifest"
    named = {name for names in _names_in(files, place, core.class_names) for name in names}
    left = iter(sorted(name for name in named - set(name_at.values()) if is_label_name(name)))
    classes = []
    for index in range(max(name_at, default=-1) + 1):
        name = name_at.get(index) or next(left, None)
        if name is not None:
            classes.append(name)
    return (*classes, *left), "manifest" if name_at else "answers"


def _names_in(
    files: AnswerFiles,
    place: JobPlace,
    names_of: Callable[[Any], Any],
    some: int | None = None,
) -> Iterator[set[str]]:
    """The classes that the usable answers to each data object name."""
    entries = (Entry(item.object) for item in files.read(files.object_ids()[:some]))
    reader = AnswerReader(ReadOnly(place))
    for answers in reader.read(islice(entries, some), lambda content: tuple(names_of(content))):
        yield {name for names in answers.answers for name in names}


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the command line says of a job, over what its files say."""

    task: JobType | None = None
    classes: tuple[str, ...] | None = None
    attribute: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobOnFile:
    """A finished job.

    `classes` are in label order, and `classes_from` is ``"given"``, ``"job"``, ``"manifest"`` or
    ``"answers"``; `damage` is what could not be used so far.
    """

    place: JobPlace
    name: str
    task: JobType
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
        return self.task.library

    @property
    def choices(self) -> tuple[str, ...]:
        """Everything a worker may have chosen."""
        return self.core.all_classes(self.classes, self.settings)

    @property
    def unit_classes(self) -> tuple[str, ...]:
        """What a unit of an answer can be, as `ObjectAnnotations.choices` number it."""
        return self.task.unit_classes(self.choices)

    def object_ids(self) -> list[str]:
        """The data objects that have answers."""
        return self.files.object_ids()

    def answered(self, object_ids: Sequence[str]) -> Iterator[AnsweredObject]:
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


_NO_ANSWERS = "; without answers its labels can be read by export, tables, requeue and finish alone"


def read_job(place: JobPlace, overrides: Given, *, needs_answers: bool = True) -> JobOnFile:
    """Read a job's manifest and find out all that its files tell of it.

    Raises
    ------
    JobError
        If there is not a single answer, though they are needed, or nothing tells the job type.
    ContractError
        If several label attributes may be meant.
    StorageError
        If the job's folder cannot be listed or read now.
    """
    damage = DamageList()
    if place.problem:
        damage.add("the job's description", place.problem)
    files = find_answer_files(place, damage)
    lines = identify_lines(read_output_lines(place, damage), files.object_ids(), damage)
    known = place.description
    if not files.object_ids() and (needs_answers or not lines):
        raise JobError(
            f"{place.name} has no answers: nothing readable under annotations/worker-response/ "
            "nor under annotations/consolidated-annotation/consolidation-request/"
            f"{_NO_ANSWERS if lines else ', and no output manifest'}"
        )
    attribute = overrides.attribute or (known.attribute if known else None)
    attribute = attribute or find_attribute((line.values for line in lines), place.name) or "label"
    task = overrides.task or (known.task if known else None)
    task = task or recognize_job_type(lines, attribute, files, place)
    if overrides.classes:
        classes, source = overrides.classes, "given"
    elif known:
        classes, source = known.labels, "job"
    else:
        classes, source = find_classes(lines, attribute, files, place, task.library)
    settings, _ = Settings().for_job(known.tags if known else {}, algorithms=task.algorithms)
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
    sources: dict[str, dict[str, str]] = {}
    for uri in files.requests:
        for item in files.request(uri):
            if isinstance(item.source, dict):
                sources[item.object_id] = {
                    key: item.source[name]
                    for name, key in (("s3Uri", "source-ref"), ("content", "source"))
                    if isinstance(item.source.get(name), str)
                }
    return tuple(
        OutputLine(object_id, "", sources.get(object_id, {})) for object_id in files.object_ids()
    )


def decode_mask(body: bytes, label: Label, damage: DamageList) -> NDArray[np.uint8]:
    """Class of each pixel of a label's mask.

    Where the palette contradicts the label's color map, the colours tell the classes, which is
    noted: in mid-2020 Ground Truth wrote masks whose indices are wrong. Raises `ValueError` if the
    file is no PNG of class indices, or its colours are not all those of classes.
    """
    try:
        with Image.open(io.BytesIO(body), formats=("PNG",)) as image:
            if image.mode not in ("P", "L"):
                raise ValueError(f"is in mode {image.mode}, not one class a pixel")
            pixels: NDArray[np.uint8] = np.array(image)
            palette = np.array(image.getpalette("RGB") or (), np.uint8).reshape(-1, 3)
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError("is no PNG that can be decoded") from error
    colors = {item.class_id: item.color.lower() for item in label.classes if item.color}
    used = np.unique(pixels).tolist()
    known = {
        index: color
        for index, rgb in enumerate(palette)
        if index in used and (color := f"#{bytes(rgb).hex()}") in colors.values()
    }
    if all(color == colors.get(index) for index, color in known.items()):
        return pixels
    class_of = {color: class_id for class_id, color in colors.items() if class_id < 256}
    if len(set(known.values())) < len(used) or len(set(colors.values())) < len(colors):
        raise ValueError("has a palette that contradicts the label's color map")
    damage.add(label.mask_uri or "mask", "its indices contradict its colours; the colours count")
    lookup = np.zeros(256, np.uint8)
    lookup[used] = [class_of[known[index]] for index in used]
    return np.asarray(lookup[pixels])


def read_job_mask(job: JobOnFile, label: Label | None) -> NDArray[np.uint8] | None:
    """The mask of a label of the job; None if it cannot be read, which is noted."""
    if label is None or label.mask_uri is None:
        return None
    try:
        return decode_mask(job.place.read(label.mask_uri), label, job.damage)
    except (StorageError, ValueError) as error:
        job.damage.add(job.place.shown(label.mask_uri), f"the mask cannot be read ({error})")
        return None
