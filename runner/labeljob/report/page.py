"""The report: what it says, worked out from the job, and the page it becomes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

from groundtruth.tasks.base import LOW_CONFIDENCE, NO_USABLE_ANSWER, NOT_PROCESSED, TIE, Label
from labeljob.history.differences import name_label
from labeljob.history.job import JobOnFile, ObjectAnnotations
from labeljob.messages import format_count
from labeljob.metrics.agreement import Agreement, compute_agreement, measure_dispute, remember
from labeljob.metrics.dependence import (
    FEW_PAIRS,
    DependenceSummary,
    describe_pairs,
    summarize_dependence,
)
from labeljob.metrics.scores import ReliabilityBin, bin_by_confidence, score_confidences
from labeljob.metrics.workers import Worker, flag_workers, tabulate_workers
from labeljob.report.charts import (
    Chart,
    WorkerPoint,
    draw_confidence_histogram,
    draw_reliability_curve,
    draw_worker_chart,
)
from labeljob.report.pictures import Picture, draw_image
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


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the page is about.

    `labels` are by the data objects' ids; `without` is the agreement of workers without a flag,
    None if nobody has one; `workers` are the suspicious ones first, then by number of answers;
    `confusion` is what workers without a flag said (columns) where the others said something
    (rows); `disputes` are all data objects that were answered, the most disputed first;
    `dependence` is None if the labels do not tell it; `gold` says that known objects are wanted,
    None if they are not; `figures` and `bins` are empty without a
    truth.
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
    gold: GoldAdvice | None
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
            "workers": [worker.as_json(self.classes) for worker in self.workers],
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


def known(value: float) -> float | None:
    """A figure for JSON, which knows no NaN."""
    return None if math.isnan(value) else value


def collect_contents(
    job: JobOnFile,
    objects: Sequence[ObjectAnnotations],
    labels: Mapping[str, Label],
    *,
    algorithm: str,
    below: float,
    truths: Mapping[str, Truth] | None = None,
    figures: Mapping[str, float] | None = None,
) -> Contents:
    """Work out all the page says."""
    classes = job.unit_classes
    workers = tabulate_workers(objects, job.task, len(classes))
    flag_workers(workers, objects, job.task, classes)
    flagged = {worker.worker_id for worker in workers.values() if worker.flags}
    trusted = set(workers) - flagged
    if len(trusted) < 2:  # there is no agreement of one
        trusted = set(workers)
    n_values = job.task.n_values(len(classes))
    dispute = remember(lambda choices: measure_dispute(choices, n_values))
    disputes = [(dispute(obj.choices), obj) for obj in objects if obj.workers]
    return Contents(
        job=job,
        algorithm=algorithm,
        labels=labels,
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
            sorted(disputes, key=lambda row: (-row[0], _sureness(row[1].object_id, labels)))
        ),
        dependence=summarize_dependence(labels.values()),
        requeue=tuple(select_for_requeue(job, objects, labels, below)),
        below=below,
        gold=advise_gold_for(job, objects),
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


def file_name(source: str) -> str:
    """The last part of an image's URI."""
    return PurePosixPath(source).name


TEMPLATE = "report.html.jinja"
TABLE_ROWS = 25
"""Workers that are shown at once; the others unfold."""

MISTAKES = 12
WIDEST_MATRIX = 30


@dataclass(frozen=True, kw_only=True)
class DisputedExample:
    """One disputed data object."""

    object_id: str
    name: str
    dispute: float
    label: str
    confidence: float | None
    truth: str
    votes: list[tuple[str, list[str]]]
    pictures: list[Picture]


def draw_disputed_examples(
    contents: Contents,
    count: int,
    *,
    truths: Mapping[str, Truth] | None = None,
    advance: Callable[[], object] = lambda: None,
) -> list[DisputedExample]:
    """The most disputed data objects of a job, with their images where those can be read."""
    names = {worker.worker_id: worker.name for worker in contents.workers}
    job_type, examples = contents.job.task, []
    for share, obj in [row for row in contents.disputes if row[0] > 0][:count]:
        label = contents.labels.get(obj.object_id)
        truth = (truths or {}).get(obj.object_id)
        examples.append(
            DisputedExample(
                object_id=obj.object_id,
                name=file_name(obj.source),
                dispute=share,
                label=name_label(label),
                confidence=label.confidence if label else None,
                truth="" if truth is None else ", ".join(job_type.truth_names(truth)),
                votes=[] if job_type.label_is_mask else _votes(obj, contents, names),
                pictures=job_type.draw_example(contents.job, obj, label, names),
            )
        )
        advance()
    return examples


def draw_remarked(contents: Contents, count: int) -> dict[str, Picture]:
    """Images of data objects that workers wrote of, so many of each list, by their ids."""
    lists = (_unlabelable(contents), _comments(contents))
    wanted = {
        object_id for rows in lists for object_id in list(dict.fromkeys(r[0] for r in rows))[:count]
    }
    return {
        obj.object_id: picture
        for obj in contents.objects
        if obj.object_id in wanted
        for picture in draw_image(contents.job, obj)
    }


def _votes(
    obj: ObjectAnnotations, contents: Contents, names: Mapping[str, str]
) -> list[tuple[str, list[str]]]:
    table: dict[str, list[str]] = {}
    for worker, choices in zip(obj.workers, obj.choices, strict=True):
        # Of several labels each is a question of its own.
        for name in contents.job.task.name_choices(choices, contents.classes):
            table.setdefault(name, []).append(names[worker])
    return sorted(table.items(), key=lambda row: (-len(row[1]), row[0]))


def render(
    contents: Contents,
    examples: Sequence[DisputedExample],
    remarked: Mapping[str, Picture],
    *,
    propose: Callable[..., str],
) -> str:
    """The page as HTML; `remarked` are images of what workers wrote of."""
    confidences = contents.confidences
    charts: dict[str, Chart] = {}
    if confidences:
        charts["confidence"] = draw_confidence_histogram(confidences, contents.below)
    if contents.bins:
        charts["reliability"] = draw_reliability_curve(contents.bins)
    points = [_point(worker) for worker in contents.workers if worker.agreements]
    if points:
        charts["workers"] = draw_worker_chart(points)
    text: str = _template().render(
        contents=contents,
        job=contents.job,
        charts=charts,
        examples=examples,
        propose=propose,
        table_rows=TABLE_ROWS,
        comments=_comments(contents),
        unlabelable=_unlabelable(contents),
        remarked=remarked,
        matrix=_matrix(contents),
        mistakes=_mistakes(contents),
        colors=_legend(contents),
        few_pairs=FEW_PAIRS,
    )
    return text


def _comments(contents: Contents) -> list[tuple[str, str, str, str, str]]:
    """Object, image's name, label, worker and comment; the most disputed objects first."""
    names = {worker.worker_id: worker.name for worker in contents.workers}
    dispute = {obj.object_id: share for share, obj in contents.disputes}
    return [
        (
            obj.object_id,
            file_name(obj.source),
            name_label(contents.labels.get(obj.object_id)),
            names.get(worker, worker),
            comment,
        )
        for obj in sorted(contents.objects, key=lambda obj: -dispute.get(obj.object_id, 0.0))
        for worker, comment in obj.comments.items()
        if worker not in obj.unlabelable  # where it stands beside the reason
    ]


def _unlabelable(contents: Contents) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """Object, image's name, label, workers and what they say; what most say so of first."""
    names = {worker.worker_id: worker.name for worker in contents.workers}
    rows = [
        (
            obj.object_id,
            file_name(obj.source),
            name_label(contents.labels.get(obj.object_id)),
            [(names.get(worker, worker), why) for worker, why in obj.unlabelable.items()],
        )
        for obj in contents.objects
        if obj.unlabelable
    ]
    return sorted(rows, key=lambda row: -len(row[3]))


def _point(worker: Worker) -> WorkerPoint:
    low, high = worker.interval
    return WorkerPoint(worker.name, worker.answers, worker.agreement, low, high, bool(worker.flags))


def _matrix(contents: Contents) -> list[tuple[str, list[tuple[float, float]]]]:
    """For each class its row of (times, share of the row); empty if it would be too wide."""
    if len(contents.classes) > WIDEST_MATRIX:
        return []
    totals = contents.confusion.sum(axis=1, keepdims=True)
    shares = np.divide(
        contents.confusion, totals, out=np.zeros_like(contents.confusion), where=totals > 0
    )
    return [
        (name, list(zip(times.tolist(), row.tolist(), strict=True)))
        for name, times, row in zip(contents.classes, contents.confusion, shares, strict=True)
    ]


def _mistakes(contents: Contents) -> list[tuple[str, str, float, float]]:
    """What is taken for what, how often, and in which share of the cases."""
    off = contents.confusion * (1 - np.eye(len(contents.classes)))
    totals = contents.confusion.sum(axis=1)
    order = np.argsort(-off, axis=None, kind="stable")[:MISTAKES]
    pairs = [divmod(int(cell), len(contents.classes)) for cell in order]
    return [
        (
            contents.classes[true],
            contents.classes[made],
            float(off[true, made]),
            float(off[true, made] / totals[true]),
        )
        for true, made in pairs
        if off[true, made] > 0
    ]


def _legend(contents: Contents) -> list[tuple[str, str]]:
    """Names and colours of a segmentation job's classes."""
    for label in contents.labels.values():
        if label.classes:
            named = [item for item in label.classes if item.color and item.class_id > 0]
            return [(item.name, item.color) for item in named]
    return []


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["share"] = _share
    environment.filters["number"] = _number
    environment.filters["count"] = format_count
    environment.filters["duration"] = _duration
    environment.filters["pairs"] = describe_pairs
    environment.tests["known"] = lambda value: value is not None and not math.isnan(value)
    return environment.get_template(TEMPLATE)


def _share(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"  # noqa: RUF001  # a dash for a reader
    return "< 1 %" if 0 < value < 0.005 else f"{value:.0%}".replace("%", " %")


def _number(value: float | None, digits: int = 2) -> str:
    if value is None or math.isnan(value):
        return "–"  # noqa: RUF001  # a dash for a reader
    return f"{value:.{digits}f}"


def _duration(seconds: float) -> str:
    """A time for a reader.

    Examples
    --------
    >>> _duration(7.25), _duration(300), _duration(40_000)
    ('7.2 s', '5 min', '11.1 h')
    """
    if math.isnan(seconds):
        return "–"  # noqa: RUF001  # a dash for a reader
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
