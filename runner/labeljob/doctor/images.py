"""The images of the manifest: there, within the limits, and readable; a sample of them, or all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from groundtruth.storage.s3 import split_uri
from labeljob import messages
from labeljob.doctor.aws import Absent, NoAws, NotChecked
from labeljob.doctor.findings import Finding, error, not_checked, ok, shortened, warning
from labeljob.doctor.planned_job import LABELS, ImageRef, PlannedJob
from labeljob.jobs.images import examine, size_problem

_AT_ONCE = 8


def image_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the images, in the manifest's order; at most five of a kind."""
    if not job.images:
        yield not_checked("images", "the manifest tells no image in S3")
        return
    if isinstance(job.aws, NoAws):
        yield not_checked("images", "--offline")
        return
    chosen = _sample(job)
    problems = [finding for found in _read(job, chosen) for finding in found]
    yield from shortened(problems)
    left = len(job.images) - len(chosen)
    if not problems:
        yield ok("images", f"{len(chosen)} of {len(job.images)} read: all can be shown to workers")
    if left:
        why = f"{left} of {len(job.images)} images; {len(chosen)} were chosen at random"
        yield not_checked("images", why, fix="--sample 0 reads all of them")


def _sample(job: PlannedJob) -> list[ImageRef]:
    """The same images for the same manifest, in its order."""
    if job.sample == 0 or job.sample >= len(job.images):
        return list(job.images)
    chosen = random.Random(0).sample(job.images, job.sample)
    return sorted(chosen, key=lambda image: image.line)


def _read(job: PlannedJob, images: list[ImageRef]) -> Iterator[list[Finding]]:
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        reading = [pool.submit(_all_of, job, image) for image in images]
        for future in messages.progress(reading, "Reading images"):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _all_of(job: PlannedJob, image: ImageRef) -> list[Finding]:
    return list(_image(job, image))


def _image(job: PlannedJob, image: ImageRef) -> Iterator[Finding]:
    where = f"line {image.line}: {image.uri}"
    bucket, key = split_uri(image.uri)
    try:
        n_bytes = job.aws.call("s3", "head_object", Bucket=bucket, Key=key)["ContentLength"]
        if problem := size_problem(n_bytes):
            fix = "take its line out, or store it smaller"
            yield error("image-size", where, problem, fix=fix)
            return
        found = examine(job.aws.body(image.uri), name=key)
    except Absent:
        fix = "upload it, or take its line out"
        yield error("image-absent", where, "is not there", fix=fix)
        return
    except NotChecked as reason:
        yield not_checked(where, str(reason), fix=reason.fix)
        return
    if found.problem:
        fix = "store it as an upright JPEG or PNG of at most 100 megapixels"
        yield error("image-unusable", where, found.problem, fix=fix)
    for text in found.warnings:
        fix = "store its pixels upright, without EXIF data, under a name that fits"
        yield warning("image-advice", where, text, fix=fix)


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
        except OSError as error:
            raise NotChecked(error.strerror or str(error)) from error
    return job.aws.body(_required(job, field))


def read_lines(job: PlannedJob, field: str) -> Iterator[bytes]:
    """Lines of a file with their ends, one at a time; raises `Absent` or `NotChecked`."""
    if path := job.local.get(field):
        try:
            with path.open("rb") as file:
                yield from file
        except OSError as error:
            raise NotChecked(error.strerror or str(error)) from error
    else:
        yield from job.aws.lines(_required(job, field))


def _required(job: PlannedJob, field: str) -> str:
    uri = place_of(job, field)
    if uri is None:
        raise NotChecked(f"the request has no {field}")
    return uri
