"""`labeljob calibrate`: a confidence map from the labels whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer

from labeljob.commands.options import JobOptions, file_option, output_option, takes_options

MAP_FILE = "calibration/confidence-map.json"


@dataclass(frozen=True, kw_only=True)
class CalibrateOptions(JobOptions):
    """Options of `labeljob calibrate`."""

    truth: Annotated[
        Path,
        file_option(
            "True labels, or gold: JSON Lines with source-ref and label.",
            "--truth",
            show_default=False,
        ),
    ]
    output: Annotated[
        str | None, output_option(f"The map's file. [default: JOB/{MAP_FILE}]", "FILE|S3URI")
    ] = None
    kind: Annotated[
        Literal["logistic", "isotonic"],
        typer.Option(help="logistic (two numbers) or isotonic (steps; for some hundred objects)."),
    ] = "logistic"
    force: Annotated[bool, typer.Option("--force", help="Fit it on fewer than 50 objects too.")] = (
        False
    )
    task: None = field(default=None, init=False)


@takes_options
def calibrate(options: CalibrateOptions) -> None:
    """Fit a confidence map on a finished job's labels whose truth is known.

    For jobs with one label for each data object. The map's effect is shown on objects it was not
    fitted on (ten folds). The jobs that have the printed tag apply it.

    Example: labeljob calibrate labeljob-store/labeljob/jobs/photos --truth truth.jsonl
    """
    from labeljob.actions import calibrate as action

    action.calibrate(options)
