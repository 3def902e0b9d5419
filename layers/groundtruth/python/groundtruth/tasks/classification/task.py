"""Single-label image classification: answers, and the label's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from groundtruth.annotations import Answers, RejectedAnswer, find_by_shape
from groundtruth.errors import UnusableAnswer
from groundtruth.settings import Settings
from groundtruth.tasks.base import (
    Batch,
    algorithm_of,
    creation_date,
    status_of,
    without_label,
)
from groundtruth.tasks.classification.algorithms import ALGORITHMS, Judgement, judged, vote_counts

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
    posterior : dict of str to float
        Probability of each class that was chosen or has more than 1 %.
    votes : dict of str to int
        How many workers chose each class that was chosen.
    """

    class_id: int | None
    class_name: str | None
    confidence: float
    posterior: dict[str, float]
    status: str
    votes: dict[str, int]
    used: int
    rejected: tuple[RejectedAnswer, ...]

    @property
    def agreement(self) -> float | None:
        """Share of the workers who chose the class; None with fewer than two."""
        if self.used < 2 or self.class_name is None:
            return None
        return self.votes.get(self.class_name, 0) / self.used

    def as_object(self) -> dict[str, Any]:
        """The label in the `object` style."""
        return {
            "class-id": self.class_id,
            "class-name": self.class_name,
            "confidence": self.confidence,
            "posterior": self.posterior,
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

    name = "image-multi-class"
    aws_name = "ImageMultiClass"
    schema_name = "image-classification"
    algorithms = ALGORITHMS

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
        judgements = iter(judged(voted, batch, algorithm_of(self, batch.settings)))
        for item in objects:
            yield _label(item, next(judgements), batch) if item.answers else _no_label(item)


def _chosen(content: Any) -> str:
    value = find_by_shape(content, element=ELEMENT, has_shape=_is_choice)
    name: str = value["label"]
    if not name:
        raise UnusableAnswer("empty-answer", "the worker chose no label")
    return name


def _is_choice(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("label"), str)


def _label(item: Answers[int], judgement: Judgement, batch: Batch) -> ClassLabel:
    return ClassLabel(
        class_id=judgement.class_id,
        class_name=batch.classes[judgement.class_id],
        confidence=round(judgement.confidence, CONFIDENCE_DIGITS),
        posterior={
            batch.classes[at]: round(share, CONFIDENCE_DIGITS)
            for at, share in judgement.posterior.items()
        },
        status=status_of(
            used=len(item.answers),
            tied=judgement.tied,
            confidence=judgement.confidence,
            min_confidence=batch.settings.min_confidence,
        ),
        votes=vote_counts(item.answers, batch.classes),
        used=len(item.answers),
        rejected=item.rejected,
    )


def _no_label(item: Answers[int]) -> ClassLabel:
    return ClassLabel(
        class_id=None,
        class_name=None,
        confidence=0.0,
        posterior={},
        status=without_label(processed=item.processed),
        votes={},
        used=0,
        rejected=item.rejected,
    )
