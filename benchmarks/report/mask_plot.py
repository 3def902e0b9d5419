"""The plot of how long masks take to fuse."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.report.plots import STYLE, save
from benchmarks.segmentation.plan import CROWD_KIT, DENSE, OURS, SITK, TORCH

LOOKS = {
    OURS: ("ours, with confidences", "#1a9850", "D"),
    SITK: (SITK, "#d95f02", "x"),
    DENSE: (DENSE, "#808890", "o"),
    TORCH: (TORCH, "#8f7fd6", "^"),
    CROWD_KIT: (CROWD_KIT, "#c77f00", "+"),
}
"""Label, colour and mark of each method."""


def draw_masks(record: Mapping[str, Any], path: Path) -> None:
    """CPU time of the fusion of class maps, case by case, on a logarithmic axis.

    Parameters
    ----------
    record : mapping
        What `benchmarks.segmentation.speed` wrote.
    path : Path
        Of the SVG.
    """
    cases = [case for case in record["cases"] if case["kind"] == "fusion"]
    sizes = list(dict.fromkeys(case["size"] for case in cases))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.8, 1.6 + 0.32 * len(sizes)), layout="constrained")
        axes = figure.add_subplot()
        for method, (label, color, mark) in LOOKS.items():
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
