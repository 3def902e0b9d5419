"""A worker's whole answer, in the shape that the stock pages submit."""

import base64
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from labeljob.crowd.canvas import canvas_png, label_colors
from labeljob.crowd.classification import choose_class, choose_labels
from labeljob.crowd.masks import paint
from labeljob.crowd.profiles import SimulatedWorker
from labeljob.crowd.randomness import generator
from labeljob.crowd.truth import TASKS, Truth

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
    >>> from labeljob.crowd.profiles import hire
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
