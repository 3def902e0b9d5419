"""What a check says: one finding for each thing it looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from labeljob.doctor.aws import Absent, NotLookedAt
from labeljob.labeling_request import Problem


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


def looked_at(where: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Findings of a check; or one that says why there are none.

    Parameters
    ----------
    where : str
        What the check looks at.
    look : callable
        The check. It may raise `NotLookedAt`, and `Absent` for what must be there.
    """
    try:
        yield from look()
    except NotLookedAt as reason:
        yield not_checked(where, str(reason), fix=reason.fix)
    except Absent as reason:
        yield error("absent", where, f"does not exist ({reason})", fix="create it, or correct it")


def or_ok(found: Iterable[Finding], where: str, text: str) -> Iterator[Finding]:
    """The findings; if there is none, one that says that all is well."""
    nothing = True
    for finding in found:
        nothing = False
        yield finding
    if nothing:
        yield ok(where, text)


def shortened(found: Iterable[Finding], *, most: int = 5) -> Iterator[Finding]:
    """The first findings of each code, and one line that counts the others."""
    left_out: dict[str, list[Finding]] = {}
    times: dict[str, int] = {}
    for finding in found:
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
