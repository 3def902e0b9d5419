"""`labeljob synthesize`: Ground Truth files with synthetic answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from groundtruth.tasks.registry import TASKS
from labeljob.commands import options as shared
from labeljob.commands.options import JobType, job_type_option, output_option, takes_options

DEFAULT_TASK = next(iter(TASKS))


@dataclass(frozen=True, kw_only=True)
class SynthesizeOptions:
    """Options of `labeljob synthesize`."""

    output: Annotated[Path, output_option("An empty or new folder.", file_okay=False)]
    task: Annotated[
        JobType | None,
        job_type_option(f"What workers are asked to do. [default: {DEFAULT_TASK}]"),
    ] = None
    labels: Annotated[str, typer.Option(metavar="A,B,...", help="The labels.")] = (
        "ant,bee,cat,dog,eel"
    )
    workers: Annotated[
        str,
        typer.Option(
            metavar="CREW",
            help="As for `labeljob run`; besides skill=0.8 and adversary, constant, copycat, "
            "tired, flooding, empty.",
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
    from labeljob.actions import synthesize as action

    action.synthesize(options)
