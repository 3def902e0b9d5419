"""Synthetic jobs for tests."""

from labeljob.simulation.behavior import create_synthetic_workers
from labeljob.simulation.synthesis import Disturbances, Synthesis, synthetic_description
from labeljob.tasks.registry import find_job_type

ONE_LABEL = find_job_type("image-multi-class")

LABELS = ("ant", "bee", "cat", "dog", "eel")


def synthetic_job(
    crew,
    *,
    task=ONE_LABEL,
    objects=400,
    per_object=1,
    seed=3,
    shape=(40, 60),
    **disturbances,
):
    return Synthesis(
        description=synthetic_description(
            name="made-up", task=task, labels=LABELS, crew=crew, per_object=per_object, seed=seed
        ),
        crew=create_synthetic_workers(crew, task=task, seed=seed),
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
