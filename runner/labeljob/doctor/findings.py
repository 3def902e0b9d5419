"""What the checks ask of an AWS account, and what they say: a finding for each thing looked at."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any, TextIO, TypeAlias, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from groundtruth.errors import GroundTruthError, StorageError
from groundtruth.storage.s3 import split_uri
from labeljob.jobs.request import Problem
from labeljob.messages import format_count, printable

Answer = TypeVar("Answer")

_CONNECT_SECONDS = 5
_READ_SECONDS = 20
_ATTEMPTS = 3
_CONNECTIONS = 16
_PIECE = 256 * 1024
_NOT_KEPT = {"head_object"}
_ABSENT = {
    "404", "NotFound", "NoSuchKey", "NoSuchBucket", "NoSuchEntity", "ResourceNotFoundException",
    "NotFoundException", "NoSuchCORSConfiguration", "ResourceNotFound",
    "ServerSideEncryptionConfigurationNotFoundError",
}  # fmt: skip
_NO_SESSION = {
    "400", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId",
    "InvalidClientTokenId", "InvalidSignatureException", "InvalidToken", "RequestExpired",
    "SignatureDoesNotMatch", "UnrecognizedClientException",
}  # fmt: skip
_SESSION = "check credentials (aws sts get-caller-identity), Region and connection"
_DENIED = {"403", "AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedOperation"}
_ACTIONS = {
    "HeadBucket": "ListBucket", "HeadObject": "GetObject", "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
}  # fmt: skip


class NotChecked(GroundTruthError):
    """Something cannot be looked at; the text says why.

    Attributes
    ----------
    fix : str
        What would make it possible.
    """

    def __init__(self, why: str, *, fix: str = "") -> None:
        super().__init__(why)
        self.fix = fix


class Absent(GroundTruthError):
    """Something does not exist."""


class Aws:
    """The account that this machine's AWS settings lead to; `AWS_ENDPOINT_URL` is respected.

    Parameters
    ----------
    region : str, optional
        Region of the job; that of the AWS settings if left out.
    offline : bool, optional
        Whether nothing is asked: every call raises `NotChecked`.
    """

    def __init__(self, region: str | None = None, *, offline: bool = False) -> None:
        self._region = region
        self.offline = offline
        self._clients: dict[str, Any] = {}
        self._answers: dict[str, Any] = {}
        self._opening = threading.Lock()

    def __enter__(self) -> Aws:
        return self

    def __exit__(self, *error: object) -> None:
        for client in self._clients.values():
            client.close()

    def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """Answer of an operation, asked once; raises `Absent` or `NotChecked`."""

        def ask() -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self._client(service), operation)(**arguments)
            return answer

        return self._once(service, operation, arguments, ask)

    def listed(self, service: str, operation: str, key: str, **arguments: Any) -> list[Any]:
        """Items of all pages of an operation; raises `Absent` or `NotChecked`."""

        def ask() -> list[Any]:
            pages = self._client(service).get_paginator(operation).paginate(**arguments)
            return [item for page in pages for item in page.get(key, ())]

        return self._once(service, operation, arguments, ask)

    def body(self, uri: str) -> bytes:
        """Content of an object in S3; raises `Absent` or `NotChecked`."""
        return b"".join(self.lines(uri))

    def lines(self, uri: str) -> Iterator[bytes]:
        """Lines of an object in S3, with their ends; raises `Absent` or `NotChecked`."""
        bucket, key = _split(uri)
        with (
            _translated(self._client, "s3", "get_object"),
            closing(self._client("s3").get_object(Bucket=bucket, Key=key)["Body"]) as body,
        ):
            rest = b""
            for piece in body.iter_chunks(_PIECE):
                *whole, rest = (rest + piece).split(b"\n")
                yield from (line + b"\n" for line in whole)
            if rest:
                yield rest

    def _once(
        self, service: str, operation: str, arguments: dict[str, Any], ask: Callable[[], Answer]
    ) -> Answer:
        if operation in _NOT_KEPT:
            with _translated(self._client, service, operation):
                return ask()
        asked = json.dumps([service, operation, arguments], sort_keys=True)
        if asked not in self._answers:
            try:
                with _translated(self._client, service, operation):
                    self._answers[asked] = ask()
            except (Absent, NotChecked) as reason:
                self._answers[asked] = reason
        answer = self._answers[asked]
        if isinstance(answer, Absent | NotChecked):
            raise answer
        return answer  # type: ignore[no-any-return]  # what `ask` gave

    def _client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        if self.offline:
            raise NotChecked("--offline was given", fix="leave --offline out")
        with self._opening:
            if service not in self._clients:
                config = Config(
                    connect_timeout=_CONNECT_SECONDS,
                    read_timeout=_READ_SECONDS,
                    max_pool_connections=_CONNECTIONS,
                    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                )
                self._clients[service] = boto3.client(
                    service,  # type: ignore[call-overload]  # its stubs know literal names only
                    region_name=self._region,
                    config=config,
                )
            return self._clients[service]


def own_region() -> str | None:
    """The Region that this machine's AWS settings name; None if they name none."""
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        region: str | None = boto3.session.Session().region_name
    except BotoCoreError:
        return None
    return region


def _split(uri: str) -> tuple[str, str]:
    try:
        return split_uri(uri)
    except StorageError as error:
        raise NotChecked(str(error)) from error


@contextmanager
def _translated(client: Callable[[str], Any], service: str, operation: str) -> Iterator[None]:
    """Turn the errors of a client into those of this module."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", "")) or code
        if code in _ABSENT or (code == "ValidationError" and "does not exist" in message):
            raise Absent(message) from error
        if code in _DENIED:
            action = _action(client, service, operation)
            fix = f"allow yourself {action}, or run this as somebody who may"
            raise NotChecked(f"you may not call {action}", fix=fix) from error
        fix = _SESSION if code in _NO_SESSION else ""
        raise NotChecked(f"{service} answers {code}: {_one_line(message)}", fix=fix) from error
    except ResponseParserError as error:
        raise NotChecked(f"{service} gives an answer that cannot be read") from error
    except (BotoCoreError, ValueError) as error:
        raise NotChecked(_one_line(str(error)), fix=_SESSION) from error


def _action(client: Callable[[str], Any], service: str, operation: str) -> str:
    """What IAM calls an operation."""
    name = client(service).meta.method_to_api_mapping[operation]
    return f"{service}:{_ACTIONS.get(name, name)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


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


Report: TypeAlias = Sequence[tuple[str, Finding]]
"""All findings, each with its subject; those of one subject stand together."""


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


def exit_code(report: Report) -> int:
    """1 if there is an error, else 3 if something could not be looked at, else 0."""
    if any(finding.severity is Severity.ERROR for _, finding in report):
        return 1
    return 3 if any(not (item.checked or item.by_choice) for _, item in report) else 0


def as_json(report: Report) -> str:
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
        for subject, finding in report
    ]
    return json.dumps({**_counts(report), "findings": findings}, indent=2)


def show(report: Report, file: TextIO) -> None:
    """Print a table for each subject, a count, and one line of what was not checked.

    No finding can control the terminal.
    """
    console = Console(file=file)
    if not console.is_terminal:
        console = Console(file=file, width=_WIDTH_OF_A_FILE)
    for subject, group in groupby(report, itemgetter(0)):
        if findings := [finding for _, finding in group if finding.checked]:
            console.print(_table(subject, findings))
    counts = _counts(report)
    console.print(
        f"{format_count(counts['errors'], 'error')}, {format_count(counts['warnings'], 'warning')}"
    )
    if unchecked := _unchecked(report):
        line = Text.assemble(("Not checked", "bold yellow"), f": {_safe(unchecked)}")
        console.print(line, soft_wrap=True)


def _table(subject: str, findings: Iterable[Finding]) -> Table:
    grid = Table(title=subject, title_justify="left", title_style="bold", show_lines=True)
    grid.add_column("", no_wrap=True)
    grid.add_column("what", overflow="fold", ratio=2)
    grid.add_column("finding", overflow="fold", ratio=3)
    for finding in findings:
        said = Text(_safe(finding.text))
        if finding.fix:
            said = Text.assemble(said, "\n", ("Fix: ", "bold"), _safe(finding.fix))
        kind = Text(finding.severity.value, _STYLES[finding.severity])
        grid.add_row(kind, Text(_safe(finding.where)), said)
    return grid


def _unchecked(report: Report) -> str:
    """What was not checked, and what would have it checked, each fix told once."""
    subjects: dict[str, dict[str, None]] = {}
    reasons: dict[str, dict[str, None]] = {}
    for subject, finding in report:
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


def _counts(report: Report) -> dict[str, int]:
    findings = [finding for _, finding in report]
    return {
        "errors": sum(finding.severity is Severity.ERROR for finding in findings),
        "warnings": sum(
            finding.severity is Severity.WARNING and finding.checked for finding in findings
        ),
        "not_checked": sum(not finding.checked for finding in findings),
    }
