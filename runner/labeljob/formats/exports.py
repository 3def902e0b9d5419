"""A job's labels in the formats that training reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from labeljob.formats.coco import export_coco
from labeljob.formats.huggingface import export_huggingface
from labeljob.formats.imagefolder import export_imagefolder
from labeljob.formats.labeled import Choice, LabeledImage, LeftOut, labeled_images
from labeljob.formats.target import Target
from labeljob.formats.voc import export_voc
from labeljob.formats.yolo import export_yolo
from labeljob.history.job import JobOnFile
from labeljob.history.job_files import OutputLine
from labeljob.jobs.description import JobError
from labeljob.jobs.manifest_lines import read_lines
from labeljob.output_files import draft_folder, escape_halves


class Format(StrEnum):
    """What an export is written as."""

    COCO = "coco"
    YOLO = "yolo"
    VOC = "voc"
    IMAGEFOLDER = "imagefolder"
    HUGGINGFACE = "huggingface"


Writer: TypeAlias = Callable[[Iterable[LabeledImage], Target], None]

WRITERS: Mapping[Format, Writer] = {
    Format.COCO: export_coco,
    Format.YOLO: export_yolo,
    Format.VOC: export_voc,
    Format.IMAGEFOLDER: export_imagefolder,
    Format.HUGGINGFACE: export_huggingface,
}


def export_job(
    job: JobOnFile,
    folder: Path,
    chosen: Format,
    choice: Choice,
    *,
    advance: Callable[[], object] = lambda: None,
) -> Target:
    """Write a job's labels in another format, into an empty folder.

    Raises
    ------
    JobError
        If the folder is not empty, or there is nothing to export.
    OutputError
        If it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise JobError(f"{folder} is there already and not an empty folder")
    lines = lines_of(choice.manifest, job.task.source_key) if choice.manifest else job.lines
    left_out = LeftOut()
    images = labeled_images(job, lines, choice, left_out)

    first = next(images, None)
    if first is None:
        reasons = ", ".join(left_out.by_reason)
        raise JobError(f"there is nothing to export: {reasons or 'the manifest is empty'}")

    def counted() -> Iterator[LabeledImage]:
        for image in chain([first], images):
            yield image
            advance()

    if problem := job.task.export_problems.get(chosen):
        raise JobError(problem)
    classes = tuple(map(escape_halves, job.choices))
    with draft_folder(folder) as draft:
        target = Target(
            folder=folder, draft=draft, task=job.task, classes=classes, left_out=left_out
        )
        WRITERS[chosen](counted(), target)
    return target


def lines_of(manifest: Path, source_key: str) -> tuple[OutputLine, ...]:
    """The lines of a manifest that was made of the job's answers; raises `ContractError`."""
    return tuple(
        OutputLine(line.object_id, line.text, line.values)
        for line in read_lines(manifest, source_key)
    )
