"""Images of a job, small enough to travel inside the page, and masks drawn over them."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from groundtruth.annotations import AnswerReader, Entry, RejectedAnswer
from groundtruth.errors import StorageError
from groundtruth.masks.classify import output_palette
from groundtruth.masks.runs import RunMask
from groundtruth.tasks.base import Label
from groundtruth.tasks.segmentation.answers import MaskAnswer
from labeljob.history.job import JobOnFile, ObjectAnnotations, read_job_mask
from labeljob.jobs.job_location import ReadOnly
from labeljob.tasks.base import Mask
from labeljob.tasks.semantic_segmentation import read_masks

LONGEST = 360
"""Pixels of the longer side of an image in the page."""

QUALITY = 78

Rgb: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """An image in the page."""

    uri: str
    width: int
    height: int
    alt: str
    caption: str = ""


def read_image(job: JobOnFile, source: str) -> Rgb | None:
    """The image of a data object, made small; None if it cannot be read."""
    if not source:
        return None
    try:
        with Image.open(io.BytesIO(job.place.read(source))) as image:
            image.draft("RGB", (2 * LONGEST, 2 * LONGEST))
            image.thumbnail((LONGEST, LONGEST))
            return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    except (
        StorageError,
        OSError,
        ValueError,
        SyntaxError,
        UnidentifiedImageError,
        Image.DecompressionBombError,
    ):
        return None


def encode_picture(pixels: Rgb, alt: str, caption: str = "") -> Picture:
    """An image as it goes into the page."""
    body = io.BytesIO()
    Image.fromarray(pixels).save(body, "JPEG", quality=QUALITY, optimize=True)
    text = base64.b64encode(body.getvalue()).decode()
    rows, columns = pixels.shape[:2]
    return Picture(f"data:image/jpeg;base64,{text}", columns, rows, alt, caption)


def draw_image(job: JobOnFile, obj: ObjectAnnotations) -> list[Picture]:
    """The image of a data object; nothing if it cannot be read."""
    image = read_image(job, obj.source)
    if image is None:
        return []
    alt = f"Image {PurePosixPath(obj.source).name} of data object {obj.object_id}"
    return [encode_picture(image, alt)]


def draw_masks(
    job: JobOnFile, object_id: str, label: Label | None, names: Mapping[str, str]
) -> list[Picture]:
    """What the workers painted, what came of it, and where they differ."""
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
    masks = {worker: _small(mask) for worker, mask in read_masks(answers, job.choices, unread)}
    if not masks:
        return []
    shape = next(iter(masks.values())).shape
    source = answered.object.source
    uri = source.get("s3Uri", "") if isinstance(source, Mapping) else ""
    photo = _fitting(read_image(job, str(uri)), shape)
    colors = _colors(job, label, answers.answers)
    pictures = []
    consolidated = _label_mask(job, label, shape)
    if consolidated is not None:
        alt = f"The consolidated mask of data object {object_id} over its image"
        pictures.append(encode_picture(overlay(photo, consolidated, colors), alt, "label"))
    stack = list(masks.values())
    alt = f"Where the workers disagree on data object {object_id}"
    pictures.append(encode_picture(_heat(photo, stack, len(job.choices)), alt, "disagreement"))
    for worker, mask in masks.items():
        alt = f"Outlines that worker {names[worker]} painted on data object {object_id}"
        pictures.append(encode_picture(_outlined(photo, mask, colors), alt, names[worker]))
    return pictures


def _small(mask: RunMask) -> Mask:
    """Every so many-th pixel, so that the longer side fits."""
    step = max(1, math.ceil(max(mask.shape) / LONGEST))
    return mask.to_array()[::step, ::step].astype(np.uint8)


def _fitting(photo: Rgb | None, shape: tuple[int, ...]) -> Rgb:
    """The photograph in the size of the masks; grey if there is none."""
    if photo is None:
        return np.full((*shape[:2], 3), 225, dtype=np.uint8)
    return np.array(Image.fromarray(photo).resize((shape[1], shape[0])))


def _colors(job: JobOnFile, label: Label | None, answers: Sequence[MaskAnswer]) -> Sequence[str]:
    if label is not None and len(label.classes) == len(job.choices) + 1:
        by_id = sorted(label.classes, key=lambda item: item.class_id)
        return [item.color for item in by_id[1:]]
    return output_palette(job.choices, [answer.colors for answer in answers])[1:]


def _label_mask(job: JobOnFile, label: Label | None, shape: tuple[int, ...]) -> Mask | None:
    mask = read_job_mask(job, label)
    if mask is None:
        return None
    small = Image.fromarray(mask).resize((shape[1], shape[0]), Image.Resampling.NEAREST)
    return np.array(small, dtype=np.uint8)


def _edges(mask: Mask) -> NDArray[np.bool_]:
    """Pixels beside one of another class, two pixels wide."""
    edges = np.zeros(mask.shape, dtype=np.bool_)
    across, down = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges


def _outlined(photo: Rgb, mask: Mask, colors: Sequence[str]) -> Rgb:
    """The photograph in grey with the outlines of a worker's regions in their classes' colours."""
    grey = np.repeat(photo.mean(axis=-1, keepdims=True), 3, axis=-1).astype(np.uint8)
    palette = np.zeros((256, 3), dtype=np.uint8)
    for class_id, color in enumerate(colors, start=1):
        palette[class_id] = tuple(bytes.fromhex(color.removeprefix("#")))
    edges = _edges(mask)
    # On the side of the background an outline has the colour of the region beside it.
    wide = np.maximum.reduce([np.roll(mask, shift, axis) for shift in (-1, 1) for axis in (0, 1)])
    grey[edges] = palette[np.where(mask > 0, mask, wide)[edges]]
    return grey


def _heat(photo: Rgb, masks: Sequence[Mask], n_classes: int) -> Rgb:
    """Share of the workers against the most frequent class, as heat over the grey photograph."""
    share = disagreement(masks, n_classes)
    grey = photo.mean(axis=-1, keepdims=True) / 255 * 0.5 + 0.25
    heat = colormaps["magma"](np.clip(share / 0.6, 0, 1))[..., :3]
    mixed = np.where(share[..., None] > 0, heat, grey)
    return np.asarray((mixed * 255).astype(np.uint8))


_STRENGTH = 0.55


def overlay(
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
