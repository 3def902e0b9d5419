"""What a job left behind, and one picture of it for a person to open."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

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

from groundtruth.annotations import AnswerReader, Entry
from groundtruth.contract.fields import parse_label_categories
from groundtruth.tasks.base import Label
from labeljob.demo.material import DemoJob
from labeljob.history.job import Given, JobOnFile, read_job, read_job_mask
from labeljob.history.job_files import OutputLine
from labeljob.jobs.job_location import ReadOnly, find_job
from labeljob.messages import format_count
from labeljob.metrics.scores import mean_iou
from labeljob.report.pictures import disagreement
from labeljob.simulation.masks import label_colors
from labeljob.simulation.truth import read_truth
from labeljob.simulation.workers import SimulatedWorker
from labeljob.tasks.base import Truth
from labeljob.tasks.registry import find_job_type
from labeljob.tasks.semantic_segmentation import read_masks

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


def labels_figure(title: str, job: JobOnFile, *, truth: Mapping[str, Truth], store: Path) -> Figure:
    """Draw a grid of photographs, each with label, confidence and votes."""
    objects = [(line.source, _label(line, job)) for line in job.lines]
    n_columns = min(len(objects), 8 if job.task.single_choice else 4)
    n_rows = math.ceil(len(objects) / n_columns)
    cell = (1.95, 2.35) if job.task.single_choice else (3.3, 3.3)
    engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    figure = Figure(figsize=(n_columns * cell[0], n_rows * cell[1] + 1.3), layout=engine)
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    right = 0
    for axes in grid.flat[len(objects) :]:
        axes.set_axis_off()
    for axes, (source, label) in zip(grid.flat, objects, strict=False):
        right += _draw_object(axes, _photograph(source, store), label, truth.get(source))
    figure.suptitle(
        f"{title}: {format_count(len(objects), 'data object')}, {right} labeled as in the truth",
        fontsize=15,
        fontweight="bold",
    )
    shown = [
        status for status in STATUS_COLORS if any(label.status == status for _, label in objects)
    ]
    handles = [
        Patch(facecolor="none", edgecolor=STATUS_COLORS[status], linewidth=3, label=status)
        for status in shown
    ]
    handles.append(Patch(facecolor=_WRONG, label="✗ differs from the truth"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return figure


def _label(line: OutputLine, job: JobOnFile) -> Label:
    return line.label(job.attribute) or Label(task="", status="no-usable-answer")


def _photograph(uri: str, store: Path) -> Image.Image:
    with Image.open(store / uri.removeprefix("s3://")) as opened:
        return opened.convert("RGB")


def _draw_object(axes: Axes, image: Image.Image, label: Label, truth: Truth | None) -> bool:
    """Draw one data object and say whether its label is as the truth has it."""
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    axes.imshow(np.asarray(image))
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=STATUS_COLORS.get(label.status, "black"), linewidth=4)
    expected = frozenset({truth}) if isinstance(truth, str) else truth
    correct = expected == {item.name for item in label.classes}
    lines = [f"{item.name}  {item.confidence:.2f}" for item in label.classes]
    axes.set_title(
        ("" if correct else "✗ ") + ("\n".join(lines) or "no label"),
        fontsize=10,
        fontweight="bold",
        color="black" if correct else _WRONG,
    )
    votes = sorted(label.votes.items(), key=lambda vote: -vote[1])
    below = _wrapped([f"{name} {count:g}" for name, count in votes if count > 0], per_line=3)
    if not correct and isinstance(expected, frozenset):
        below += f"\ntruth: {', '.join(sorted(expected))}"
    axes.set_xlabel(below, fontsize=9, color="#424242" if correct else _WRONG)
    return correct


def _wrapped(parts: Sequence[str], *, per_line: int) -> str:
    lines = [
        " · ".join(parts[start : start + per_line]) for start in range(0, len(parts), per_line)
    ]
    return "\n".join(lines)


_CELL = 2.35
_HEADING = 0.55

_STRENGTH = 0.55


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
    job: JobOnFile,
    *,
    truth: Mapping[str, Truth],
    store: Path,
    crew: Sequence[SimulatedWorker] = (),
) -> Figure:
    """Draw a row of pictures for each data object."""
    rows = [_read_row(line, job, truth.get(line.source), store, crew) for line in job.lines]
    colors = list(label_colors(job.classes).values())
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
    handles = [
        Patch(color=color, label=name) for name, color in zip(job.classes, colors, strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    figure.colorbar(
        ScalarMappable(scale, "magma"),
        ax=grid[:, -1].tolist(),
        label="share of workers against the most frequent class",
        fraction=0.08,
    )
    return figure


def _read_row(
    line: OutputLine,
    job: JobOnFile,
    truth: Truth | None,
    store: Path,
    crew: Sequence[SimulatedWorker],
) -> _Row:
    photo = np.array(_photograph(line.source, store))
    kinds = {worker.worker_id: worker.kind for worker in crew}
    answers = _answers(job, line.object_id)
    label = _label(line, job)
    usable = [mask for mask in answers.values() if mask is not None]
    confidence = "" if label.confidence is None else f", {label.confidence:.2f}"
    return _Row(
        name=PurePosixPath(line.source).name,
        photo=photo,
        truth=truth if isinstance(truth, np.ndarray) else None,
        masks=[
            (f"{kinds.get(worker, 'worker')} …{worker[-4:]}", answers[worker])
            for worker in sorted(answers, key=[*kinds, *answers].index)
        ],
        differing=(disagreement(usable, len(job.classes)) if usable else np.zeros(photo.shape[:2])),
        label=read_job_mask(job, label),
        label_title=f"label: {label.status}{confidence}",
    )


def _answers(job: JobOnFile, object_id: str) -> dict[str, NDArray[np.uint8] | None]:
    """What each worker painted; None if it cannot be used."""
    masks: dict[str, NDArray[np.uint8] | None] = {}
    entries = (Entry(answered.object) for answered in job.answered([object_id]))
    reader = AnswerReader(ReadOnly(job.place))
    for answers in reader.read(
        entries, lambda content: job.core.decode(content, job.classes, job.settings)
    ):
        rejected = list(answers.rejected)
        for worker, mask in read_masks(answers, job.classes, rejected):
            masks[worker] = mask.to_array().astype(np.uint8)
        masks |= {answer.worker_id: None for answer in rejected}
    return masks


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
    axes.imshow(_overlay(row.photo, mask, colors))
    quality = "" if row.truth is None else f"\nmean IoU {mean_iou(mask, row.truth):.2f}"
    axes.set_title(title + quality, fontsize=9)


def _overlay(
    photo: NDArray[np.uint8], mask: NDArray[np.uint8], colors: Sequence[str]
) -> NDArray[np.uint8]:
    """Tint a photograph with a mask's colours and draw the boundaries in white.

    The mask is 0 for background, else the class's index + 1.
    """
    palette = np.zeros((256, 3))
    for class_id, color in enumerate(colors, start=1):
        palette[class_id] = tuple(bytes.fromhex(color.removeprefix("#")))
    # Grey underneath: a photograph's own colours would be taken for classes.
    grey = photo.mean(axis=-1, keepdims=True)
    tinted = np.where(
        mask[..., np.newaxis] > 0, (1.0 - _STRENGTH) * grey + _STRENGTH * palette[mask], grey
    )
    edges = np.zeros(mask.shape, dtype=np.bool_)
    edges[:, 1:] |= mask[:, 1:] != mask[:, :-1]
    edges[1:] |= mask[1:] != mask[:-1]
    edges[:, :-1] |= edges[:, 1:]
    tinted[edges] = 255.0
    return tinted.astype(np.uint8)


def draw(
    job: DemoJob,
    job_folder: Path,
    *,
    store: Path,
    out: Path,
    crew: Sequence[SimulatedWorker] = (),
) -> Path:
    """Draw the overview of one job; raises `OSError`, `JobError` or `TruthError`."""
    labels = parse_label_categories(job.labels.read_bytes(), path=str(job.labels))
    task = find_job_type(job.task)
    truth = read_truth(job.truth, task, labels)
    given = Given(task=task, classes=tuple(labels), attribute=job.label_attribute_name)
    finished = read_job(find_job(str(job_folder)), given, needs_answers=False)
    if task.label_is_mask:
        figure = masks_figure(job.name, finished, truth=truth, store=store, crew=crew)
    else:
        figure = labels_figure(job.name, finished, truth=truth, store=store)
    FigureCanvasAgg(figure)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110, facecolor="white")
    return out
