"""`labeljob import`: annotations of several people from another tool, as a job."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import output_option, takes_options


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
    from labeljob.actions import import_ as action

    action.import_command(options)
