"""The library's part of each job type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundtruth.tasks.base import Task
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import JOB_TYPES

TASKS: Mapping[JobType, Task[Any]] = {one: one.library for one in JOB_TYPES.values()}


def algorithms_of(task: JobType) -> Sequence[str]:
    """Names of the algorithms that a job type has."""
    return task.algorithms
