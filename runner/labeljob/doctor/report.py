"""Findings for a person, as tables, and for a program, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from labeljob.doctor.findings import Finding, Section, Severity
from labeljob.messages import printable

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.OK: "green"}
_WIDTH_OF_A_FILE = 160


def has_errors(sections: Sequence[Section]) -> bool:
    """Whether any finding is an error."""
    return any(finding.severity is Severity.ERROR for _, finding in _all(sections))


def as_json(sections: Sequence[Section]) -> str:
    """All findings with their subjects, and how many there are of each kind."""
    findings = [
        {
            "subject": subject,
            "severity": finding.severity.value,
            "code": finding.code,
            "checked": finding.checked,
            "where": finding.where,
            "text": finding.text,
            "fix": finding.fix,
        }
        for subject, finding in _all(sections)
    ]
    return json.dumps({**_counts(sections), "findings": findings}, indent=2)


def show(sections: Sequence[Section], file: TextIO) -> None:
    """Print a table for each subject, and a last line that counts.

    Parameters
    ----------
    sections : sequence of Section
        What was found.
    file : text file
        A terminal, or anything else; no character in a finding can control a terminal.
    """
    console = Console(file=file)
    if not console.is_terminal:
        console = Console(file=file, width=_WIDTH_OF_A_FILE)
    for section in sections:
        if section.findings:
            console.print(_table(section))
    counts = _counts(sections)
    console.print(
        f"{counts['errors']} errors, {counts['warnings']} warnings, "
        f"{counts['not_checked']} not checked"
    )


def _table(section: Section) -> Table:
    grid = Table(title=section.subject, title_justify="left", title_style="bold", show_lines=True)
    grid.add_column("", no_wrap=True)
    grid.add_column("what", overflow="fold", ratio=2)
    grid.add_column("finding", overflow="fold", ratio=3)
    for finding in section.findings:
        kind = finding.severity.value if finding.checked else "not checked"
        said = Text(_safe(finding.text.removeprefix("not checked: ")))
        if finding.fix:
            said = Text.assemble(said, "\n", ("Fix: ", "bold"), _safe(finding.fix))
        grid.add_row(Text(kind, _STYLES[finding.severity]), Text(_safe(finding.where)), said)
    return grid


def _safe(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _all(sections: Sequence[Section]) -> Iterator[tuple[str, Finding]]:
    for section in sections:
        for finding in section.findings:
            yield section.subject, finding


def _counts(sections: Sequence[Section]) -> dict[str, int]:
    findings = [finding for _, finding in _all(sections)]
    return {
        "errors": sum(finding.severity is Severity.ERROR for finding in findings),
        "warnings": sum(
            finding.severity is Severity.WARNING and finding.checked for finding in findings
        ),
        "not_checked": sum(not finding.checked for finding in findings),
    }
