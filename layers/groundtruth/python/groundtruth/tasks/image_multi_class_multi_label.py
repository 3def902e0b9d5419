"""Image classification with any number of labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundtruth.aggregation.votes import Floats
from groundtruth.answers import Answers, SetAside, find_by_shape
from groundtruth.errors import UnusableAnswer
from groundtruth.settings import Settings
from groundtruth.task import Batch, algorithm_of, creation_date
from groundtruth.tasks.statuses import (
    CONSENSUS,
    LOW_CONFIDENCE,
    NO_USABLE_ANSWER,
    PRIOR_CONFIDENCE,
    status_of,
)

ELEMENT = "crowd-image-classifier-multi-select"
CONFIDENCE_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class LabelSet:
    """The consolidated labels of one image.

    Attributes
    ----------
    chosen : tuple of int
        Indices of the labels the image has, by descending confidence; of equal ones the label
        listed first comes first.
    named : tuple of int
        Indices of all labels that any worker chose, in the same order.
    confidences : dict of int to float
        Probability in [0, 1] of each label in `named`.
    votes : dict of str to int
        How many workers chose each of them.
    """

    chosen: tuple[int, ...]
    named: tuple[int, ...]
    confidences: dict[int, float]
    classes: tuple[str, ...]
    status: str
    votes: dict[str, int]
    used: int
    set_aside: tuple[SetAside, ...]

    def as_object(self) -> dict[str, Any]:
        """The labels in the `object` style."""
        return {
            "class-ids": list(self.chosen),
            "class-map": self._class_map(self.chosen),
            "confidence-map": {str(at): self.confidences[at] for at in self.chosen},
            "votes": self.votes,
        }

    def as_builtin(self, batch: Batch) -> tuple[Any, dict[str, Any]]:
        """The labels as the built-in function writes them: all that any worker chose."""
        confidences = {str(at): self.confidences[at] for at in self.named}
        if self.used == 1:
            confidences = dict.fromkeys(confidences, 0.0)
        return list(self.named) or None, {
            "job-name": batch.job_name,
            "class-map": self._class_map(self.named),
            "human-annotated": "yes",
            "creation-date": creation_date(batch),
            "confidence-map": confidences,
            "type": "groundtruth/image-classification-multilabel",
        }

    def _class_map(self, labels: Sequence[int]) -> dict[str, str]:
        return {str(at): self.classes[at] for at in labels}


class ImageMultiClassMultiLabel:
    """Multi-label image classification."""

    name = "image-classification-multilabel"
    algorithms = ("majority", "builtin")

    def all_classes(self, classes: Sequence[str], settings: Settings) -> tuple[str, ...]:
        """The job's classes, and the page's "none of the above" after them."""
        extra = settings.exclusion_category
        return (*classes, extra) if extra and extra not in classes else tuple(classes)

    def class_names(self, content: Any) -> Iterable[str]:
        """The labels that the worker chose; raises `UnusableAnswer`."""
        return _chosen(content)

    def decode(self, content: Any, classes: Sequence[str]) -> tuple[int, ...]:
        """Indices of the labels that the worker chose, in that order; raises `UnusableAnswer`."""
        names = _chosen(content)
        unknown = sum(name not in classes for name in names)
        if unknown:
            raise UnusableAnswer("unknown-label", f"{unknown} of its labels are not the job's")
        return tuple(dict.fromkeys(classes.index(name) for name in names))

    def consolidate(
        self, answers: Iterable[Answers[tuple[int, ...]]], batch: Batch
    ) -> Iterator[LabelSet]:
        """One set of labels for each data object.

        A label's confidence is the share of the workers who chose it. An image has the labels
        whose share is above the quorum, and the best one if none is, for every worker had to
        choose one. The exclusion category stands alone or not at all. The `builtin` algorithm
        keeps every label that any worker chose.
        """
        for item in answers:
            if item.answers:
                yield _consolidated(item, batch, algorithm_of(self, batch.settings))
            else:
                yield _no_labels(item, batch)


def _consolidated(item: Answers[tuple[int, ...]], batch: Batch, algorithm: str) -> LabelSet:
    counts = np.bincount(
        np.concatenate([np.array(chosen, np.int64) for chosen in item.answers]),
        minlength=len(batch.classes),
    )
    used = len(item.answers)
    shares = counts / used
    named = _by_confidence(np.flatnonzero(counts), shares, item)
    passed, tied = _passed(named, shares, batch)
    chosen = named if algorithm == "builtin" else passed or named[:1]
    confidences = _confidences(named, shares, used, algorithm)
    status = status_of(
        used=used,
        tied=tied,
        confidence=min(confidences[at] for at in chosen),
        min_confidence=batch.settings.min_confidence,
    )
    if not passed and algorithm != "builtin" and status == CONSENSUS:
        status = LOW_CONFIDENCE
    return LabelSet(
        chosen=chosen,
        named=named,
        confidences=confidences,
        classes=batch.classes,
        status=status,
        votes={batch.classes[at]: int(counts[at]) for at in sorted(named)},
        used=used,
        set_aside=item.set_aside,
    )


def _by_confidence(
    chosen: Iterable[int], shares: Floats, item: Answers[tuple[int, ...]]
) -> tuple[int, ...]:
    """Labels by descending share; equal ones in label order, a lone worker's in that worker's."""
    if len(item.answers) == 1:
        return item.answers[0]
    return tuple(sorted((int(at) for at in chosen), key=lambda at: (-shares[at], at)))


def _passed(named: tuple[int, ...], shares: Floats, batch: Batch) -> tuple[tuple[int, ...], bool]:
    """The labels above the quorum, and whether label order alone decides on one.

    That is so of a label whose share is the quorum, and of the best label of several with the
    same share if none is above the quorum.
    """
    quorum = batch.settings.quorum
    passed = tuple(at for at in named if shares[at] > quorum)
    tied = any(shares[at] == quorum for at in named)
    if batch.settings.exclusion_category in batch.classes:
        exclusion = batch.classes.index(batch.settings.exclusion_category)
        if passed[:1] == (exclusion,):
            passed = (exclusion,)
        else:
            passed = tuple(at for at in passed if at != exclusion)
    if not passed and len(named) > 1:
        tied = tied or bool(shares[named[0]] == shares[named[1]])
    return passed, tied


def _confidences(
    named: tuple[int, ...], shares: Floats, used: int, algorithm: str
) -> dict[int, float]:
    if used == 1:
        return dict.fromkeys(named, PRIOR_CONFIDENCE)
    if algorithm == "builtin":
        return {at: round(0.9 * float(shares[at]) + 0.05, 2) for at in named}
    return {at: round(float(shares[at]), CONFIDENCE_DIGITS) for at in named}


def _no_labels(item: Answers[tuple[int, ...]], batch: Batch) -> LabelSet:
    return LabelSet(
        chosen=(),
        named=(),
        confidences={},
        classes=batch.classes,
        status=NO_USABLE_ANSWER,
        votes={},
        used=0,
        set_aside=item.set_aside,
    )


def _chosen(content: Any) -> list[str]:
    value = find_by_shape(content, element=ELEMENT, has_shape=_is_choice)
    names: list[str] = value["labels"]
    if not names:
        raise UnusableAnswer("empty-answer", "the worker chose no label")
    return names


def _is_choice(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("labels"), list):
        return False
    return all(isinstance(name, str) for name in value["labels"])
