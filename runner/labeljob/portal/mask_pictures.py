"""Masks as pictures that lie over a job's photographs: the label's, and each worker's."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from groundtruth.annotations import AnswerReader, Entry
from groundtruth.contract.acs import Annotation, DataObject
from groundtruth.masks.classify import color_bytes, output_palette
from groundtruth.tasks.registry import decode_label
from labeljob.jobs.function_answers import contents_by_object
from labeljob.portal.disk_cache import DiskCache, digest
from labeljob.portal.portal_job import PortalJob
from labeljob.portal.thumbnails import PictureError, open_picture
from labeljob.tasks.base import Mask

MOST_BYTES = 128 * 1024 * 1024
"""Bytes that the pictures on disk may have together."""


def list_colors(job: PortalJob) -> list[str]:
    """The color of each of a job's labels in masks, as the editor has it; none without masks."""
    if not job.description.task.label_is_mask:
        return []
    return list(output_palette(_list_labels(job), [])[1:])


class MaskPictures:
    """Draws masks, and keeps them in a folder that stays below a size.

    Parameters
    ----------
    folder : Path
        Where they are kept; it may be removed at any time.
    """

    def __init__(self, folder: Path) -> None:
        self._kept = DiskCache(folder, ".png", most_bytes=MOST_BYTES)

    def draw_label(self, job: PortalJob, object_id: str, called: str, longest: int) -> bytes:
        """The mask that a call of the ACS function made, as a PNG; raises `GroundTruthError`.

        It is no larger than `longest` pixels in both directions, and what nobody painted is
        transparent.
        """
        uri = job.description.layout.response(datetime.fromisoformat(called))
        contents = contents_by_object(json.loads(job.location.read(uri)))
        content = contents.get(object_id, {})
        attribute = job.description.attribute
        label = decode_label(content.get(attribute), content.get(f"{attribute}-metadata"))
        if label is None or label.mask_uri is None:
            raise PictureError("the label has no mask")
        body = job.location.read(label.mask_uri)
        return self._draw(job, body, longest, lambda: _read_indices(body))

    def draw_answer(self, job: PortalJob, text: str, longest: int) -> bytes:
        """What a worker painted, whose answer is a JSON text; raises `GroundTruthError`."""
        return self._draw(job, text.encode(), longest, lambda: _read_answer(job, text))

    def _draw(
        self, job: PortalJob, content: bytes, longest: int, read: Callable[[], Mask]
    ) -> bytes:
        colors = list_colors(job)
        key = digest(json.dumps([longest, colors]).encode() + content)
        return self._kept.get(key, lambda: _encode(read(), colors, longest))


def _list_labels(job: PortalJob) -> tuple[str, ...]:
    return job.description.task.library.all_classes(job.description.labels, job.settings)


def _read_indices(body: bytes) -> Mask:
    """The class of each pixel of a consolidated mask."""
    with open_picture(body) as image:
        if image.mode not in ("P", "L"):
            raise PictureError("the mask has no palette")
        return np.asarray(image)


def _read_answer(job: PortalJob, text: str) -> Mask:
    """The class of each pixel of a worker's answer."""
    from labeljob.tasks.semantic_segmentation import read_masks

    labels, settings = _list_labels(job), job.settings
    annotation = Annotation(worker_id="worker", content=text, uri=None)
    entry = Entry(DataObject(object_id="", source=None, annotations=(annotation,)))

    def decode(content: Any) -> Any:
        return job.description.task.library.decode(content, labels, settings)

    answers = next(iter(AnswerReader(job.location.store).read([entry], decode)))
    for _, mask in read_masks(answers, labels, []):
        return mask.to_array().astype(np.uint8)
    raise PictureError("the answer has no mask that can be read")


def _encode(mask: Mask, colors: list[str], longest: int) -> bytes:
    """A mask as a PNG whose pixels are classes, and whose class 0 is transparent."""
    image = Image.fromarray(mask)
    image.thumbnail((longest, longest), Image.Resampling.NEAREST)
    image.putpalette([*(255, 255, 255), *(part for one in colors for part in color_bytes(one))])
    target = io.BytesIO()
    image.save(target, "PNG", transparency=0)
    return target.getvalue()
