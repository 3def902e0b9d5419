"""A job's labels in the formats that training reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import numpy as np

from labeljob.formats import Format
from labeljob.formats.coco import export_coco
from labeljob.formats.datumaro import export_datumaro
from labeljob.formats.fiftyone import export_fiftyone
from labeljob.formats.huggingface import export_huggingface
from labeljob.formats.imagefolder import export_imagefolder
from labeljob.formats.labeled import (
    Choice,
    LabeledImage,
    LeftOut,
    choose_label,
    class_names,
    labeled_images,
)
from labeljob.formats.splits import FOLDER, group_of, split_images
from labeljob.formats.table import export_csv
from labeljob.formats.target import Target
from labeljob.formats.tools.cvat import export_cvat
from labeljob.formats.tools.labelstudio import export_labelstudio
from labeljob.formats.voc import export_voc
from labeljob.formats.yolo import export_yolo
from labeljob.history.job import JobOnFile
from labeljob.history.job_files import OutputLine
from labeljob.jobs.description import JobError
from labeljob.jobs.manifest_lines import read_lines
from labeljob.output_files import draft_folder, escape_halves

Writer: TypeAlias = Callable[[Iterable[LabeledImage], Target], None]

WRITERS: Mapping[Format, Writer] = {
    Format.COCO: export_coco,
    Format.YOLO: export_yolo,
    Format.VOC: export_voc,
    Format.IMAGEFOLDER: export_imagefolder,
    Format.HUGGINGFACE: export_huggingface,
    Format.FIFTYONE: export_fiftyone,
    Format.DATUMARO: export_datumaro,
    Format.CSV: export_csv,
    Format.LABELSTUDIO: export_labelstudio,
    Format.CVAT: export_cvat,
}

TOOLS = (Format.LABELSTUDIO, Format.CVAT)
"""The formats that people go on labeling with: images without a label go there too."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """How an export is divided.

    Attributes
    ----------
    shares : mapping of str to float
        The share of the images that each part gets, by its name; they sum to 1.
    group_by : str or None
        Key of the manifest's lines, or `FOLDER`: images that have the same there stay together.
    seed : int
        Decides which images come to which part.
    """

    shares: Mapping[str, float]
    group_by: str | None = None
    seed: int = 0


def export_job(
    job: JobOnFile,
    folder: Path,
    chosen: Format,
    choice: Choice,
    *,
    split: Split | None = None,
    prefix: str | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Target:
    """Write a job's labels in another format, into an empty folder.

    `prefix` is what a labeling tool has before each image's name.

    Raises
    ------
    JobError
        If the folder is not empty, or there is nothing to export.
    OutputError
        If it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise JobError(f"{folder} is there already and not an empty folder")
    if problem := job.task.export_problems.get(chosen):
        raise JobError(problem)
    if chosen in TOOLS and split:
        raise JobError(f"--split is for training; {chosen} has no parts")
    if chosen not in TOOLS and prefix is not None:
        raise JobError(f"--prefix is for {' and '.join(TOOLS)}")
    choice = replace(choice, unlabeled=chosen in TOOLS)
    lines = lines_of(choice.manifest, job.task.source_key) if choice.manifest else job.lines
    splits = _split(job, lines, choice, split) if split else {}
    if split:  # the images of a part follow each other; those left out come last
        order = {part: number for number, part in enumerate(split.shares)}
        lines = sorted(
            lines, key=lambda line: order.get(splits.get(line.object_id, ""), len(order))
        )
    left_out = LeftOut()
    images = labeled_images(job, lines, choice, left_out, splits)

    first = next(images, None)
    if first is None:
        reasons = ", ".join(left_out.by_reason)
        raise JobError(f"there is nothing to export: {reasons or 'the manifest is empty'}")

    origin = job.place.description.origin if job.place.description else {}
    with draft_folder(folder) as draft:
        target = Target(
            folder=folder,
            draft=draft,
            task=job.task,
            classes=tuple(map(escape_halves, job.choices)),
            left_out=left_out,
            splits=tuple(split.shares) if split else (),
            prefix=prefix,
            origin=origin,
        )

        def counted() -> Iterator[LabeledImage]:
            for image in chain([first], images):
                before = left_out.count()
                yield image
                if left_out.count() == before:  # some formats do without what has no file
                    target.per_split[image.split] += 1
                advance()

        WRITERS[chosen](counted(), target)
    return target


def _split(
    job: JobOnFile, lines: Sequence[OutputLine], choice: Choice, split: Split
) -> dict[str, str]:
    """The part of each data object that is exported, by its id; raises `JobError`."""
    labels = {
        line.object_id: (line, label)
        for line in lines
        if not isinstance(label := choose_label(job, line, choice), str)
    }
    classes = np.zeros((len(labels), len(job.choices)), dtype=bool)
    groups: list[object] = []
    for row, (line, label) in enumerate(labels.values()):
        for name in class_names(job, label):
            classes[row, job.choices.index(name)] = True
        own = split.group_by and group_of(line.values, line.source, split.group_by)
        groups.append(row if own in (None, "") else own)
    if split.group_by and labels and not any(isinstance(group, str) for group in groups):
        raise JobError(
            f"--group-by {split.group_by}: no line of the manifest has this key; give one of its "
            f"keys, or {FOLDER}"
        )
    parts = split_images(
        classes, list(split.shares.values()), np.random.default_rng(split.seed), groups=groups
    )
    names = list(split.shares)
    if labels and (empty := sorted({*range(len(names))} - {*parts.tolist()})):
        things = "images" if split.group_by is None else "groups of images"
        raise JobError(f"--split: there are too few {things}; {names[empty[0]]} would get none")
    return {key: names[part] for key, part in zip(labels, parts.tolist(), strict=True)}


def lines_of(manifest: Path, source_key: str) -> tuple[OutputLine, ...]:
    """The lines of a manifest that was made of the job's answers; raises `ContractError`."""
    return tuple(
        OutputLine(line.object_id, line.text, line.values)
        for line in read_lines(manifest, source_key)
    )
