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
    """Answer one task; raises `ValueError`.

    The same seed, worker and data object give the same answer, whatever was asked before.

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
    """Seconds until the worker takes the task and seconds spent on it, in whole milliseconds."""
    rng = generator(seed, "timing", worker.worker_id, object_id)
    waited = rng.exponential(20.0) + 1.0
    spent = rng.lognormal(math.log(_MEDIAN_SECONDS[worker.kind]), 0.4) + 0.5
    return round(float(waited), 3), round(float(spent), 3)
