"""`labeljob export`: a job's labels in a format that training reads."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import typer

from labeljob import messages
from labeljob.commands import analysis_options as given
from labeljob.formats.exports import Format, export_job
from labeljob.formats.labeled import Choice
from labeljob.formats.target import Target
from labeljob.history.job import JobOnFile

SHOWN = 5

ExportFormat = Annotated[
    Format, typer.Option("--format", help="What to write.", show_default=False)
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Where to; must be empty or not there.",
        show_default=False,
    ),
]
Above = Annotated[float, typer.Option(min=0, max=1, help="Leave out labels with less confidence.")]


def export(
    job: given.Job,
    chosen: ExportFormat,
    output: Output,
    above: Above = 0.0,
    manifest: given.Manifest = None,
    images: given.Images = None,
    task: given.Task = None,
    labels: given.Labels = None,
    attribute: given.Attribute = None,
    endpoint_url: given.Endpoint = None,
    as_json: given.AsJson = False,
) -> None:
    """Write a job's labels as COCO, YOLO, VOC, ImageFolder or a Hugging Face dataset.

    Masks go to coco, yolo, voc and huggingface; a single label to coco, imagefolder and
    huggingface; several labels to coco and huggingface. Images that can be read are copied.
    What is left out is told, with the reason.

    Example: labeljob export birds-job --format imagefolder --images photos -o birds
    """
    # The first statement, so that these are the options and nothing else.
    options = SimpleNamespace(**locals())
    with messages.problems_told():
        found, target = _exported(options)
    if as_json:
        result = {"job": found.name, "format": chosen.value, **target.as_json()}
        result["damage"] = found.damage.as_json()
        typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        _report(found, target)


def _exported(options: SimpleNamespace) -> tuple[JobOnFile, Target]:
    found = given.opened_by(options, options.job, options.images)
    choice = Choice(above=options.above, manifest=options.manifest)
    with given.bar("Exporting", len(found.lines)) as advance:
        return found, export_job(found, options.output, options.chosen, choice, advance=advance)


def _report(job: JobOnFile, target: Target) -> None:
    given.tell_damage(job.damage)
    for reason, ids in target.left_out.by_reason.items():
        messages.warning(f"left out: {reason}: {_some(ids)}")
    if target.without_image:
        messages.warning(f"without a copy of the image: {_some(target.without_image)}")
    for note in target.notes:
        messages.note(note)
    written = ", ".join(f"{count} {what}" for what, count in target.counts.items())
    messages.done(f"{written}  {target.folder}")


def _some(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN} more; --json has all" if len(ids) > SHOWN else ""
    return f"data objects {', '.join(ids[:SHOWN])}{more}"
