"""Figures of a method on jobs of one kind: pooled over seeds, beside majority and the limit."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.scores import (
    auroc,
    equal_width_gap,
    item_losses,
    paired_intervals,
)
from benchmarks.synthetic.crews import Drawn, Floats, Ints
from labeljob.task_types import TaskType

MEASURES = ("accuracy", "ece", "brier", "log_loss", "auroc")
LOSSES = ("accuracy", "brier", "log_loss")
BASE = "majority"
_DIGITS = 4


def measures(jobs: Sequence[Drawn], tables: Sequence[Floats]) -> dict[str, float]:
    """All measures on the data objects of several jobs together.

    Parameters
    ----------
    jobs : sequence of Drawn
        Jobs of one task and one number of classes.
    tables : sequence of ndarray of float, shape (n_items, n_classes)
        What a method found for each of them. In a multi-label job each label of each data
        object is a decision of its own, between no and yes.
    """
    pairs = [decisions(job, table) for job, table in zip(jobs, tables, strict=True)]
    table = np.concatenate([pair[0] for pair in pairs])
    gold = np.concatenate([pair[1] for pair in pairs])
    right = table.argmax(axis=1) == gold
    accuracy, brier, log_loss = item_losses(table, gold).mean(axis=0).tolist()
    confidences = table.max(axis=1)
    ece = equal_width_gap(confidences, right)
    values = (accuracy, ece, brier, log_loss, auroc(confidences, right))
    return {name: rounded(value) for name, value in zip(MEASURES, values, strict=True)}


def decisions(job: Drawn, table: Floats) -> tuple[Floats, Ints]:
    """A table with a row for each decision, and what is right for it."""
    if job.task is TaskType.IMAGE_MULTI_CLASS:
        return table, job.truth.argmax(axis=1)
    yes = table.ravel()
    return np.column_stack((1.0 - yes, yes)), job.truth.ravel().astype(np.int64)


def losses(job: Drawn, table: Floats) -> Floats:
    """Right or wrong, Brier score and log loss of each data object: shape (n_items, 3).

    Of a multi-label job's data object it is the mean over the labels.
    """
    found = item_losses(*decisions(job, table))
    return found.reshape(len(job.truth), -1, found.shape[1]).mean(axis=1)


def gains(
    ours: Sequence[NDArray[np.float64]], base: Sequence[NDArray[np.float64]]
) -> Mapping[str, float]:
    """Difference of `losses` to another method's on the same jobs, with its middle 95 %."""
    line: dict[str, float] = {}
    pairs = [one - other for one, other in zip(ours, base, strict=True)]
    for name, found in zip(LOSSES, paired_intervals(pairs), strict=True):
        for end, value in zip(("", "_low", "_high"), found, strict=True):
            line[name + end] = rounded(value)
    return line


def rounded(value: float) -> float:
    """Four decimals: a thousand data objects tell no more."""
    return round(float(value), _DIGITS)
