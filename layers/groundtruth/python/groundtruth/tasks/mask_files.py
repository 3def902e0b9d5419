"""The masks of one data object: the workers' PNGs read, and where ours goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from groundtruth.answers import Answers, SetAside
from groundtruth.errors import UnusableAnswer
from groundtruth.masks.reading import MaskNotes, majority_size, mask_size, read_mask
from groundtruth.masks.runs import RunMask
from groundtruth.task import Batch, creation_date
from groundtruth.tasks.mask_answers import MaskAnswer, colors_by_index


@dataclass(frozen=True, kw_only=True)
class ReadMasks:
    """What could be read of one data object's answers.

    Attributes
    ----------
    masks : dict of str to RunMask
        The masks by worker, all of the image's size; sorted, so that no sum over them
        depends on the order of the payload.
    colors : tuple of dict of str to str
        For each of them, ``#rrggbb`` by label.
    repaired : tuple of (str, MaskNotes)
        Workers whose mask could be read only by being lenient, and how.
    set_aside : tuple of SetAside
        The other answers.
    """

    masks: dict[str, RunMask]
    colors: tuple[dict[str, str], ...]
    repaired: tuple[tuple[str, MaskNotes], ...]
    set_aside: tuple[SetAside, ...]


def read_masks(item: Answers[MaskAnswer], labels: Sequence[str]) -> ReadMasks:
    """Read the masks of one data object, one after another, in the order of the workers' names.

    Parameters
    ----------
    item : Answers of MaskAnswer
        The answers.
    labels : sequence of str
        The job's labels without BACKGROUND.
    """
    shape = _image_size(item.answers)
    masks: dict[str, RunMask] = {}
    colors: list[dict[str, str]] = []
    repaired: list[tuple[str, MaskNotes]] = []
    set_aside = list(item.set_aside)
    given = sorted(zip(item.workers, item.answers, strict=True), key=lambda pair: pair[0])
    for worker, answer in given:
        try:
            mask, notes = _read(answer, labels, shape)
        except UnusableAnswer as error:
            set_aside.append(SetAside(worker, error.reason, error.detail))
            continue
        masks[worker] = mask
        colors.append(answer.colors)
        if notes != MaskNotes():
            repaired.append((worker, notes))
    return ReadMasks(
        masks=masks,
        colors=tuple(colors),
        repaired=tuple(repaired),
        set_aside=tuple(set_aside),
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


def write_png(png: bytes, object_id: str, batch: Batch, *, kind: str = "") -> str:
    """Write a PNG of a data object to the job's output folder, and return its URI.

    It is called ``<datasetObjectId>_<time><kind>.png``; an id that no path can hold is
    percent-encoded.
    """
    name = f"{quote(object_id, safe='')}_{creation_date(batch)}{kind}.png"
    uri = f"{batch.masks_uri}/{name}"
    batch.store.write(uri, png, content_type="image/png", kms_key=batch.kms_key)
    return uri
