"""Reading the files that a request names: out of S3, or from a local file given in its place."""

from __future__ import annotations

from collections.abc import Iterator

from labeljob.doctor.aws import NotLookedAt
from labeljob.doctor.planned_job import LABELS, PlannedJob


def place_of(job: PlannedJob, field: str) -> str | None:
    """What a file is called in findings: its path or URI; None if the request names none."""
    if field in job.local:
        return str(job.local[field])
    return job.labels_uri if field == LABELS else job.text(field)


def read_file(job: PlannedJob, field: str) -> bytes:
    """Content of a file; raises `Absent` or `NotLookedAt`."""
    if path := job.local.get(field):
        try:
            return path.read_bytes()
        except OSError as error:
            raise NotLookedAt(error.strerror or str(error)) from error
    return job.aws.body(_required(job, field))


def read_lines(job: PlannedJob, field: str) -> Iterator[bytes]:
    """Lines of a file with their ends, one at a time; raises `Absent` or `NotLookedAt`."""
    if path := job.local.get(field):
        try:
            with path.open("rb") as file:
                yield from file
        except OSError as error:
            raise NotLookedAt(error.strerror or str(error)) from error
    else:
        yield from job.aws.lines(_required(job, field))


def _required(job: PlannedJob, field: str) -> str:
    uri = place_of(job, field)
    if uri is None:
        raise NotLookedAt(f"the request has no {field}")
    return uri
