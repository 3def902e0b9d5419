"""Semantic segmentation: one class for each pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from groundtruth.aggregation.mask_fusion import Fusion, fuse
from groundtruth.answers import Answers, SetAside
from groundtruth.errors import UnusableAnswer
from groundtruth.masks.colors import output_palette
from groundtruth.masks.reading import MaskNotes, majority_size, mask_size, read_mask
from groundtruth.masks.runs import RunMask
from groundtruth.masks.writing import write_mask
from groundtruth.settings import Settings
from groundtruth.task import Batch, creation_date
from groundtruth.tasks.mask_answers import BACKGROUND, MaskAnswer, colors_by_index, mask_answer
from groundtruth.tasks.statuses import NO_USABLE_ANSWER, PRIOR_CONFIDENCE, status_of

CONFIDENCE_DIGITS = 4

TIED_SHARE_OF_A_TIE = 0.05
"""Share of the image's pixels without a winner from which the whole mask counts as a tie."""


@dataclass(frozen=True, kw_only=True)
class MaskLabel:
    """The consolidated mask of one image.

    Attributes
    ----------
    mask_uri : str or None
        S3 URI of the PNG; None without a usable answer.
    color_map : tuple of (str, str, float)
        Name, colour and confidence of each class, BACKGROUND first. The confidence is the
        expected intersection over union of the class, in [0, 1]; of a class that the mask does
        not have, the mask's.
    confidence : float
        Share of the workers who agree with the mask, averaged over the pixels, in [0, 1].
    builtin_confidence : float
        The one confidence the built-in function would give all classes.
    tied_share, disputed_share : float
        Share of the pixels with no winner, and of those on which workers differ.
    repaired : tuple of (str, MaskNotes)
        Workers whose mask could be read only by being lenient, and how.
    """

    mask_uri: str | None
    color_map: tuple[tuple[str, str, float], ...] = ()
    confidence: float = 0.0
    builtin_confidence: float = 0.0
    tied_share: float = 0.0
    disputed_share: float = 0.0
    repaired: tuple[tuple[str, MaskNotes], ...] = ()
    status: str = NO_USABLE_ANSWER
    used: int = 0
    set_aside: tuple[SetAside, ...]

    def as_object(self) -> dict[str, Any]:
        """The label in the `object` style."""
        value: dict[str, Any] = {
            "mask-ref": self.mask_uri,
            "internal-color-map": {
                str(at): {"class-name": name, "hex-color": color, "confidence": confidence}
                for at, (name, color, confidence) in enumerate(self.color_map)
            },
            "confidence": self.confidence,
            "tied-share": self.tied_share,
            "disputed-share": self.disputed_share,
        }
        if self.repaired:
            value["repaired"] = [
                {
                    "worker-id": worker,
                    "near-pixels": notes.near_pixels,
                    "snapped-pixels": notes.snapped_pixels,
                    "rescaled": notes.rescaled,
                }
                for worker, notes in self.repaired
            ]
        return value

    def as_builtin(self, batch: Batch) -> tuple[Any, dict[str, Any]]:
        """The label as the built-in function writes it: one confidence for all classes."""
        return self.mask_uri, {
            "internal-color-map": {
                str(at): {
                    "class-name": name,
                    "hex-color": color,
                    "confidence": self.builtin_confidence,
                }
                for at, (name, color, _) in enumerate(self.color_map)
            },
            "type": "groundtruth/semantic-segmentation",
            "human-annotated": "yes",
            "creation-date": creation_date(batch),
            "job-name": batch.job_name,
        }


class SemanticSegmentation:
    """Semantic segmentation."""

    name = "semantic-segmentation"
    algorithms = ("majority",)

    def all_classes(self, classes: Sequence[str], settings: Settings) -> tuple[str, ...]:
        """The job's labels; one that is named BACKGROUND is the mask's own class 0."""
        return tuple(name for name in classes if name != BACKGROUND)

    def class_names(self, content: Any) -> Iterable[str]:
        """The labels that the answer lists; raises `UnusableAnswer`."""
        return mask_answer(content).colors

    def decode(self, content: Any, classes: Sequence[str]) -> MaskAnswer:
        """One worker's mask, its PNG not yet looked at; raises `UnusableAnswer`."""
        return mask_answer(content)

    def consolidate(
        self, answers: Iterable[Answers[MaskAnswer]], batch: Batch
    ) -> Iterator[MaskLabel]:
        """One mask for each data object, written to the store; one object at a time."""
        for item in answers:
            yield _consolidated(item, batch)


def _consolidated(item: Answers[MaskAnswer], batch: Batch) -> MaskLabel:
    shape = _image_size(item.answers)
    masks: dict[str, RunMask] = {}
    repaired: list[tuple[str, MaskNotes]] = []
    seen: list[dict[str, str]] = []
    set_aside = list(item.set_aside)
    for worker, answer in zip(item.workers, item.answers, strict=True):
        try:
            mask, notes = _read(answer, batch.classes, shape)
        except UnusableAnswer as error:
            set_aside.append(SetAside(worker, error.reason, error.detail))
            continue
        masks[worker] = mask
        seen.append(answer.colors)
        if notes != MaskNotes():
            repaired.append((worker, notes))
    if not masks:
        return MaskLabel(mask_uri=None, set_aside=tuple(set_aside))
    palette = output_palette(batch.classes, seen)
    fusion = fuse(list(masks.values()), len(palette))
    uri = f"{batch.masks_uri}/{_file_name(item.object_id, batch)}"
    png = write_mask(fusion.mask, palette)
    batch.store.write(uri, png, content_type="image/png", kms_key=batch.kms_key)
    return _label(uri, fusion, palette, batch, len(masks), tuple(repaired), tuple(set_aside))


def _label(
    uri: str,
    fusion: Fusion,
    palette: Sequence[str],
    batch: Batch,
    used: int,
    repaired: tuple[tuple[str, MaskNotes], ...],
    set_aside: tuple[SetAside, ...],
) -> MaskLabel:
    confidence = PRIOR_CONFIDENCE if used == 1 else fusion.mean_share
    names = (BACKGROUND, *batch.classes)
    expected = [
        confidence if used == 1 or math.isnan(iou) else iou
        for iou in fusion.class_confidence.tolist()
    ]
    return MaskLabel(
        mask_uri=uri,
        color_map=tuple(
            (name, color, round(iou, CONFIDENCE_DIGITS))
            for name, color, iou in zip(names, palette, expected, strict=True)
        ),
        confidence=round(confidence, CONFIDENCE_DIGITS),
        builtin_confidence=0.0 if used == 1 else 0.9 * round(fusion.mean_share, 4) + 0.05,
        tied_share=round(fusion.tied_share, CONFIDENCE_DIGITS),
        disputed_share=round(fusion.disputed_share, CONFIDENCE_DIGITS),
        repaired=repaired,
        status=status_of(
            used=used,
            tied=fusion.tied_share >= TIED_SHARE_OF_A_TIE,
            confidence=confidence,
            min_confidence=batch.settings.min_confidence,
        ),
        used=used,
        set_aside=set_aside,
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


def _file_name(object_id: str, batch: Batch) -> str:
    """``<datasetObjectId>_<time>.png``; an id that no path can hold is percent-encoded."""
    return f"{quote(object_id, safe='')}_{creation_date(batch)}.png"
