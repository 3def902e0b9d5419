"""The job types there are, found by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from groundtruth.errors import UnknownTaskError
from groundtruth.tasks.base import Label, Task
from groundtruth.tasks.classification.task import ImageMultiClass
from groundtruth.tasks.multilabel.task import ImageMultiClassMultiLabel
from groundtruth.tasks.segmentation.task import SemanticSegmentation

if TYPE_CHECKING:
    from groundtruth.sharding.plan import Plan
    from groundtruth.sharding.steps import Steps

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


def plan_steps(plan: Plan) -> Steps:
    """How the job type of a plan consolidates shards; raises `UnknownTaskError`."""
    return find_task(plan.task).plan_steps(plan)


def decode_label(value: Any, metadata: Any) -> Label | None:
    """Recognize a label of any job type, in either style.

    Parameters
    ----------
    value, metadata : object
        Of the label attribute and of its metadata.

    Returns
    -------
    Label or None
        None if it is no label of a job type there is.
    """
    try:
        for task in _candidates(value):
            if (label := task.decode_label(value, metadata)) is not None:
                return label
    except (KeyError, TypeError, ValueError, AttributeError):
        pass  # a key is missing or holds something else: not a label of ours
    return None


def _candidates(value: Any) -> list[Task[Any]]:
    """All job types; first the one that the value's schema names, where it names one."""
    schema = value.get("schema") if isinstance(value, Mapping) else None
    return sorted(
        TASKS.values(),
        key=lambda task: schema != f"consolidated-label/{task.schema_name}/1",
    )
