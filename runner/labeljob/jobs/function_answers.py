"""What the PRE and ACS functions answer, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labeljob.jobs.description import JobError


def wants_workers(task: Any) -> bool:
    """Whether a PRE function's answer asks for workers; they are asked if it says nothing.

    Raises `JobError` if it is no answer of a PRE function.
    """
    if not isinstance(task, dict) or not isinstance(task.get("taskInput"), dict):
        raise JobError("the PRE function returned no taskInput")
    wanted = task.get("isHumanAnnotationRequired", True)
    if not isinstance(wanted, bool):
        raise JobError("the PRE function's isHumanAnnotationRequired is not true or false")
    return wanted


def check_response(response: Any, payload: Sequence[Mapping[str, Any]]) -> None:
    """Raise `JobError` unless every data object of the payload is there once, in its order."""
    asked = [entry["datasetObjectId"] for entry in payload]
    got = [item.get("datasetObjectId") for item in response] if isinstance(response, list) else None
    if got != asked:
        raise JobError(f"the ACS function answered for the data objects {got}, not for {asked}")


def contents_by_object(response: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the ACS function said, by data object."""
    return {item["datasetObjectId"]: item["consolidatedAnnotation"]["content"] for item in response}
