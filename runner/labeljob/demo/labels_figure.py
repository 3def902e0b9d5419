"""Picture of a classification job: every photograph with what the crowd made of it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from PIL import Image

from labeljob.crowd.truth import Truth
from labeljob.demo.results import LabeledObject, local_path

STATUS_COLORS = {
    "consensus": "#2e7d32",
    "tie": "#ef6c00",
    "low-confidence": "#8e24aa",
    "single-annotator": "#1565c0",
    "no-usable-answer": "#616161",
    "not-processed": "#9e9e9e",
}

_WRONG = "#c62828"
_THUMBNAIL = 320


def labels_figure(
    title: str, objects: Sequence[LabeledObject], *, truth: Mapping[str, Truth], store: Path
) -> Figure:
    """Draw a grid of photographs, each with label, confidence and votes.

    Parameters
    ----------
    title : str
        The job's name.
    objects : sequence of LabeledObject
        At least one.
    truth : mapping
        By ``source-ref``: a class's name or a set of labels.  What differs is marked.
    store : Path
        The folder that stands for S3.

    Returns
    -------
    matplotlib.figure.Figure
    """
    several = any("class-ids" in item.label for item in objects)
    n_columns = min(len(objects), 4 if several else 8)
    n_rows = math.ceil(len(objects) / n_columns)
    cell = (3.3, 3.3) if several else (1.95, 2.35)
    engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    figure = Figure(figsize=(n_columns * cell[0], n_rows * cell[1] + 1.3), layout=engine)
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    right = 0
    for axes in grid.flat[len(objects) :]:
        axes.set_axis_off()
    for axes, item in zip(grid.flat, objects, strict=False):
        right += _draw_object(axes, item, truth.get(item.source_ref), store)
    figure.suptitle(
        f"{title}: {len(objects)} data objects, {right} labeled as the truth has it",
        fontsize=15,
        fontweight="bold",
    )
    shown = [status for status in STATUS_COLORS if any(item.status == status for item in objects)]
    handles = [
        Patch(facecolor="none", edgecolor=STATUS_COLORS[status], linewidth=3, label=status)
        for status in shown
    ]
    handles.append(Patch(facecolor=_WRONG, label="✗ differs from the truth"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return figure


def _draw_object(axes: Axes, item: LabeledObject, truth: Truth | None, store: Path) -> bool:
    """Draw one data object and say whether its label is as the truth has it."""
    with Image.open(local_path(item.source_ref, store)) as opened:
        image = opened.convert("RGB")
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    axes.imshow(np.asarray(image))
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=STATUS_COLORS.get(item.status, "black"), linewidth=4)
    confidences = _confidences(item)
    expected = frozenset({truth}) if isinstance(truth, str) else truth
    correct = expected == frozenset(confidences)
    lines = [f"{name}  {confidence:.2f}" for name, confidence in confidences.items()]
    axes.set_title(
        ("" if correct else "✗ ") + ("\n".join(lines) or "no label"),
        fontsize=10,
        fontweight="bold",
        color="black" if correct else _WRONG,
    )
    votes = sorted(item.label.get("votes", {}).items(), key=lambda vote: -vote[1])
    below = _wrapped([f"{name} {count:g}" for name, count in votes if count > 0], per_line=3)
    if not correct and isinstance(expected, frozenset):
        below += f"\ntruth: {', '.join(sorted(expected))}"
    axes.set_xlabel(below, fontsize=9, color="#424242" if correct else _WRONG)
    return correct


def _confidences(item: LabeledObject) -> dict[str, float]:
    """Name and confidence of every class in the label."""
    if "class-ids" in item.label:
        names, confidences = item.label["class-map"], item.label["confidence-map"]
        return {names[str(place)]: confidences[str(place)] for place in item.label["class-ids"]}
    if item.label.get("class-name") is not None:
        return {item.label["class-name"]: item.label["confidence"]}
    return {}


def _wrapped(parts: Sequence[str], *, per_line: int) -> str:
    lines = [" · ".join(parts[at : at + per_line]) for at in range(0, len(parts), per_line)]
    return "\n".join(lines)
