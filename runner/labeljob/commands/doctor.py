"""`labeljob doctor`: the preflight of a stack and a planned job."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from labeljob.commands.job_type import job_type_option
from labeljob.doctor.aws import Account, NoAws, own_region
from labeljob.doctor.checks import examine
from labeljob.doctor.findings import Section, as_json, has_errors, show
from labeljob.doctor.planned_job import LABELS, MANIFEST, PAGE, PlannedJob, task_among
from labeljob.doctor.request_checks import has_structure
from labeljob.jobs.request_rules import region_of
from labeljob.tasks.base import JobType

Job = Annotated[
    Path | None,
    typer.Argument(
        metavar="JOB.JSON",
        help="CreateLabelingJob request, as `labeljob request` prints it; - for standard input.",
        show_default=False,
    ),
]
Stack = Annotated[str | None, typer.Option("--stack", help="Deployed stack to look at.")]
Task = Annotated[
    JobType | None,
    job_type_option("What the workers do. Default: what the functions' names tell.", "--task"),
]
Region = Annotated[
    str | None, typer.Option("--region", help="Default: that of the job's ARNs, or else yours.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Ask AWS nothing.")]
Sample = Annotated[
    int, typer.Option("--sample", min=0, help="Images to read, chosen at random; 0 for all.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")]


def _local(name: str, what: str) -> Any:
    text = f"Local file to look at as the job's {what}."
    return typer.Option(name, exists=True, dir_okay=False, help=text)


Manifest = Annotated[Path | None, _local("--manifest", "manifest")]
LabelCategories = Annotated[Path | None, _local("--label-categories", "label category file")]
UiTemplate = Annotated[Path | None, _local("--ui-template", "worker page")]


def doctor(
    job: Job = None,
    stack: Stack = None,
    task: Task = None,
    region: Region = None,
    offline: Offline = False,
    sample: Sample = 50,
    manifest: Manifest = None,
    label_categories: LabelCategories = None,
    ui_template: UiTemplate = None,
    in_json: Json = False,
) -> None:
    """Check a planned labeling job and its stack before the job is created.

    Nothing is changed. Exit code 1 if there is an error.

    Example: labeljob doctor job.json --stack my-SageMaker-stack
    """
    if job is None and stack is None:
        raise typer.BadParameter("give JOB.JSON, --stack or both")
    request = _request(job) if job is not None else None
    files = {MANIFEST: manifest, LABELS: label_categories, PAGE: ui_template}
    local = {field: path for field, path in files.items() if path is not None}
    if local and request is None:
        raise typer.BadParameter("local files stand for those of a job: give JOB.JSON too")
    planned = _planned(request, task=task, region=region, local=local, sample=sample)
    sections = _examined(planned, stack, offline=offline)
    if in_json:
        typer.echo(as_json(sections))
    else:
        show(sections, sys.stdout)
    if has_errors(sections):
        raise typer.Exit(1)


def _request(path: Path) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        request = json.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(request, dict):
        raise typer.BadParameter(f"{path} holds no CreateLabelingJob request")
    return request


def _planned(
    request: Mapping[str, Any] | None,
    *,
    task: JobType | None,
    region: str | None,
    local: Mapping[str, Path],
    sample: int,
) -> PlannedJob:
    own = region or own_region()
    of_arns = region_of(request) if request is not None and has_structure(request) else None
    return PlannedJob(
        aws=NoAws(),
        request=request,
        task=task or (task_among(request) if request is not None else None),
        region=of_arns or own,
        own_region=own,
        local=local,
        sample=sample,
    )


def _examined(planned: PlannedJob, stack: str | None, *, offline: bool) -> list[Section]:
    if offline:
        return examine(planned, stack=stack)
    with Account(planned.region) as account:
        return examine(replace(planned, aws=account), stack=stack)
