"""What a simulated worker chooses, its answer as the stock pages submit it, and when it comes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

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


def choose_class(
    worker: SimulatedWorker, truth: str, labels: Sequence[str], rng: np.random.Generator
) -> str:
    """Choose one class; raises `ValueError` if the true one is not among the labels.

    A spammer chooses any class; a confuser faced with one of its pair chooses one of the two;
    everybody else is right as often as `worker.skill.accuracy` says.
    """
    true_index = _index(truth, labels)
    pair = worker.confused_classes(labels)
    if worker.kind == "spammer":
        return labels[int(rng.integers(len(labels)))]
    if pair is not None and true_index in pair:
        other = pair[1] if true_index == pair[0] else pair[0]
        return labels[other if rng.random() < worker.skill.confusion else true_index]
    if len(labels) == 1 or rng.random() < worker.skill.accuracy:
        return truth
    wrong = int(rng.integers(len(labels) - 1))
    return labels[wrong + (wrong >= true_index)]


def choose_labels(
    worker: SimulatedWorker, truth: frozenset[str], labels: Sequence[str], rng: np.random.Generator
) -> list[str]:
    """Tick every label that the worker thinks applies, at least one; raises `ValueError`.

    Each label is a question of its own, answered rightly as often as `worker.skill.accuracy`
    says. A worker who would tick nothing ticks what was nearest to being ticked, since the page
    asks for at least one.
    """
    applies = np.zeros(len(labels), dtype=np.bool_)
    for name in truth:
        applies[_index(name, labels)] = True
    pair = worker.confused_classes(labels)
    if pair is not None and rng.random() < worker.skill.confusion:
        applies[list(pair)] = applies[list(pair[::-1])]
    accuracy = worker.skill.accuracy
    chance = np.where(applies, accuracy, 1.0 - accuracy)
    if worker.kind == "spammer":
        chance[:] = 0.5
    lead = chance - rng.random(len(labels))
    ticked = [name for name, by in zip(labels, lead, strict=True) if by > 0.0]
    return ticked or [labels[int(np.argmax(lead))]]


def _index(name: str, labels: Sequence[str]) -> int:
    if name not in labels:
        raise ValueError(f"the truth {name!r} is not one of the labels ({', '.join(labels)})")
    return labels.index(name)


def is_names(values: Any) -> bool:
    """Whether a JSON value is a list of one or more names."""
    return isinstance(values, list) and bool(values) and all(isinstance(v, str) for v in values)


def unknown_label(names: Sequence[str], labels: Sequence[str]) -> str | None:
    """What is wrong with names of which one is not among the labels; None if all are."""
    unknown = [name for name in names if name not in labels]
    return f"{unknown[0]!r} is not a label ({', '.join(labels)})" if unknown else None
