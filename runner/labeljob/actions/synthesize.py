"""`labeljob synthesize`: Ground Truth files with synthetic answers."""

from __future__ import annotations

import time

from groundtruth.contract.fields import checked_labels
from labeljob import messages
from labeljob.commands.synthesize import DEFAULT_TASK, SynthesizeOptions
from labeljob.jobs.description import JobError
from labeljob.messages import format_count
from labeljob.simulation.behavior import create_synthetic_workers
from labeljob.simulation.synthesis import (
    Disturbances,
    Synthesis,
    synthetic_description,
    write_files,
)
from labeljob.simulation.workers import CrewError
from labeljob.tasks.registry import find_job_type


def synthesize(options: SynthesizeOptions) -> None:
    """Do what `labeljob synthesize` does."""
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
    task = options.task or find_job_type(DEFAULT_TASK)
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
        raise CrewError(
            f"{format_count(options.per_object, 'worker')} per object, but the crew has {len(crew)}"
        )
    for member in crew:
        member.answer_model.confused_classes(description.labels)
    suffix = task.source_suffix
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
