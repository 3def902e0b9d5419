"""`labeljob labels`: names to a label category file."""

from __future__ import annotations

from pathlib import Path

import typer

from groundtruth.errors import GroundTruthError
from labeljob import messages
from labeljob.commands.labels import LabelsOptions
from labeljob.jobs.label_categories import check_labels, label_category_text, read_names
from labeljob.output_files import STANDARD_OUTPUT, write_text


class NamesFileError(GroundTruthError):
    """The file with the labels cannot be read."""


def labels(options: LabelsOptions) -> None:
    """Do what `labeljob labels` does."""
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
