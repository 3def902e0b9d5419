"""Picture of a segmentation job: photograph, each worker's mask, the label, disagreement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image

from labeljob.crowd.canvas import label_colors
from labeljob.crowd.profiles import SimulatedWorker
from labeljob.crowd.truth import Truth
from labeljob.demo.overlays import disagreement, mean_iou, overlay
from labeljob.demo.results import LabeledObject, answer_mask, local_path

_CELL = 2.35
_HEADING = 0.55


@dataclass(frozen=True, kw_only=True)
class _Row:
    """What one row of the figure shows."""

    name: str
    photo: NDArray[np.uint8]
    truth: NDArray[np.uint8] | None
    masks: list[tuple[str, NDArray[np.uint8] | None]]
    differing: NDArray[np.float64]
    label: NDArray[np.uint8] | None
    label_title: str


def masks_figure(
    title: str,
    objects: Sequence[LabeledObject],
    *,
    labels: Sequence[str],
    truth: Mapping[str, Truth],
    store: Path,
    crew: Sequence[SimulatedWorker] = (),
) -> Figure:
    """Draw a row of pictures for each data object.

    Parameters
    ----------
    title : str
        The job's name.
    objects : sequence of LabeledObject
        At least one.
    labels : sequence of str
        All classes, in the order of the label category file.
    truth : mapping
        True masks by ``source-ref``; each mask's mean IoU with it is given.
    store : Path
        The folder that stands for S3.
    crew : sequence of SimulatedWorker, optional
        Tells the workers' kinds, and the order in which they are shown.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = [_read_row(item, labels, truth.get(item.source_ref), store, crew) for item in objects]
    colors = list(label_colors(labels).values())
    n_columns = 3 + max(len(row.masks) for row in rows)
    heights = [_CELL * row.photo.shape[0] / row.photo.shape[1] + _HEADING for row in rows]
    engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    figure = Figure(figsize=(n_columns * _CELL + 0.8, sum(heights) + 1.2), layout=engine)
    grid = figure.subplots(
        len(rows), n_columns, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[], frame_on=False)
    scale = Normalize(0.0, max([0.5, *(row.differing.max() for row in rows)]))
    for row, line in zip(rows, grid, strict=True):
        _draw_row(row, list(line), colors, scale)
    figure.suptitle(
        f"{title}: what each worker painted, what came of it, and where they differ",
        fontsize=15,
        fontweight="bold",
    )
    handles = [Patch(color=color, label=name) for name, color in zip(labels, colors, strict=True)]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    figure.colorbar(
        ScalarMappable(scale, "magma"),
        ax=grid[:, -1].tolist(),
        label="share of workers against the most frequent class",
        fraction=0.08,
    )
    return figure


def _read_row(
    item: LabeledObject,
    labels: Sequence[str],
    truth: Truth | None,
    store: Path,
    crew: Sequence[SimulatedWorker],
) -> _Row:
    with Image.open(local_path(item.source_ref, store)) as image:
        photo = np.array(image.convert("RGB"))
    kinds = {worker.worker_id: worker.kind for worker in crew}
    order = {worker.worker_id: place for place, worker in enumerate(crew)}
    answers = sorted(item.answers, key=lambda answer: order.get(answer[0], len(order)))
    label = None
    if item.label.get("mask-ref") is not None:
        with Image.open(local_path(item.label["mask-ref"], store)) as image:
            label = np.array(image)
    masks = [
        (
            f"{kinds.get(worker, 'worker')} …{worker[-4:]}",
            _fitting(answer_mask(content, labels), photo),
        )
        for worker, content in answers
    ]
    usable = [mask for _, mask in masks if mask is not None]
    return _Row(
        name=PurePosixPath(item.source_ref).name,
        photo=photo,
        truth=truth if isinstance(truth, np.ndarray) else None,
        masks=masks,
        differing=disagreement(usable, len(labels)) if usable else np.zeros(photo.shape[:2]),
        label=_fitting(label, photo),
        label_title=f"label: {item.status}{_confidence(item)}",
    )


def _draw_row(row: _Row, line: Sequence[Axes], colors: Sequence[str], scale: Normalize) -> None:
    line[0].imshow(row.photo)
    line[0].set_title("photograph", fontsize=9)
    line[0].set_ylabel(row.name, fontsize=10, fontweight="bold")
    for axes, (who, mask) in zip(line[1:], row.masks, strict=False):
        _draw_mask(axes, row, mask, who, colors)
    _draw_mask(line[-2], row, row.label, row.label_title, colors)
    line[-2].title.set_fontweight("bold")
    line[-1].imshow(row.differing, cmap="magma", norm=scale)
    line[-1].set_title("disagreement", fontsize=9)


def _draw_mask(
    axes: Axes, row: _Row, mask: NDArray[np.uint8] | None, title: str, colors: Sequence[str]
) -> None:
    if mask is None:
        axes.imshow(row.photo, alpha=0.3)
        axes.set_title(f"{title}\nno usable mask", fontsize=9)
        return
    axes.imshow(overlay(row.photo, mask, colors))
    quality = "" if row.truth is None else f"\nmean IoU {mean_iou(mask, row.truth):.2f}"
    axes.set_title(title + quality, fontsize=9)


def _fitting(mask: NDArray[np.uint8] | None, photo: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the mask if it is as large as the photograph."""
    return mask if mask is not None and mask.shape == photo.shape[:2] else None


def _confidence(item: LabeledObject) -> str:
    confidence = item.label.get("confidence")
    return "" if confidence is None else f", {confidence:.2f}"
