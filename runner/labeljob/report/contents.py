"""What the report says, worked out from the job."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.tasks.base import LOW_CONFIDENCE, NO_USABLE_ANSWER, NOT_PROCESSED, TIE, Label
from labeljob.history.job import JobOnFile, ObjectAnnotations
from labeljob.metrics.agreement import (
    Agreement,
    compute_agreement,
    known,
    measure_dispute,
    remember,
)
from labeljob.metrics.builtin_confidences import (
    BuiltinConfidences,
    compare_confidences,
    is_builtin,
)
from labeljob.metrics.class_balance import ClassShare, measure_class_balance
from labeljob.metrics.dependence import DependenceSummary, summarize_dependence
from labeljob.metrics.learning import LearningCurve, measure_crew_learning, measure_learning
from labeljob.metrics.scores import ReliabilityBin, bin_by_confidence, score_confidences
from labeljob.metrics.workers import Worker, flag_workers, tabulate_workers
from labeljob.rounds.class_frequencies import GoldAdvice, advise_gold_for
from labeljob.tasks.base import Truth

UNSURE = (TIE, LOW_CONFIDENCE, NO_USABLE_ANSWER, NOT_PROCESSED)


def select_for_requeue(
    job: JobOnFile, objects: Sequence[ObjectAnnotations], labels: Mapping[str, Label], below: float
) -> list[str]:
    """Data objects without a label, with an unsure one, or with too little confidence."""
    asked = [line.object_id for line in job.lines] or [obj.object_id for obj in objects]
    unsure = []
    for object_id in asked:
        label = labels.get(object_id)
        status = label.status if label else ""
        sure = label.confidence if label and label.confidence is not None else -1.0
        if sure < below or status in UNSURE:
            unsure.append(object_id)
    return unsure


@dataclass(frozen=True)
class ReadLabels:
    """The labels that a page is about.

    `by_id` are by the data objects' ids; `algorithm` says in words what made them; `replayed` is
    the algorithm's name if they were made for the page, else empty.
    """

    by_id: Mapping[str, Label]
    algorithm: str
    replayed: str = ""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the page is about.

    `labels` are by the data objects' ids; `without` is the agreement of workers without a flag,
    None if nobody has one; `workers` are the suspicious ones first, then by number of answers;
    `confusion` is what workers without a flag said (columns) where the others said something
    (rows); `disputes` are all data objects that were answered, the most disputed first;
    `dependence` is None if the labels do not tell it; `gold` says that known objects are wanted,
    None if they are not; `goal` is the share of labels that is to be right; `figures` and `bins`
    are empty without a truth; `replayed` is the algorithm that made the labels for the page,
    empty if they are those of the job; `names` are what workers are called, by id, where that is
    known; `learning` has the curves of workers with enough dated answers, and `crew_learning`
    that of all together; `balance` are the classes in label order; `builtin` is None unless the
    confidences are those of a built-in function.
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
    dependence: DependenceSummary | None
    requeue: tuple[str, ...]
    below: float
    goal: float
    gold: GoldAdvice | None
    figures: Mapping[str, float]
    bins: tuple[ReliabilityBin, ...]
    replayed: str
    names: Mapping[str, str]
    learning: Mapping[str, LearningCurve]
    crew_learning: LearningCurve | None
    balance: tuple[ClassShare, ...]
    builtin: BuiltinConfidences | None

    @cached_property
    def worker_names(self) -> dict[str, str]:
        """What the page calls each worker, by id."""
        return {worker.worker_id: worker.name for worker in self.workers}

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
    def comments(self) -> dict[str, Mapping[str, str]]:
        """What workers wrote, by data object and worker."""
        return {obj.object_id: obj.comments for obj in self.objects if obj.comments}

    @property
    def unlabelable(self) -> dict[str, Mapping[str, str]]:
        """Why workers say that data objects cannot be labeled, by data object and worker."""
        return {obj.object_id: obj.unlabelable for obj in self.objects if obj.unlabelable}

    @property
    def confidences(self) -> list[float]:
        """One for each label: of several classes the lowest."""
        return [label.confidence for label in self.labels.values() if label.confidence is not None]

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """When the first and the last answer came in; None if the job does not tell."""
        times = [
            answer_time.submitted
            for obj in self.objects
            for answer_time in obj.answer_times.values()
            if answer_time.submitted is not None
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
            "dependence": self.dependence.as_json() if self.dependence else None,
            "against-truth": {name: known(value) for name, value in self.figures.items()},
            "workers": [self._describe_worker(worker) for worker in self.workers],
            "crew-learning": self.crew_learning.as_json() if self.crew_learning else None,
            "class-balance": [share.as_json() for share in self.balance],
            "built-in-confidences": self.builtin.as_json() if self.builtin else None,
            "confusion": {"classes": list(self.classes), "times": self.confusion.tolist()},
            "disputed": [
                {"object": obj.object_id, "dispute": share}
                for share, obj in self.disputes
                if share > 0
            ],
            "requeue": list(self.requeue),
            "gold": self.gold.as_json() if self.gold else None,
            "comments": self.comments,
            "cannot-be-labeled": self.unlabelable,
            "damage": self.job.damage.as_json(),
        }

    def _describe_worker(self, worker: Worker) -> dict[str, Any]:
        """A worker for `--json`, with the name where it is known."""
        curve = self.learning.get(worker.worker_id)
        name = self.names.get(worker.worker_id)
        return {
            **worker.as_json(self.classes),
            **({} if name is None else {"name": name}),
            "learning": curve.as_json() if curve else None,
        }


def collect_contents(
    job: JobOnFile,
    objects: Sequence[ObjectAnnotations],
    labels: ReadLabels,
    *,
    below: float,
    goal: float | None = None,
    ours: ReadLabels | None = None,
    names: Mapping[str, str] | None = None,
    truths: Mapping[str, Truth] | None = None,
    figures: Mapping[str, float] | None = None,
) -> Contents:
    """Work out all the page says.

    `ours` are labels to hold against those of a built-in function, and `names` what workers are
    called, by id.
    """
    classes = job.unit_classes
    workers = tabulate_workers(objects, job.task, len(classes), names)
    flag_workers(workers, objects, job.task, classes)
    flagged = {worker.worker_id for worker in workers.values() if worker.flags}
    trusted = set(workers) - flagged
    if len(trusted) < 2:  # there is no agreement of one
        trusted = set(workers)
    n_values = job.task.n_values(len(classes))
    dispute = remember(lambda choices: measure_dispute(choices, n_values))
    disputes = [(dispute(obj.choices), obj) for obj in objects if obj.workers]
    requeue = tuple(select_for_requeue(job, objects, labels.by_id, below))
    return Contents(
        job=job,
        algorithm=labels.algorithm,
        labels=labels.by_id,
        objects=objects,
        classes=classes,
        agreement=compute_agreement(objects, job.task, classes),
        without=compute_agreement(_only(trusted, objects), job.task, classes)
        if len(trusted) < len(workers)
        else None,
        workers=tuple(
            sorted(
                workers.values(),
                key=lambda worker: (not worker.flags, -worker.answers, worker.name),
            )
        ),
        confusion=_confusion([workers[name] for name in sorted(trusted)], len(classes)),
        disputes=tuple(
            sorted(disputes, key=lambda row: (-row[0], _sureness(row[1].object_id, labels.by_id)))
        ),
        dependence=summarize_dependence(labels.by_id.values()),
        requeue=requeue,
        below=below,
        goal=job.task.usual_goal if goal is None else goal,
        gold=advise_gold_for(job, objects),
        figures=figures or {},
        bins=_reliability(job, labels.by_id, truths or {}),
        replayed=labels.replayed,
        names={worker: name for worker, name in (names or {}).items() if worker in workers},
        learning=measure_learning(workers),
        crew_learning=measure_crew_learning(workers.values()),
        balance=measure_class_balance(
            objects,
            labels.by_id,
            job_type=job.task,
            classes=classes,
            unsure=requeue,
            truths=truths,
        ),
        builtin=_compare_builtin(job, labels, ours, below, truths),
    )


def _compare_builtin(
    job: JobOnFile,
    labels: ReadLabels,
    ours: ReadLabels | None,
    below: float,
    truths: Mapping[str, Truth] | None,
) -> BuiltinConfidences | None:
    if labels.replayed or not is_builtin(labels.by_id.values()):
        return None
    return compare_confidences(
        labels.by_id,
        ours.by_id if ours else {},
        algorithm=ours.replayed if ours else "",
        below=below,
        job_type=job.task,
        truths=truths,
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
    return tuple(bin_by_confidence(sure, right, equal_mass=False))


def _only(workers: Set[str], objects: Sequence[ObjectAnnotations]) -> list[ObjectAnnotations]:
    """The objects with the answers of some workers alone."""
    reduced = []
    for obj in objects:
        kept = [number for number, worker in enumerate(obj.workers) if worker in workers]
        names = tuple(obj.workers[number] for number in kept)
        reduced.append(replace(obj, workers=names, choices=obj.choices[kept]))
    return reduced


def _sureness(object_id: str, labels: Mapping[str, Label]) -> float:
    label = labels.get(object_id)
    return label.confidence if label and label.confidence is not None else math.inf
