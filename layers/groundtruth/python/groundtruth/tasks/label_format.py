"""What labels of all job types have in common as JSON, in the `object` and the `builtin` style.

The rest of a label is written and read by its task alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from groundtruth.annotations import RejectedAnswer
from groundtruth.tasks.base import (
    BUILTIN,
    NO_USABLE_ANSWER,
    NOT_PROCESSED,
    SINGLE_ANNOTATOR,
    ConsolidationContext,
    Label,
    LabelClass,
    Origin,
    Task,
    algorithm_of,
)

LONGEST_DETAIL = 200
"""Characters of a detail in a response, which may have 6 MB with the details of 450 answers."""

TYPE_PREFIX = "groundtruth/"


def format_label(
    label: Label, attribute: str, task: Task[Any], context: ConsolidationContext
) -> dict[str, Any]:
    """The content of one data object in the response, in the style that is set.

    Parameters
    ----------
    label : Label
        The consolidated result.
    attribute : str
        The job's label attribute name.
    task : Task
        The job type.
    context : ConsolidationContext
        What the label was made with.

    Returns
    -------
    dict
        ``{attribute: value}``, in the `builtin` style with ``attribute-metadata`` too.
    """
    if context.settings.output_style != BUILTIN:
        return {attribute: _object_style(label, task, context)}
    if not label.classes:
        return {f"{attribute}-metadata": failure_metadata(label)}
    value, metadata = builtin_style(label, task, context.origin)
    return {attribute: value, f"{attribute}-metadata": metadata}


def _object_style(label: Label, task: Task[Any], context: ConsolidationContext) -> dict[str, Any]:
    """All we know, inside the label attribute: the service replaces custom jobs' metadata."""
    value: dict[str, Any] = {"schema": f"consolidated-label/{task.schema_name}/1"}
    value |= task.encode_object(label)
    value["status"] = label.status
    value["answers"] = {
        "used": label.used,
        "set-aside": [
            {
                "worker-id": item.worker_id,
                "reason": item.reason,
                "detail": item.detail[:LONGEST_DETAIL],
            }
            for item in label.rejected
        ],
    }
    value["algorithm"] = {
        "name": algorithm_of(task, context.settings),
        "settings": context.settings.label_hash,
        **value.pop("algorithm", {}),  # what the label itself tells of how it was made
    }
    if context.skills.note:
        value["worker-skill"] = context.skills.note
    if not context.classes_known:
        value["classes-from"] = "answers"
    return value


def builtin_style(label: Label, task: Task[Any], origin: Origin) -> tuple[Any, dict[str, Any]]:
    """Value and metadata of a label with classes, as the built-in function returns them.

    It says of a single worker's answer that its confidence is 0.0.
    """
    classes = label.builtin_classes or label.classes
    if label.status == SINGLE_ANNOTATOR:
        classes = tuple(replace(item, confidence=0.0) for item in classes)
    return task.encode_builtin(replace(label, classes=classes), origin)


def failure_metadata(label: Label) -> dict[str, Any]:
    """Metadata of a data object without a label, as the service writes them of failed ones."""
    return {
        "retry-count": 0,
        "failure-reason": failure_reason(
            NOT_PROCESSED if label.status == NOT_PROCESSED else NO_USABLE_ANSWER,
            (item.reason for item in label.rejected),
        ),
        "human-annotated": "true",
    }


def failure_reason(status: str, reasons: Iterable[str]) -> str:
    """Why a data object has no label, as its metadata say.

    Parameters
    ----------
    status : str
        `NO_USABLE_ANSWER` or `NOT_PROCESSED`.
    reasons : iterable of str
        Why each answer was rejected.

    Examples
    --------
    >>> failure_reason(NO_USABLE_ANSWER, ["empty-answer", "bad-png", "empty-answer"])
    'no-usable-answer: 1 bad-png, 2 empty-answer'
    """
    if status == NOT_PROCESSED:
        return f"{NOT_PROCESSED}: the function ran out of time"
    counts = sorted(Counter(reasons).items())
    listed = ", ".join(f"{count} {reason}" for reason, count in counts)
    return f"{status}: {listed or 'no answers'}"


def decode_object_style(
    task: Task[Any],
    value: Mapping[str, Any],
    classes: tuple[LabelClass, ...],
    mask_uri: str | None = None,
) -> Label:
    """The label in an `object` style value, of which a task has read the classes.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        If the value is not of the style's shape.
    """
    answers, algorithm = value.get("answers", {}), value.get("algorithm")
    return Label(
        task=task.schema_name,
        classes=classes,
        confidence=_lowest_confidence(classes),
        mask_uri=mask_uri,
        status=str(value.get("status", "")),
        votes={read_text(name): float(count) for name, count in value.get("votes", {}).items()},
        used=read_index(answers.get("used", 0)),
        rejected=tuple(
            RejectedAnswer(str(item["worker-id"]), str(item["reason"]), str(item.get("detail", "")))
            for item in answers.get("set-aside", ())
        ),
        algorithm=(str(algorithm["name"]), str(algorithm.get("settings", "")))
        if algorithm
        else None,
    )


def decode_builtin_style(
    task: Task[Any], classes: tuple[LabelClass, ...], mask_uri: str | None = None
) -> Label:
    """The label in a `builtin` style value, of which a task has read the classes."""
    return Label(
        task=task.schema_name,
        style=BUILTIN,
        classes=classes,
        confidence=_lowest_confidence(classes),
        mask_uri=mask_uri,
    )


def is_builtin_of(task: Task[Any], metadata: Any) -> bool:
    """Whether metadata are those that the built-in function of a job type writes."""
    name = metadata.get("type") if isinstance(metadata, Mapping) else None
    return str(name).removeprefix(TYPE_PREFIX) == task.schema_name


def _lowest_confidence(classes: tuple[LabelClass, ...]) -> float | None:
    return min((item.confidence for item in classes), default=None)


def read_index(value: Any) -> int:
    """A whole number from 0 up; raises `ValueError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("is no whole number from 0 up")
    return value


def read_confidence(value: Any) -> float:
    """A number in [0, 1]; raises `ValueError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("is no number from 0 to 1")
    return float(value)


def read_text(value: Any) -> str:
    """A text that is not empty; raises `ValueError` for anything else."""
    if not isinstance(value, str) or not value:
        raise ValueError("is no text")
    return value
