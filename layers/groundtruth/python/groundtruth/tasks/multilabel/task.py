"""Multi-label image classification: answers, and the label's JSON."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from groundtruth.aggregation.classification.votes import Floats
from groundtruth.aggregation.multilabel.label_sets import choose_labels
from groundtruth.annotations import Answers, RejectedAnswer, find_by_shape
from groundtruth.errors import UnusableAnswer
from groundtruth.settings import Settings
from groundtruth.tasks.base import (
    CONSENSUS,
    LOW_CONFIDENCE,
    SMALLEST_SHOWN,
    Batch,
    algorithm_of,
    creation_date,
    status_of,
    without_label,
)
from groundtruth.tasks.classification.algorithms import vote_counts
from groundtruth.tasks.multilabel.algorithms import ALGORITHMS, Chosen, label_probabilities

ELEMENT = "crowd-image-classifier-multi-select"
CONFIDENCE_DIGITS = 6

_TIE = 1e-9


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
    posterior : dict of str to float
        Probability in [0, 1] of each label that any worker chose or that has more than 1 %.
    votes : dict of str to int
        How many workers chose each label that any worker chose.
    """

    chosen: tuple[int, ...]
    named: tuple[int, ...]
    confidences: dict[int, float]
    posterior: dict[str, float]
    classes: tuple[str, ...]
    status: str
    votes: dict[str, int]
    used: int
    rejected: tuple[RejectedAnswer, ...]

    @property
    def agreement(self) -> float | None:
        """Share of the workers who decided as the label does, over all labels anyone chose."""
        if self.used < 2 or not self.named:
            return None
        shares = {at: self.votes.get(self.classes[at], 0) / self.used for at in self.named}
        return fmean(share if at in self.chosen else 1 - share for at, share in shares.items())

    def as_object(self) -> dict[str, Any]:
        """The labels in the `object` style."""
        return {
            "class-ids": list(self.chosen),
            "class-map": self._class_map(self.chosen),
            "confidence-map": {str(at): self.confidences[at] for at in self.chosen},
            "posterior": self.posterior,
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

    name = "image-multi-class-multi-label"
    aws_name = "ImageMultiClassMultiLabel"
    schema_name = "image-classification-multilabel"
    algorithms = ALGORITHMS

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

    def consolidate(self, answers: Iterable[Answers[Chosen]], batch: Batch) -> Iterator[LabelSet]:
        """One set of labels for each data object.

        An image has the labels that are more probable than the quorum, and the best one if none
        is, for every worker had to choose one. The exclusion category stands alone or not at
        all. The `builtin` algorithm keeps every label that any worker chose.
        """
        objects = list(answers)
        algorithm = algorithm_of(self, batch.settings)
        answered = [item for item in objects if item.answers]
        rows = iter(label_probabilities(answered, batch, algorithm))
        for item in objects:
            if item.answers:
                yield _consolidated(item, next(rows), batch, algorithm)
            else:
                yield _no_labels(item, batch)


def _consolidated(
    item: Answers[Chosen], probabilities: Floats, batch: Batch, algorithm: str
) -> LabelSet:
    counts = vote_counts(itertools.chain.from_iterable(item.answers), batch.classes)
    named = _by_confidence(probabilities, item)
    eligible = np.full_like(probabilities, -1.0)
    eligible[list(named)] = probabilities[list(named)]
    decided = choose_labels(
        eligible[np.newaxis],
        quorum=batch.settings.quorum,
        exclusion=_exclusion(batch),
    )
    chosen = tuple(at for at in named if algorithm == "builtin" or decided.chosen[0, at])
    confidences = {at: round(float(probabilities[at]), CONFIDENCE_DIGITS) for at in named}
    below = bool(decided.below_quorum[0]) and algorithm != "builtin"
    status = status_of(
        used=len(item.answers),
        tied=_tied(probabilities[list(named)], batch, below=below),
        confidence=min(confidences[at] for at in chosen),
        min_confidence=batch.settings.min_confidence,
    )
    if below and status == CONSENSUS:
        status = LOW_CONFIDENCE
    return LabelSet(
        chosen=chosen,
        named=named,
        confidences=confidences,
        posterior=_posterior(probabilities, counts, batch, algorithm),
        classes=batch.classes,
        status=status,
        votes=counts,
        used=len(item.answers),
        rejected=item.rejected,
    )


def _posterior(
    probabilities: Floats, votes: Mapping[str, int], batch: Batch, algorithm: str
) -> dict[str, float]:
    """Probability of each label that got a vote or has more than 1 %, in label order.

    On the scale of the built-in function a label without a vote has 0.05; it is not shown.
    """
    smallest = 1.0 if algorithm == "builtin" else SMALLEST_SHOWN
    return {
        name: round(share, CONFIDENCE_DIGITS)
        for name, share in zip(batch.classes, probabilities.tolist(), strict=True)
        if name in votes or share > smallest
    }


def _by_confidence(probabilities: Floats, item: Answers[Chosen]) -> Chosen:
    """Labels that any worker chose, or that are more probable than not, the surest first.

    Equal ones are in label order, a lone worker's in the order of that worker.
    """
    chosen = dict.fromkeys(itertools.chain.from_iterable(item.answers))
    if len(item.answers) == 1:
        return tuple(chosen)
    likely = {int(at) for at in np.flatnonzero(probabilities > 0.5)}
    return tuple(sorted(chosen | dict.fromkeys(likely), key=lambda at: (-probabilities[at], at)))


def _exclusion(batch: Batch) -> int | None:
    """Index of the page's "none of the above"."""
    name = batch.settings.exclusion_category
    return batch.classes.index(name) if name in batch.classes else None


def _tied(named: Floats, batch: Batch, *, below: bool) -> bool:
    """Whether label order alone decides on a label.

    That is so of one whose probability is the quorum, and of the best of several that are
    equally probable if none is above the quorum.
    """
    if bool((np.abs(named - batch.settings.quorum) < _TIE).any()):
        return True
    return below and int((named > named.max() - _TIE).sum()) > 1


def _no_labels(item: Answers[Chosen], batch: Batch) -> LabelSet:
    return LabelSet(
        chosen=(),
        named=(),
        confidences={},
        posterior={},
        classes=batch.classes,
        status=without_label(processed=item.processed),
        votes={},
        used=0,
        rejected=item.rejected,
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
