"""The plot of how time and memory grow."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks.common.record import rows_of
from benchmarks.report.plots import STYLE, save
from benchmarks.scaling.curves import CK_SAME_ROUNDS, SAME_ROUNDS, SITK_FUSION, SITK_WHOLE

LOOKS = {
    "majority": ("majority", "#808890", "o", "-"),
    "label-shares": ("majority", "#808890", "o", "-"),
    "weighted": ("weighted", "#b08d57", "v", "-"),
    "dawid-skene": ("dawid-skene", "#3f8fd2", "s", "-"),
    SAME_ROUNDS: ("dawid-skene, 20 rounds", "#8f7fd6", "^", "-"),
    "calibrated": ("calibrated (default)", "#1a9850", "D", "-"),
    "multi-label": ("calibrated (default)", "#1a9850", "D", "-"),
    "ck-majority": ("crowd-kit MajorityVote", "#c77f00", "x", ":"),
    CK_SAME_ROUNDS: ("crowd-kit DawidSkene, 20 rounds", "#d95f02", "+", ":"),
    "pipeline ours": ("ours, whole object", "#1a9850", "D", "-"),
    "fusion ours": ("ours, fusion", "#3f8fd2", "s", "-"),
    f"pipeline {SITK_WHOLE}": ("SimpleITK LabelVoting, whole object", "#d95f02", "x", ":"),
    f"fusion {SITK_FUSION}": ("SimpleITK LabelVoting, fusion", "#c77f00", "+", ":"),
}
"""Label, colour, mark and line of each method."""

PIXELS = (("pixels, whole object", "pipeline "), ("pixels, fusion", "fusion "))
CREWS = (("workers of masks, whole object", "pipeline "), ("workers of masks, fusion", "fusion "))
ROWS = (
    (
        ("answers", "time", (("answers", ""),)),
        ("answers", "memory", (("answers", ""),)),
        ("workers", "time", (("workers", ""),)),
    ),
    (
        ("classes", "time", (("classes", ""),)),
        ("classes", "memory", (("classes", ""),)),
        ("labels, several an object", "time", (("labels", ""),)),
    ),
    (
        ("megapixels of a mask", "time", PIXELS),
        ("megapixels of a mask", "memory", PIXELS),
        ("workers who paint a mask", "time", CREWS),
    ),
)
"""Panels: what is across, what is up, and the curves, each with how its looks' names begin."""

UNITS = {"time": "CPU seconds", "memory": "MiB"}
LEAST_SPAN = 100.0

type Row = Mapping[str, Any]


def draw_scaling(record: Row, path: Path) -> None:
    """Time and memory of each method against each size, all axes logarithmic."""
    rows = rows_of(record["times"])
    with mpl.rc_context({**STYLE, "font.size": 10}):
        figure = Figure(figsize=(10.2, 10.2), layout="constrained")
        for part, panels in zip(figure.subfigures(len(ROWS), 1), ROWS, strict=True):
            places = part.subplots(1, len(panels))
            for axes, (title, measure, curves) in zip(places, panels, strict=True):
                for curve, before in curves:
                    own = [row for row in rows if row["curve"] == curve]
                    _lines(axes, own, measure, before)
                _finished(axes, title, UNITS[measure])
                if curves is CREWS:
                    _ticks_at(axes, [row["size"] for row in rows if row["curve"] == CREWS[0][0]])
            handles, labels = places[0].get_legend_handles_labels()
            part.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
        save(figure, path)


def _lines(axes: Axes, rows: Sequence[Row], measure: str, before: str) -> None:
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        label, color, mark, line = LOOKS[before + method]
        up = [
            row["cpu_seconds"] if measure == "time" else row["inputs_mib"] + row["run_mib"]
            for row in own
        ]
        across = [row["size"] for row in own]
        looks = {"color": color, "marker": mark, "linestyle": line, "label": label}
        axes.plot(across, up, markersize=5, **looks)


def _ticks_at(axes: Axes, sizes: Sequence[float]) -> None:
    """Few sizes within a power of ten, each with its tick."""
    places = sorted(set(sizes))
    axes.set_xticks(places, [f"{size:g}" for size in places])
    axes.xaxis.set_minor_locator(NullLocator())


def _finished(axes: Axes, title: str, unit: str) -> None:
    """Logarithmic axes; upwards two powers of ten at least, so that what is flat looks flat."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    if high < LEAST_SPAN * low:
        middle = (low * high) ** 0.5
        axes.set_ylim(middle / LEAST_SPAN**0.5, middle * LEAST_SPAN**0.5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    axes.set_xlabel(title)
    axes.set_ylabel(unit)
