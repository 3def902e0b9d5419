"""The labels of a shard of single-label images as JSON: `format_label` of many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from groundtruth.contract.fields import compact_json
from groundtruth.tasks.base import ConsolidationContext, Label, LabelClass
from groundtruth.tasks.texts import (
    LabelTexts,
    Rejected,
    find_statuses,
    join_by_object,
    round_numbers,
    write_failures,
    write_numbers,
    write_tails,
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
    numbers = list(map(repr, confidences.tolist()))
    names = [compact_json(name) for name in context.classes]
    shown = labels["shown_classes"] < n_classes  # else the class that nobody has named yet
    shares = write_numbers(labels["shown_shares"][shown], CONFIDENCE_DIGITS)
    keys = [f"{name}:" for name in names]
    posteriors = join_by_object(
        labels["shown_items"][shown],
        [
            keys[class_id] + share
            for class_id, share in zip(labels["shown_classes"][shown].tolist(), shares, strict=True)
        ],
        n_objects,
    )
    votes = join_by_object(
        items,
        [
            f"{keys[class_id]}{count}"
            for class_id, count in zip(classes.tolist(), counts.tolist(), strict=True)
        ],
        n_objects,
    )
    tails = write_tails(
        task, context, statuses=statuses, used=used, rejected=rejected, labels=labels
    )
    key = f"{compact_json(attribute)}:"
    schema = compact_json(f"consolidated-label/{task.schema_name}/1")
    heads = [
        f'{key}{{"schema":{schema},"class-id":{class_id},"class-name":{name},"confidence":'
        for class_id, name in enumerate([*names, None])
    ]
    # The last one is that of an object without a label, whose index is -1.
    heads[-1] = f'{key}{{"schema":{schema},"class-id":null,"class-name":null,"confidence":'
    without = np.flatnonzero(used == 0).tolist()
    for index in without:
        numbers[index] = "0.0"
        posteriors[index] = ""
    object_style = [
        f'{heads[class_id]}{number},"posterior":{{{posterior}}},"votes":{{{vote}}}{tail}'
        for class_id, number, posterior, vote, tail in zip(
            best.tolist(), numbers, posteriors, votes, tails, strict=True
        )
    ]
    for index in np.flatnonzero(used == 1).tolist():
        numbers[index] = "0.0"  # what the built-in function says of a single worker's answer
    builtin_texts = _builtin_style(best.tolist(), numbers, attribute, task, context)
    for index, text in write_failures(attribute, task, context, without, rejected).items():
        builtin_texts[index] = text
    return LabelTexts(
        object_style=object_style,
        builtin_style=builtin_texts,
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


def _builtin_style(
    best: list[int],
    numbers: list[str],
    attribute: str,
    task: ImageMultiClass,
    context: ConsolidationContext,
) -> list[str]:
    """The texts of labels that have a class."""
    key, metadata_key = compact_json(attribute), compact_json(f"{attribute}-metadata")
    heads, tails = [], []
    for class_id, name in enumerate(context.classes):
        item = LabelClass(class_id=class_id, name=name, confidence=None)
        value, metadata = task.encode_builtin(
            Label(task=task.schema_name, classes=(item,)), context.origin
        )
        heads.append(f'{key}:{value},{metadata_key}:{{"confidence":')
        tails.append(f",{compact_json(metadata)[1:]}")
    if not heads:  # nobody named a class
        return [""] * len(best)
    return [
        f"{heads[class_id]}{number}{tails[class_id]}"
        for class_id, number in zip(best, numbers, strict=True)
    ]
