"""`labeljob labels`: names to a label category file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from groundtruth.errors import GroundTruthError
from labeljob import messages
from labeljob.commands.options import job_type_option, output_option, takes_options
from labeljob.jobs.label_categories import check_labels, label_category_text, read_names
from labeljob.output_files import STANDARD_OUTPUT, write_text
from labeljob.tasks.base import JobType


class NamesFileError(GroundTruthError):
    """The file with the labels cannot be read."""


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
    if not options.names and options.names_file is None:
        raise typer.BadParameter("give labels, or --from FILE, or both")
    names = [*(options.names or ()), *_read_names(options.names_file)]
    findings = check_labels(names, task=options.task)
    for sentence in findings.problems:
        messages.problem(sentence)
    for sentence in findings.warnings:
        messages.warning(sentence)
    if findings.problems:
        raise typer.Exit(1)
    write_text(options.output, label_category_text(names))
    if options.output != STANDARD_OUTPUT:
        messages.done(f"{messages.format_count(len(names), 'label')} in {options.output}")


def _read_names(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        return read_names(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NamesFileError(f"{file} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise NamesFileError(f"{file} is not UTF-8 text") from error
