"""What a job left behind, and one picture of it for a person to open."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image

from labeljob.demo.material import DemoJob
from labeljob.metrics.scores import mean_iou
from labeljob.report.pictures import disagreement, overlay
from labeljob.simulation.masks import label_colors
from labeljob.simulation.truth import read_truth
from labeljob.simulation.workers import SimulatedWorker
from labeljob.tasks.base import Truth
from labeljob.tasks.registry import find_job_type


@dataclass(frozen=True, kw_only=True)
class LabeledObject:
    """One line of an output manifest with the answers behind it.

    Attributes
    ----------
    object_id : str
        Number of the line, from 0.
    source_ref : str
        S3 URI of the image.
    label : mapping
        The label in ``object`` style; empty if the data object got none.
    answers : tuple of (str, mapping)
        Worker's id and answer's content, sorted by id.
    """

    object_id: str
    source_ref: str
    label: Mapping[str, Any]
    answers: tuple[tuple[str, Mapping[str, Any]], ...]

    @property
    def status(self) -> str:
        """What became of the data object: ``consensus``, ``tie`` …."""
        return str(self.label.get("status", "no-usable-answer"))


def read_results(job_folder: Path, label_attribute_name: str) -> list[LabeledObject]:
    """Read a job's output manifest and worker responses; raises `OSError` or `ValueError`."""
    manifest = job_folder / "manifests" / "output" / "output.manifest"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    results = []
    for number, line in enumerate(line for line in lines if line.strip()):
        record = json.loads(line)
        label = record.get(label_attribute_name)
        results.append(
            LabeledObject(
                object_id=str(number),
                source_ref=record["source-ref"],
                label=label if isinstance(label, dict) else {},
                answers=_answers(job_folder, str(number)),
            )
        )
    return results


def local_path(uri: str, store: Path) -> Path:
    """Say where an S3 URI's object lies in a store that is a folder.

    Examples
    --------
    >>> local_path("s3://bucket/images/1.jpg", Path("store")).as_posix()
    'store/bucket/images/1.jpg'
    """
    return store / uri.removeprefix("s3://")


def answer_mask(content: Mapping[str, Any], labels: Sequence[str]) -> NDArray[np.uint8] | None:
    """Decode the mask of an answer: 0 is background; None if there is no mask to be read."""
    try:
        answer = content["crowd-semantic-segmentation"]
        data = base64.b64decode(answer["labeledImage"]["pngImageData"], validate=True)
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.array(image.convert("RGBA"))
        colors = {
            name: np.frombuffer(bytes.fromhex(entry["color"].removeprefix("#")), dtype=np.uint8)
            for name, entry in answer["labelMappings"].items()
        }
    except (KeyError, TypeError, AttributeError, ValueError, OSError, SyntaxError):
        return None
    mask = np.zeros(pixels.shape[:2], dtype=np.uint8)
    for place, name in enumerate(labels, start=1):
        if name in colors:
            mask[(pixels[..., :3] == colors[name]).all(axis=-1) & (pixels[..., 3] > 0)] = place
    return mask


def _answers(job_folder: Path, object_id: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Answers of one data object: its newest file in the latest iteration that has one."""
    responses = job_folder / "annotations" / "worker-response"
    files = [
        (int(path.parents[1].name.removeprefix("iteration-")), path.name, path)
        for path in responses.glob(f"iteration-*/{object_id}/*.json")
    ]
    if not files:
        return ()
    answers = json.loads(max(files)[2].read_text(encoding="utf-8"))["answers"]
    return tuple(sorted(((a["workerId"], a["answerContent"]) for a in answers), key=lambda a: a[0]))


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
    """Draw a grid of photographs, each with label, confidence and votes."""
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
        return {names[str(index)]: confidences[str(index)] for index in item.label["class-ids"]}
    if item.label.get("class-name") is not None:
        return {item.label["class-name"]: item.label["confidence"]}
    return {}


def _wrapped(parts: Sequence[str], *, per_line: int) -> str:
    lines = [
        " · ".join(parts[start : start + per_line]) for start in range(0, len(parts), per_line)
    ]
    return "\n".join(lines)


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
    """Draw a row of pictures for each data object."""
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
    order = {worker.worker_id: index for index, worker in enumerate(crew)}
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


def draw(
    job: DemoJob,
    job_folder: Path,
    *,
    store: Path,
    out: Path,
    crew: Sequence[SimulatedWorker] = (),
) -> Path:
    """Draw the overview of one job; raises `OSError` or `TruthError`."""
    category_file = json.loads(job.labels.read_text(encoding="utf-8"))
    labels = [entry["label"] for entry in category_file["labels"]]
    truth = read_truth(job.truth, find_job_type(job.task), labels)
    objects = read_results(job_folder, job.label_attribute_name)
    if job.task == "semantic-segmentation":
        figure = masks_figure(job.name, objects, labels=labels, truth=truth, store=store, crew=crew)
    else:
        figure = labels_figure(job.name, objects, truth=truth, store=store)
    FigureCanvasAgg(figure)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110, facecolor="white")
    return out
