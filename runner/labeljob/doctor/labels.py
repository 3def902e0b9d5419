"""The label category file: readable, of the right form, and with labels the job type can take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from groundtruth.contract.labels import DOCUMENT_VERSION, parse_label_categories
from groundtruth.errors import ContractError
from labeljob.doctor.findings import Finding, error, ok, warning
from labeljob.label_categories import check_labels
from labeljob.task_types import TaskType

_FORM = '{"document-version": "2018-11-28", "labels": [{"label": "cat"}, {"label": "dog"}]}'
_FIX = f"write it as {_FORM}; labeljob labels does"


def label_names(body: bytes) -> tuple[str, ...]:
    """The labels of a file, as far as it can be read; none if it cannot."""
    try:
        names = _names(json.loads(body))
    except ValueError:
        return ()
    return tuple(name for name in names if isinstance(name, str))


def label_findings(body: bytes, *, place: str, task: TaskType | None) -> Iterator[Finding]:
    """What is to be said of a label category file.

    Parameters
    ----------
    body : bytes
        The file.
    place : str
        Its URI or path.
    task : TaskType, optional
        What the labels are for; without it, the limits of a job type are not checked.
    """
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
