"""What a job with synthetic answers is."""

from __future__ import annotations

from datetime import UTC, datetime

from labeljob.job.description import JobDescription
from labeljob.job.places import LOCAL_OUTPUT
from labeljob.synthesis.files import MANIFEST
from labeljob.task_types import TaskType

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
"""When every synthetic job begins, so that the same command writes the same bytes."""


def synthetic_description(
    *,
    name: str = "synthetic",
    task: TaskType,
    labels: tuple[str, ...],
    attribute: str = "label",
    crew: str,
    per_object: int,
    seed: int,
    batch_size: int = 50,
) -> JobDescription:
    """The description of a synthetic job, which has neither a truth file nor tags.

    Parameters
    ----------
    name, task, labels, attribute, crew, per_object, seed, batch_size
        As in `JobDescription`.
    """
    return JobDescription(
        name=name,
        task=task,
        labels=labels,
        attribute=attribute,
        output=LOCAL_OUTPUT,
        manifest=MANIFEST,
        manifest_digest="",
        crew=crew,
        per_object=per_object,
        seed=seed,
        truth="",
        batch_size=batch_size,
        tags={},
        started=STARTED,
    )
