"""The page that a report becomes: its sections, and what each is made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from labeljob.history.differences import name_label
from labeljob.history.job import ObjectAnnotations
from labeljob.jobs.image_files import image_name
from labeljob.metrics.dependence import FEW_PAIRS, describe_pairs
from labeljob.metrics.scores import ReliabilityBin
from labeljob.report.classes import SHOWN_CLASSES, collect_classes
from labeljob.report.comments import list_comments, list_unlabelable
from labeljob.report.confusion import rank_mistakes, tabulate_confusion
from labeljob.report.contents import Contents
from labeljob.report.gallery import Drawn, list_colors
from labeljob.report.next_steps import Step
from labeljob.report.page_files import TEMPLATES, dump, make_policy, read_script
from labeljob.report.verdict import count_objects, judge, show_count
from labeljob.report.workers import collect_workers
from labeljob.tasks.base import Truth

FIRST_SCREEN = 6
"""Disputed data objects that are shown first."""

_BARS = 20
_APART = (0.06, 0.2)  # across and upwards


@dataclass(frozen=True)
class Section:
    """One part of the page, under a heading and with a link of its own.

    `name` is its id in the page and the name of its template, ``templates/NAME.html.jinja``.
    `collect` works out what the template gets as `facts`; where that is None the page has no such
    section. Templates also get `contents`, `job`, `propose` (which words a command about the job),
    `pictured` (ids of the data objects whose image the page can show), `steps`, `portal_page`,
    and `sections`, the facts of all sections by name.
    """

    name: str
    title: str
    collect: Callable[[Contents], Any]


def _collect_classes(contents: Contents) -> dict[str, Any]:
    return {"cards": collect_classes(contents), "most": SHOWN_CLASSES}


def _collect_confidence(contents: Contents) -> dict[str, Any]:
    counts, _ = np.histogram(contents.confidences, bins=_BARS, range=(0, 1))
    few = sum(value < contents.below for value in contents.confidences)
    limit = f"{few} below {contents.below:g}, in another color" if few else ""
    points = [f"{it.confidence:.2f}: {it.accuracy:.2f} of {it.count}" for it in contents.bins]
    return {
        "bars": [(int(count), count / counts.max()) for count in counts] if counts.any() else [],
        "caption": f"{show_count(len(contents.confidences), 'label')} by confidence; "
        f"{limit or f'none below {contents.below:g}'}.",
        "labeled": _choose_labeled(contents.bins),
        "points": f"Confidence and share that is right. {'; '.join(points)}.",
        "few_pairs": FEW_PAIRS,
    }


def _choose_labeled(bins: Sequence[ReliabilityBin]) -> list[ReliabilityBin]:
    """Points of a chart whose numbers do not cover each other; the largest numbers are shown."""
    labeled: list[ReliabilityBin] = []
    for point in sorted(bins, key=lambda item: -item.count):
        if not any(
            abs(point.confidence - other.confidence) < _APART[0]
            and abs(point.accuracy - other.accuracy) < _APART[1]
            for other in labeled
        ):
            labeled.append(point)
    return labeled


def _collect_confusion(contents: Contents) -> dict[str, Any]:
    return {"mistakes": rank_mistakes(contents), "matrix": tabulate_confusion(contents)}


SECTIONS = (
    Section("next", "What to do next", lambda contents: contents),
    Section("objects", "All objects", lambda contents: contents.objects),
    Section("classes", "Classes and agreement", _collect_classes),
    Section("balance", "Class balance", lambda contents: contents.balance or None),
    Section("confidence", "Confidence", _collect_confidence),
    Section("builtin", "Built-in confidences", lambda contents: contents.builtin),
    Section("workers", "Workers", collect_workers),
    Section("confusion", "Confusion between classes", _collect_confusion),
    Section("unlabelable", "What cannot be labeled", lambda job: list_unlabelable(job) or None),
    Section("comments", "What workers wrote", lambda contents: list_comments(contents) or None),
    Section("reading", "How to read this", lambda contents: contents),
)


@dataclass(frozen=True, kw_only=True)
class Disputed:
    """A disputed data object on the first screen; `votes` are how many chose what."""

    object_id: str
    file: str
    label: str
    label_names: frozenset[str]
    confidence: float | None
    truth: str
    dispute: float
    votes: list[tuple[str, int]]
    photo: str
    width: int
    height: int
    layer: str


def choose_disputed(
    contents: Contents, drawn: Sequence[Drawn], truths: Mapping[str, Truth]
) -> list[Disputed]:
    """The most disputed data objects, with pictures if there are any; `drawn` are in order."""
    chosen = []
    for (share, obj), pictures in zip(contents.disputes[:FIRST_SCREEN], drawn, strict=False):
        if share == 0:
            break
        label, truth = contents.labels.get(obj.object_id), truths.get(obj.object_id)
        layers = dict(pictures.layers)
        shown = contents.job.task.name_shown(label, obj.choices, contents.classes)
        chosen.append(
            Disputed(
                object_id=obj.object_id,
                file=image_name(obj.source),
                label=", ".join(sorted(shown)) or name_label(label),
                label_names=frozenset(shown),
                confidence=label.confidence if label else None,
                truth=""
                if truth is None
                else ", ".join(sorted(contents.job.task.truth_names(truth))),
                dispute=share,
                votes=_count_votes(contents, obj),
                photo=pictures.photo,
                width=pictures.width,
                height=pictures.height,
                layer=layers.get("disagreement") or next(iter(layers.values()), ""),
            )
        )
    return chosen


def _count_votes(contents: Contents, obj: ObjectAnnotations) -> list[tuple[str, int]]:
    table: dict[str, int] = {}
    for row in obj.choices:
        for name in contents.job.task.name_votes(row, contents.classes):
            table[name] = table.get(name, 0) + 1
    return sorted(table.items(), key=lambda item: (-item[1], item[0]))


def render(
    contents: Contents,
    gallery: Mapping[str, Any],
    disputed: Sequence[Disputed],
    steps: Sequence[Step],
    *,
    propose: Callable[..., str],
    portal_page: str | None = None,
    data_file: str = "",
) -> str:
    """The page as HTML.

    `gallery` is what `tabulate_gallery` gives; it is in the page itself unless it is in
    `data_file`, an address beside the page. `steps` are what to do next, and `portal_page` is the
    address of the job's page in the portal that shows this.
    """
    facts = {section.name: section.collect(contents) for section in SECTIONS}
    facts["objects"] = {
        "count": len(gallery["ids"]),
        "pictures": sum(map(bool, gallery["photos"])) + sum(map(bool, gallery["links"])),
        "drawn": sum(map(bool, gallery["photos"])),
        "links": bool(gallery["links"]),
        "layers": bool(gallery["layers"]),
        "colors": list_colors(contents),
    }
    text: str = _template().render(
        contents=contents,
        job=contents.job,
        count=count_objects(contents),
        verdict=judge(contents),
        disputed=disputed,
        shown=[section for section in SECTIONS if facts[section.name] is not None],
        sections=facts,
        pictured={
            object_id
            for object_id, *photos in zip_longest(
                gallery["ids"], gallery["photos"], gallery["links"], fillvalue=""
            )
            if any(photos)
        },
        steps=steps,
        propose=propose,
        portal_page=portal_page,
        data=Markup("" if data_file else dump(gallery)),  # has no "<"
        data_file=data_file,
        script=Markup(read_script()),  # our own
        policy=make_policy(beside=bool(data_file)),
    )
    return text


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["share"] = _share
    environment.filters["number"] = _number
    environment.filters["count"] = show_count
    environment.filters["duration"] = _duration
    environment.filters["pairs"] = describe_pairs
    environment.filters["bins"] = _bin
    environment.tests["known"] = lambda value: value is not None and not math.isnan(value)
    return environment.get_template("report.html.jinja")


def _bin(values: Sequence[float]) -> list[int]:
    """How many of values in [0, 1] are in each twentieth."""
    counts: list[int] = np.histogram(values, bins=20, range=(0, 1))[0].tolist()
    return counts


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
