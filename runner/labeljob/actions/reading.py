"""What the commands about finished jobs do alike: read a job, its answers and its truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from groundtruth.contract.fields import checked_labels, parse_label_categories
from labeljob import messages
from labeljob.columns import Spread
from labeljob.commands.options import JobOptions, ReadingOptions
from labeljob.engines.driver import map_chunks
from labeljob.engines.executors import Engine
from labeljob.history.auxiliary_inputs import read_truths
from labeljob.history.job import Given, JobOnFile, ObjectAnnotations, read_annotations, read_job
from labeljob.history.job_files import DamageList
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import find_job
from labeljob.tasks.base import JobType, Truth

SHOWN = 10
"""Damaged files that a terminal shows; `--json` has them all."""


def open_job(
    options: JobOptions, images: Path | None = None, *, needs_answers: bool = True
) -> JobOnFile:
    """Read the job that a command names.

    Raises `GroundTruthError` if there is none, or it cannot be read.
    """
    return open_job_at(options.job, options, images, needs_answers=needs_answers)


def open_job_at(
    job: str,
    options: ReadingOptions,
    images: Path | None = None,
    *,
    needs_answers: bool = True,
    engine: Engine | None = None,
) -> JobOnFile:
    """Read a job by its folder or URI, on an engine if there is one; raises as `open_job` does."""
    classes = None if options.labels is None else parse_labels(options.labels)
    overrides = Given(
        task=options.task,
        classes=classes,
        attribute=options.attribute,
        answer_field=options.answer_field,
    )
    with messages.console.status("Reading the job"):
        location = find_job(job, endpoint_url=options.endpoint_url, images=images)
        return read_job(location, overrides, needs_answers=needs_answers, spread=_spread(engine))


def _spread(engine: Engine | None) -> Spread:
    """What reads the parts of large files: this process, or an engine's."""
    if engine is None:
        return map
    return lambda function, parts: map_chunks(engine, function, list(parts))


def parse_labels(text: str) -> tuple[str, ...]:
    """Classes of an option that takes a label category file, or names with commas.

    Raises `GroundTruthError` if the file is not there or not understood, or a name is no label.
    """
    path = Path(text)
    if path.is_file():
        return parse_label_categories(path.read_bytes(), path=text)
    if text.endswith(".json"):
        raise JobError(f"--labels {text}: there is no such file")
    return checked_labels([name.strip() for name in text.split(",")], path="--labels")


def read_all_annotations(job: JobOnFile) -> list[ObjectAnnotations]:
    """All answers of a job, with a bar."""
    with messages.show_progress("Reading answers", len(job.object_ids())) as advance:
        return list(read_annotations(job, advance=advance))


def read_truth(job: JobOnFile, truth: Path | None) -> Mapping[str, Truth] | None:
    """What --truth says of a job's data objects; None without it.

    Raises `TruthError` if the file cannot be read or understood.
    """
    return read_truths(truth, job.task, job.classes, job.lines) if truth else None


def choose_algorithm(job: JobOnFile, algorithm: str | None) -> JobOnFile:
    """The job, consolidated with an algorithm of the command line, else with its own.

    Raises `JobError` if its job type has none of that name.
    """
    name = algorithm or job.settings.consolidation_algorithm
    if algorithm and algorithm not in job.core.algorithms:
        known = ", ".join(job.core.algorithms)
        raise JobError(f"--algorithm {algorithm} is not one of {known}, which {job.task} has")
    if name not in job.core.algorithms:
        name = job.core.algorithms[0]
    return job.with_settings(consolidation_algorithm=name)


def check_quorum(task: JobType, quorum: float | None) -> None:
    """Raise `JobError` for a quorum of a job type that has none."""
    if quorum is not None and not task.has_quorum:
        raise JobError(f"--quorum is for several labels; {task} has no quorum, leave it out")


def print_attribute(job: JobOnFile) -> None:
    """Say which labels were read, where the manifest has several."""
    if others := " and ".join(job.other_attributes):
        messages.note(
            f"labels read: {job.attribute}; the manifest also has {others}, which --attribute reads"
        )


def print_read_errors(errors: DamageList) -> None:
    """Say file by file what could not be used."""
    for item in list(errors.damages)[:SHOWN]:
        messages.warning(f"{item.file}: {item.problem}")
    if (more := len(errors.damages) - SHOWN) > 0:
        messages.warning(f"and {more} more; --json lists them all")
