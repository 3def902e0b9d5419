"""`labeljob synthesize`: Ground Truth files with synthetic answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from groundtruth.contract.fields import checked_labels
from labeljob import messages
from labeljob.commands import options as shared
from labeljob.commands.options import output_option, takes_options
from labeljob.jobs.description import JobError
from labeljob.messages import format_count
from labeljob.simulation.behavior import BEHAVIORS, create_synthetic_workers
from labeljob.simulation.synthesis import (
    Disturbances,
    Synthesis,
    synthetic_description,
    write_files,
)
from labeljob.simulation.workers import CrewError
from labeljob.tasks.registry import find_job_type

DEFAULT_TASK = find_job_type("image-multi-class")


@dataclass(frozen=True, kw_only=True)
class SynthesizeOptions:
    """Options of `labeljob synthesize`."""

    output: Annotated[Path, output_option("An empty or new folder.", file_okay=False)]
    task: shared.NewTask = DEFAULT_TASK
    labels: Annotated[str, typer.Option(metavar="A,B,...", help="The labels.")] = (
        "ant,bee,cat,dog,eel"
    )
    workers: Annotated[
        str,
        typer.Option(
            metavar="CREW",
            help="As for `labeljob run`; besides skill=0.8 and " + ", ".join(BEHAVIORS) + ".",
        ),
    ] = "9"
    objects: Annotated[int, typer.Option(min=1, help="Data objects.")] = 100
    per_object: Annotated[int, typer.Option(min=1, max=9, help="Workers per data object.")] = 5
    job_name: Annotated[str, typer.Option(help="Name of the job.")] = "synthetic"
    batch_size: shared.BatchSize = 50
    missing: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of answers never given.")
    ] = 0.0
    late: Annotated[
        float,
        typer.Option(min=0, max=0.99, help="Share given after the batch was consolidated."),
    ] = 0.0
    difficulty: Annotated[
        float,
        typer.Option(min=0, max=0.99, help="Mean difficulty: 0 none, near 1 all guess."),
    ] = 0.0
    image_size: Annotated[
        str, typer.Option(metavar="WIDTHxHEIGHT", help="Of a mask, in pixels.")
    ] = "320x180"
    tree: Annotated[
        bool, typer.Option(help="Write a worker-response file for each data object.")
    ] = True
    seed: shared.Seed = 0


@takes_options
def synthesize(options: SynthesizeOptions) -> None:
    """Write a job's events, payloads, worker responses and manifest with synthetic answers.

    The same options write the same bytes. Memory stays the same however many data objects.

    Example: labeljob synthesize -o crowd --workers skill=0.8:20,copycat:2,tired --objects 1000
    """
    output = options.output
    synthesis = _describe_synthesis(options)
    if output.exists() and any(output.iterdir()):
        raise JobError(f"--output {output} is not empty")
    output.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with messages.show_progress("Data objects", options.objects, transient=False) as advance:
        written = write_files(synthesis, output, tree=options.tree, advance=advance)
    seconds = time.monotonic() - began
    rate = written.answers / seconds if seconds else 0.0
    messages.done(
        f"{format_count(written.objects, 'data object')}, "
        f"{format_count(written.answers, 'answer')} ({written.late} late), "
        f"{format_count(written.calls, 'call')} in {output}: {seconds:.1f} s, "
        f"{rate:.0f} answers per second"
    )


def _describe_synthesis(options: SynthesizeOptions) -> Synthesis:
    crew = create_synthetic_workers(options.workers, task=options.task, seed=options.seed)
    names = [name.strip() for name in options.labels.split(",")]
    description = synthetic_description(
        name=options.job_name,
        task=options.task,
        labels=checked_labels(names, path="--labels"),
        attribute=options.task.label_attribute,
        crew=options.workers,
        per_object=options.per_object,
        seed=options.seed,
        batch_size=options.batch_size,
    )
    if options.per_object > len(crew):
        raise CrewError(
            f"{format_count(options.per_object, 'worker')} per object, but the crew has {len(crew)}"
        )
    for member in crew:
        member.answer_model.confused_classes(description.labels)
    suffix = options.task.source_suffix
    return Synthesis(
        description=description,
        crew=crew,
        n_objects=options.objects,
        source_ref=lambda object_id: f"s3://labeljob/images/{object_id}.{suffix}",
        shape=_parse_size(options.image_size),
        disturbances=Disturbances(
            missing=options.missing, late=options.late, difficulty=options.difficulty
        ),
    )


def _parse_size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise JobError(f"--image-size {text!r} is not WIDTHxHEIGHT, as in 320x180")
    return int(height), int(width)
