"""`labeljob import`: annotations of several people from another tool, as a job."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import typer

from groundtruth.contract.labels import checked_labels, parse_label_categories
from labeljob import messages
from labeljob.commands import analysis_options as given
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

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        exists=True,
        dir_okay=False,
        help="The tool's exports; of CVAT one XML file for each annotator.",
        show_default=False,
    ),
]
From = Annotated[Tool, typer.Option("--from", help="The tool.", show_default=False)]
Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FOLDER", file_okay=False, help="Folder of jobs to add it to."
    ),
]
JobName = Annotated[
    str | None, typer.Option("--job-name", help="The job's name. [default: the first file's]")
]
Prefix = Annotated[
    str,
    typer.Option(
        metavar="S3URI",
        help="Stands before each image's name in the manifest: s3://bucket/images/",
    ),
]


def import_command(
    files: Files,
    tool: From,
    output: Output = Path("labeljob-store"),
    name: JobName = None,
    task: given.Task = None,
    labels: given.Labels = None,
    prefix: Prefix = "",
    as_json: given.AsJson = False,
) -> None:
    """Turn annotations of several people from Label Studio or CVAT into a finished job.

    replay, report, plan, tables and pool then work on it. Choices become answers of the
    classification pages, brush masks and polygons answers of the segmentation page. What cannot
    be used is told, with its place in the file.

    Example: labeljob import project.json --from labelstudio -o labeljob-store
    """
    # The first statement, so that these are the options and nothing else.
    options = SimpleNamespace(**locals())
    with messages.problems_told():
        made = _imported(options)
    if as_json:
        typer.echo(json.dumps(made.as_json(), indent=2, ensure_ascii=False))
    else:
        _report(made)


def _imported(options: SimpleNamespace) -> Imported:
    with messages.console.status("Reading annotations"):
        images = READERS[options.tool](options.files)
    name = options.name or job_name(options.files[0])
    if job_name(Path(f"{name}.json")) != name:
        raise JobError(f"--job-name {name!r} is not 1 to 63 letters, digits and single hyphens")
    with given.bar("Writing answers", len(images.answers)) as advance:
        return write_job(
            images,
            options.output,
            name=name,
            task=options.task,
            labels=_labels(options.labels),
            prefix=options.prefix,
            advance=advance,
        )


def _labels(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    path = Path(text)
    if path.is_file():
        return parse_label_categories(path.read_bytes(), path=text)
    return checked_labels([name.strip() for name in text.split(",")], path="--labels")


def _report(made: Imported) -> None:
    for text in made.skipped[:SHOWN]:
        messages.warning(f"skipped: {text}")
    if (more := len(made.skipped) - SHOWN) > 0:
        messages.warning(f"and {more} more; --json lists them all")
    if made.unanswered:
        messages.warning(f"{made.unanswered} images have no answer; they are in the manifest alone")
    if made.empty:
        meaning = "are set aside" if made.task.classifies else "count as background all over"
        messages.note(f"{made.empty} answers say nothing; they {meaning}")
    messages.done(f"{made.objects} images, {made.answers} answers, {made.task.value}")
    messages.done(f"labels  {', '.join(made.labels)}")
    messages.done(f"job     {made.job}")
