"""Options of `labeljob replay`, `report`, `explain` and their like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from groundtruth.contract.labels import checked_labels, parse_label_categories
from labeljob import messages
from labeljob.commands.job_type import job_type_option
from labeljob.history.job import Given, JobOnFile, read_job
from labeljob.history.read_errors import DamageList
from labeljob.history.truth_files import read_truths
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import find_job
from labeljob.tasks.base import JobType, Truth

SHOWN = 10
"""Damaged files that a terminal shows; `--json` has them all."""


def existing_file(text: str, *names: str) -> Any:
    """An option that names a file, with its help and, if it is not the parameter's, its name."""
    return typer.Option(*names, metavar="FILE", exists=True, dir_okay=False, help=text)


Job = Annotated[
    str,
    typer.Argument(
        metavar="JOB",
        help="The job's folder, with its manifests/ and annotations/, or that folder in S3.",
        show_default=False,
    ),
]
Algorithm = Annotated[
    str | None,
    typer.Option(help="How answers are consolidated. [default: the job's, else the job type's]"),
]
Task = Annotated[JobType | None, job_type_option("Job type. [default: what the labels are]")]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|NAMES",
        help="Label category file, or names with commas. [default: what the labels tell]",
    ),
]
Attribute = Annotated[str | None, typer.Option(help="Label attribute name. [default: the job's]")]
TruthFile = Annotated[Path | None, existing_file("True labels, see the docs.", "--truth")]
Manifest = Annotated[
    Path | None,
    existing_file("Manifest of a replay or a pool, whose labels count instead of the job's."),
]
Gold = Annotated[
    Path | None,
    existing_file(
        "Gold labels that workers are judged by. [default: the job's, if it can be read]"
    ),
]
ModelAnswers = Annotated[
    Path | None,
    existing_file("A model's answers, which count as one more worker's. [default: the job's]"),
]
ConfidenceMapFile = Annotated[
    Path | None,
    existing_file(
        "The map that `labeljob calibrate` wrote. [default: the job's]", "--confidence-map"
    ),
]
Images = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="Folder with copies of the job's images."),
]
Endpoint = Annotated[str | None, typer.Option(help="S3 server, if it is not AWS's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def opened(
    job: str,
    *,
    task: JobType | None,
    labels: str | None,
    attribute: str | None,
    endpoint_url: str | None,
    images: Path | None = None,
) -> JobOnFile:
    """Read the job that the command line names.

    Raises
    ------
    GroundTruthError
        If there is none, or it cannot be read.
    """
    given = Given(task=task, classes=_classes(labels), attribute=attribute)
    with messages.console.status("Reading the job"):
        return read_job(find_job(job, endpoint_url=endpoint_url, images=images), given)


def opened_by(options: SimpleNamespace, job: str, images: Path | None = None) -> JobOnFile:
    """Read a job as a command's options say; raises as `opened` does."""
    return opened(
        job,
        task=options.task,
        labels=options.labels,
        attribute=options.attribute,
        endpoint_url=options.endpoint_url,
        images=images,
    )


def truths_of(job: JobOnFile, truth: Path | None) -> Mapping[str, Truth] | None:
    """What --truth says of a job's data objects; None without it.

    Raises
    ------
    TruthError
        If the file cannot be read or understood.
    """
    return read_truths(truth, job.task, job.classes, job.lines) if truth else None


def chosen_algorithm(job: JobOnFile, algorithm: str | None) -> JobOnFile:
    """The job, consolidated with an algorithm of the command line, else with its own.

    Raises
    ------
    JobError
        If its job type has none of that name.
    """
    name = algorithm or job.settings.consolidation_algorithm
    if algorithm and algorithm not in job.core.algorithms:
        known = ", ".join(job.core.algorithms)
        raise JobError(f"--algorithm {algorithm} is not one of {known}, which {job.task} has")
    if name not in job.core.algorithms:
        name = job.core.algorithms[0]
    return job.with_settings(consolidation_algorithm=name)


def _classes(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    path = Path(text)
    if path.is_file():
        return parse_label_categories(path.read_bytes(), path=text)
    if text.endswith(".json"):
        raise JobError(f"--labels {text}: there is no such file")
    return checked_labels([name.strip() for name in text.split(",")], path="--labels")


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[], object]]:
    """A bar that grows by one with each call of what it gives; none outside a terminal."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=messages.console,
        transient=True,
        disable=not messages.console.is_terminal,
    )
    with progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)


def tell_damage(damage: DamageList) -> None:
    """Say file by file what could not be used."""
    for item in list(damage.found)[:SHOWN]:
        messages.warning(f"{item.file}: {item.problem}")
    if (more := len(damage.found) - SHOWN) > 0:
        messages.warning(f"and {more} more; --json lists them all")
