"""The worker page: renders with our task input, and its element gives what the ACS reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import json5
from selectolax.lexbor import LexborHTMLParser, LexborNode

from groundtruth.settings import TAG_PREFIX
from labeljob.doctor.deployment import deployed_function
from labeljob.doctor.findings import Absent, Finding, NotChecked, error, not_checked, or_ok, warning
from labeljob.doctor.planned_job import PlannedJob
from labeljob.jobs.worker_pages import PageError, render_page
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import JOB_TYPES

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
        fix = f"use <{next(iter(readers))}>; {_TAKE_OURS}"
        yield error("page-element", place, f"has no {' or '.join(readers)}{_others(page)}", fix=fix)
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


def _others(page: LexborHTMLParser) -> str:
    """What answers on a page besides, such as a plain select, with its name."""
    named = page.css("crowd-form [name]")
    others = list(dict.fromkeys(f"{item.tag} {item.attributes['name']!r}" for item in named))
    if len(others) > _MOST_NAMED:
        others[_MOST_NAMED:] = [f"{len(others) - _MOST_NAMED} more"]
    return f"; the ACS function does not read answers of {', '.join(others)}" if others else ""


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
    return f"{place}:{template.count('\n', 0, match.start()) + 1}" if match else place


def _blank(comment: re.Match[str]) -> str:
    return re.sub(r".", " ", comment[0])
