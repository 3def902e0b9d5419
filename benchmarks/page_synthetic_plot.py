"""The plot of synthetic crews: how far below the limit each method's accuracy is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.page_plots import COLORS, GREY, LABELS, STYLE, save
from benchmarks.page_synthetic import LIMIT, TASKS
from benchmarks.run_record import rows_of

SHOWN = ("majority", "ck-wawa", "ck-dawid-skene", "calibrated")


def draw_synthetic(record: Mapping[str, Any], path: Path) -> None:
    """Draw a dot for each crew and method; a panel for each task."""
    rows = rows_of(record["scores"])
    crews = list(dict.fromkeys(row["crew"] for row in rows))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 5.4), layout="constrained")
        panels = figure.subplots(1, len(TASKS), sharey=True)
        for axes, (task, (title, word)) in zip(panels, TASKS.items(), strict=True):
            found = {(r["crew"], r["method"]): r["accuracy"] for r in rows if r["task"] == task}
            for method in SHOWN:
                places = [n for n, crew in enumerate(crews) if (crew, method) in found]
                below = [found[crews[n], method] - found[crews[n], LIMIT] for n in places]
                axes.scatter(below, places, s=34, color=COLORS[method], label=LABELS[method])
            axes.axvline(0.0, color=GREY, linewidth=1, linestyle=":")
            classes, answers = record["plan"]["main"][task]
            axes.set_title(f"{title}: {classes} {word}, {answers} answers", fontsize=11)
            axes.set_xlabel("accuracy - that of the limit")
            axes.grid(axis="y", color=GREY, linewidth=0.3)
        panels[0].set_yticks(range(len(crews)), crews)
        panels[0].invert_yaxis()
        panels[0].legend(fontsize=9, loc="lower left")
        save(figure, path)
