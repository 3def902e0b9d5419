"""The page itself: contents put into the template."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from labeljob.history.annotations import ObjectAnnotations
from labeljob.history.differences import named
from labeljob.metrics.workers import Worker
from labeljob.report.charts import (
    Chart,
    WorkerPoint,
    confidence_histogram,
    reliability_curve,
    worker_chart,
)
from labeljob.report.contents import Contents, file_name
from labeljob.report.pictures import Picture
from labeljob.tasks.base import Truth

TEMPLATE = "report.html.jinja"
TABLE_ROWS = 25
"""Workers that are shown at once; the others unfold."""

MISTAKES = 12
WIDEST_MATRIX = 30


@dataclass(frozen=True, kw_only=True)
class DisputedExample:
    """One disputed data object.

    Attributes
    ----------
    object_id, name : str
        The data object, and its image's file name.
    dispute : float
        Share of the answers that are not the most frequent one.
    label : str
        The label, in words.
    confidence : float or None
        The label's.
    truth : str
        The true label, if it is known.
    votes : list of (str, list of str)
        Each answer, and the short names of those who gave it; most frequent first.
    pictures : list of Picture
        The image, or what was painted on it.
    """

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
                label=named(label),
                confidence=label.confidence if label else None,
                truth="" if truth is None else ", ".join(job_type.truth_names(truth)),
                votes=_votes(obj, contents, names) if job_type.classifies else [],
                pictures=job_type.draw_example(contents.job, obj, label, names),
            )
        )
        advance()
    return examples


def _votes(
    obj: ObjectAnnotations, contents: Contents, names: Mapping[str, str]
) -> list[tuple[str, list[str]]]:
    table: dict[str, list[str]] = {}
    for worker, choices in zip(obj.workers, obj.choices, strict=True):
        # Of several labels each is a question of its own.
        for name in contents.job.task.name_choices(choices, contents.classes):
            table.setdefault(name, []).append(names[worker])
    return sorted(table.items(), key=lambda row: (-len(row[1]), row[0]))


def render(contents: Contents, examples: Sequence[DisputedExample], *, command: str) -> str:
    """The page as HTML.

    Parameters
    ----------
    contents : Contents
        What it says.
    examples : sequence of DisputedExample
        The gallery.
    command : str
        The job as the command line names it, for the commands that come next.
    """
    confidences = contents.confidences
    charts: dict[str, Chart] = {}
    if confidences:
        charts["confidence"] = confidence_histogram(confidences, contents.below)
    if contents.bins:
        charts["reliability"] = reliability_curve(contents.bins)
    points = [_point(worker) for worker in contents.workers if worker.agreements]
    if points:
        charts["workers"] = worker_chart(points)
    text: str = _template().render(
        contents=contents,
        job=contents.job,
        charts=charts,
        examples=examples,
        command=command,
        table_rows=TABLE_ROWS,
        matrix=_matrix(contents),
        mistakes=_mistakes(contents),
        colors=_legend(contents),
    )
    return text


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
    places = [divmod(int(at), len(contents.classes)) for at in order]
    return [
        (
            contents.classes[true],
            contents.classes[made],
            float(off[true, made]),
            float(off[true, made] / totals[true]),
        )
        for true, made in places
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
    environment.filters["duration"] = _duration
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
