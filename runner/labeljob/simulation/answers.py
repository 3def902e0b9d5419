"""A worker's whole answer, in the shape that the stock pages submit."""

import base64
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from labeljob.simulation.canvas import canvas_png, label_colors
from labeljob.simulation.masks import paint
from labeljob.simulation.truth import TASKS, Truth
from labeljob.simulation.workers import SimulatedWorker, generator


def choose_class(
    worker: SimulatedWorker, truth: str, labels: Sequence[str], rng: np.random.Generator
) -> str:
    """Choose one class.

    Parameters
    ----------
    worker : SimulatedWorker
        Who chooses.
    truth : str
        The true class, one of `labels`.
    labels : sequence of str
        All classes.
    rng : numpy.random.Generator
        Decides where the worker's skill does not.

    Returns
    -------
    str
        A spammer chooses any class; a confuser faced with one of its pair chooses one of the
        two; everybody else is right as often as `worker.skill.accuracy` says.

    Raises
    ------
    ValueError
        If `truth` is not one of `labels`.
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
    """Tick every label that the worker thinks applies, at least one.

    Parameters
    ----------
    worker : SimulatedWorker
        Who ticks.
    truth : frozenset of str
        The labels that apply, each one of `labels`.
    labels : sequence of str
        All labels.
    rng : numpy.random.Generator
        Decides where the worker's skill does not.

    Returns
    -------
    list of str
        In the order of `labels`.  Each label is a question of its own, answered rightly as
        often as `worker.skill.accuracy` says.  A worker who would tick nothing ticks what
        was nearest to being ticked, since the page asks for at least one.

    Raises
    ------
    ValueError
        If `truth` holds a label that is not one of `labels`.
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


_MEDIAN_SECONDS = {
    "careful": 14.0,
    "average": 10.0,
    "careless": 6.0,
    "confuser": 14.0,
    "spammer": 2.5,
}


def answer(
    worker: SimulatedWorker,
    task: str,
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
    task : str
        One of `TASKS`.
    object_id : str
        The data object.
    labels : sequence of str
        All classes, in the order of the label category file.
    truth : str, frozenset of str, or ndarray of uint8 of shape (rows, columns)
        What a perfect worker would answer, as `task` needs it.
    seed : int
        Of the whole run.

    Returns
    -------
    dict
        The answer's content, decoded: JSON in the shape of the stock page of `task`.

    Raises
    ------
    ValueError
        If `task` is unknown, or `truth` does not fit `task` and `labels`.

    Examples
    --------
    >>> from labeljob.simulation.workers import hire
    >>> answer(hire("careful", seed=7)[0], "image-multi-class", object_id="0",
    ...        labels=["cat", "dog"], truth="dog", seed=7)
    {'crowd-image-classifier': {'label': 'dog'}}
    """
    rng = generator(seed, "answer", worker.worker_id, object_id)
    match task, truth:
        case "image-multi-class", str():
            return {"crowd-image-classifier": {"label": choose_class(worker, truth, labels, rng)}}
        case "image-multi-class-multi-label", frozenset():
            chosen = choose_labels(worker, truth, labels, rng)
            return {"crowd-image-classifier-multi-select": {"labels": chosen}}
        case "semantic-segmentation", np.ndarray():
            return {"crowd-semantic-segmentation": _mask_answer(worker, truth, labels, rng)}
    if task not in TASKS:
        raise ValueError(f"{task!r} is no task; there are {', '.join(TASKS)}")
    raise ValueError(f"a truth of type {type(truth).__name__} does not fit {task}")


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


def _mask_answer(
    worker: SimulatedWorker,
    truth: np.ndarray[Any, np.dtype[np.uint8]],
    labels: Sequence[str],
    rng: np.random.Generator,
) -> dict[str, Any]:
    if truth.ndim != 2 or truth.size == 0 or int(truth.max()) > len(labels):
        raise ValueError("a true mask has rows, columns and values up to the number of labels")
    mask = paint(worker, truth, len(labels), worker.confused_classes(labels), rng)
    colors = label_colors(labels)
    rows, columns = mask.shape
    image = base64.b64encode(canvas_png(mask, list(colors.values()))).decode("ascii")
    return {
        "inputImageProperties": {"height": rows, "width": columns},
        "labelMappings": {name: {"color": color} for name, color in colors.items()},
        "labeledImage": {"pngImageData": image},
    }
