"""Synthetic jobs for tests."""

from datetime import UTC, datetime

from labeljob.job.description import JobDescription
from labeljob.job.places import LOCAL_OUTPUT
from labeljob.synthesis import Disturbances, Synthesis, hire_crew
from labeljob.task_types import TaskType

LABELS = ("ant", "bee", "cat", "dog", "eel")


def synthetic_job(
    crew,
    *,
    task=TaskType.IMAGE_MULTI_CLASS,
    objects=400,
    per_object=1,
    seed=3,
    shape=(40, 60),
    **disturbances,
):
    description = JobDescription(
        name="made-up",
        task=task,
        labels=LABELS,
        attribute="label",
        output=LOCAL_OUTPUT,
        manifest="input.manifest",
        manifest_digest="",
        crew=crew,
        per_object=per_object,
        seed=seed,
        truth="",
        batch_size=50,
        tags={},
        started=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return Synthesis(
        description=description,
        crew=hire_crew(crew, task=task, seed=seed),
        n_objects=objects,
        source_ref=lambda object_id: f"s3://labeljob/images/{object_id}.png",
        shape=shape,
        disturbances=Disturbances(**disturbances),
    )


def answers(synthesis):
    """Every answer in the order of the objects: object, truth, worker, content."""
    for batch in synthesis.batches():
        for one in batch.objects:
            for answer in one.response["answers"]:
                (content,) = answer["answerContent"].values()
                yield one, answer["workerId"], content
