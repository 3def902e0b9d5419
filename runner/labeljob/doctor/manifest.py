"""The input manifest, the label category file and the images, all of them or a sample.

Rules: "Use an input manifest file" and "Input data quotas" in the SageMaker developer guide.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from groundtruth.contract.fields import DOCUMENT_VERSION, parse_label_categories
from groundtruth.errors import ContractError
from groundtruth.storage.s3 import split_uri
from labeljob import messages
from labeljob.doctor.findings import (
    Absent,
    Finding,
    NotChecked,
    error,
    not_checked,
    ok,
    shortened,
    warning,
)
from labeljob.doctor.planned_job import ImageRef, PlannedJob
from labeljob.jobs.images import examine, name_problem, size_problem
from labeljob.jobs.input_manifest import (
    MAX_ATTRIBUTE_LENGTH,
    MAX_KEY_BYTES,
    MAX_LINE_LENGTH,
    MAX_OBJECTS,
    MAX_OBJECTS_TO_SEGMENT,
)
from labeljob.jobs.label_categories import check_labels
from labeljob.tasks.base import JobType

_REMAKE = "make the manifest with labeljob manifest"
_S3_OBJECT = re.compile(r"s3://[a-z0-9.-]{3,63}/(.*[^/])", re.DOTALL)


@dataclass(kw_only=True)
class ManifestReading:
    """A manifest as it is read.

    Attributes
    ----------
    place : str
        Its URI or path.
    task : JobType or None
        What the job type is; without it, the smaller quota is a warning.
    attribute : str or None
        The job's label attribute.
    first_line : mapping or None
        The first line that is a JSON object.
    images : list of ImageRef
        Those found so far.
    """

    place: str
    task: JobType | None
    attribute: str | None
    first_line: Mapping[str, Any] | None = None
    images: list[ImageRef] = field(default_factory=list)
    _lines: int = 0
    _labeled: int = 0
    _first: dict[str, int] = field(default_factory=dict)

    def findings(self, lines: Iterable[bytes]) -> Iterator[Finding]:
        """What is to be said of the lines, each with its end; at most five of a kind."""
        problems = list(shortened(self._all(lines)))
        yield from problems
        yield from self._count()
        if not problems:
            yield ok(self.place, f"{self._lines} lines of JSON, each with an image of its own")

    def _all(self, lines: Iterable[bytes]) -> Iterator[Finding]:
        for number, line in enumerate(lines, start=1):
            self._lines = number
            yield from self._line(f"{self.place}:{number}", number, line)

    def _line(self, where: str, number: int, line: bytes) -> Iterator[Finding]:
        try:
            text = line.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            yield error("line-unreadable", where, "is not UTF-8", fix="save the file as UTF-8")
            return
        if len(text) > MAX_LINE_LENGTH:
            said = f"has {len(text)} characters, 100,000 at most"
            yield error("line-too-long", where, said, fix="leave attributes out of it")
        try:
            data = json.loads(text)
        except ValueError as reason:
            said = f"is not JSON: {reason}" if text.strip() else "is blank"
            yield error("line-unreadable", where, said, fix="one JSON object on each line")
            return
        if not isinstance(data, dict):
            yield error("line-unreadable", where, "is no JSON object", fix=_REMAKE)
            return
        self.first_line = self.first_line or data
        yield from _attributes(where, data)
        yield from self._source(where, number, data)
        self._labeled += self.attribute in data

    def _source(self, where: str, number: int, data: dict[str, Any]) -> Iterator[Finding]:
        ref = data.get("source-ref")
        if "source" in data:
            fix = "give each line an image as source-ref, and no source"
            yield error("source", where, "has source, a text, and the job is for images", fix=fix)
        if not isinstance(ref, str):
            said = "has no source-ref" if ref is None else "has a source-ref that is not a text"
            yield error("source-ref", where, said, fix=_REMAKE)
            return
        match = _S3_OBJECT.fullmatch(ref)
        if match is None:
            fix = "labeljob manifest --s3-prefix s3://bucket/images names images that way"
            yield error("source-ref", where, f"{ref!r} is not the URI of an object in S3", fix=fix)
            return
        if len(match[1].encode()) > MAX_KEY_BYTES:
            yield error("source-ref", where, "its key has more than 1,024 bytes", fix="rename it")
        if problem := name_problem(ref):
            yield error("image-name", where, f"{ref} is {problem}", fix="convert it, or rename it")
        if (first := self._first.setdefault(ref, number)) != number:
            said = f"has the image of line {first} again, which is labeled and paid for twice"
            yield warning("duplicate-ref", where, said, fix="take one of the two lines out")
        else:
            self.images.append(ImageRef(line=number, uri=ref))

    def _count(self) -> Iterator[Finding]:
        n = self._lines
        if n == 0:
            yield error("manifest-empty", self.place, "has no line", fix=_REMAKE)
        if n > MAX_OBJECTS:
            said = f"has {n} lines; a job takes {MAX_OBJECTS:,} at most"
            yield error("manifest-quota", self.place, said, fix="split it into several jobs")
        elif n > MAX_OBJECTS_TO_SEGMENT and (self.task is None or self.task.label_is_mask):
            said = f"has {n} lines; a segmentation job takes {MAX_OBJECTS_TO_SEGMENT:,} at most"
            level = warning if self.task is None else error
            yield level("manifest-quota", self.place, said, fix="split it into several jobs")
        if self._labeled:
            said = (
                f"{self._labeled} of {n} lines have {self.attribute!r} already; a job with that "
                "label attribute leaves them as they are"
            )
            fix = "give another --label-attribute to have all lines labeled"
            yield warning("already-labeled", self.place, said, fix=fix)


def _attributes(where: str, data: dict[str, Any]) -> Iterator[Finding]:
    for name, value in data.items():
        if name.startswith("$"):
            said = f"attribute {name!r} starts with $, which Ground Truth keeps for itself"
            yield error("attribute-name", where, said, fix="rename the attribute")
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if len(text) > MAX_ATTRIBUTE_LENGTH:
            said = f"attribute {name!r} has {len(text)} characters, 20,000 at most"
            yield error("attribute-too-long", where, said, fix="shorten it, or leave it out")


_FORM = '{"document-version": "2018-11-28", "labels": [{"label": "cat"}, {"label": "dog"}]}'
_FIX = f"write it as {_FORM}; labeljob labels does"


def label_names(body: bytes) -> tuple[str, ...]:
    """The labels of a file, as far as it can be read; none if it cannot."""
    try:
        names = _names(json.loads(body))
    except ValueError:
        return ()
    return tuple(name for name in names if isinstance(name, str))


def label_findings(body: bytes, *, place: str, task: JobType | None) -> Iterator[Finding]:
    """What is to be said of a label category file."""
    try:
        message = json.loads(body)
    except UnicodeDecodeError as reason:
        yield error("labels-unreadable", place, f"is not UTF-8: {reason.reason}", fix=_FIX)
        return
    except ValueError as reason:
        yield error("labels-unreadable", place, f"is not JSON: {reason}", fix=_FIX)
        return
    names = _names(message)
    findings = check_labels([name for name in names if isinstance(name, str)], task=task)
    problems = [
        error("labels", place, text, fix="correct the file, or make it with labeljob labels")
        for text in findings.problems
    ]
    if not problems or not all(isinstance(name, str) for name in names):
        problems = [*problems, *_form(body, place)]
    yield from problems
    for text in findings.warnings:
        yield warning("labels-advice", place, text, fix="keep them if they are meant so")
    yield from _version(message, place)
    if not problems:
        yield ok(place, f"{len(names)} labels")


def _form(body: bytes, place: str) -> Iterator[Finding]:
    """What our functions' own parser says."""
    try:
        parse_label_categories(body, path=place)
    except ContractError as reason:
        text = f"the functions refuse it: {reason}"
        yield error("labels-form", place, text, fix=_FIX)


def _version(message: Any, place: str) -> Iterator[Finding]:
    version = message.get("document-version") if isinstance(message, dict) else None
    fix = f'add "document-version": "{DOCUMENT_VERSION}" to the file'
    if version is None:
        yield warning("labels-version", place, "has no document-version", fix=fix)
    elif version != DOCUMENT_VERSION:
        text = f"its document-version is {version!r}; for images it is {DOCUMENT_VERSION}"
        yield warning("labels-version", place, text, fix=fix)


def _names(message: Any) -> list[Any]:
    labels = message.get("labels") if isinstance(message, dict) else None
    items = labels if isinstance(labels, list) else []
    return [item.get("label") if isinstance(item, dict) else None for item in items]


_AT_ONCE = 8


def image_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the images, in the manifest's order; at most five of a kind."""
    if not job.images:
        yield not_checked("images", "the manifest tells no image in S3")
        return
    if job.aws.offline:
        yield not_checked("images", "--offline was given", fix="leave --offline out")
        return
    sample = _sample(job)
    problems = [finding for findings in _read(job, sample) for finding in findings]
    yield from shortened(problems)
    left = len(job.images) - len(sample)
    if not problems:
        yield ok("images", f"{len(sample)} of {len(job.images)} read: all can be shown to workers")
    if left:
        why = f"{left} of {len(job.images)} images; {len(sample)} were chosen at random"
        yield not_checked("images", why, fix="--sample 0 reads all of them", by_choice=True)


def _sample(job: PlannedJob) -> list[ImageRef]:
    """The same images for the same manifest, in its order."""
    if job.sample == 0 or job.sample >= len(job.images):
        return list(job.images)
    images = random.Random(0).sample(job.images, job.sample)
    return sorted(images, key=lambda image: image.line)


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
        image_report = examine(job.aws.body(image.uri), name=key)
    except Absent:
        fix = "upload it, or take its line out"
        yield error("image-absent", where, "is not there", fix=fix)
        return
    except NotChecked as reason:
        yield not_checked(where, reason)
        return
    if image_report.problem:
        fix = "store it as an upright JPEG or PNG of at most 100 megapixels"
        yield error("image-unusable", where, image_report.problem, fix=fix)
    for text in image_report.warnings:
        fix = "store its pixels upright, without EXIF data, under a name that fits"
        yield warning("image-advice", where, text, fix=fix)
