"""What a check says: one finding for each thing it looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from labeljob.doctor.aws import Absent, NotChecked
from labeljob.jobs.request import Problem
from labeljob.messages import printable


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    OK = "ok"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found about one thing.

    Attributes
    ----------
    severity : Severity
        `ERROR` if the job would fail or lose data objects, `WARNING` if it may.
    code : str
        What kind of finding it is, in kebab case: ``"cors-missing"``; ``"ok"`` and
        ``"not-checked"`` are used by all checks.
    where : str
        What was looked at: a field, an ARN, a URI, a file with its line.
    text : str
        What is wrong there, or what is well.
    fix : str
        What to do about it; empty where nothing is to be done.
    """

    severity: Severity
    code: str
    where: str
    text: str
    fix: str = ""

    @property
    def checked(self) -> bool:
        """Whether the thing could be looked at."""
        return self.code != "not-checked"


@dataclass(frozen=True, kw_only=True)
class Section:
    """Everything that was found about one subject."""

    subject: str
    findings: tuple[Finding, ...]


def error(code: str, where: str, text: str, *, fix: str) -> Finding:
    """Something the job would fail over."""
    return Finding(severity=Severity.ERROR, code=code, where=where, text=text, fix=fix)


def warning(code: str, where: str, text: str, *, fix: str = "") -> Finding:
    """Something that may not be as the person wants it."""
    return Finding(severity=Severity.WARNING, code=code, where=where, text=text, fix=fix)


def ok(where: str, text: str) -> Finding:
    """Something that was looked at and is well."""
    return Finding(severity=Severity.OK, code="ok", where=where, text=text)


def not_checked(where: str, why: str, *, fix: str = "") -> Finding:
    """Something that could not be looked at."""
    return warning("not-checked", where, f"not checked: {why}", fix=fix)


def of_problem(problem: Problem, *, code: str, severity: Severity = Severity.ERROR) -> Finding:
    """A problem of a request as a finding."""
    return Finding(
        severity=severity, code=code, where=problem.field, text=problem.text, fix=problem.fix
    )


def checked(where: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Findings of a check, which may raise `NotChecked` or `Absent`; or one that says why not."""
    try:
        yield from look()
    except NotChecked as reason:
        yield not_checked(where, str(reason), fix=reason.fix)
    except Absent as reason:
        yield error("absent", where, f"does not exist ({reason})", fix="create it, or correct it")


def or_ok(findings: Iterable[Finding], where: str, text: str) -> Iterator[Finding]:
    """The findings; if there is none, one that says that all is well."""
    nothing = True
    for finding in findings:
        nothing = False
        yield finding
    if nothing:
        yield ok(where, text)


def shortened(findings: Iterable[Finding], *, most: int = 5) -> Iterator[Finding]:
    """The first findings of each code, and one line that counts the others."""
    left_out: dict[str, list[Finding]] = {}
    times: dict[str, int] = {}
    for finding in findings:
        times[finding.code] = times.get(finding.code, 0) + 1
        if times[finding.code] <= most:
            yield finding
        else:
            left_out.setdefault(finding.code, [finding, finding])[1] = finding
    for code, (first, last) in left_out.items():
        yield Finding(
            severity=first.severity,
            code=code,
            where=f"{first.where} … {last.where}",
            text=f"{times[code] - most} more like these",
            fix=first.fix,
        )


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
    """Print a table for each subject and a count; no finding can control the terminal."""
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
