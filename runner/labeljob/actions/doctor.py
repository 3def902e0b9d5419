"""`labeljob doctor`: the preflight of a stack and a planned job."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from labeljob.commands.doctor import DoctorOptions
from labeljob.doctor.buckets import bucket_findings, key_findings
from labeljob.doctor.deployment import function_findings, stack_findings
from labeljob.doctor.findings import (
    Absent,
    Aws,
    Finding,
    NotChecked,
    as_json,
    error,
    exit_code,
    not_checked,
    own_region,
    show,
)
from labeljob.doctor.job_files import (
    ManifestReading,
    image_findings,
    label_findings,
    label_names,
    page_findings,
)
from labeljob.doctor.known_objects import gold_findings
from labeljob.doctor.planned_job import (
    LABELS,
    MANIFEST,
    PAGE,
    PlannedJob,
    describe_stack,
    has_structure,
    request_findings,
    task_among,
    work_findings,
)
from labeljob.doctor.roles import function_role_findings, job_role_findings
from labeljob.jobs.request import region_of


def run_checks(job: PlannedJob, *, stack: str | None) -> list[tuple[str, Finding]]:
    """Everything that can be found out about a planned job or a stack, with its subject."""
    report = [
        (subject, finding)
        for subject, findings in _checks(job, stack)
        for finding in dict.fromkeys(findings)
    ]
    if job.aws.offline:  # from which everything unchecked follows
        return [(subject, replace(item, by_choice=not item.checked)) for subject, item in report]
    return report


def _checks(job: PlannedJob, stack: str | None) -> Iterator[tuple[str, Iterable[Finding]]]:
    of_stack: Iterable[Finding] = ()
    if stack is not None:
        job, of_stack = _with_stack(job, stack)
    if (request := job.request) is None:
        yield "stack", of_stack
        yield "functions", function_findings(job)
        return
    job, of_manifest = _with_images(job)
    job, of_labels = _with_labels(job)
    yield "request", request_findings(job, request)
    yield "stack", of_stack
    yield "functions", function_findings(job)
    yield "work", work_findings(job)
    yield "job role", job_role_findings(job)
    yield "function roles", function_role_findings(job)
    yield "buckets", bucket_findings(job)
    yield "keys", key_findings(job)
    yield "labels", of_labels
    yield "manifest", of_manifest
    yield "images", image_findings(job)
    yield "gold", gold_findings(job)
    yield "worker page", _of_page(job)


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
    job = replace(
        job,
        images=tuple(reading.images),
        manifest_line=reading.first_line,
        labels_before=reading.labels_before,
    )
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
    yield from _of_file(
        place, PAGE, lambda: page_findings(read_file(job, PAGE), place=place or PAGE, job=job)
    )


def _of_file(
    place: str | None, field: str, look: Callable[[], Iterable[Finding]]
) -> Iterator[Finding]:
    """Findings of a file's check; without a file, or if it cannot be read, one that says so."""
    if place is None:
        yield not_checked(field, "the request names no file")
        return
    try:
        yield from look()
    except NotChecked as reason:
        yield not_checked(place, reason)
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


def doctor(options: DoctorOptions) -> None:
    """Do what `labeljob doctor` does."""
    if options.job is None and options.stack is None:
        raise typer.BadParameter("give JOB.JSON, --stack or both")
    planned = _read_planned_job(options)
    with Aws(planned.region, offline=options.offline) as account:
        report = run_checks(replace(planned, aws=account), stack=options.stack)
    if options.as_json:
        typer.echo(as_json(report))
    else:
        show(report, sys.stdout)
    if code := exit_code(report):
        raise typer.Exit(code)


def _read_planned_job(options: DoctorOptions) -> PlannedJob:
    request = _read_request(options.job) if options.job is not None else None
    files = {
        MANIFEST: options.manifest,
        LABELS: options.label_categories,
        PAGE: options.ui_template,
    }
    local = {field: path for field, path in files.items() if path is not None}
    if local and request is None:
        raise typer.BadParameter("local files stand for those of a job: give JOB.JSON too")
    own = options.region or own_region()
    of_arns = region_of(request) if request is not None and has_structure(request) else None
    return PlannedJob(
        aws=Aws(offline=True),
        request=request,
        task=options.task or (task_among(request) if request is not None else None),
        region=of_arns or own,
        own_region=own,
        local=local,
        sample=options.sample,
    )


def _read_request(path: Path) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        request = json.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(request, dict):
        raise typer.BadParameter(f"{path} holds no CreateLabelingJob request")
    return request
