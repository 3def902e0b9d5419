"""The page that a report becomes: its sections, and what each is made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from labeljob.messages import format_count
from labeljob.metrics.dependence import FEW_PAIRS, describe_pairs
from labeljob.metrics.workers import Worker
from labeljob.report.charts import (
    Chart,
    WorkerPoint,
    draw_confidence_histogram,
    draw_reliability_curve,
    draw_worker_chart,
)
from labeljob.report.comments import list_comments, list_unlabelable
from labeljob.report.confusion import rank_mistakes, tabulate_confusion
from labeljob.report.contents import Contents
from labeljob.report.examples import DisputedExample, list_colors
from labeljob.report.pictures import Picture

TABLE_ROWS = 25
"""Workers that are shown at once; the others unfold."""


@dataclass(frozen=True)
class Section:
    """One part of the page, under a heading and with a link of its own.

    `name` is its id in the page and the name of its template, ``templates/NAME.html.jinja``.
    `collect` works out what the template gets as `facts`; where that is None the page has no such
    section. Templates also get `contents`, `job`, `propose` (which words a command about the job),
    and `sections`, the facts of all sections by name.
    """

    name: str
    title: str
    collect: Callable[[Contents], Any]


def _collect_next(contents: Contents) -> dict[str, Any]:
    return {"mistakes": rank_mistakes(contents), "unlabelable": list_unlabelable(contents)}


def _collect_confidence(contents: Contents) -> dict[str, Any]:
    charts: dict[str, Chart] = {}
    if contents.confidences:
        charts["confidence"] = draw_confidence_histogram(contents.confidences, contents.below)
    if contents.bins:
        charts["reliability"] = draw_reliability_curve(contents.bins)
    return {"charts": charts, "few_pairs": FEW_PAIRS}


def _collect_workers(contents: Contents) -> dict[str, Any]:
    points = [_point(worker) for worker in contents.workers if worker.agreements]
    return {"chart": draw_worker_chart(points) if points else None, "table_rows": TABLE_ROWS}


def _collect_confusion(contents: Contents) -> dict[str, Any]:
    return {"mistakes": rank_mistakes(contents), "matrix": tabulate_confusion(contents)}


SECTIONS = (
    Section("next", "What to do next", _collect_next),
    Section("agreement", "Agreement", lambda contents: contents.agreement),
    Section("confidence", "Confidence", _collect_confidence),
    Section("workers", "Workers", _collect_workers),
    Section("confusion", "Confusion", _collect_confusion),
    Section("disputed", "Disputed objects", list_colors),
    Section("unlabelable", "Not to be labeled", lambda job: list_unlabelable(job) or None),
    Section("comments", "Comments", lambda contents: list_comments(contents) or None),
    Section("reading", "How to read this", lambda contents: contents),
)


def render(
    contents: Contents,
    examples: Sequence[DisputedExample],
    remarked: Mapping[str, Picture],
    *,
    propose: Callable[..., str],
) -> str:
    """The page as HTML; `remarked` are images of what workers wrote of."""
    facts = {section.name: section.collect(contents) for section in SECTIONS}
    text: str = _template().render(
        contents=contents,
        job=contents.job,
        shown=[section for section in SECTIONS if facts[section.name] is not None],
        sections=facts,
        examples=examples,
        remarked=remarked,
        propose=propose,
    )
    return text


def _point(worker: Worker) -> WorkerPoint:
    low, high = worker.interval
    return WorkerPoint(worker.name, worker.answers, worker.agreement, low, high, bool(worker.flags))


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
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
    return environment.get_template("report.html.jinja")


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
