"""`labeljob doctor`: the preflight of a stack and a planned job."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from labeljob.commands.options import job_type_option, takes_options
from labeljob.doctor.checks import run_checks
from labeljob.doctor.findings import Aws, as_json, exit_code, own_region, show
from labeljob.doctor.planned_job import (
    LABELS,
    MANIFEST,
    PAGE,
    PlannedJob,
    has_structure,
    task_among,
)
from labeljob.jobs.request import region_of
from labeljob.tasks.base import JobType


def _local_file(what: str) -> Any:
    return typer.Option(
        exists=True, dir_okay=False, help=f"Local file to look at as the job's {what}."
    )


@dataclass(frozen=True, kw_only=True)
class DoctorOptions:
    """Options of `labeljob doctor`."""

    job: Annotated[
        Path | None,
        typer.Argument(
            metavar="JOB.JSON",
            help="CreateLabelingJob request, as `labeljob request` prints it; - for standard "
            "input.",
            show_default=False,
        ),
    ] = None
    stack: Annotated[str | None, typer.Option(help="Deployed stack to look at.")] = None
    task: Annotated[
        JobType | None,
        job_type_option("What the workers do. Default: what the functions' names tell."),
    ] = None
    region: Annotated[
        str | None, typer.Option(help="Default: that of the job's ARNs, or else yours.")
    ] = None
    offline: Annotated[bool, typer.Option("--offline", help="Ask AWS nothing.")] = False
    sample: Annotated[
        int, typer.Option(min=0, help="Images to read, chosen at random; 0 for all.")
    ] = 50
    manifest: Annotated[Path | None, _local_file("manifest")] = None
    label_categories: Annotated[Path | None, _local_file("label category file")] = None
    ui_template: Annotated[Path | None, _local_file("worker page")] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False


@takes_options
def doctor(options: DoctorOptions) -> None:
    """Check a planned labeling job and its stack before the job is created.

    Nothing is changed. Exit code 1 if there is an error, else 3 if something could not be checked.

    Example: labeljob doctor job.json --stack my-SageMaker-stack
    """
    if options.job is None and options.stack is None:
        raise typer.BadParameter("give JOB.JSON, --stack or both")
    planned = _read_planned_job(options)
    with Aws(planned.region, offline=options.offline) as account:
        sections = run_checks(replace(planned, aws=account), stack=options.stack)
    if options.as_json:
        typer.echo(as_json(sections))
    else:
        show(sections, sys.stdout)
    if code := exit_code(sections):
        raise typer.Exit(code)


def _read_planned_job(options: DoctorOptions) -> PlannedJob:
    request = _read_request(options.job) if options.job is not None else None
    files = {
        MANIFEST: options.manifest,
        LABELS: options.label_categories,
        PAGE: options.ui_template,
    }
    local = {field: path for field, path in files.items() if path is not None}
    if local and request is None:
        raise typer.BadParameter("local files stand for those of a job: give JOB.JSON too")
    own = options.region or own_region()
    of_arns = region_of(request) if request is not None and has_structure(request) else None
    return PlannedJob(
        aws=Aws(offline=True),
        request=request,
        task=options.task or (task_among(request) if request is not None else None),
        region=of_arns or own,
        own_region=own,
        local=local,
        sample=options.sample,
    )


def _read_request(path: Path) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        request = json.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(request, dict):
        raise typer.BadParameter(f"{path} holds no CreateLabelingJob request")
    return request
