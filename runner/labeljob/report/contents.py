"""Everything the page says, worked out from the job."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.tasks.base import LOW_CONFIDENCE, NO_USABLE_ANSWER, NOT_PROCESSED, TIE, Label
from labeljob.history.annotations import ObjectAnnotations
from labeljob.history.job import JobOnFile
from labeljob.metrics.agreement import Agreement, compute_agreement, measure_dispute
from labeljob.metrics.scores import ReliabilityBin, bin_by_confidence, score_confidences
from labeljob.metrics.suspicions import flag_workers
from labeljob.metrics.workers import Worker, tabulate_workers
from labeljob.tasks.base import Truth

UNSURE = (TIE, LOW_CONFIDENCE, NO_USABLE_ANSWER, NOT_PROCESSED)


def to_label_again(
    job: JobOnFile, objects: Sequence[ObjectAnnotations], labels: Mapping[str, Label], below: float
) -> list[str]:
    """Data objects without a label, with an unsure one, or with too little confidence."""
    asked = [line.object_id for line in job.lines] or [one.object_id for one in objects]
    chosen = []
    for object_id in asked:
        label = labels.get(object_id)
        status = label.status if label else ""
        sure = label.confidence if label and label.confidence is not None else -1.0
        if sure < below or status in UNSURE:
            chosen.append(object_id)
    return chosen


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the page is about.

    Attributes
    ----------
    job : JobOnFile
        The job.
    algorithm : str
        How the labels were made, as far as it is known.
    labels : mapping of str to Label
        By the data objects' ids; one without a label is not there.
    objects : sequence of ObjectAnnotations
        All usable answers.
    classes : tuple of str
        What a unit of a obj can be.
    agreement : Agreement
        Of all workers.
    without : Agreement or None
        Of those without a flag; None if nobody has one.
    workers : tuple of Worker
        Suspicious ones first, then by the number of answers.
    confusion : ndarray of float, shape (n_classes, n_classes)
        What workers without a flag said (columns) where the others said something (rows).
    disputes : tuple of (float, ObjectAnnotations)
        All data objects that were answered, the most disputed first.
    requeue : tuple of str
        Data objects to label again.
    below : float
        Confidence under which they are.
    figures : mapping of str to float
        Measures against the truth; empty without one.
    bins : tuple of ReliabilityBin
        Of the reliability curve; empty without a truth.
    """

    job: JobOnFile
    algorithm: str
    labels: Mapping[str, Label]
    objects: Sequence[ObjectAnnotations]
    classes: tuple[str, ...]
    agreement: Agreement
    without: Agreement | None
    workers: tuple[Worker, ...]
    confusion: NDArray[np.float64]
    disputes: tuple[tuple[float, ObjectAnnotations], ...]
    requeue: tuple[str, ...]
    below: float
    figures: Mapping[str, float]
    bins: tuple[ReliabilityBin, ...]

    @property
    def suspects(self) -> list[Worker]:
        """Workers with a flag."""
        return [worker for worker in self.workers if worker.flags]

    @property
    def answers(self) -> int:
        """How many answers count."""
        return sum(len(obj.workers) for obj in self.objects)

    @property
    def rejected(self) -> Counter[str]:
        """How many answers do not count, by reason."""
        return Counter(item.reason for obj in self.objects for item in obj.rejected)

    @property
    def confidences(self) -> list[float]:
        """One for each label: of several classes the lowest."""
        return [one.confidence for one in self.labels.values() if one.confidence is not None]

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """When the first and the last answer came in; None if the job does not tell."""
        times = [
            sitting.submitted
            for obj in self.objects
            for sitting in obj.sittings.values()
            if sitting.submitted is not None
        ]
        return (min(times), max(times)) if times else None

    def as_json(self) -> dict[str, Any]:
        """The figures for `--json`; what cannot be told is null."""
        return {
            "job": self.job.name,
            "task": self.job.task.name,
            "algorithm": self.algorithm,
            "objects": len(self.job.lines) or len(self.objects),
            "labeled": len(self.labels),
            "answers": {"used": self.answers, "set-aside": dict(self.rejected)},
            "agreement": {
                "krippendorff-alpha": known(self.agreement.alpha),
                "fleiss-kappa": known(self.agreement.kappa),
                "fleiss-answers-per-object": self.agreement.kappa_raters,
                "krippendorff-alpha-without-flagged": known(self.without.alpha)
                if self.without
                else None,
                "equal-pairs": known(self.agreement.pairwise),
                "alpha-by-class": {
                    name: known(alpha) for name, (alpha, _) in self.agreement.by_class.items()
                },
            },
            "against-truth": {name: known(value) for name, value in self.figures.items()},
            "workers": [worker.as_json(self.classes) for worker in self.workers],
            "confusion": {"classes": list(self.classes), "times": self.confusion.tolist()},
            "disputed": [
                {"object": obj.object_id, "dispute": share}
                for share, obj in self.disputes
                if share > 0
            ],
            "requeue": list(self.requeue),
            "damage": self.job.damage.as_json(),
        }


def known(value: float) -> float | None:
    """A figure for JSON, which knows no NaN."""
    return None if math.isnan(value) else value


def contents_of(
    job: JobOnFile,
    objects: Sequence[ObjectAnnotations],
    labels: Mapping[str, Label],
    *,
    algorithm: str,
    below: float,
    truths: Mapping[str, Truth] | None = None,
    figures: Mapping[str, float] | None = None,
) -> Contents:
    """Work out all the page says.

    Parameters
    ----------
    job : JobOnFile
        The job.
    objects : sequence of ObjectAnnotations
        All usable answers.
    labels : mapping of str to Label
        By the data objects' ids.
    algorithm : str
        What made the labels.
    below : float
        Confidence in [0, 1] under which an object is to be labeled again.
    truths : mapping of str to Truth, optional
        By the data objects' ids.
    figures : mapping of str to float, optional
        Measures against the truth.
    """
    classes = job.unit_classes
    workers = tabulate_workers(objects, job.task, len(classes))
    flag_workers(workers, objects, job.task, classes)
    flagged = {worker.worker_id for worker in workers.values() if worker.flags}
    trusted = workers.keys() - flagged or workers.keys()
    n_values = job.task.n_values(len(classes))
    disputes = [(measure_dispute(obj, n_values), obj) for obj in objects if obj.workers]
    return Contents(
        job=job,
        algorithm=algorithm,
        labels=labels,
        objects=objects,
        classes=classes,
        agreement=compute_agreement(objects, job.task, classes),
        without=compute_agreement(_only(trusted, objects), job.task, classes) if flagged else None,
        workers=tuple(
            sorted(workers.values(), key=lambda one: (not one.flags, -one.answers, one.name))
        ),
        confusion=_confusion([workers[name] for name in trusted], len(classes)),
        disputes=tuple(
            sorted(disputes, key=lambda row: (-row[0], _sureness(row[1].object_id, labels)))
        ),
        requeue=tuple(to_label_again(job, objects, labels, below)),
        below=below,
        figures=figures or {},
        bins=_reliability(job, labels, truths or {}),
    )


def _confusion(workers: Sequence[Worker], n_classes: int) -> NDArray[np.float64]:
    table = np.zeros((n_classes, n_classes))
    for worker in workers:
        for pair, times in worker.confusion.items():
            table[pair] += times
    return table


def _reliability(
    job: JobOnFile, labels: Mapping[str, Label], truths: Mapping[str, Truth]
) -> tuple[ReliabilityBin, ...]:
    scored = score_confidences(job.task, labels, truths)
    sure, right = np.array(scored.confidences), np.array(scored.right)
    return tuple(bin_by_confidence(sure, right, equal_mass=False, bins=10))


def _only(workers: Set[str], objects: Sequence[ObjectAnnotations]) -> list[ObjectAnnotations]:
    """The objects with the answers of some workers alone."""
    chosen = []
    for obj in objects:
        at = [number for number, worker in enumerate(obj.workers) if worker in workers]
        names = tuple(obj.workers[number] for number in at)
        chosen.append(replace(obj, workers=names, choices=obj.choices[at]))
    return chosen


def _sureness(object_id: str, labels: Mapping[str, Label]) -> float:
    label = labels.get(object_id)
    return label.confidence if label and label.confidence is not None else math.inf


def file_name(source: str) -> str:
    """The last part of an image's URI."""
    return PurePosixPath(source).name
