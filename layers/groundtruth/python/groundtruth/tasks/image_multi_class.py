"""Image classification with one label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundtruth.aggregation.builtin import builtin, builtin_confidence
from groundtruth.aggregation.majority import majority
from groundtruth.aggregation.votes import Floats, Votes
from groundtruth.answers import Answers, SetAside, find_by_shape
from groundtruth.errors import UnusableAnswer
from groundtruth.settings import Settings
from groundtruth.task import Batch, algorithm_of, creation_date
from groundtruth.tasks.statuses import NO_USABLE_ANSWER, PRIOR_CONFIDENCE, status_of

ELEMENT = "crowd-image-classifier"
CONFIDENCE_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class ClassLabel:
    """The consolidated class of one image.

    Attributes
    ----------
    class_id : int or None
        Index of the class in label order; None without a usable answer.
    class_name : str or None
        Its name.
    confidence : float
        Probability in [0, 1] that the class is right; 0 without one.
    votes : dict of str to int
        How many workers chose each class that was chosen.
    """

    class_id: int | None
    class_name: str | None
    confidence: float
    status: str
    votes: dict[str, int]
    used: int
    set_aside: tuple[SetAside, ...]

    def as_object(self) -> dict[str, Any]:
        """The label in the `object` style."""
        return {
            "class-id": self.class_id,
            "class-name": self.class_name,
            "confidence": self.confidence,
            "votes": self.votes,
        }

    def as_builtin(self, batch: Batch) -> tuple[Any, dict[str, Any]]:
        """The label as the built-in function writes it: the class's index and its metadata."""
        return self.class_id, {
            "confidence": 0.0 if self.used == 1 else self.confidence,
            "job-name": batch.job_name,
            "class-name": self.class_name,
            "human-annotated": "yes",
            "creation-date": creation_date(batch),
            "type": "groundtruth/image-classification",
        }


class ImageMultiClass:
    """Single-label image classification."""

    name = "image-classification"
    algorithms = ("majority", "builtin")

    def all_classes(self, classes: Sequence[str], settings: Settings) -> tuple[str, ...]:
        """The job's classes: this page adds none."""
        return tuple(classes)

    def class_names(self, content: Any) -> Iterable[str]:
        """The class that the worker chose; raises `UnusableAnswer`."""
        return (_chosen(content),)

    def decode(self, content: Any, classes: Sequence[str]) -> int:
        """Index of the class that the worker chose; raises `UnusableAnswer`."""
        name = _chosen(content)
        if name not in classes:
            raise UnusableAnswer("unknown-label", "the label is not one of the job's")
        return classes.index(name)

    def consolidate(self, answers: Iterable[Answers[int]], batch: Batch) -> Iterator[ClassLabel]:
        """One class for each data object.

        The whole batch is looked at together: how often workers agree says what each is worth.
        """
        objects = list(answers)
        voted = [item for item in objects if item.answers]
        votes = votes_of([(item.workers, item.answers) for item in voted], len(batch.classes))
        use_builtin = algorithm_of(self, batch.settings) == "builtin"
        shares = builtin(votes) if use_builtin else majority(votes)
        confidences = builtin_confidence(shares) if use_builtin else shares.max(axis=1)
        results = iter(zip(shares, confidences, strict=True))
        for item in objects:
            yield _label(item, *next(results), batch) if item.answers else _no_label(item)


def votes_of(answers: Sequence[tuple[Sequence[str], Sequence[int]]], n_classes: int) -> Votes:
    """The votes of a batch as arrays.

    Parameters
    ----------
    answers : sequence of (workers, classes)
        For each data object who voted, and for which class each did.
    n_classes : int
        How many classes there are.

    Returns
    -------
    Votes
        With workers numbered by their sorted ids, so that no order of answers matters.
    """
    names = sorted({worker for workers, _ in answers for worker in workers})
    number = {worker: at for at, worker in enumerate(names)}
    flat = [
        (item, number[worker], chosen)
        for item, (workers, classes) in enumerate(answers)
        for worker, chosen in zip(workers, classes, strict=True)
    ]
    columns = np.array(flat, dtype=np.int64).reshape(len(flat), 3).T
    return Votes(
        items=columns[0],
        workers=columns[1],
        classes=columns[2],
        n_items=len(answers),
        n_workers=len(names),
        n_classes=max(1, n_classes),
    )


def _chosen(content: Any) -> str:
    value = find_by_shape(content, element=ELEMENT, has_shape=_is_choice)
    name: str = value["label"]
    if not name:
        raise UnusableAnswer("empty-answer", "the worker chose no label")
    return name


def _is_choice(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("label"), str)


def _label(item: Answers[int], shares: Floats, confidence: float, batch: Batch) -> ClassLabel:
    class_id = int(np.argmax(shares))  # of equal shares the class listed first
    if len(item.answers) == 1:
        confidence = PRIOR_CONFIDENCE
    return ClassLabel(
        class_id=class_id,
        class_name=batch.classes[class_id],
        confidence=round(float(confidence), CONFIDENCE_DIGITS),
        status=status_of(
            used=len(item.answers),
            tied=int((shares == shares[class_id]).sum()) > 1,
            confidence=confidence,
            min_confidence=batch.settings.min_confidence,
        ),
        votes=vote_counts(item.answers, batch.classes),
        used=len(item.answers),
        set_aside=item.set_aside,
    )


def _no_label(item: Answers[int]) -> ClassLabel:
    return ClassLabel(
        class_id=None,
        class_name=None,
        confidence=0.0,
        status=NO_USABLE_ANSWER,
        votes={},
        used=0,
        set_aside=item.set_aside,
    )


def vote_counts(chosen: Iterable[int], classes: Sequence[str]) -> dict[str, int]:
    """How often each class was chosen, in label order, without those that were not."""
    counts = np.bincount(np.fromiter(chosen, np.int64), minlength=len(classes))
    return {classes[at]: int(counts[at]) for at in np.flatnonzero(counts).tolist()}
