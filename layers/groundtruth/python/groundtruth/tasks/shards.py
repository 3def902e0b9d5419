"""The answers of a shard of a job type whose answers are names of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Answer = TypeVar("Answer")

MODEL_MAX_WEIGHT = "model_max_weight"
"""Name of the plan's option that tells that the last worker is a model, and its largest weight."""


@dataclass(frozen=True, kw_only=True)
class ShardAnswers(Generic[Answer]):
    """What is packed into a shard's file by `NamesTask.pack_answers`.

    Attributes
    ----------
    items, workers : ndarray of int, shape (n_answers,)
        Index of the object in the shard and of the worker among all of the plan; sorted by both,
        and each pair is there once.
    codes : ndarray of int, shape (n_answers,)
        Which of `distinct` each answer is.
    distinct : sequence
        The different answers, as the job type decodes them.
    gold : mapping of int to object
        The true answer to objects, where it is known.
    n_objects, n_classes : int
        How many there are.
    model : int or None
        Index of the worker that is a model.
    """

    items: NDArray[Any]
    workers: NDArray[Any]
    codes: NDArray[Any]
    distinct: Sequence[Answer]
    gold: Mapping[int, Answer]
    n_objects: int
    n_classes: int
    model: int | None = None

    def columns(self) -> dict[str, NDArray[Any]]:
        """The arrays that all job types have."""
        return {
            "n_objects": np.array(self.n_objects, np.int64),
            "items": self.items.astype(np.int32),
            "workers": self.workers.astype(np.int32),
        }

    def single(self) -> list[Answer]:
        """The answers to the objects that one worker answered, a model aside, by object."""
        is_person = self.workers != (-1 if self.model is None else self.model)
        items, codes = self.items[is_person], self.codes[is_person]
        alone = np.bincount(items, minlength=self.n_objects)[items] == 1
        return [self.distinct[code] for code in codes[alone].tolist()]
