"""`labeljob report`: one page about a finished job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import (
    JobOptions,
    algorithm_option,
    file_option,
    output_option,
    takes_options,
)
from labeljob.report.page_files import LARGEST_PAGE


@dataclass(frozen=True, kw_only=True)
class ReportOptions(JobOptions):
    """Options of `labeljob report`."""

    output: Annotated[Path, output_option("The page to write; - for standard output.")] = Path(
        "report.html"
    )
    algorithm: Annotated[
        str | None, algorithm_option("none, the labels are those of the job's manifest")
    ] = None
    task: shared.Task = None
    labels: shared.Labels = None
    attribute: shared.Attribute = None
    truth: shared.Truth = None
    below: Annotated[
        float,
        typer.Option(min=0, max=1, help="Confidence under which an object is to be labeled again."),
    ] = 0.8
    goal: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of labels that is to be right, or IoU of masks: what the verdict holds "
            "them against. [default: 0.95; for masks 0.8]",
        ),
    ] = None
    gallery: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="How many data objects have their pictures in the report, the most disputed "
            f"first. [default: {LARGEST_PAGE}]",
        ),
    ] = None
    one_file: Annotated[
        bool,
        typer.Option(
            "--one-file",
            help=f"Write one file however large the job is. Beyond {LARGEST_PAGE} data objects "
            "pictures and data are otherwise in a folder beside the page.",
        ),
    ] = False
    images: shared.Images = None
    names: Annotated[
        Path | None,
        file_option(
            "CSV file of worker IDs and names, a worker a line. [default: the names that the "
            "job's portal has]"
        ),
    ] = None
    pseudonyms: Annotated[
        bool,
        typer.Option(
            "--pseudonyms",
            help="Call workers by the end of their IDs, even if their names are known.",
        ),
    ] = False
    portal_page: Annotated[
        str | None,
        typer.Option(hidden=True, help="Address of the job's page in the portal that shows this."),
    ] = None


@takes_options
def report(options: ReportOptions) -> None:
    """Write a page about a finished job: is it good enough, where not, and what to do next.

    The page is one file that needs no network; of a job with more than 2,000 data objects, a file
    and a folder. Labels are those of the job's manifest, or with --algorithm those that a replay
    makes. With --json the figures are printed too.

    Example: labeljob report birds-job --truth true_labels.json -o report.html
    """
    from labeljob.actions import report as action

    action.report(options)
