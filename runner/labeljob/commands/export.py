"""`labeljob export`: a job's labels in a format that training or a labeling tool reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob import messages
from labeljob.commands import options as shared
from labeljob.commands.options import JobOptions, output_option, takes_options
from labeljob.commands.reading import open_job, print_attribute, print_read_errors
from labeljob.formats.exports import Format, Split, export_job
from labeljob.formats.labeled import Choice
from labeljob.formats.splits import parse_shares
from labeljob.formats.target import Target
from labeljob.history.job import JobOnFile
from labeljob.jobs.description import JobError

SHOWN = 5


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
    split = None
    if options.split is not None:
        split = Split(
            shares=parse_shares(options.split), group_by=options.group_by, seed=options.seed
        )
    elif options.group_by is not None:
        raise JobError("--group-by goes with --split")
    job = open_job(options, options.images, needs_answers=False)
    choice = Choice(above=options.above, below=options.below, manifest=options.manifest)
    with messages.show_progress("Exporting", len(job.lines)) as advance:
        target = export_job(
            job,
            options.output,
            options.format,
            choice,
            split=split,
            prefix=options.prefix,
            advance=advance,
        )
    if options.as_json:
        result = {
            "job": job.name,
            "format": options.format.value,
            "label-attribute-name": job.attribute,
            **target.as_json(),
            "damage": job.damage.as_json(),
        }
        messages.print_json(result)
    else:
        _report(job, target)


def _report(job: JobOnFile, target: Target) -> None:
    print_read_errors(job.damage)
    print_attribute(job)
    for reason, ids in target.left_out.by_reason.items():
        messages.warning(f"left out: {reason}: {_name_some(ids)}")
    if target.without_image:
        messages.warning(f"without a copy of the image: {_name_some(target.without_image)}")
    for note in target.notes:
        messages.note(note)
    for split in target.splits:
        messages.done(f"{split:8}{messages.format_count(target.per_split[split], 'image')}")
    written = ", ".join(
        messages.format_count(count, what.removesuffix("s"))
        for what, count in target.counts.items()
    )
    messages.done(f"{written}  {target.folder}")


def _name_some(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN} more; --json has all" if len(ids) > SHOWN else ""
    return f"data objects {', '.join(ids[:SHOWN])}{more}"
