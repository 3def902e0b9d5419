"""`labeljob labels`: names to a label category file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from groundtruth.errors import GroundTruthError
from labeljob import messages
from labeljob.commands.job_type import job_type_option
from labeljob.jobs.label_categories import check_labels, label_category_text, read_names
from labeljob.output_files import STANDARD_OUTPUT, OutputError, write_text
from labeljob.tasks.base import JobType

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="LABELS", help="In the order workers see them.", show_default=False),
]
NamesFile = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="Text file with more labels, one a line."),
]
Task = Annotated[JobType | None, job_type_option("Check the rules of this job type too.", "--task")]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="File to write; - for standard output.")
]


class NamesFileError(GroundTruthError):
    """The file with the labels cannot be read."""


def labels(
    names: Names = None,
    names_file: NamesFile = None,
    task: Task = None,
    output: Output = Path("label_categories.json"),
) -> None:
    """Make the label category file of a labeling job.

    Example: labeljob labels cat dog "none of these" --task image-multi-class
    """
    if not names and names_file is None:
        raise typer.BadParameter("give labels, or --from FILE, or both")
    try:
        chosen = [*(names or ()), *(_names_in(names_file) if names_file else ())]
        findings = check_labels(chosen, task=task)
        for sentence in findings.problems:
            messages.problem(sentence)
        for sentence in findings.warnings:
            messages.warning(sentence)
        if findings.problems:
            raise typer.Exit(1)
        write_text(output, label_category_text(chosen))
    except (NamesFileError, OutputError) as error:
        messages.problem(str(error))
        raise typer.Exit(1) from error
    if output != STANDARD_OUTPUT:
        messages.done(f"{len(chosen)} labels in {output}")


def _names_in(file: Path) -> list[str]:
    try:
        return read_names(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NamesFileError(f"{file} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise NamesFileError(f"{file} is not UTF-8 text") from error
