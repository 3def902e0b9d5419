"""Semantic segmentation: one class for each pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from groundtruth.aggregation.segmentation.one_coin_em import OneCoin
from groundtruth.annotations import Answers, RejectedAnswer
from groundtruth.masks.classify import output_palette
from groundtruth.masks.reader import MaskNotes
from groundtruth.masks.writer import write_levels, write_mask
from groundtruth.settings import Settings
from groundtruth.tasks.base import (
    NO_USABLE_ANSWER,
    PRIOR_CONFIDENCE,
    Batch,
    algorithm_of,
    creation_date,
    status_of,
    without_label,
)
from groundtruth.tasks.segmentation.algorithms import (
    ALGORITHMS,
    Fused,
    fused,
    known_weights,
    taught,
)
from groundtruth.tasks.segmentation.answers import (
    BACKGROUND,
    MaskAnswer,
    ReadMasks,
    mask_answer,
    read_masks,
    write_png,
)

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
    disagreement_uri : str or None
        S3 URI of the map of disagreement, if one was asked for.
    repaired : tuple of (str, MaskNotes)
        Workers whose mask could be read only by being lenient, and how.
    model : OneCoin or None
        What was fitted to the image, if anything was.
    """

    mask_uri: str | None
    color_map: tuple[tuple[str, str, float], ...] = ()
    confidence: float = 0.0
    builtin_confidence: float = 0.0
    tied_share: float = 0.0
    disputed_share: float = 0.0
    disagreement_uri: str | None = None
    repaired: tuple[tuple[str, MaskNotes], ...] = ()
    model: OneCoin | None = None
    status: str = NO_USABLE_ANSWER
    used: int = 0
    rejected: tuple[RejectedAnswer, ...]

    @property
    def agreement(self) -> float | None:
        """Share of the workers who agree with a pixel, averaged; None with fewer than two."""
        return self.confidence if self.used > 1 else None

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
        if self.disagreement_uri is not None:
            value["disagreement-ref"] = self.disagreement_uri
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
        if self.model is not None:
            value["algorithm"] = {
                "iterations": self.model.iterations,
                "converged": self.model.converged,
            }
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
    aws_name = "SemanticSegmentation"
    schema_name = "semantic-segmentation"
    algorithms = ALGORITHMS

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
        """One mask for each data object, written to the store; one object at a time.

        Weights come from earlier batches; what this one teaches is kept at its end.
        """
        algorithm = algorithm_of(self, batch.settings)
        weighted = algorithm == "weighted"
        weights = known_weights(batch.skills.history(batch.workers)) if weighted else {}
        lessons = {}
        for item in answers:
            read = read_masks(item, batch.classes)
            if not read.masks:
                status = without_label(processed=item.processed)
                yield MaskLabel(mask_uri=None, status=status, rejected=read.rejected)
                continue
            n_classes = len(batch.classes) + 1
            made = fused(
                read.masks,
                n_classes,
                algorithm=algorithm,
                weights=weights,
                settings=batch.settings,
            )
            if weighted:
                lessons[item.object_id] = taught(read.masks, n_classes, made.weights)
            yield _label(item.object_id, read, made, batch)
        batch.skills.update_counts(lessons)


def _label(object_id: str, read: ReadMasks, made: Fused, batch: Batch) -> MaskLabel:
    fusion = made.fusion
    palette = output_palette(batch.classes, read.colors)
    used = len(read.masks)
    confidence = PRIOR_CONFIDENCE if used == 1 else fusion.mean_share
    expected = [
        confidence if used == 1 or math.isnan(iou) else iou
        for iou in fusion.class_confidence.tolist()
    ]
    names = (BACKGROUND, *batch.classes)
    return MaskLabel(
        mask_uri=write_png(write_mask(fusion.mask, palette), object_id, batch),
        color_map=tuple(
            (name, color, round(iou, CONFIDENCE_DIGITS))
            for name, color, iou in zip(names, palette, expected, strict=True)
        ),
        confidence=round(confidence, CONFIDENCE_DIGITS),
        builtin_confidence=0.0 if used == 1 else 0.9 * round(fusion.mean_share, 4) + 0.05,
        tied_share=round(fusion.tied_share, CONFIDENCE_DIGITS),
        disputed_share=round(fusion.disputed_share, CONFIDENCE_DIGITS),
        disagreement_uri=_disagreement(object_id, read, made, batch),
        repaired=read.repaired,
        model=made.model,
        status=status_of(
            used=used,
            tied=fusion.tied_share >= TIED_SHARE_OF_A_TIE,
            confidence=confidence,
            min_confidence=batch.settings.min_confidence,
        ),
        used=used,
        rejected=read.rejected,
    )


def _disagreement(object_id: str, read: ReadMasks, made: Fused, batch: Batch) -> str | None:
    """Write the map of disagreement if one is asked for: black where all agree."""
    if not batch.settings.disagreement_map:
        return None
    from groundtruth.aggregation.segmentation.confidence import disagreement

    masks = list(read.masks.values())
    levels = disagreement(masks, len(batch.classes) + 1, weights=made.weights)
    return write_png(write_levels(levels), object_id, batch, kind=".disagreement")
