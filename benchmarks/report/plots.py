"""The page's plots: SVG on a transparent ground, in colours that show on white and on black."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks.classification.birds import AWS
from benchmarks.classification.methods import SIZES
from benchmarks.common.record import rows_of
from benchmarks.scaling.__main__ import CK_SAME_ROUNDS, SAME_ROUNDS, SITK_FUSION, SITK_WHOLE
from benchmarks.segmentation.speed import CROWD_KIT, DENSE, OURS, SITK, TORCH

Row: TypeAlias = Mapping[str, Any]

TASKS = {
    "one": ("One class an object", "classes"),
    "several": ("Several labels an object", "labels"),
}
"""Title of each task of the synthetic crews, and the word for its classes."""
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

SYNTHETIC_MEASURES = {"accuracy": "accuracy", "brier": "Brier"}
SYNTHETIC_SHOWN = ("majority", "ck-wawa", "ck-dawid-skene", "calibrated")

SCALING_LOOKS = {
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
SCALING_ROWS = (
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

MASK_LOOKS = {
    OURS: ("ours, with confidences", "#1a9850", "D"),
    SITK: (SITK, "#d95f02", "x"),
    DENSE: (DENSE, "#808890", "o"),
    TORCH: (TORCH, "#8f7fd6", "^"),
    CROWD_KIT: (CROWD_KIT, "#c77f00", "+"),
}
"""Label, colour and mark of each method."""


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
    """Points of too few images together with the next, the last with the one before."""
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


def draw_synthetic(record: Mapping[str, Any], path: Path) -> None:
    """Draw a dot for each crew and method; a column for each task, a row for each measure."""
    rows = rows_of(record["scores"])
    crews = list(dict.fromkeys(row["crew"] for row in rows))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 10.4), layout="constrained")
        panels = figure.subplots(len(SYNTHETIC_MEASURES), len(TASKS), sharey=True)
        for places, measure in zip(panels, SYNTHETIC_MEASURES, strict=True):
            for axes, (task, (title, word)) in zip(places, TASKS.items(), strict=True):
                _dots(axes, [row for row in rows if row["task"] == task], crews, measure)
                classes, answers = record["plan"]["main"][task]
                axes.set_title(f"{title}: {classes} {word}, {answers} answers", fontsize=11)
        panels[0][0].set_yticks(range(len(crews)), crews)
        panels[0][0].invert_yaxis()
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside upper center", ncols=len(SYNTHETIC_SHOWN), fontsize=9
        )
        save(figure, path)


def _dots(axes: Axes, rows: Sequence[Mapping[str, Any]], crews: Sequence[str], name: str) -> None:
    """How far each method is from the limit, crew by crew."""
    found = {(row["crew"], row["method"]): row[name] for row in rows}
    for method in SYNTHETIC_SHOWN:
        places = [n for n, crew in enumerate(crews) if (crew, method) in found]
        away = [found[crews[n], method] - found[crews[n], "limit"] for n in places]
        axes.scatter(away, places, s=34, color=COLORS[method], label=LABELS[method])
    axes.axvline(0.0, color=GREY, linewidth=1, linestyle=":")
    axes.set_xlabel(f"{SYNTHETIC_MEASURES[name]} - that of the limit")
    axes.grid(axis="y", color=GREY, linewidth=0.3)


def draw_scaling(record: Row, path: Path) -> None:
    """Time and memory of each method against each size, all axes logarithmic."""
    rows = rows_of(record["times"])
    with mpl.rc_context({**STYLE, "font.size": 10}):
        figure = Figure(figsize=(10.2, 10.2), layout="constrained")
        for part, panels in zip(figure.subfigures(len(SCALING_ROWS), 1), SCALING_ROWS, strict=True):
            places = part.subplots(1, len(panels))
            for axes, (title, measure, curves) in zip(places, panels, strict=True):
                for curve, before in curves:
                    own = [row for row in rows if row["curve"] == curve]
                    _draw_methods(axes, own, measure, before)
                _log_axes(axes, title, UNITS[measure])
                if curves is CREWS:
                    _ticks_at(axes, [row["size"] for row in rows if row["curve"] == CREWS[0][0]])
            handles, labels = places[0].get_legend_handles_labels()
            part.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
        save(figure, path)


def _draw_methods(axes: Axes, rows: Sequence[Row], measure: str, before: str) -> None:
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        label, color, mark, line = SCALING_LOOKS[before + method]
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


def _log_axes(axes: Axes, title: str, unit: str) -> None:
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


def draw_masks(record: Mapping[str, Any], path: Path) -> None:
    """CPU time of the fusion of class maps, case by case, on a logarithmic axis."""
    cases = [case for case in record["cases"] if case["kind"] == "fusion"]
    sizes = list(dict.fromkeys(case["size"] for case in cases))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.8, 1.6 + 0.32 * len(sizes)), layout="constrained")
        axes = figure.add_subplot()
        for method, (label, color, mark) in MASK_LOOKS.items():
            own = [case for case in cases if case["name"] == method]
            if own:
                across = [case["cpu_ms"] for case in own]
                down = [sizes.index(case["size"]) for case in own]
                axes.plot(across, down, mark, color=color, label=label)
        axes.set_xscale("log")
        axes.set_yticks(range(len(sizes)), sizes)
        axes.invert_yaxis()
        axes.grid(axis="y", alpha=0.3)
        axes.set_xlabel("CPU milliseconds, one thread")
        figure.legend(loc="outside upper center", ncols=2, fontsize=9)
        save(figure, path)


PLOTS: Mapping[str, tuple[str, Callable[[Row, Path], None]]] = {
    "birds": ("birds.svg", draw_birds),
    "quality": ("reliability.svg", draw_reliability),
    "synthetic": ("synthetic.svg", draw_synthetic),
    "speed": ("speed.svg", draw_speed),
    "scaling": ("scaling.svg", draw_scaling),
    "masks": ("masks.svg", draw_masks),
}


def draw_plots(records: Mapping[str, Any], folder: Path) -> None:
    """Draw the plots of the results that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (file, draw) in PLOTS.items():
        if records.get(name):
            draw(records[name], folder / file)
