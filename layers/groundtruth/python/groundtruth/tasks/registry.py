"""The job types there are, found by name."""

from __future__ import annotations

from typing import Any

from groundtruth.errors import UnknownTaskError
from groundtruth.tasks.base import Task
from groundtruth.tasks.classification.task import ImageMultiClass
from groundtruth.tasks.multilabel.task import ImageMultiClassMultiLabel
from groundtruth.tasks.segmentation.task import SemanticSegmentation

TASKS: dict[str, Task[Any]] = {}
"""Each job type by its name, such as ``"image-multi-class"``, in the order of registration."""


def register(task: Task[Any]) -> None:
    """Add a job type, or put another in the place of the one with its name."""
    TASKS[task.name] = task


for _task in (ImageMultiClass(), ImageMultiClassMultiLabel(), SemanticSegmentation()):
    register(_task)


def find_task(name: str) -> Task[Any]:
    """The job type with a name.

    Parameters
    ----------
    name : str
        In one of its worlds: ``"image-multi-class"``, ``"ImageMultiClass"`` or, in labels,
        ``"image-classification"``.

    Raises
    ------
    UnknownTaskError
        If there is none; the message lists those there are.

    Examples
    --------
    >>> find_task("image-multi-class").aws_name
    'ImageMultiClass'
    >>> find_task("image-classification").name
    'image-multi-class'
    """
    for task in TASKS.values():
        if name in (task.name, task.aws_name, task.schema_name):
            return task
    raise UnknownTaskError(name, known=tuple(TASKS))
