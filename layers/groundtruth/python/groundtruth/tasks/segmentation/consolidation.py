"""From the masks of workers to one mask for each data object, and its label."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from groundtruth.annotations import Answers
from groundtruth.masks.classify import output_palette
from groundtruth.masks.writer import write_levels, write_mask
from groundtruth.tasks.base import (
    PRIOR_CONFIDENCE,
    ConsolidationContext,
    Label,
    LabelClass,
    Task,
    status_of,
    unlabeled,
)
from groundtruth.tasks.segmentation.algorithms import (
    Fused,
    count_updates,
    fuse_masks,
    known_weights,
)
from groundtruth.tasks.segmentation.answers import MaskAnswer, ReadMasks, read_masks, write_png
from groundtruth.tasks.segmentation.task import BACKGROUND

CONFIDENCE_DIGITS = 4

TIED_SHARE_OF_A_TIE = 0.05
"""Share of the image's pixels without a winner from which the whole mask counts as a tie."""


def consolidate_masks(
    task: Task[MaskAnswer],
    answers: Iterable[Answers[MaskAnswer]],
    context: ConsolidationContext,
    algorithm: str,
) -> Iterator[Label]:
    """One mask for each data object, written to the store; one object at a time."""
    weighted = algorithm == "weighted"
    weights = known_weights(context.skills.history(context.workers)) if weighted else {}
    n_classes = len(context.classes) + 1
    updates = {}
    for item in answers:
        read = read_masks(item, context.classes)
        if not read.masks:
            yield unlabeled(task, read.rejected, processed=item.processed)
            continue
        made = fuse_masks(
            read.masks,
            n_classes,
            algorithm=algorithm,
            weights=weights,
            settings=context.settings,
        )
        if weighted:
            updates[item.object_id] = count_updates(read.masks, n_classes, made.weights)
        yield _label(task, item.object_id, read, made, context)
    context.skills.update_counts(updates)


def _label(
    task: Task[MaskAnswer],
    object_id: str,
    read: ReadMasks,
    made: Fused,
    context: ConsolidationContext,
) -> Label:
    fusion, used = made.fusion, len(read.masks)
    palette = output_palette(context.classes, read.colors)
    confidence = PRIOR_CONFIDENCE if used == 1 else fusion.mean_share
    shown = round(confidence, CONFIDENCE_DIGITS)
    expected_ious = [
        confidence if used == 1 or math.isnan(iou) else iou
        for iou in fusion.class_confidence.tolist()
    ]
    named = list(zip((BACKGROUND, *context.classes), palette, strict=True))
    builtin_confidence = 0.9 * round(fusion.mean_share, 4) + 0.05
    return Label(
        task=task.schema_name,
        mask_uri=write_png(write_mask(fusion.mask, palette), object_id, context),
        classes=tuple(
            LabelClass(
                class_id=class_id, name=name, color=color, confidence=round(iou, CONFIDENCE_DIGITS)
            )
            for class_id, ((name, color), iou) in enumerate(zip(named, expected_ious, strict=True))
        ),
        builtin_classes=tuple(
            LabelClass(class_id=class_id, name=name, color=color, confidence=builtin_confidence)
            for class_id, (name, color) in enumerate(named)
        ),
        confidence=shown,
        status=status_of(
            used=used,
            tied=fusion.tied_share >= TIED_SHARE_OF_A_TIE,
            confidence=confidence,
            min_confidence=context.settings.min_confidence,
        ),
        used=used,
        rejected=read.rejected,
        agreement=shown if used > 1 else None,
        details=_details(object_id, read, made, context),
    )


def _details(
    object_id: str, read: ReadMasks, made: Fused, context: ConsolidationContext
) -> dict[str, Any]:
    """What the `object` style tells of the mask besides its classes."""
    details: dict[str, Any] = {
        "tied-share": round(made.fusion.tied_share, CONFIDENCE_DIGITS),
        "disputed-share": round(made.fusion.disputed_share, CONFIDENCE_DIGITS),
    }
    if context.settings.disagreement_map:
        details["disagreement-ref"] = _write_disagreement(object_id, read, made, context)
    if read.repaired:
        details["repaired"] = [
            {
                "worker-id": worker,
                "near-pixels": notes.near_pixels,
                "snapped-pixels": notes.snapped_pixels,
                "rescaled": notes.rescaled,
            }
            for worker, notes in read.repaired
        ]
    if made.model is not None:
        details["algorithm"] = {
            "iterations": made.model.iterations,
            "converged": made.model.converged,
        }
    return details


def _write_disagreement(
    object_id: str, read: ReadMasks, made: Fused, context: ConsolidationContext
) -> str:
    """Write the map of disagreement, black where all agree, and return its URI."""
    from groundtruth.aggregation.segmentation.confidence import disagreement

    masks = list(read.masks.values())
    levels = disagreement(masks, len(context.classes) + 1, weights=made.weights)
    return write_png(write_levels(levels), object_id, context, kind=".disagreement")
