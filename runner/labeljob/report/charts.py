"""Charts as inline SVG that take their colours from the page, in light, dark and print."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from labeljob.messages import format_count
from labeljob.metrics.scores import ReliabilityBin

_INK, _ACCENT, _WARN, _FAINT = "#010101", "#020202", "#030303", "#040404"
_VARIABLES = {
    _INK: "var(--ink)",
    _ACCENT: "var(--accent)",
    _WARN: "var(--warn)",
    _FAINT: "var(--line)",
}
_MEASURED_WITH = "DejaVu Sans"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": _MEASURED_WITH,
    "font.size": 11,
    "text.color": _INK,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _FAINT,
    "grid.linewidth": 0.6,
    "text.parse_math": False,
}
_SMALL: dict[str, Any] = {"fontsize": 9, "color": _INK}
_WIDTH, _HEIGHT = 4.7, 3.1


@dataclass(frozen=True)
class Chart:
    """A chart and what it shows, for those who cannot see it."""

    svg: Markup
    caption: str


def draw_confidence_histogram(confidences: Sequence[float], below: float) -> Chart:
    """How many labels have which confidence; those to be labeled again stand out."""
    counts, edges = np.histogram(confidences, bins=20, range=(0, 1))
    figure, axes = _figure()
    colors = [_WARN if left + 1e-9 < below else _ACCENT for left in edges[:-1]]
    bars = axes.bar(edges[:-1], counts, width=np.diff(edges) * 0.9, align="edge", color=colors)
    axes.bar_label(bars, [str(count) if count else "" for count in counts], **_SMALL)
    axes.set(xlim=(0, 1), xlabel="confidence", ylabel="labels")
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    few = sum(value < below for value in confidences)
    caption = f"{format_count(len(confidences), 'label')} by confidence; " + (
        f"{few} below {below:g}, in another color." if few else f"none below {below:g}."
    )
    return Chart(_svg(figure, "confidence"), caption)


def draw_reliability_curve(bins: Sequence[ReliabilityBin]) -> Chart:
    """Share of right labels against their confidence; the diagonal is a confidence to rely on."""
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color=_FAINT, linestyle="--")
    sure = [item.confidence for item in bins]
    right = [item.accuracy for item in bins]
    sizes = [24 + 260 * item.count / max(other.count for other in bins) for item in bins]
    axes.scatter(sure, right, s=sizes, color=_ACCENT, alpha=0.8, clip_on=False)
    for item in bins:
        position = (item.confidence, item.accuracy)
        axes.annotate(
            str(item.count),
            position,
            xytext=(0, 9 if item.accuracy < 0.1 else -18),
            textcoords="offset points",
            ha="center",
            **_SMALL,
        )
    axes.set(xlim=(0, 1.03), ylim=(0, 1.03), xlabel="confidence", ylabel="share that is right")
    points = "; ".join(
        f"{item.confidence:.2f}: {item.accuracy:.2f} of {item.count}" for item in bins
    )
    return Chart(_svg(figure, "reliability"), f"Confidence and share that is right. {points}.")


@dataclass(frozen=True)
class WorkerPoint:
    """One worker in the chart of workers."""

    name: str
    answers: int
    agreement: float
    low: float
    high: float
    flagged: bool


def draw_worker_chart(points: Sequence[WorkerPoint]) -> Chart:
    """Agreement of each worker with the others against the number of answers."""
    figure, axes = _figure()
    for flagged, color in ((False, _ACCENT), (True, _WARN)):
        some = [point for point in points if point.flagged is flagged]
        if not some:
            continue
        level = np.array([point.agreement for point in some])
        bars = np.array([[item.agreement - item.low, item.high - item.agreement] for item in some])
        axes.errorbar(
            [point.answers for point in some],
            level,
            yerr=np.maximum(bars, 0).T,
            fmt="s" if flagged else "o",
            color=color,
            markersize=5,
            elinewidth=0.7,
            alpha=0.85,
        )
    for point in points:
        if point.flagged:
            position = (point.answers, point.agreement)
            axes.annotate(point.name, position, xytext=(5, 5), textcoords="offset points", **_SMALL)
    axes.set(ylim=(0, 1.03), xlabel="answers", ylabel="agreement with the others")
    axes.set_xlim(left=0)
    flagged_names = ", ".join(point.name for point in points if point.flagged) or "none"
    return Chart(
        _svg(figure, "workers"),
        f"{format_count(len(points), 'worker')}, 95 % intervals; to be checked: {flagged_names}.",
    )


def _figure() -> tuple[Figure, Axes]:
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        axes = figure.subplots()
        axes.tick_params(colors=_INK, length=0)
    return figure, axes


def _svg(figure: Figure, name: str) -> Markup:
    """The chart without what belongs to a file of its own, and in the page's colours."""
    FigureCanvasSVG(figure)
    body = io.StringIO()
    with rc_context({**_STYLE, "svg.hashsalt": name}):
        figure.savefig(body, format="svg", transparent=True, metadata={"Date": None})
    text = body.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1 aria-hidden="true"', text, count=1)
    # Numbers of parts are the same in every chart, and a page may have each only once.
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", text)
    text = text.replace(f"'{_MEASURED_WITH}'", "system-ui, sans-serif")
    for color, variable in _VARIABLES.items():
        text = text.replace(color, variable)
    return Markup(text)  # made here, of numbers and names that Matplotlib escapes
