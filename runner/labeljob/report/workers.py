"""The workers of a job, each with a page of its own, for the report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from labeljob.history.differences import name_label
from labeljob.history.job import ObjectAnnotations
from labeljob.jobs.image_files import image_name
from labeljob.metrics.learning import LearningCurve
from labeljob.metrics.workers import Worker
from labeljob.report.contents import Contents
from labeljob.report.curves import draw_learning_curve, draw_worker_ranks, find_lowest

MOST_PAGES = 200
"""Workers who have a page; the others are counted."""

SHOWN_AT_ONCE = 24
"""Workers whose cards are not folded away."""

WIDEST_MATRIX = 12
MOST_EXAMPLES = 6
MOST_COMMENTS = 5


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """An answer of a worker that the others contradict.

    `label` and `said` are in words; `agreement` with the others is in [0, 1].
    """

    object_id: str
    name: str
    label: str
    said: str
    agreement: float


@dataclass(frozen=True, kw_only=True)
class WorkerPage:
    """All that the page tells of one worker.

    Attributes
    ----------
    worker : Worker
        The worker.
    curve : LearningCurve or None
        Agreement over time; None with too few dated answers.
    chart : Markup
        The same as a picture; empty without it.
    classes : list of str
        Classes of the rows and columns of `matrix`: those that the worker or the others named.
    matrix : list of (str, list of float)
        For each class that the others say, which share of the answers says which class; empty if
        it would be too wide, or has nothing to tell.
    against : list of Contradiction
        Answers that the others contradict, those that they agree on most first.
    comments : list of (str, str)
        Data object and what the worker wrote of it, a few.
    n_comments : int
        How many there are.
    """

    worker: Worker
    curve: LearningCurve | None
    chart: Markup
    classes: list[str]
    matrix: list[tuple[str, list[float]]]
    against: list[Contradiction]
    comments: list[tuple[str, str]]
    n_comments: int


@dataclass(frozen=True, kw_only=True)
class WorkersFacts:
    """What the section of workers tells.

    Attributes
    ----------
    ranks : Markup
        All workers by agreement; empty if nobody can be compared.
    crew_curve : LearningCurve or None
        All answers over time.
    crew_chart : Markup
        The same as a picture; empty without it.
    usual : float
        Mean agreement of all answers, in [0, 1].
    lowest : float
        Where the axis of agreement begins in charts over time, in [0, 0.5].
    pages : list of WorkerPage
        Suspicious workers first, then by number of answers.
    shown_at_once : int
        How many of them are not folded away.
    without_page : int
        Workers who are only counted.
    has_names : bool
        Whether workers are called by names.
    has_pace : bool
        Whether times are those between two answers, for want of the time for a task.
    """

    ranks: Markup
    crew_curve: LearningCurve | None
    crew_chart: Markup
    usual: float
    lowest: float
    pages: list[WorkerPage]
    shown_at_once: int
    without_page: int
    has_names: bool
    has_pace: bool


def collect_workers(contents: Contents) -> WorkersFacts:
    """Work out what the section of workers tells."""
    compared = [worker for worker in contents.workers if worker.compared]
    usual = fmean([value for worker in compared for value in worker.agreements] or [0.0])
    crew = contents.crew_learning
    lowest = find_lowest([*contents.learning.values(), *([crew] if crew else [])])
    shown = contents.workers[:MOST_PAGES]
    objects = {obj.object_id: obj for obj in contents.objects}
    disputes = {obj.object_id: share for share, obj in contents.disputes}
    comments: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for obj in contents.objects:
        for worker_id, text in obj.comments.items():
            comments[worker_id].append((obj.object_id, text))
    pages = []
    for worker in shown:
        curve = contents.learning.get(worker.worker_id)
        classes, matrix = _tabulate(worker, contents.classes)
        own = comments.get(worker.worker_id, [])
        pages.append(
            WorkerPage(
                worker=worker,
                curve=curve,
                chart=draw_learning_curve(curve, usual, lowest) if curve else Markup(""),
                classes=classes,
                matrix=matrix,
                against=_find_contradictions(worker, contents, objects, disputes),
                comments=own[:MOST_COMMENTS],
                n_comments=len(own),
            )
        )
    return WorkersFacts(
        ranks=draw_worker_ranks(compared) if compared else Markup(""),
        crew_curve=crew,
        crew_chart=draw_learning_curve(crew, usual, lowest) if crew else Markup(""),
        usual=usual,
        lowest=lowest,
        pages=pages,
        shown_at_once=SHOWN_AT_ONCE,
        without_page=len(contents.workers) - len(shown),
        has_names=bool(contents.names),
        has_pace=all(worker.seconds != worker.seconds for worker in contents.workers),
    )


def _tabulate(
    worker: Worker, classes: Sequence[str]
) -> tuple[list[str], list[tuple[str, list[float]]]]:
    """What the others said (rows) and the worker (columns), as shares of the rows."""
    used = sorted({index for pair in worker.confusion for index in pair})
    if not 2 <= len(used) <= WIDEST_MATRIX:
        return [], []
    rows = []
    for true in used:
        times = [worker.confusion.get((true, said), 0.0) for said in used]
        total = sum(times)
        rows.append((classes[true], [value / total if total else 0.0 for value in times]))
    return [classes[index] for index in used], rows


def _find_contradictions(
    worker: Worker,
    contents: Contents,
    objects: Mapping[str, ObjectAnnotations],
    disputes: Mapping[str, float],
) -> list[Contradiction]:
    """Answers with the least agreement; of equals those that fewest others dispute."""
    against = sorted(
        (item for item in worker.compared if item.agreement < 0.5),
        key=lambda item: (item.agreement, disputes.get(item.object_id, 0.0)),
    )
    found = []
    for item in against[:MOST_EXAMPLES]:
        obj = objects[item.object_id]
        own = obj.choices[obj.workers.index(worker.worker_id)]
        found.append(
            Contradiction(
                object_id=item.object_id,
                name=image_name(obj.source),
                label=name_label(contents.labels.get(item.object_id)),
                said=contents.job.task.describe_answer(own, contents.classes),
                agreement=item.agreement,
            )
        )
    return found
