"""`labeljob doctor`: the preflight of a stack and a planned job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from labeljob.commands.options import JobType, job_type_option, takes_options


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
        job_type_option("What the workers do. [default: what the functions' names tell]"),
    ] = None
    region: Annotated[
        str | None, typer.Option(help="AWS Region. [default: that of the job's ARNs, else yours]")
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
    from labeljob.actions import doctor as action

    action.doctor(options)
