"""One worker's answer to a segmentation task, before its PNG is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from groundtruth.annotations import Answers, RejectedAnswer, find_by_shape, unforeseen
from groundtruth.contract.fields import is_label_name
from groundtruth.errors import UnusableAnswer
from groundtruth.masks.classify import normalize_color
from groundtruth.masks.png import MAX_PIXELS
from groundtruth.masks.reader import (
    MaskNotes,
    decode_base64_png,
    majority_size,
    mask_size,
    read_mask,
)
from groundtruth.masks.runs import RunMask
from groundtruth.tasks.base import ConsolidationContext, creation_date
from groundtruth.tasks.segmentation.task import BACKGROUND

ELEMENT = "crowd-semantic-segmentation"
NOT_OF_THE_JOB = "(not of the job)"
"""What a message calls a label that only the answer names."""

LONGEST_ID = 120
"""Characters of a data object's id that go into the name of its mask: S3 takes 1,024 a key."""


@dataclass(frozen=True, kw_only=True)
class MaskAnswer:
    """One worker's PNG as it came, and the image's size and the labels' colours it tells.

    `modified` is whether an earlier mask was changed; None if there was none to adjust.
    """

    png: bytes
    size: tuple[int, int] | None
    colors: dict[str, str]
    modified: bool | None = None


def mask_answer(content: Any) -> MaskAnswer:
    """Read a decoded answer; raises `UnusableAnswer`."""
    value = find_by_shape(content, element=ELEMENT, has_shape=_holds_mask)
    return MaskAnswer(
        png=decode_base64_png(value["labeledImage"]["pngImageData"]),
        size=_size(value.get("inputImageProperties")),
        colors=_colors(value.get("labelMappings")),
        modified=_modified(value.get("initialValueModified")),
    )


def colors_by_index(answer: MaskAnswer, labels: Sequence[str]) -> tuple[dict[int, str], list[str]]:
    """Colours by index of the class, and the name of each index, for messages.

    Index 0 is BACKGROUND, i + 1 label i; a label that is not the job's has one after all those.
    """
    names = [BACKGROUND, *labels]
    index = {name: number for number, name in enumerate(names)}
    colors = {}
    for name, color in answer.colors.items():
        if name not in index:
            index[name] = len(names)
            names.append(NOT_OF_THE_JOB)
        colors[index[name]] = color
    return colors, names


def _holds_mask(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("labeledImage"), dict):
        return False
    return isinstance(value["labeledImage"].get("pngImageData"), str)


def _modified(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _size(properties: Any) -> tuple[int, int] | None:
    if not isinstance(properties, dict):
        return None
    size = (properties.get("height"), properties.get("width"))
    if size == (None, None):
        return None
    rows, columns = size
    if type(rows) is not int or type(columns) is not int or min(rows, columns) < 1:
        raise UnusableAnswer("bad-size", "inputImageProperties is not a height and a width")
    if max(rows, columns) > MAX_PIXELS or rows * columns > MAX_PIXELS:
        raise UnusableAnswer(
            "too-large", f"inputImageProperties claims an image of more than {MAX_PIXELS} pixels"
        )
    return rows, columns


def _colors(mappings: Any) -> dict[str, str]:
    if not isinstance(mappings, dict):
        raise UnusableAnswer("unexpected-shape", "the answer has no labelMappings")
    colors = {}
    for name, mapping in mappings.items():
        if not is_label_name(name):
            raise UnusableAnswer("unknown-label", "labelMappings names what can be no label")
        color = mapping.get("color") if isinstance(mapping, dict) else mapping
        if not isinstance(color, str):
            raise UnusableAnswer("bad-color", f"label {name!r} has no color in labelMappings")
        colors[name] = normalize_color(color, label=name)
    return colors


@dataclass(frozen=True, kw_only=True)
class ReadMasks:
    """What could be read of one data object's answers.

    The masks are sorted by worker, so that no sum over them depends on the order of the payload;
    `colors` are theirs, `repaired` says whose could be read only by being lenient, and how;
    `modified` is what those say who adjusted an earlier mask.
    """

    masks: dict[str, RunMask]
    colors: tuple[dict[str, str], ...]
    repaired: tuple[tuple[str, MaskNotes], ...]
    rejected: tuple[RejectedAnswer, ...]
    modified: tuple[bool, ...] = ()


def read_masks(item: Answers[MaskAnswer], labels: Sequence[str]) -> ReadMasks:
    """Read the masks of one data object, one after another, in the order of the workers' names."""
    shape = _image_size(item.answers)
    masks: dict[str, RunMask] = {}
    colors: list[dict[str, str]] = []
    modified: list[bool] = []
    repaired: list[tuple[str, MaskNotes]] = []
    rejected = list(item.rejected)
    by_worker = sorted(zip(item.workers, item.answers, strict=True), key=lambda pair: pair[0])
    for worker, answer in by_worker:
        try:
            mask, notes = _read(answer, labels, shape)
        except UnusableAnswer as error:
            rejected.append(RejectedAnswer(worker, error.reason, error.detail))
            continue
        except Exception as error:  # noqa: BLE001 - no answer may take the whole batch with it
            rejected.append(unforeseen(worker, error))
            continue
        masks[worker] = mask
        colors.append(answer.colors)
        if answer.modified is not None:
            modified.append(answer.modified)
        if notes != MaskNotes():
            repaired.append((worker, notes))
    return ReadMasks(
        masks=masks,
        colors=tuple(colors),
        repaired=tuple(repaired),
        rejected=tuple(rejected),
        modified=tuple(modified),
    )


def _image_size(answers: Sequence[MaskAnswer]) -> tuple[int, int] | None:
    """The size that most answers tell.

    Answers whose mask bears them out come first; if none tells a size, the masks do.
    """
    measured = [_measured(answer) for answer in answers]
    stated = [answer.size for answer in answers if answer.size is not None]
    confirmed = [
        answer.size
        for answer, size in zip(answers, measured, strict=True)
        if answer.size is not None and answer.size == size
    ]
    sizes = [size for size in measured if size is not None]
    return majority_size(confirmed) or majority_size(stated) or majority_size(sizes)


def _measured(answer: MaskAnswer) -> tuple[int, int] | None:
    """The size of an answer's PNG; None if that cannot be read, which is reported later."""
    try:
        return mask_size(answer.png)
    except UnusableAnswer:
        return None


def _read(
    answer: MaskAnswer, labels: Sequence[str], shape: tuple[int, int] | None
) -> tuple[RunMask, MaskNotes]:
    colors, names = colors_by_index(answer, labels)
    mask, notes = read_mask(answer.png, colors=colors, shape=shape, name_of=names)
    if int(mask.classes.max()) > len(labels):
        raise UnusableAnswer("unknown-label", "the mask has pixels of a label not the job's")
    return mask, notes


def write_png(png: bytes, object_id: str, context: ConsolidationContext, *, kind: str = "") -> str:
    """Write a PNG of a data object to the job's output folder, and return its URI.

    It is called ``<datasetObjectId>_<time><kind>.png``; an id that no path can hold is
    percent-encoded, and one that is too long for a name is cut and made unique by its digest.
    """
    name = quote(object_id, safe="")
    if len(name) > LONGEST_ID:
        name = f"{name[:LONGEST_ID]}-{hashlib.sha256(object_id.encode()).hexdigest()[:16]}"
    uri = f"{context.masks_uri}/{name}_{creation_date(context)}{kind}.png"
    context.store.write(uri, png, content_type="image/png", kms_key=context.kms_key)
    return uri
