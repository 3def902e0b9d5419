"""A worker's whole answer, in the shape that the stock pages submit, and when it comes."""

import math
from collections.abc import Sequence
from typing import Any

from labeljob.simulation.workers import SimulatedWorker, generator
from labeljob.tasks.base import JobType, Truth

_MEDIAN_SECONDS = {
    "careful": 14.0,
    "average": 10.0,
    "careless": 6.0,
    "confuser": 14.0,
    "spammer": 2.5,
}


def answer(
    worker: SimulatedWorker,
    job_type: JobType,
    *,
    object_id: str,
    labels: Sequence[str],
    truth: Truth,
    seed: int,
) -> dict[str, Any]:
    """Answer one task.

    The same seed, worker and data object give the same answer, whatever was asked before.

    Parameters
    ----------
    worker : SimulatedWorker
        Who answers.
    job_type : JobType
        What is asked.
    object_id : str
        The data object.
    labels : sequence of str
        All classes, in the order of the label category file.
    truth : str, frozenset of str, or ndarray of uint8 of shape (rows, columns)
        What a perfect worker would answer, as the job type needs it.
    seed : int
        Of the whole run.

    Returns
    -------
    dict
        The answer's content, decoded: JSON in the shape of the stock page of the job type.

    Raises
    ------
    ValueError
        If `truth` does not fit the job type and `labels`.

    Examples
    --------
    >>> from labeljob.simulation.workers import create_workers
    >>> from labeljob.tasks.registry import find_job_type
    >>> (worker,) = create_workers("careful", seed=7)
    >>> answer(worker, find_job_type("image-multi-class"), object_id="0",
    ...        labels=["cat", "dog"], truth="dog", seed=7)
    {'crowd-image-classifier': {'label': 'dog'}}
    """
    return job_type.answer(
        worker, truth, labels, generator(seed, "answer", worker.worker_id, object_id)
    )


def timing(worker: SimulatedWorker, object_id: str, seed: int) -> tuple[float, float]:
    """Say when the worker takes the task and how long the work takes.

    Parameters
    ----------
    worker : SimulatedWorker
        Who works; a spammer is quick.
    object_id : str
        The data object.
    seed : int
        Of the whole run.

    Returns
    -------
    seconds_until_acceptance : float
        From the moment the task is offered, in whole milliseconds.
    seconds_spent : float
        From acceptance to submission, in whole milliseconds.
    """
    rng = generator(seed, "timing", worker.worker_id, object_id)
    waited = rng.exponential(20.0) + 1.0
    spent = rng.lognormal(math.log(_MEDIAN_SECONDS[worker.kind]), 0.4) + 0.5
    return round(float(waited), 3), round(float(spent), 3)
