"""`labeljob import`: annotations of several people from another tool, as a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from labeljob.formats.imports.job_folder import Imported, job_name, write_job
from labeljob.formats.imports.labelstudio import read_labelstudio
from labeljob.jobs.description import JobError

SHOWN = 10


class Tool(StrEnum):
    """Where the annotations are from."""

    LABELSTUDIO = "labelstudio"
    CVAT = "cvat"


READERS: dict[Tool, Callable[[Sequence[Path]], ForeignImages]] = {
    Tool.LABELSTUDIO: read_labelstudio,
    Tool.CVAT: read_cvat,
}


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Options of `labeljob import`."""

    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            exists=True,
            dir_okay=False,
            help="The tool's exports; of CVAT one XML file for each annotator.",
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
    prefix: Annotated[
        str,
        typer.Option(
            metavar="S3URI",
            help="Stands before each image's name in the manifest: s3://bucket/images/",
        ),
    ] = ""
    as_json: shared.AsJson = False


@takes_options
def import_command(options: ImportOptions) -> None:
    """Turn annotations of several people from Label Studio or CVAT into a finished job.

    replay, report, plan, tables and pool then work on it. Choices become answers of the
    classification pages, brush masks and polygons answers of the segmentation page. What cannot
    be used is told, with its place in the file.

    Example: labeljob import project.json --from labelstudio -o labeljob-store
    """
    imported = _import(options)
    if options.as_json:
        messages.print_json(imported.as_json())
    else:
        _report(imported)


def _import(options: ImportOptions) -> Imported:
    with messages.console.status("Reading annotations"):
        images = READERS[options.tool](options.files)
    name = options.job_name or job_name(options.files[0])
    if job_name(Path(f"{name}.json")) != name:
        raise JobError(f"--job-name {name!r} is not 1 to 63 letters, digits and single hyphens")
    with messages.show_progress("Writing answers", len(images.answers)) as advance:
        return write_job(
            images,
            options.output,
            name=name,
            task=options.task,
            labels=None if options.labels is None else parse_labels(options.labels),
            prefix=options.prefix,
            advance=advance,
        )


def _report(imported: Imported) -> None:
    for text in imported.skipped[:SHOWN]:
        messages.warning(f"skipped: {text}")
    if (more := len(imported.skipped) - SHOWN) > 0:
        messages.warning(f"and {more} more; --json lists them all")
    if imported.unanswered:
        messages.warning(
            f"{imported.unanswered} images have no answer; they are in the manifest alone"
        )
    if imported.empty:
        messages.note(
            f"{imported.empty} answers say nothing; they {imported.task.empty_answer_note}"
        )
    messages.done(f"{imported.objects} images, {imported.answers} answers, {imported.task.name}")
    messages.done(f"labels  {', '.join(imported.labels)}")
    messages.done(f"job     {imported.job}")
