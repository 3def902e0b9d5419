"""Images of a job, small enough to travel with a page, and what is laid over them."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from groundtruth.annotations import AnswerReader, Entry, RejectedAnswer
from groundtruth.errors import StorageError
from groundtruth.masks.classify import output_palette
from groundtruth.masks.runs import RunMask
from groundtruth.tasks.base import Label
from groundtruth.tasks.segmentation.answers import MaskAnswer
from labeljob.history.job import JobOnFile, read_job_mask
from labeljob.jobs.job_location import ReadOnly
from labeljob.tasks.base import Mask
from labeljob.tasks.semantic_segmentation import read_masks

ENCODINGS = {"webp": {"quality": 75, "method": 2}, "jpeg": {"quality": 78}}
"""How photographs are written: WebP takes little space, JPEG little time."""

_FILLED, _HEATED = 105, 215
"""How opaque regions and heat are, of 255: the photograph shows through."""

_HEAT = ("#2d1160", "#8c2981", "#de4968", "#fe9f6d", "#fcfdbf")
"""From few workers against the most frequent class to many."""

_MOST_HEAT = 0.6


@dataclass(frozen=True)
class Photo:
    """A photograph, made small."""

    body: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Layer:
    """What is laid over a photograph: a PNG file, transparent where there is nothing."""

    body: bytes
    caption: str


def read_photo(job: JobOnFile, source: str, longest: int, kind: str) -> Photo | None:
    """The image of a data object with `longest` pixels at most; None if it cannot be read.

    It is encoded as `kind` says, one of `ENCODINGS`.
    """
    if not source:
        return None
    try:
        with Image.open(io.BytesIO(job.place.read(source))) as image:
            image.draft("RGB", (2 * longest, 2 * longest))
            image.thumbnail((longest, longest))
            small = ImageOps.exif_transpose(image).convert("RGB")
    except (
        StorageError,
        OSError,
        ValueError,
        SyntaxError,
        UnidentifiedImageError,
        Image.DecompressionBombError,
    ):
        return None
    body = io.BytesIO()
    small.save(body, kind, **ENCODINGS[kind])
    return Photo(body.getvalue(), *small.size)


def draw_masks(
    job: JobOnFile,
    object_id: str,
    label: Label | None,
    names: Mapping[str, str],
    longest: int,
) -> list[Layer]:
    """What came of a data object's masks, where they differ, and what each worker painted."""
    answered = next(job.answered([object_id]), None)
    if answered is None:
        return []
    reader = AnswerReader(ReadOnly(job.place))
    decode = reader.read(
        [Entry(answered.object)],
        lambda content: job.core.decode(content, job.choices, job.settings),
    )
    answers = next(iter(decode))
    unread: list[RejectedAnswer] = []
    masks = {
        worker: _shrink(mask, longest) for worker, mask in read_masks(answers, job.choices, unread)
    }
    if not masks:
        return []
    colors = _choose_colors(job, label, answers.answers)
    layers = []
    consolidated = _read_label_mask(job, label, next(iter(masks.values())).shape)
    if consolidated is not None:
        layers.append(Layer(_draw_regions(consolidated, colors), "label"))
    if len(masks) > 1:
        share = disagreement(list(masks.values()), len(job.choices))
        layers.append(Layer(_draw_heat(share), "disagreement"))
    return layers + [
        Layer(_draw_regions(mask, colors), names.get(worker, worker))
        for worker, mask in masks.items()
    ]


def _shrink(mask: RunMask, longest: int) -> Mask:
    """Every so many-th pixel, so that the longer side fits."""
    step = max(1, math.ceil(max(mask.shape) / longest))
    return mask.to_array()[::step, ::step].astype(np.uint8)


def _choose_colors(
    job: JobOnFile, label: Label | None, answers: Sequence[MaskAnswer]
) -> Sequence[str]:
    if label is not None and len(label.classes) == len(job.choices) + 1:
        by_id = sorted(label.classes, key=lambda item: item.class_id)
        return [item.color for item in by_id[1:]]
    return output_palette(job.choices, [answer.colors for answer in answers])[1:]


def _read_label_mask(job: JobOnFile, label: Label | None, shape: tuple[int, ...]) -> Mask | None:
    mask = read_job_mask(job, label)
    if mask is None:
        return None
    small = Image.fromarray(mask).resize((shape[1], shape[0]), Image.Resampling.NEAREST)
    return np.array(small, dtype=np.uint8)


def _draw_regions(mask: Mask, colors: Sequence[str]) -> bytes:
    """Regions in their classes' colours; what borders on another class is opaque."""
    palette = np.zeros((256, 4), np.uint8)
    size = len(colors)
    edges = size < 128  # else there is no room for their colours in the palette
    for class_id, color in enumerate(colors[:255], start=1):
        palette[class_id] = *bytes.fromhex(color.removeprefix("#")), _FILLED
        if edges:
            palette[class_id + size] = *palette[class_id, :3], 255
    indices = np.array(mask, np.uint8)
    if edges:
        indices[_find_edges(mask) & (mask > 0)] += size
    return _encode(indices, palette)


def _find_edges(mask: Mask) -> NDArray[np.bool_]:
    """Pixels beside one of another class."""
    edges = np.zeros(mask.shape, dtype=np.bool_)
    across, down = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges


def _draw_heat(share: NDArray[np.float64]) -> bytes:
    """Share of the workers against the most frequent class, from dark to light."""
    stops = np.array([list(bytes.fromhex(color[1:])) for color in _HEAT], float)
    where = np.linspace(0, len(stops) - 1, 255)
    palette = np.zeros((256, 4), np.uint8)
    for channel in range(3):
        palette[1:, channel] = np.interp(where, range(len(stops)), stops[:, channel])
    palette[1:, 3] = _HEATED
    level = np.clip(share / _MOST_HEAT, 0, 1) * 254 + 1
    return _encode(np.where(share > 0, level, 0).astype(np.uint8), palette)


def _encode(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    image = Image.fromarray(indices, "P")
    image.putpalette(palette[:, :3].tobytes())
    body = io.BytesIO()
    image.save(body, "PNG", transparency=palette[:, 3].tobytes(), optimize=False)
    return body.getvalue()


def disagreement(masks: Sequence[NDArray[np.uint8]], n_classes: int) -> NDArray[np.float64]:
    """Share of the workers, pixel by pixel, who did not paint the most frequent class.

    Examples
    --------
    >>> disagreement([np.array([[0, 1]]), np.array([[0, 0]])], n_classes=1)
    array([[0. , 0.5]])
    """
    most = np.zeros(masks[0].shape, dtype=np.int64)
    for value in range(n_classes + 1):
        most = np.maximum(most, sum(np.asarray(mask == value, dtype=np.int64) for mask in masks))
    return 1.0 - most / len(masks)
