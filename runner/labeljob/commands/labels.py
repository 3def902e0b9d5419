"""`labeljob labels`: names to a label category file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands.options import JobType, job_type_option, output_option, takes_options


@dataclass(frozen=True, kw_only=True)
class LabelsOptions:
    """Options of `labeljob labels`."""

    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="LABELS", help="In the order workers see them.", show_default=False),
    ] = None
    names_file: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Text file with more labels, one a line."),
    ] = None
    task: Annotated[JobType | None, job_type_option("Check the rules of this job type too.")] = None
    output: Annotated[Path, output_option("File to write; - for standard output.")] = Path(
        "label_categories.json"
    )


@takes_options
def labels(options: LabelsOptions) -> None:
    """Make the label category file of a labeling job.

    Example: labeljob labels cat dog "none of these" --task image-multi-class
    """
    from labeljob.actions import labels as action

    action.labels(options)
