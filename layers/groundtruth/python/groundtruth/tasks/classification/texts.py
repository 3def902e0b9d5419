"""The labels of a shard of single-label images as JSON: `format_label` of many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.contract.fields import compact_json
from groundtruth.tasks.base import ConsolidationContext, Label, LabelClass
from groundtruth.tasks.texts import (
    Choice,
    Counts,
    LabelTexts,
    Numbers,
    Piece,
    Rejected,
    StyledTexts,
    fill_map,
    fill_members,
    fill_object_style,
    find_statuses,
    round_numbers,
    write_failures,
)

if TYPE_CHECKING:
    from groundtruth.sharding.arrays import Arrays
    from groundtruth.tasks.classification.task import ImageMultiClass

CONFIDENCE_DIGITS = 6


def format_labels(
    shard: Arrays,
    labels: Arrays,
    rejected: Rejected,
    attribute: str,
    task: ImageMultiClass,
    context: ConsolidationContext,
) -> LabelTexts:
    """The labels of a shard, as `Task.format_labels` says."""
    n_objects, n_classes = int(shard["n_objects"]), len(context.classes)
    items, classes, counts = _count_votes(shard, n_classes)
    used = np.bincount(items, weights=counts, minlength=n_objects).astype(np.int32)
    best = np.where(used > 0, labels["class_id"], -1)
    statuses = find_statuses(
        used=used,
        tied=labels["tied"],
        confidences=labels["confidence"],
        min_confidence=context.settings.min_confidence,
    )
    confidences = np.where(used > 0, round_numbers(labels["confidence"], CONFIDENCE_DIGITS), np.nan)
    shown = labels["shown_classes"] < n_classes  # else the class that nobody has named yet
    shown &= used[labels["shown_items"]] > 0
    # The last text is that of an object without a label, whose index is -1.
    class_index = np.where(best < 0, n_classes, best)
    names = Choice([compact_json(name) for name in (*context.classes, None)], class_index)
    shares = Numbers.rounded(labels["shown_shares"][shown], CONFIDENCE_DIGITS)
    object_style = fill_object_style(
        attribute,
        task,
        context,
        {
            "class-id": (Choice([*map(str, range(n_classes)), "null"], class_index),),
            "class-name": (names,),
            "confidence": (Numbers(np.nan_to_num(confidences), CONFIDENCE_DIGITS),),
            "posterior": fill_map(
                context.classes,
                labels["shown_items"][shown],
                labels["shown_classes"][shown],
                shares,
            ),
            "votes": fill_map(context.classes, items, classes, Counts(counts)),
        },
        statuses=statuses,
        used=used,
        rejected=rejected,
        labels=labels,
    )
    # The built-in function says 0.0 of a single worker's answer.
    numbers = Numbers(np.where(used > 1, confidences, 0.0), CONFIDENCE_DIGITS)
    builtin_style = StyledTexts(
        _fill_builtin_style(class_index, numbers, attribute, task, context),
        write_failures(attribute, task, context, np.flatnonzero(used == 0).tolist(), rejected),
    )
    return LabelTexts(
        object_style=object_style,
        builtin_style=builtin_style,
        names=[(name,) for name in context.classes],
        name_index=best.astype(np.int32),
        confidences=confidences,
        statuses=statuses,
        used=used,
    )


def _count_votes(
    shard: Arrays, n_classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Object, class and number of the votes, by object and class."""
    codes = shard["items"].astype(np.int64) * n_classes + shard["classes"]
    cells, counts = np.unique(codes, return_counts=True)
    items, classes = np.divmod(cells, max(1, n_classes))
    return items, classes, counts


def _fill_builtin_style(
    class_index: NDArray[Any],
    confidences: Numbers,
    attribute: str,
    task: ImageMultiClass,
    context: ConsolidationContext,
) -> tuple[Piece, ...]:
    """The pieces of labels that have a class; an index behind the last class is of none."""
    item = LabelClass(class_id=0, name="", confidence=0.0)
    _, metadata = task.encode_builtin(Label(task=task.schema_name, classes=(item,)), context.origin)
    names = Choice([*map(compact_json, context.classes), ""], class_index)
    filled: dict[str, tuple[Piece, ...]] = {"confidence": (confidences,), "class-name": (names,)}
    return (
        f"{compact_json(attribute)}:",
        Choice([*map(str, range(len(context.classes))), ""], class_index),
        f",{compact_json(f'{attribute}-metadata')}:",
        *fill_members(metadata, filled),
    )
