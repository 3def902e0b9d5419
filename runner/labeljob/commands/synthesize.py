"""`labeljob synthesize`: Ground Truth files with synthetic answers."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from groundtruth.contract.labels import checked_labels
from labeljob import messages
from labeljob.commands import run_options as given
from labeljob.jobs.description import JobError
from labeljob.simulation.behavior import BEHAVIORS, create_synthetic_workers
from labeljob.simulation.synthesis import (
    Disturbances,
    Synthesis,
    Written,
    synthetic_description,
    write_files,
)
from labeljob.simulation.workers import CrewError
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import find_job_type

DEFAULT_TASK = find_job_type("image-multi-class")

Labels = Annotated[str, typer.Option(metavar="A,B,...", help="The labels.")]
Crew = Annotated[
    str,
    typer.Option(
        metavar="CREW",
        help="As for `labeljob run`; besides skill=0.8 and " + ", ".join(BEHAVIORS) + ".",
    ),
]
Objects = Annotated[int, typer.Option(min=1, help="Data objects.")]
PerObject = Annotated[int, typer.Option(min=1, max=9, help="Workers per data object.")]
Output = Annotated[
    Path, typer.Option("--output", "-o", file_okay=False, help="An empty or new folder.")
]
JobName = Annotated[str, typer.Option(help="Name of the job.")]
Missing = Annotated[float, typer.Option(min=0, max=0.99, help="Share of answers never given.")]
Late = Annotated[
    float, typer.Option(min=0, max=0.99, help="Share given after the batch was consolidated.")
]
Hard = Annotated[
    float, typer.Option(min=0, max=0.99, help="Mean difficulty: 0 none, near 1 all guess.")
]
Size = Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="Of a mask, in pixels.")]
Tree = Annotated[bool, typer.Option(help="Write a worker-response file for each data object.")]


def synthesize(
    output: Output,
    task: given.Task = DEFAULT_TASK,
    labels: Labels = "ant,bee,cat,dog,eel",
    workers: Crew = "9",
    objects: Objects = 100,
    per_object: PerObject = 5,
    job_name: JobName = "synthetic",
    batch_size: given.BatchSize = 50,
    missing: Missing = 0.0,
    late: Late = 0.0,
    difficulty: Hard = 0.0,
    image_size: Size = "320x180",
    tree: Tree = True,
    seed: given.Seed = 0,
) -> None:
    """Write a job's events, payloads, worker responses and manifest with synthetic answers.

    The same options write the same bytes. Memory stays the same however many data objects.

    Example: labeljob synthesize -o crowd --workers skill=0.8:20,copycat:2,tired --objects 1000
    """
    # The first statement, so that these are the options and nothing else.
    options = SimpleNamespace(**locals())
    with messages.problems_told(CrewError):
        synthesis = _synthesis(options)
        if output.exists() and any(output.iterdir()):
            raise JobError(f"--output {output} is not empty")
        output.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with _bar() as bar:
            stage = bar.add_task("Data objects", total=objects)
            written = write_files(
                synthesis, output, tree=tree, advance=lambda count: bar.advance(stage, count)
            )
    _report(written, output, time.monotonic() - began)


def _synthesis(options: SimpleNamespace) -> Synthesis:
    task: JobType = options.task
    crew = create_synthetic_workers(options.workers, task=task, seed=options.seed)
    names = [name.strip() for name in options.labels.split(",")]
    description = synthetic_description(
        name=options.job_name,
        task=task,
        labels=checked_labels(names, path="--labels"),
        attribute=task.label_attribute,
        crew=options.workers,
        per_object=options.per_object,
        seed=options.seed,
        batch_size=options.batch_size,
    )
    if options.per_object > len(crew):
        raise CrewError(f"{options.per_object} workers per object, but the crew has {len(crew)}")
    for member in crew:
        member.answer_model.confused_classes(description.labels)
    suffix = task.source_suffix
    return Synthesis(
        description=description,
        crew=crew,
        n_objects=options.objects,
        source_ref=lambda object_id: f"s3://labeljob/images/{object_id}.{suffix}",
        shape=_shape(options.image_size),
        disturbances=Disturbances(
            missing=options.missing, late=options.late, difficulty=options.difficulty
        ),
    )


def _shape(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise JobError(f"--image-size {text!r} is not WIDTHxHEIGHT, as in 320x180")
    return int(height), int(width)


def _report(written: Written, output: Path, seconds: float) -> None:
    rate = written.answers / seconds if seconds else 0.0
    messages.done(
        f"{written.objects} data objects, {written.answers} answers ({written.late} late), "
        f"{written.calls} calls in {output}: {seconds:.1f} s, {rate:.0f} answers per second"
    )


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=messages.console,
        disable=not messages.console.is_terminal,
    )
