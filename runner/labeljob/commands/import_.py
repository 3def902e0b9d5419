"""`labeljob import`: annotations of several people from another tool, as a job."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labeljob import messages
from labeljob.commands import options as shared
from labeljob.commands.options import output_option, takes_options
from labeljob.commands.reading import parse_labels
from labeljob.formats.imports.cvat import read_cvat
from labeljob.formats.imports.foreign import ForeignImages
from labeljob.formats.imports.job_folder import Imported, derive_job_name, write_job
from labeljob.formats.imports.labelstudio import read_labelstudio
from labeljob.jobs.description import JobError
from labeljob.jobs.image_files import find_beside
from labeljob.messages import format_count

SHOWN = 10


class Tool(StrEnum):
    """Where the annotations are from."""

    LABELSTUDIO = "labelstudio"
    CVAT = "cvat"


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Options of `labeljob import`."""

    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The tool's exports: Label Studio's JSON, or CVAT's XML for images.",
            show_default=False,
        ),
    ]
    tool: Annotated[Tool, typer.Option("--from", help="The tool.", show_default=False)]
    output: Annotated[
        Path, output_option("Folder of jobs to add it to.", "FOLDER", file_okay=False)
    ] = Path("labeljob-store")
    job_name: Annotated[
        str | None, typer.Option(help="The job's name. [default: the first file's]")
    ] = None
    task: shared.Task = None
    labels: shared.Labels = None
    algorithm: shared.NewAlgorithm = None
    control: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Label Studio: the control, by its name, whose labels are read; a project may "
            "have several. [default: the only one]",
        ),
    ] = None
    image_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Label Studio: which of a task's data is the image. [default: image, else the "
            "only one that looks like an image]",
        ),
    ] = None
    count_gold: Annotated[
        bool,
        typer.Option(
            "--count-gold",
            help="Label Studio: annotations marked as ground truth are answers like others.",
        ),
    ] = False
    prefix: Annotated[
        str,
        typer.Option(
            metavar="S3URI",
            help="Stands before each image's name in the manifest: s3://bucket/images/",
        ),
    ] = ""
    images: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder with the images, where report and export find them. [default: what has "
            "their names beside the files]",
        ),
    ] = None
    as_json: shared.AsJson = False


@takes_options
def import_command(options: ImportOptions) -> None:
    """Turn annotations of several people from Label Studio or CVAT into a finished job.

    Choices become answers of the classification pages, brush masks and polygons answers of the
    segmentation page. They are consolidated, and report, requeue, finish, export and the other
    commands work on the job. What cannot be used is told, with its place in the file.

    Example: labeljob import project.json --from labelstudio -o labeljob-store
    """
    imported = _import(options)
    if options.as_json:
        messages.print_json(imported.as_json())
    else:
        _report(imported)


def _import(options: ImportOptions) -> Imported:
    with messages.console.status("Reading annotations"):
        images = _read(options)
    name = options.job_name or derive_job_name(options.files[0])
    if derive_job_name(Path(f"{name}.json")) != name:
        raise JobError(f"--job-name {name!r} is not 1 to 63 letters, digits and single hyphens")
    with messages.show_progress("Writing labels", 2 * len(images.answers)) as advance:
        return write_job(
            images,
            options.output,
            name=name,
            task=options.task,
            labels=None if options.labels is None else parse_labels(options.labels),
            algorithm=options.algorithm,
            prefix=options.prefix,
            image_folder=options.images or find_beside(options.files, images.answers),
            count_gold=options.count_gold,
            advance=advance,
        )


def _read(options: ImportOptions) -> ForeignImages:
    if options.tool is Tool.LABELSTUDIO:
        return read_labelstudio(options.files, control=options.control, image_key=options.image_key)
    if options.control or options.image_key or options.count_gold:
        raise JobError("--control, --image-key and --count-gold are for --from labelstudio")
    return read_cvat(options.files)


def _report(imported: Imported) -> None:
    for text in imported.skipped[:SHOWN]:
        messages.warning(f"skipped: {text}")
    if (more := len(imported.skipped) - SHOWN) > 0:
        messages.warning(f"and {more} more; --json lists them all")
    if imported.unanswered:
        messages.warning(
            f"images without an answer, which are in the manifest alone: {imported.unanswered}"
        )
    if imported.empty:
        messages.note(
            f"answers that say nothing: {imported.empty}; they {imported.task.empty_answer_note}"
        )
    messages.done(
        f"{format_count(imported.objects, 'image')}, {format_count(imported.answers, 'answer')}, "
        f"{imported.task.name}"
    )
    statuses = ", ".join(f"{count} {status}" for status, count in imported.statuses.items())
    messages.done(f"{imported.algorithm}: {statuses}")
    messages.done(f"classes   {', '.join(imported.labels)}")
    messages.done(f"workers   {', '.join(imported.workers)}")
    messages.done(f"manifest  {imported.manifest}")
    messages.done(f"job       {imported.job}")
    if imported.images:
        messages.done(f"images    {imported.images}")
    else:
        messages.note("the images are not known; report and export take --images FOLDER")
    if imported.gold:
        messages.done(f"gold      {imported.gold}")
