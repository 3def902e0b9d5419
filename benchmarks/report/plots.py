"""The page's plots: SVG on a transparent ground, in colours that show on white and on black."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.classification.birds import AWS
from benchmarks.classification.speed import SIZES
from benchmarks.common.record import rows_of

GREY = "#808890"
FEWEST_IMAGES = 5
"""Dots of fewer images are drawn together with the next."""
CLASSES = SIZES[0][2]
DASHED = ("kept, in AWS's calls",)
COLORS = {
    "calibrated": "#1a9850",
    "kept, in AWS's calls": "#66a61e",
    "majority": "#808890",
    "ck-wawa": "#8f7fd6",
    "ck-dawid-skene": "#d95f02",
    "ck-dawid-skene-20-rounds": "#d95f02",
    "ck-majority": "#b08d57",
    "dawid-skene-20-rounds": "#3f8fd2",
    AWS: "#e0405e",
}
LABELS = {
    "calibrated": "calibrated (ours)",
    "kept, in AWS's calls": "calibrated, call by call",
    "majority": "majority",
    "ck-wawa": "crowd-kit Wawa",
    "ck-dawid-skene": "crowd-kit DawidSkene",
    "ck-dawid-skene-20-rounds": "crowd-kit DawidSkene, 20 rounds",
    "ck-majority": "crowd-kit MajorityVote",
    "dawid-skene-20-rounds": "dawid-skene, 20 rounds (ours)",
    AWS: "AWS's function",
}
STYLE = {
    "svg.hashsalt": "benchmarks",
    "svg.fonttype": "none",
    "font.size": 11,
    "text.color": GREY,
    "axes.labelcolor": GREY,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def draw_birds(record: Mapping[str, Any], path: Path) -> None:
    """Accuracy against confidence on the birds job; a dot is as large as its share of images."""
    points = rows_of(record["reliability"])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.6), layout="constrained")
        axes = figure.add_subplot()
        for method in (AWS, "majority", "ck-dawid-skene", "kept, in AWS's calls", "calibrated"):
            own = [point for point in points if point["method"] == method]
            own = merged(own)
            _curve(axes, own, method, [point["items"] / record["items"] for point in own])
        _finished(axes, f"birds job: {record['items']} images")
        save(figure, path)


def draw_reliability(record: Mapping[str, Any], path: Path) -> None:
    """Accuracy against confidence over all sets, with 3 answers per item and with all."""
    points = rows_of(record["reliability"])
    sizes = [size for size in (3, "all") if any(point["votes"] == size for point in points)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.8 * len(sizes), 4.4), layout="constrained")
        for place, votes in enumerate(sizes, start=1):
            axes = figure.add_subplot(1, len(sizes), place)
            for method in ("majority", "ck-wawa", "ck-dawid-skene", "calibrated"):
                own = [p for p in points if (p["votes"], p["method"]) == (votes, method)]
                total = sum(point["weight"] for point in own) or 1.0
                _curve(axes, own, method, [point["weight"] / total for point in own])
            _finished(axes, "all answers" if votes == "all" else f"{votes} answers per item")
        save(figure, path)


def draw_speed(record: Mapping[str, Any], path: Path) -> None:
    """CPU time against the number of answers, both axes logarithmic."""
    rows = [row for row in rows_of(record["times"]) if row["classes"] == CLASSES]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.4), layout="constrained")
        axes = figure.add_subplot()
        for method in dict.fromkeys(row["method"] for row in rows):
            own = [row for row in rows if row["method"] == method and row["cpu_seconds"]]
            if method in COLORS and own:
                axes.loglog(
                    [row["answers"] for row in own],
                    [row["cpu_seconds"] for row in own],
                    marker="o",
                    color=COLORS[method],
                    label=LABELS[method],
                )
        axes.set_xlabel(f"answers, {CLASSES} classes")
        axes.set_ylabel("CPU seconds, one thread")
        axes.legend(fontsize=9)
        save(figure, path)


def merged(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Points of too few images together with the next, the last with the one before.

    Parameters
    ----------
    points : sequence of mapping
        Each with `items`, and with means over them.
    """
    groups: list[list[Mapping[str, Any]]] = []
    for point in sorted(points, key=lambda point: float(point["confidence"])):
        if not groups or sum(one["items"] for one in groups[-1]) >= FEWEST_IMAGES:
            groups.append([])
        groups[-1].append(point)
    if len(groups) > 1 and sum(one["items"] for one in groups[-1]) < FEWEST_IMAGES:
        last = groups.pop()
        groups[-1] += last
    found = []
    for group in groups:
        total = sum(one["items"] for one in group)
        means = {
            name: sum(one[name] * one["items"] for one in group) / total
            for name in ("confidence", "accuracy")
        }
        found.append({"items": total, **means})
    return found


def _curve(
    axes: Axes, points: Sequence[Mapping[str, Any]], method: str, shares: Sequence[float]
) -> None:
    if not points:
        return
    across = [point["confidence"] for point in points]
    up = [point["accuracy"] for point in points]
    looks: dict[str, Any] = {
        "linestyle": "--" if method in DASHED else "-",
        "linewidth": 1.8,
        "marker": "o",
    }
    axes.plot(across, up, color=COLORS[method], label=LABELS[method], markersize=3, **looks)
    axes.scatter(across, up, s=[12 + 220 * share for share in shares], color=COLORS[method])


def _finished(axes: Axes, title: str) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":")
    axes.set_xlim(0, 1.03)
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("confidence")
    axes.set_ylabel("accuracy")
    axes.set_title(title, fontsize=11)
    axes.legend(fontsize=9, loc="upper left")


def save(figure: Figure, path: Path) -> None:
    """Write a plot as SVG that shows on light and on dark, the same bytes each time."""
    figure.savefig(path, format="svg", transparent=True, metadata={"Date": None})
    # matplotlib leaves blanks at the ends of lines.
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(map(str.rstrip, text.splitlines())) + "\n", encoding="utf-8")
