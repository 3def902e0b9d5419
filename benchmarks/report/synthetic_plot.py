"""The plot of synthetic crews: how far from the limit accuracy and Brier score are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.common.record import rows_of
from benchmarks.report.plots import COLORS, GREY, LABELS, STYLE, save
from benchmarks.report.synthetic import LIMIT, TASKS

MEASURES = {"accuracy": "accuracy", "brier": "Brier"}
SHOWN = ("majority", "ck-wawa", "ck-dawid-skene", "calibrated")


def draw_synthetic(record: Mapping[str, Any], path: Path) -> None:
    """Draw a dot for each crew and method; a column for each task, a row for each measure."""
    rows = rows_of(record["scores"])
    crews = list(dict.fromkeys(row["crew"] for row in rows))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 10.4), layout="constrained")
        panels = figure.subplots(len(MEASURES), len(TASKS), sharey=True)
        for places, measure in zip(panels, MEASURES, strict=True):
            for axes, (task, (title, word)) in zip(places, TASKS.items(), strict=True):
                _dots(axes, [row for row in rows if row["task"] == task], crews, measure)
                classes, answers = record["plan"]["main"][task]
                axes.set_title(f"{title}: {classes} {word}, {answers} answers", fontsize=11)
        panels[0][0].set_yticks(range(len(crews)), crews)
        panels[0][0].invert_yaxis()
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(SHOWN), fontsize=9)
        save(figure, path)


def _dots(axes: Axes, rows: Sequence[Mapping[str, Any]], crews: Sequence[str], name: str) -> None:
    """How far each method is from the limit, crew by crew."""
    found = {(row["crew"], row["method"]): row[name] for row in rows}
    for method in SHOWN:
        places = [n for n, crew in enumerate(crews) if (crew, method) in found]
        away = [found[crews[n], method] - found[crews[n], LIMIT] for n in places]
        axes.scatter(away, places, s=34, color=COLORS[method], label=LABELS[method])
    axes.axvline(0.0, color=GREY, linewidth=1, linestyle=":")
    axes.set_xlabel(f"{MEASURES[name]} - that of the limit")
    axes.grid(axis="y", color=GREY, linewidth=0.3)
