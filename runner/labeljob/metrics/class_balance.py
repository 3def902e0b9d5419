"""How often each class is among a job's labels and answers, and which are too rare."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from groundtruth.tasks.base import Label
from labeljob.history.job import ObjectAnnotations
from labeljob.metrics.agreement import known, remember
from labeljob.rounds.accuracy_curve import count_votes
from labeljob.tasks.base import JobType, Truth

RARE_SHARE = 0.2
"""A class is rare with fewer labels than this share of what even classes would have."""

FEW_LABELS = 30
"""With as many labels a class is not called rare: its accuracy can be told to some 10 %."""


@dataclass(frozen=True, kw_only=True)
class ClassShare:
    """How often one class is there.

    Attributes
    ----------
    name : str
        The class.
    labels : int
        Data objects whose label has it; of masks, those in which most workers painted it.
    label_share : float
        Out of all that have a label, in [0, 1]; of masks the share of the area.
    answer_share : float
        Share of the answers that have it, in [0, 1]; of masks, of what was painted.
    true_share : float
        Share of the known true labels that have it; NaN without a truth.
    confidence : float
        Mean confidence of these labels, in [0, 1]; NaN if it is not known.
    unsure : int
        How many of these data objects are to be labeled again.
    is_rare : bool
        Whether there are too few to train on it, or to tell how good its labels are.
    """

    name: str
    labels: int
    label_share: float
    answer_share: float
    true_share: float
    confidence: float
    unsure: int
    is_rare: bool

    def as_json(self) -> dict[str, Any]:
        """The class for `--json`."""
        return {
            "class": self.name,
            "labels": self.labels,
            "share-of-labels": known(self.label_share),
            "share-of-answers": known(self.answer_share),
            "share-of-truth": known(self.true_share),
            "confidence-mean": known(self.confidence),
            "to-be-labeled-again": self.unsure,
            "rare": self.is_rare,
        }


def measure_class_balance(
    objects: Sequence[ObjectAnnotations],
    labels: Mapping[str, Label],
    *,
    job_type: JobType,
    classes: Sequence[str],
    unsure: Collection[str] = (),
    truths: Mapping[str, Truth] | None = None,
) -> tuple[ClassShare, ...]:
    """How often each class is there, in label order.

    Parameters
    ----------
    objects : sequence of ObjectAnnotations
        All data objects with their answers.
    labels : mapping of str to Label
        By data object.
    job_type : JobType
        That of the job.
    classes : sequence of str
        What a unit of an answer can be; of masks the background first.
    unsure : collection of str
        Data objects that are to be labeled again.
    truths : mapping of str to Truth, optional
        True labels by data object.
    """
    confidences: dict[str, list[float]] = defaultdict(list)
    named: Counter[str] = Counter()
    unsure_of: Counter[str] = Counter()
    if job_type.label_is_mask:
        named, unsure_of, area = _count_painted(objects, job_type, classes, frozenset(unsure))
        label_shares = dict(zip(classes, area, strict=True))
    else:
        waiting = frozenset(unsure)
        for object_id, label in labels.items():
            for item in label.classes:
                named[item.name] += 1
                unsure_of[item.name] += object_id in waiting
                if item.confidence is not None:
                    confidences[item.name].append(item.confidence)
        total = len(labels)
        label_shares = {name: named[name] / total if total else math.nan for name in classes}
    answer_shares = _share_answers(objects, job_type, classes)
    true_names = [name for truth in (truths or {}).values() for name in job_type.truth_names(truth)]
    true_counts = Counter(true_names)
    even = sum(named[name] for name in classes) / max(len(classes), 1)
    return tuple(
        ClassShare(
            name=name,
            labels=named[name],
            label_share=label_shares[name],
            answer_share=answer_shares[index],
            true_share=true_counts[name] / len(truths) if truths and true_names else math.nan,
            confidence=fmean(confidences[name]) if confidences[name] else math.nan,
            unsure=unsure_of[name],
            is_rare=named[name] < min(RARE_SHARE * even, FEW_LABELS),
        )
        for index, name in enumerate(classes)
    )


def _count_painted(
    objects: Sequence[ObjectAnnotations],
    job_type: JobType,
    classes: Sequence[str],
    unsure: Collection[str],
) -> tuple[Counter[str], Counter[str], list[float]]:
    """In how many objects most workers painted each class, in how many unsure ones, and where."""
    n_values = job_type.n_values(len(classes))
    named: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    area = np.zeros(n_values)
    for obj in objects:
        if not obj.workers:
            continue
        points = job_type.majority(count_votes(obj.choices, n_values))
        counts = np.bincount(points, minlength=n_values)
        area += counts / max(points.size, 1)
        present = [classes[index] for index in np.flatnonzero(counts).tolist()]
        named.update(present)
        if obj.object_id in unsure:
            waiting.update(present)
    return named, waiting, (area / max(area.sum(), 1e-12)).tolist()


def _share_answers(
    objects: Sequence[ObjectAnnotations], job_type: JobType, classes: Sequence[str]
) -> list[float]:
    """Which share of the answers has each class; of masks, of the points."""
    n_values = job_type.n_values(len(classes))
    count = remember(lambda choices: count_votes(choices, n_values))
    answered = [obj for obj in objects if obj.workers]
    if not answered:
        return [math.nan] * len(classes)
    _, _, times = job_type.agreement_questions(
        [count(obj.choices) for obj in answered], len(classes)
    )
    total = sum(times) if job_type.label_is_mask else sum(len(obj.workers) for obj in answered)
    return [chosen / total for chosen in times]
