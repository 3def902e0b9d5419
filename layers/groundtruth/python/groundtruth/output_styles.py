"""How a label is written: the `object` style and the `builtin` style."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from groundtruth.annotations import RejectedAnswer
from groundtruth.tasks.base import Batch, Label, Task, algorithm_of, failure_reason

LONGEST_DETAIL = 200
"""Characters of a detail in a response, which may have 6 MB with the details of 450 answers."""


def written(label: Label, attribute: str, task: Task[Any], batch: Batch) -> dict[str, Any]:
    """The content of one data object in the response, in the style that is set.

    Parameters
    ----------
    label : Label
        The consolidated result.
    attribute : str
        The job's label attribute name.
    task : Task
        The job type.
    batch : Batch
        The batch the label is of.

    Returns
    -------
    dict
        ``{attribute: value}``, in the `builtin` style with ``attribute-metadata`` too.
    """
    style = _builtin_style if batch.settings.output_style == "builtin" else _object_style
    return style(label, attribute, task, batch)


def _object_style(label: Label, attribute: str, task: Task[Any], batch: Batch) -> dict[str, Any]:
    """All we know, inside the label attribute: the service replaces custom jobs' metadata."""
    value: dict[str, Any] = {"schema": f"consolidated-label/{task.schema_name}/1"}
    value |= label.as_object()
    value["status"] = label.status
    value["answers"] = {"used": label.used, "set-aside": _reported(label.rejected)}
    value["algorithm"] = {
        "name": algorithm_of(task, batch.settings),
        "settings": batch.settings.label_hash,
        **value.pop("algorithm", {}),  # what the label itself tells of how it was made
    }
    if batch.skills.note:
        value["worker-skill"] = batch.skills.note
    if not batch.classes_known:
        value["classes-from"] = "answers"
    return {attribute: value}


def _builtin_style(label: Label, attribute: str, task: Task[Any], batch: Batch) -> dict[str, Any]:
    """What the built-in function returns; without a label, what a failed object looks like."""
    value, metadata = label.as_builtin(batch)
    if value is None:
        metadata = {
            "retry-count": 0,
            "failure-reason": failure_reason(
                label.status, (item.reason for item in label.rejected)
            ),
            "human-annotated": "true",
        }
        return {f"{attribute}-metadata": metadata}
    return {attribute: value, f"{attribute}-metadata": metadata}


def _reported(rejected: Iterable[RejectedAnswer]) -> list[dict[str, str]]:
    return [
        {
            "worker-id": item.worker_id,
            "reason": item.reason,
            "detail": item.detail[:LONGEST_DETAIL],
        }
        for item in rejected
    ]
