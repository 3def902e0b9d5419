"""The job's files: the input manifest, the label category file, the images and the worker page.

Rules: "Use an input manifest file" and "Input data quotas" in the SageMaker developer guide.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import json5
from selectolax.lexbor import LexborHTMLParser, LexborNode

from groundtruth.contract.fields import DOCUMENT_VERSION, parse_label_categories
from groundtruth.errors import ContractError
from groundtruth.form_inputs import ANSWER_FIELD_TAG
from groundtruth.pre_annotation import find_earlier
from groundtruth.settings import TAG_PREFIX
from groundtruth.storage.s3 import split_uri
from labeljob import messages
from labeljob.doctor.deployment import deployed_function
from labeljob.doctor.findings import (
    Absent,
    Finding,
    NotChecked,
    error,
    not_checked,
    ok,
    or_ok,
    shortened,
    warning,
)
from labeljob.doctor.form_inputs import check_named_input
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
from labeljob.jobs.page_inputs import propose_field
from labeljob.messages import format_count
from labeljob.rounds.earlier_labels import EARLIER_TAG
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import JOB_TYPES

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
    labels_before : Counter of str
        How many labels of each name the lines have, of whatever job.
    """

    place: str
    task: JobType | None
    attribute: str | None
    first_line: Mapping[str, Any] | None = None
    images: list[ImageRef] = field(default_factory=list)
    labels_before: Counter[str] = field(default_factory=Counter)
    _lines: int = 0
    _labeled: int = 0
    _first: dict[str, int] = field(default_factory=dict)

    def findings(self, lines: Iterable[bytes]) -> Iterator[Finding]:
        """What is to be said of the lines, each with its end; at most five of a kind."""
        problems = list(shortened(self._all(lines)))
        yield from problems
        yield from self._count()
        if not problems:
            yield ok(
                self.place,
                f"{format_count(self._lines, 'line')} of JSON, each with an image of its own",
            )

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
        for value in data.values():  # the label, or its metadata
            if isinstance(value, dict) and isinstance(value.get("class-name"), str):
                self.labels_before[value["class-name"]] += 1

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
        yield ok(place, format_count(len(names), "label"))


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


SCRIPT = "https://assets.crowd.aws/crowd-html-elements.js"
_LOADS_SCRIPT = re.compile(r"\s*(https:)?//assets\.crowd\.aws/crowd-html-elements\.js(\?.*)?\s*")
MAX_LENGTH = 128_000

_IMAGE = "s3://bucket/image.jpg"
_GRANTED = "https://example.invalid/granted/image.jpg"
_TAKE_OURS = "compare with the page of the job type in worker_templates/"
_EXCLUSION = f"{TAG_PREFIX}exclusion-category"
_MOST_NAMED = 6
_COMMENT = re.compile(r"<!--.*?-->|\{%-?\s*comment\b.*?\bendcomment\s*-?%\}", re.DOTALL)


def page_findings(body: bytes, *, place: str, job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of a worker page."""
    from labeljob.jobs.worker_pages import PageError, render_page

    try:
        template = body.decode("utf-8")
    except UnicodeDecodeError:
        yield error("page-unreadable", place, "is not UTF-8", fix="save the file as UTF-8")
        return
    if len(template) > MAX_LENGTH:
        text = f"has {len(template)} characters, {MAX_LENGTH:,} at most"
        yield error("page-too-long", place, text, fix="load scripts and styles from files")
    source = next((image.uri for image in job.images), _IMAGE)
    task_input = {
        "taskObject": source,
        "labels": list(_labels(job)),
        "manifestLine": job.manifest_line or {"source-ref": source},
        **find_earlier(job.manifest_line or {}, job.tags.get(EARLIER_TAG, "")),
    }
    try:
        html = render_page(template, task_input, grant_read_access=lambda _: _GRANTED)
    except PageError as reason:
        where = f"{place}:{reason.line}" if reason.line else place
        if "manifestLine." in str(reason) and not job.manifest_line:
            yield not_checked(where, f"{reason}, as no manifest is known", fix="give --manifest")
            return
        text = f"does not render with the PRE function's taskInput: {reason}"
        fix = "use task.input.taskObject, task.input.labels and task.input.manifestLine"
        yield error("page-render", where, text, fix=fix)
        return
    page = LexborHTMLParser(html)
    yield from or_ok(_frame(page, place), place, "renders, in a crowd-form, with its script")
    yield from _labeling(page, template, place, job)


def _labels(job: PlannedJob) -> tuple[str, ...]:
    """The job's labels; where they are not known, two that stand for them."""
    return job.labels or ("cat", "dog")


def _frame(page: LexborHTMLParser, place: str) -> Iterator[Finding]:
    scripts = (script.attributes.get("src") or "" for script in page.css("script"))
    if not any(map(_LOADS_SCRIPT.fullmatch, scripts)):
        fix = f'begin the page with <script src="{SCRIPT}"></script>'
        yield error("page-script", place, "does not load crowd-html-elements.js", fix=fix)
    if (n_forms := len(page.css("crowd-form"))) != 1:
        text = f"has {n_forms} crowd-form elements, and needs one"
        yield error("page-form", place, text, fix="put all inputs into one <crowd-form>")
    if page.css("crowd-form[answer-format='flatten-objects']"):
        text = "its form takes answers apart (answer-format), and the ACS function reads whole ones"
        yield error("page-form", place, text, fix="leave the attribute answer-format out")


def _labeling(
    page: LexborHTMLParser, template: str, place: str, job: PlannedJob
) -> Iterator[Finding]:
    readers = {
        tag: task
        for task in ([job.task] if job.task else JOB_TYPES.values())
        for tag in task.page_elements
    }
    fitting = page.css(", ".join(readers))
    if not fitting:
        yield from _own_inputs(page, place, job, readers)
        return
    if job.task is None:
        yield not_checked(place, "whether the element fits the job type", fix="give --task")
    for element in fitting:
        where = _line_of(template, element.tag, place)
        findings = _element(element, where, readers[str(element.tag)], job)
        yield from or_ok(findings, where, f"{element.tag} gives what the ACS function reads")
    if len(fitting) > 1:
        text = f"has {len(fitting)} labeling elements, and the ACS function reads one answer"
        yield error("page-elements", place, text, fix="leave one of them")


def _own_inputs(
    page: LexborHTMLParser, place: str, job: PlannedJob, readers: Mapping[str, JobType]
) -> Iterator[Finding]:
    """What is to be said of a page without an element of the job type."""
    of_names = [task for task in readers.values() if not task.label_is_mask]
    field = job.tags.get(ANSWER_FIELD_TAG)
    if not of_names or not field:
        fix = f"use <{next(iter(readers))}>; {_TAKE_OURS}"
        if of_names and (proposed := propose_field(page, _labels(job))):
            fix = f"give the job the tag {ANSWER_FIELD_TAG} with the value {proposed}; or {fix}"
        yield error("page-element", place, f"has no {' or '.join(readers)}{_others(page)}", fix=fix)
        return
    exclusion = _exclusion_setting(job)
    labels = (*job.labels, exclusion) if job.labels and exclusion else job.labels
    findings = check_named_input(
        page, place, field, labels, single_choice=all(task.single_choice for task in of_names)
    )
    shown = f"the input {field} gives what the ACS function reads"
    yield from or_ok(itertools.chain(findings, _shown_image(page, place)), place, shown)


def _shown_image(page: LexborHTMLParser, place: str) -> Iterator[Finding]:
    if not page.css(f"crowd-form [src='{_GRANTED}']"):
        text = "nothing in the form is the image through grant_read_access; workers do not see it"
        fix = '<img src="{{ task.input.taskObject | grant_read_access }}">'
        yield error("page-image", place, text, fix=fix)


def _others(page: LexborHTMLParser) -> str:
    """What answers on a page besides, such as a plain select, with its name."""
    named = page.css("crowd-form [name]")
    others = list(dict.fromkeys(f"{item.tag} {item.attributes['name']!r}" for item in named))
    if len(others) > _MOST_NAMED:
        others[_MOST_NAMED:] = [f"{len(others) - _MOST_NAMED} more"]
    if not others:
        return ""
    return (
        f"; the ACS function does not read answers of {', '.join(others)} unless the job's tag "
        f"{ANSWER_FIELD_TAG} names the one with the label"
    )


def _element(element: LexborNode, where: str, task: JobType, job: PlannedJob) -> Iterator[Finding]:
    tag, attributes = str(element.tag), element.attributes
    name, own = attributes.get("name"), tag == task.page_element
    if not element.css_matches("crowd-form *"):
        yield error("page-form", where, "is outside the crowd-form", fix="move it into the form")
    if not name:
        text = f"{tag} has no name, so its answer is not sent"
        yield error("page-input-name", where, text, fix=f'name="{tag}"')
    elif name != tag:
        text = f"its name is {name!r}; our functions find the answer, AWS's own only {tag}"
        yield warning("page-input-name", where, text, fix=f'name="{tag}"')
    if own and (attributes.get("src") or "").strip() != _GRANTED:
        text = "its src is not the image through grant_read_access, so browsers cannot load it"
        fix = 'src="{{ task.input.taskObject | grant_read_access }}"'
        yield error("page-image", where, text, fix=fix)
    elif not own and _GRANTED not in (element.html or ""):
        text = "nothing in it is the image through grant_read_access, so workers do not see it"
        fix = '<img src="{{ task.input.taskObject | grant_read_access }}">'
        yield error("page-image", where, text, fix=f"{fix} in its classification-target")
    if not attributes.get("header"):
        yield warning("page-header", where, "has no header", fix='header="What workers shall do"')
    yield from _choices(attributes.get(task.page_labels), where, task.page_labels, job)
    if tag.endswith("-multi-select"):
        yield from _exclusion(attributes, where, job)


def _choices(text: str | None, where: str, attribute: str, job: PlannedJob) -> Iterator[Finding]:
    choices = _parse(text)
    fix = f'{attribute}="{{{{ task.input.labels | to_json | escape }}}}"'
    if not isinstance(choices, list):
        text = f"its {attribute} are no JSON list: {text[:60]!r}" if text else f"has no {attribute}"
        yield error("page-labels", where, text, fix=fix)
    elif sorted(choices, key=str) != sorted(_labels(job)):
        if not job.labels:
            yield not_checked(where, f"whether its {attribute} are the labels, which are not known")
            return
        text = f"its {attribute} are {choices!r}, not the labels of the job"
        yield warning("page-labels", where, text, fix=fix)


def _exclusion(
    attributes: Mapping[str, str | None], where: str, job: PlannedJob
) -> Iterator[Finding]:
    """Whether the page and the functions have the same "none of the above"."""
    known = _exclusion_setting(job)
    if "exclusion-category" not in attributes:
        if (told := job.tags.get(_EXCLUSION)) and told not in job.labels:
            text = f"offers no {told!r}, and the job's tag {_EXCLUSION} says so"
            fix = f"exclusion-category=\"{{ text: '{told}' }}\", or leave the tag out"
            yield warning("page-exclusion", where, text, fix=fix)
        return
    parsed = _parse(attributes["exclusion-category"])
    category = parsed.get("text") if isinstance(parsed, dict) else None
    if not isinstance(category, str) or not category.strip():
        fix = "exclusion-category=\"{ text: 'None of the above' }\""
        yield error("page-exclusion", where, "its exclusion-category has no text", fix=fix)
    elif category not in (known, *job.labels):
        text = (
            f"its exclusion-category is {category!r}: the tag {_EXCLUSION} or the parameter "
            "ExclusionCategory must be that text, or such answers are set aside"
        )
        if known is not None:
            text += f"; it is {known!r}" if known else "; neither is set"
        fix = f"give the job the tag {_EXCLUSION} with the value {category}"
        level = warning if known is None else error
        yield level("page-exclusion", where, text, fix=fix)


def _exclusion_setting(job: PlannedJob) -> str | None:
    """The exclusion category by the job's tag or the ACS function; None if nothing tells."""
    if (tag := job.tags.get(_EXCLUSION)) is not None:
        return tag
    for function in job.functions:
        if function.part == "ACS":
            try:
                return deployed_function(job, function).exclusion_category
            except (Absent, NotChecked):
                return None
    return None


def _parse(text: str | None) -> Any:
    """What an attribute holds: JSON, or like AWS's own pages JSON5, with single quotes."""
    for loads in (json.loads, json5.loads):
        try:
            return loads(text or "")
        except (ValueError, RecursionError):
            continue
    return None


def _line_of(template: str, tag: str | None, place: str) -> str:
    match = re.search(rf"<{tag}(?![\w-])", _COMMENT.sub(_blank, template), re.IGNORECASE)
    if not match:
        return place
    line = template.count("\n", 0, match.start()) + 1
    return f"{place}:{line}"


def _blank(comment: re.Match[str]) -> str:
    return re.sub(r".", " ", comment[0])
