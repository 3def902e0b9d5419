"""The library's part of each job type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundtruth.tasks.base import Task
from groundtruth.tasks.classification.task import ImageMultiClass
from groundtruth.tasks.multilabel.task import ImageMultiClassMultiLabel
from groundtruth.tasks.segmentation.task import SemanticSegmentation
from labeljob.task_types import TaskType

TASKS: Mapping[TaskType, Task[Any]] = {
    TaskType.IMAGE_MULTI_CLASS: ImageMultiClass(),
    TaskType.IMAGE_MULTI_CLASS_MULTI_LABEL: ImageMultiClassMultiLabel(),
    TaskType.SEMANTIC_SEGMENTATION: SemanticSegmentation(),
}


def algorithms_of(task: TaskType) -> Sequence[str]:
    """Names of the algorithms that a job type has."""
    return TASKS[task].algorithms
