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

_NOT_CHECKED = "not checked: "


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
    by_choice : bool
        Whether an option, such as ``--offline``, left it unchecked.
    """

    severity: Severity
    code: str
    where: str
    text: str
    fix: str = ""
    by_choice: bool = False

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


def not_checked(
    where: str, why: str | Absent | NotChecked, *, fix: str = "", by_choice: bool = False
) -> Finding:
    """Something that could not be looked at, or by an option was not."""
    if isinstance(why, NotChecked):
        fix = why.fix
    return Finding(
        severity=Severity.WARNING,
        code="not-checked",
        where=where,
        text=f"{_NOT_CHECKED}{why}",
        fix=fix,
        by_choice=by_choice,
    )


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
        yield not_checked(where, reason)
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


def exit_code(sections: Sequence[Section]) -> int:
    """1 if there is an error, else 3 if something could not be looked at, else 0."""
    findings = [finding for _, finding in _all(sections)]
    if any(finding.severity is Severity.ERROR for finding in findings):
        return 1
    return 3 if any(not (item.checked or item.by_choice) for item in findings) else 0


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
    """Print a table for each subject, a count, and one line of what was not checked.

    No finding can control the terminal.
    """
    console = Console(file=file)
    if not console.is_terminal:
        console = Console(file=file, width=_WIDTH_OF_A_FILE)
    for section in sections:
        if any(finding.checked for finding in section.findings):
            console.print(_table(section))
    counts = _counts(sections)
    console.print(f"{counts['errors']} errors, {counts['warnings']} warnings")
    if unchecked := _unchecked(sections):
        line = Text.assemble(("Not checked", "bold yellow"), f": {_safe(unchecked)}")
        console.print(line, soft_wrap=True)


def _table(section: Section) -> Table:
    grid = Table(title=section.subject, title_justify="left", title_style="bold", show_lines=True)
    grid.add_column("", no_wrap=True)
    grid.add_column("what", overflow="fold", ratio=2)
    grid.add_column("finding", overflow="fold", ratio=3)
    for finding in section.findings:
        if finding.checked:
            said = Text(_safe(finding.text))
            if finding.fix:
                said = Text.assemble(said, "\n", ("Fix: ", "bold"), _safe(finding.fix))
            kind = Text(finding.severity.value, _STYLES[finding.severity])
            grid.add_row(kind, Text(_safe(finding.where)), said)
    return grid


def _unchecked(sections: Sequence[Section]) -> str:
    """What was not checked, and what would have it checked, each fix told once."""
    subjects: dict[str, dict[str, None]] = {}
    reasons: dict[str, dict[str, None]] = {}
    for subject, finding in _all(sections):
        if not finding.checked:
            why = finding.text.removeprefix(_NOT_CHECKED)
            subjects.setdefault(finding.fix or why, {})[subject] = None
            reasons.setdefault(finding.fix or why, {})[why] = None
    told = []
    for fix, named in subjects.items():
        why, *others = reasons[fix]
        told.append(f"{', '.join(named)} ({fix if others or why == fix else f'{why}; {fix}'})")
    return "; ".join(told)


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
