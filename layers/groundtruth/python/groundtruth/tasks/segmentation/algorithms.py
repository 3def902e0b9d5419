"""From the masks of workers to one mask for each data object, and its label."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.one_coin_em import OneCoin, fuse_by_one_coin
from groundtruth.aggregation.segmentation.skill import disputed_agreement, skill_weights
from groundtruth.aggregation.segmentation.voting import Fusion, assess, fuse
from groundtruth.annotations import Answers
from groundtruth.masks.classify import output_palette
from groundtruth.masks.runs import RunMask
from groundtruth.masks.writer import write_levels, write_mask
from groundtruth.settings import Settings
from groundtruth.tasks.base import (
    PRIOR_CONFIDENCE,
    ConsolidationContext,
    Label,
    LabelClass,
    Task,
    status_of,
    unlabeled,
)
from groundtruth.tasks.segmentation.answers import MaskAnswer, ReadMasks, read_masks, write_png
from groundtruth.tasks.segmentation.task import ADJUSTMENT, BACKGROUND, WEIGHTED
from groundtruth.worker_history.store import Amounts

CONFIDENCE_DIGITS = 4

DISAGREEMENT = "disagreement-ref"
"""The key of the place of a mask's map of disagreement."""

TIED_SHARE_OF_A_TIE = 0.05
"""Share of the image's pixels without a winner from which the whole mask counts as a tie."""


def judge_workers(
    answers: Iterable[Answers[MaskAnswer]], context: ConsolidationContext
) -> frozenset[str]:
    """Teach the context's skills image by image; gives the workers it has judged."""
    judged: set[str] = set()
    for item in answers:
        masks = read_masks(item, context.classes).masks
        updates = count_updates(masks, len(context.classes) + 1, None)
        context.skills.update_counts({item.object_id: updates})
        judged.update(updates)
    return frozenset(judged)


def consolidate_masks(
    task: Task[MaskAnswer],
    answers: Iterable[Answers[MaskAnswer]],
    context: ConsolidationContext,
    algorithm: str,
) -> Iterator[Label]:
    """One mask for each data object, written to the store; one object at a time."""
    weighted = algorithm == WEIGHTED
    history = (
        context.skills.history(context.workers, is_cell=SKILL_CELLS.__contains__)
        if weighted
        else {}
    )
    weights = known_weights(history)
    n_classes = len(context.classes) + 1
    updates = {}
    for item in answers:
        read = read_masks(item, context.classes)
        if not read.masks:
            yield unlabeled(task, read.rejected, processed=item.processed)
            continue
        if weighted and context.skills.holds_batch:
            own = count_updates(read.masks, n_classes, None)
            weights = known_weights(leave_out(own, history))
        made = fuse_masks(
            read.masks,
            n_classes,
            algorithm=algorithm,
            weights=weights,
            settings=context.settings,
        )
        if weighted and context.skills.keeps:
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
    confidence, expected_ious = state_confidences(fusion, used)
    shown = round(confidence, CONFIDENCE_DIGITS)
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


def state_confidences(fusion: Fusion, n_masks: int) -> tuple[float, list[float]]:
    """Confidence of a mask, and of each of its classes, all in [0, 1].

    One worker's mask is as sure as nothing is known of workers. A class that the mask does not
    have is as sure as the mask.
    """
    confidence = PRIOR_CONFIDENCE if n_masks == 1 else fusion.mean_share
    return confidence, [
        confidence if n_masks == 1 or math.isnan(iou) else iou
        for iou in fusion.class_confidence.tolist()
    ]


def _details(
    object_id: str, read: ReadMasks, made: Fused, context: ConsolidationContext
) -> dict[str, Any]:
    """What the `object` style tells of the mask besides its classes."""
    details: dict[str, Any] = {
        "tied-share": round(made.fusion.tied_share, CONFIDENCE_DIGITS),
        "disputed-share": round(made.fusion.disputed_share, CONFIDENCE_DIGITS),
    }
    if context.settings.disagreement_map:
        details[DISAGREEMENT] = _write_disagreement(object_id, read, made, context)
    if read.modified:
        details[ADJUSTMENT] = "adjusted" if any(read.modified) else "unadjusted"
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


FEWEST_TO_JUDGE = 3
"""Masks from which workers can be judged: of two that differ, neither is the odd one out."""

Weights: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Fused:
    """The consolidated mask of one image, and the workers' weights and the model, if any."""

    fusion: Fusion
    weights: Weights | None = None
    model: OneCoin | None = None


SKILL_CELLS = ("n", "sum", "squares")
"""What is kept of a worker: number of images, sum of the agreement, and of its squares."""


def known_weights(history: Amounts) -> dict[str, float]:
    """Weight of each worker, from the agreement with others on earlier images.

    `SKILL_CELLS` are kept of each.
    """
    workers = sorted(history)
    columns = [
        np.array([history[worker].get(cell, 0.0) for worker in workers]) for cell in SKILL_CELLS
    ]
    return dict(zip(workers, skill_weights(*columns).tolist(), strict=True))


def leave_out(own: Amounts, history: Amounts) -> Amounts:
    """The history without what one image taught, in millionths as it is kept.

    Workers are judged for an image by the others, so that no image bears itself out.
    """
    return {
        worker: {
            cell: max(0.0, round(amount - round(own.get(worker, {}).get(cell, 0.0), 6), 6))
            for cell, amount in cells.items()
        }
        for worker, cells in history.items()
    }


def fuse_masks(
    masks: Mapping[str, RunMask],
    n_classes: int,
    *,
    algorithm: str,
    weights: Mapping[str, float],
    settings: Settings,
) -> Fused:
    """The consolidated mask of one image.

    Smoothing, tie-break and clean-up change pixels of the mask; the confidences are then those
    of the changed mask.
    """
    mask_list = list(masks.values())
    mask_weights: Weights | None = None
    model: OneCoin | None = None
    if algorithm == "one-coin-em" and n_classes > 1:
        fusion, model = fuse_by_one_coin(mask_list, n_classes)
        mask_weights = model.weights
    else:
        if algorithm == WEIGHTED:
            mask_weights = np.array([weights.get(worker, 1.0) for worker in masks])
        fusion = fuse(mask_list, n_classes, weights=mask_weights)
    mask = _retouch(mask_list, n_classes, fusion.mask, mask_weights, settings)
    if mask is not fusion.mask:
        fusion = assess(mask, mask_list, n_classes, weights=mask_weights)
    return Fused(fusion=fusion, weights=mask_weights, model=model)


def _retouch(
    mask_list: Sequence[RunMask],
    n_classes: int,
    mask: RunMask,
    weights: Weights | None,
    settings: Settings,
) -> RunMask:
    """The mask after the options that are on; scikit-image is loaded only for those."""
    if settings.smoothing_sigma > 0:
        from groundtruth.aggregation.segmentation.smoothing import smooth

        mask = smooth(mask_list, n_classes, sigma=settings.smoothing_sigma, weights=weights)
    elif settings.tie_break == "neighbours":
        from groundtruth.aggregation.segmentation.smoothing import break_ties_by_neighbours

        mask = break_ties_by_neighbours(mask_list, n_classes, weights=weights)
    if settings.clean_up_pixels > 0:
        from groundtruth.aggregation.segmentation.smoothing import clean

        mask = clean(mask, min_pixels=settings.clean_up_pixels)
    return mask


def count_updates(
    masks: Mapping[str, RunMask], n_classes: int, weights: Weights | None
) -> dict[str, dict[str, float]]:
    """What one image teaches about its workers, in the store's terms; nothing if it is clear.

    An image is one observation of each worker: errors on its pixels are one event.
    """
    if len(masks) < FEWEST_TO_JUDGE:
        return {}
    agreement = disputed_agreement(list(masks.values()), n_classes, weights=weights)
    return {
        worker: {"n": 1.0, "sum": share, "squares": share * share}
        for worker, share in zip(masks, agreement.tolist(), strict=True)
        if not np.isnan(share)
    }
