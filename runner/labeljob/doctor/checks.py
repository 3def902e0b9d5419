"""All checks, in the order that lets one use what another has read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from labeljob.doctor.buckets import bucket_findings, key_findings
from labeljob.doctor.deployment import function_findings, stack_findings
from labeljob.doctor.findings import (
    Absent,
    Finding,
    NotChecked,
    Section,
    checked,
    error,
    not_checked,
)
from labeljob.doctor.job_files import (
    ManifestReading,
    image_findings,
    label_findings,
    label_names,
    page_findings,
)
from labeljob.doctor.planned_job import (
    LABELS,
    MANIFEST,
    PAGE,
    PlannedJob,
    describe_stack,
    request_findings,
    work_findings,
)
from labeljob.doctor.roles import function_role_findings, job_role_findings


def run_checks(job: PlannedJob, *, stack: str | None) -> list[Section]:
    """Everything that can be found out about a planned job, or a stack alone."""
    sections = _sections(job, stack)
    return list(map(_by_choice, sections)) if job.aws.offline else sections


def _by_choice(section: Section) -> Section:
    """The section offline, where everything unchecked follows from that."""
    findings = (
        item if item.checked else replace(item, by_choice=True) for item in section.findings
    )
    return replace(section, findings=tuple(findings))


def _sections(job: PlannedJob, stack: str | None) -> list[Section]:
    sections = []
    if stack is not None:
        job, findings = _with_stack(job, stack)
        sections.append(_section("stack", findings))
    if job.request is None:
        return [*sections, _section("functions", function_findings(job))]
    request = job.request
    job, of_manifest = _with_images(job)
    job, of_labels = _with_labels(job)
    return [
        _section("request", request_findings(job, request)),
        *sections,
        _section("functions", function_findings(job)),
        _section("work", work_findings(job)),
        _section("job role", job_role_findings(job)),
        _section("function roles", function_role_findings(job)),
        _section("buckets", bucket_findings(job)),
        _section("keys", key_findings(job)),
        _section("labels", of_labels),
        _section("manifest", of_manifest),
        _section("images", image_findings(job)),
        _section("worker page", _of_page(job)),
    ]


def _section(subject: str, findings: Iterable[Finding]) -> Section:
    return Section(subject=subject, findings=tuple(dict.fromkeys(findings)))


def _with_stack(job: PlannedJob, name: str) -> tuple[PlannedJob, Iterable[Finding]]:
    where = f"stack {name}"
    try:
        stack = describe_stack(job.aws, name)
    except Absent:
        fix = "aws cloudformation list-stacks lists those of the Region; or deploy it"
        return job, [error("stack-absent", where, f"is not there in {job.region}", fix=fix)]
    except NotChecked as reason:
        return job, [not_checked(where, reason)]
    job = replace(job, stack=stack)
    return job, stack_findings(job, stack)


def _with_images(job: PlannedJob) -> tuple[PlannedJob, list[Finding]]:
    place = place_of(job, MANIFEST)
    reading = ManifestReading(
        place=place or MANIFEST, task=job.task, attribute=job.text("LabelAttributeName")
    )
    findings = list(_of_file(place, MANIFEST, lambda: reading.findings(read_lines(job, MANIFEST))))
    job = replace(job, images=tuple(reading.images), manifest_line=reading.first_line)
    return job, findings


def _with_labels(job: PlannedJob) -> tuple[PlannedJob, list[Finding]]:
    place = place_of(job, LABELS)
    names: tuple[str, ...] = ()

    def look() -> Iterator[Finding]:
        nonlocal names
        body = read_file(job, LABELS)
        names = label_names(body)
        yield from label_findings(body, place=place or LABELS, task=job.task)

    findings = list(_of_file(place, LABELS, look))
    return replace(job, labels=names), findings


def _of_page(job: PlannedJob) -> Iterator[Finding]:
    place = place_of(job, PAGE)

    def look() -> Iterator[Finding]:
        yield from page_findings(read_file(job, PAGE), place=place or PAGE, job=job)

    yield from _of_file(place, PAGE, look)


def _of_file(
    place: str | None, field: str, look: Callable[[], Iterable[Finding]]
) -> Iterator[Finding]:
    """Findings of a file's check; without a file, or if it cannot be read, one that says so."""
    if place is None:
        yield not_checked(field, "the request names no file")
        return
    yield from checked(place, partial(_existing, look, place, field))


def _existing(look: Callable[[], Iterable[Finding]], place: str, field: str) -> Iterator[Finding]:
    try:
        yield from look()
    except Absent:
        yield error("file-absent", place, "is not there", fix=f"upload it, or correct {field}")


def place_of(job: PlannedJob, field: str) -> str | None:
    """What a file is called in findings: its path or URI; None if the request names none."""
    if field in job.local:
        return str(job.local[field])
    return job.labels_uri if field == LABELS else job.text(field)


def read_file(job: PlannedJob, field: str) -> bytes:
    """Content of a file; raises `Absent` or `NotChecked`."""
    if path := job.local.get(field):
        try:
            return path.read_bytes()
        except OSError as reason:
            raise NotChecked(reason.strerror or str(reason)) from reason
    return job.aws.body(_required(job, field))


def read_lines(job: PlannedJob, field: str) -> Iterator[bytes]:
    """Lines of a file with their ends, one at a time; raises `Absent` or `NotChecked`."""
    if path := job.local.get(field):
        try:
            with path.open("rb") as file:
                yield from file
        except OSError as reason:
            raise NotChecked(reason.strerror or str(reason)) from reason
    else:
        yield from job.aws.lines(_required(job, field))


def _required(job: PlannedJob, field: str) -> str:
    uri = place_of(job, field)
    if uri is None:
        raise NotChecked(f"the request has no {field}")
    return uri
