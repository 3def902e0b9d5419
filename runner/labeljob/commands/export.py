"""`labeljob export`: a job's labels in a format that training or a labeling tool reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import JobOptions, output_option, takes_options
from labeljob.formats import Format


@dataclass(frozen=True, kw_only=True)
class ExportOptions(JobOptions):
    """Options of `labeljob export`."""

    format: Annotated[Format, typer.Option(help="What to write.", show_default=False)]
    output: Annotated[
        Path, output_option("Folder to write to, empty or new.", "FOLDER", show_default=False)
    ]
    above: Annotated[
        float, typer.Option(min=0, max=1, help="Leave out labels with less confidence.")
    ] = 0.0
    below: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Only images whose label has less confidence. [default: all]"
        ),
    ] = None
    split: Annotated[
        str | None,
        typer.Option(
            metavar="TRAIN,VAL[,TEST]",
            help="Divide the images in this ratio, such as 80,10,10; each part gets its share of "
            "every class. [default: not divided]",
        ),
    ] = None
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="With --split: images with the same value under this key of the manifest stay "
            "together; folder is the folder that they are in. [default: none]",
        ),
    ] = None
    seed: shared.Seed = 0
    prefix: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="labelstudio and cvat: what stands before an image's file name there. "
            "[default: as it was imported, or named in the manifest]",
        ),
    ] = None
    manifest: shared.LabelManifest = None
    images: shared.Images = None


@takes_options
def export(options: ExportOptions) -> None:
    """Write a job's labels for training, or as pre-annotations for Label Studio or CVAT.

    Every format takes every job, but yolo and voc only masks, and imagefolder only a single label.
    Images that can be read are copied. What is left out is told, with the reason.

    Example: labeljob export birds-job --format imagefolder --split 80,10,10 -o birds
    """
    from labeljob.actions import export as action

    action.export(options)
