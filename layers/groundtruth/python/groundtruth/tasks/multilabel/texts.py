"""The labels of a shard of multi-label images as JSON: `format_label` of many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.contract.fields import compact_json
from groundtruth.tasks.base import (
    CONSENSUS,
    LOW_CONFIDENCE,
    ConsolidationContext,
    Label,
    LabelClass,
)
from groundtruth.tasks.multilabel.decisions import LabelDecisions
from groundtruth.tasks.texts import (
    STATUSES,
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
    from groundtruth.tasks.multilabel.task import ImageMultiClassMultiLabel

CONFIDENCE_DIGITS = 6


def format_labels(
    labels: Arrays,
    rejected: Rejected,
    attribute: str,
    task: ImageMultiClassMultiLabel,
    context: ConsolidationContext,
) -> LabelTexts:
    """The labels of a shard, as `Task.format_labels` says."""
    decisions = LabelDecisions.from_arrays(labels)
    used, n_objects = decisions.used, len(decisions.used)
    confidences = round_numbers(np.nan_to_num(decisions.confidence), CONFIDENCE_DIGITS)
    statuses = find_statuses(
        used=used,
        tied=decisions.tied,
        confidences=confidences,
        min_confidence=context.settings.min_confidence,
    )
    is_sure = statuses == STATUSES.index(CONSENSUS)
    statuses[is_sure & decisions.below_quorum] = STATUSES.index(LOW_CONFIDENCE)
    sets, set_index, numbers = _list_sets(decisions)
    keys = [f"{compact_json(name)}:" for name in context.classes]
    shares = write_numbers(decisions.shown_shares, CONFIDENCE_DIGITS)
    posteriors = join_by_object(
        decisions.shown_items,
        [
            keys[label] + share
            for label, share in zip(decisions.shown_labels.tolist(), shares, strict=True)
        ],
        n_objects,
    )
    voted = decisions.shown_votes > 0
    counts = zip(
        decisions.shown_labels[voted].tolist(), decisions.shown_votes[voted].tolist(), strict=True
    )
    votes = join_by_object(
        decisions.shown_items[voted],
        [f"{keys[label]}{count}" for label, count in counts],
        n_objects,
    )
    tails = write_tails(
        task, context, statuses=statuses, used=used, rejected=rejected, labels=labels
    )
    heads = [_write_head(class_ids, attribute, task, context) for class_ids in sets]
    object_style = [
        f'{heads[index]}{number}}},"posterior":{{{posterior}}},"votes":{{{vote}}}{tail}'
        for index, number, posterior, vote, tail in zip(
            set_index.tolist(), numbers, posteriors, votes, tails, strict=True
        )
    ]
    builtin_texts = _builtin_style(sets, set_index, numbers, used, attribute, task, context)
    without = np.flatnonzero(used == 0).tolist()
    for index, text in write_failures(attribute, task, context, without, rejected).items():
        builtin_texts[index] = text
    empty = [index for index, class_ids in enumerate(sets) if not class_ids]
    return LabelTexts(
        object_style=object_style,
        builtin_style=builtin_texts,
        names=[tuple(context.classes[class_id] for class_id in class_ids) for class_ids in sets],
        name_index=np.where(np.isin(set_index, empty), -1, set_index).astype(np.int32),
        confidences=np.where(used > 0, confidences, np.nan),
        statuses=statuses,
        used=used,
    )


def _list_sets(
    decisions: LabelDecisions,
) -> tuple[list[tuple[int, ...]], NDArray[np.int32], list[str]]:
    """The sets of labels, which of them each object has, and its confidences by class index."""
    rows = np.flatnonzero(decisions.shown_chosen)
    rows = rows[np.lexsort((decisions.shown_ranks[rows], decisions.shown_items[rows]))]
    items, class_ids = decisions.shown_items[rows], decisions.shown_labels[rows].tolist()
    n_objects = len(decisions.used)
    ends = np.cumsum(np.bincount(items, minlength=n_objects)).tolist()
    known: dict[tuple[int, ...], int] = {}
    indices = [
        known.setdefault(tuple(class_ids[start:end]), len(known))
        for start, end in zip([0, *ends[:-1]], ends, strict=True)
    ]
    shares = write_numbers(decisions.shown_shares[rows], CONFIDENCE_DIGITS)
    numbers = [f'"{class_id}":{share}' for class_id, share in zip(class_ids, shares, strict=True)]
    return list(known), np.array(indices, np.int32), join_by_object(items, numbers, n_objects)


def _make_label(
    class_ids: tuple[int, ...], task: ImageMultiClassMultiLabel, context: ConsolidationContext
) -> Label:
    return Label(
        task=task.schema_name,
        classes=tuple(
            LabelClass(class_id=class_id, name=context.classes[class_id], confidence=None)
            for class_id in class_ids
        ),
    )


def _write_head(
    class_ids: tuple[int, ...],
    attribute: str,
    task: ImageMultiClassMultiLabel,
    context: ConsolidationContext,
) -> str:
    """What the `object` style tells of a set of labels, up to its confidences."""
    content = task.encode_object(_make_label(class_ids, task, context))
    head: dict[str, Any] = {"schema": f"consolidated-label/{task.schema_name}/1"}
    head |= {name: content[name] for name in ("class-ids", "class-map")}
    return f'{compact_json(attribute)}:{compact_json(head)[:-1]},"confidence-map":{{'


def _builtin_style(
    sets: list[tuple[int, ...]],
    set_index: NDArray[np.int32],
    numbers: list[str],
    used: NDArray[np.int32],
    attribute: str,
    task: ImageMultiClassMultiLabel,
    context: ConsolidationContext,
) -> list[str]:
    """The texts of labels that have a class."""
    heads, tails, zeros = [], [], []
    for class_ids in sets:
        value, metadata = task.encode_builtin(_make_label(class_ids, task, context), context.origin)
        # The members behind the confidences, which are not the last ones.
        names = list(metadata)
        at = names.index("confidence-map")
        before = {name: metadata[name] for name in names[:at]}
        after = {name: metadata[name] for name in names[at + 1 :]}
        key, metadata_key = compact_json(attribute), compact_json(f"{attribute}-metadata")
        heads.append(
            f"{key}:{compact_json(value)},{metadata_key}:{compact_json(before)[:-1]}"
            ',"confidence-map":{'
        )
        tails.append(f"}},{compact_json(after)[1:]}")
        zeros.append(",".join(f'"{class_id}":0.0' for class_id in class_ids))
    return [
        # The built-in function says 0.0 of a single worker's answer.
        f"{heads[index]}{zeros[index] if count == 1 else number}{tails[index]}"
        for index, number, count in zip(set_index.tolist(), numbers, used.tolist(), strict=True)
    ]
