"""Labels held against the truth, job type by job type."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.tasks.base import Label
from labeljob.metrics.calibration import confidence_figures
from labeljob.report.overlays import mean_iou
from labeljob.tasks.base import Truth

type Mask = NDArray[np.uint8]


@dataclass(frozen=True)
class Judged:
    """Labels with a confidence each, and whether they are right."""

    confidences: list[float]
    right: list[float]


def judged(labels: Mapping[str, Label], truths: Mapping[str, Truth]) -> Judged:
    """Each class that a data object has, with its confidence, held against the truth.

    Masks have no part in it: their confidence is not that of being right or wrong.
    """
    result = Judged([], [])
    for object_id, label in labels.items():
        truth = truths.get(object_id)
        if truth is None or isinstance(truth, np.ndarray):
            continue
        names = frozenset((truth,)) if isinstance(truth, str) else truth
        for chosen in label.classes:
            result.confidences.append(chosen.confidence)
            result.right.append(float(chosen.name in names))
    return result


def scored(
    labels: Mapping[str, Label],
    truths: Mapping[str, Truth],
    classes: Sequence[str],
    read_mask: Callable[[Label], Mask | None],
) -> dict[str, float]:
    """Measures of the labels of a job against the truth.

    Parameters
    ----------
    labels : mapping of str to Label
        By the data objects' ids. An object with a truth and without a label counts as wrong.
    truths : mapping of str to Truth
        By the same ids.
    classes : sequence of str
        In label order.
    read_mask : callable
        Class of each pixel of a label's mask; None if it cannot be read.

    Returns
    -------
    dict of str to float
        Accuracy and F1 with the figures of the confidences; for masks the mean intersection over
        union, and how far the classes' confidences are from it.
    """
    known = [object_id for object_id in truths if object_id in labels]
    kinds = {type(truth) for truth in truths.values()}
    if kinds == {str}:
        figures = _of_classes(known, labels, truths, classes)
    elif kinds == {frozenset}:
        figures = _of_sets(known, labels, truths, classes)
    else:
        return _of_masks(known, labels, truths, read_mask)
    seen = judged(labels, truths)
    return {"objects": float(len(truths)), **figures, **confidence_figures(*vars(seen).values())}


def _of_classes(
    known: Sequence[str],
    labels: Mapping[str, Label],
    truths: Mapping[str, Truth],
    classes: Sequence[str],
) -> dict[str, float]:
    # Slow to load, and without hints.
    from sklearn.metrics import accuracy_score, f1_score  # type: ignore[import-untyped]

    names = {object_id: labels[object_id].classes for object_id in known}
    said = [names[key][0].name if names.get(key) else "" for key in truths]
    true = [str(truth) for truth in truths.values()]
    present = [name for name in classes if name in true or name in said]
    return {
        "accuracy": float(accuracy_score(true, said)),
        "macro-f1": float(f1_score(true, said, labels=present, average="macro", zero_division=0)),
    }


def _of_sets(
    known: Sequence[str],
    labels: Mapping[str, Label],
    truths: Mapping[str, Truth],
    classes: Sequence[str],
) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score, jaccard_score
    from sklearn.preprocessing import MultiLabelBinarizer  # type: ignore[import-untyped]

    chosen = {key: {one.name for one in labels[key].classes} for key in known}
    coder = MultiLabelBinarizer(classes=list(classes))
    true = coder.fit_transform([set(truth) for truth in truths.values()])
    said = coder.transform([chosen.get(key, set()) for key in truths])
    present = np.flatnonzero(true.any(axis=0) | said.any(axis=0))
    f1 = {
        average: float(f1_score(true, said, labels=present, average=average, zero_division=0))
        for average in ("macro", "micro")
    }
    return {
        "accuracy": float(accuracy_score(true, said)),
        "macro-f1": f1["macro"],
        "micro-f1": f1["micro"],
        "jaccard": float(jaccard_score(true, said, average="samples", zero_division=0)),
    }


def _of_masks(
    known: Sequence[str],
    labels: Mapping[str, Label],
    truths: Mapping[str, Truth],
    read_mask: Callable[[Label], Mask | None],
) -> dict[str, float]:
    overall: list[float] = []
    pixels: list[float] = []
    errors: list[float] = []
    for object_id in known:
        mask, truth = read_mask(labels[object_id]), truths[object_id]
        if mask is None or not isinstance(truth, np.ndarray) or mask.shape != truth.shape:
            continue
        overall.append(mean_iou(mask, truth))
        pixels.append(float((mask == truth).mean()))
        errors += _confidence_errors(labels[object_id], mask, truth)
    return {
        "objects": float(len(overall)),
        "mean-iou": _mean(overall),
        "pixel-accuracy": _mean(pixels),
        "confidence-iou-error": _mean(errors),
    }


def _confidence_errors(label: Label, mask: Mask, truth: Mask) -> Iterable[float]:
    """Distance of each class's confidence from its true intersection over union."""
    for chosen in label.classes:
        said, true = mask == chosen.class_id, truth == chosen.class_id
        if said.any():
            iou = np.count_nonzero(said & true) / np.count_nonzero(said | true)
            yield abs(chosen.confidence - iou)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan
