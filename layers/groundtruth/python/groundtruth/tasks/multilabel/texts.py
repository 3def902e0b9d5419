"""The labels of a shard of multi-label images as JSON: `format_label` of many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from groundtruth.contract.fields import compact_json
from groundtruth.tasks.base import (
    CONSENSUS,
    LOW_CONFIDENCE,
    ConsolidationContext,
    Label,
)
from groundtruth.tasks.multilabel.decisions import LabelDecisions
from groundtruth.tasks.texts import (
    STATUSES,
    Choice,
    Counts,
    Grouped,
    LabelTexts,
    Numbers,
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
    rows = np.flatnonzero(decisions.shown_chosen)
    rows = rows[np.lexsort((decisions.shown_ranks[rows], decisions.shown_items[rows]))]
    items, chosen = decisions.shown_items[rows], decisions.shown_labels[rows]
    shares = round_numbers(decisions.shown_shares, CONFIDENCE_DIGITS)
    class_ids = [str(class_id) for class_id in range(len(context.classes))]
    names = Choice(list(map(compact_json, context.classes)), chosen)
    value = ("[", Grouped(items, (Choice(class_ids, chosen),)), "]")
    class_map = fill_map(class_ids, items, chosen, names)
    voted = decisions.shown_votes > 0
    object_style = fill_object_style(
        attribute,
        task,
        context,
        {
            "class-ids": value,
            "class-map": class_map,
            "confidence-map": fill_map(
                class_ids, items, chosen, Numbers(shares[rows], CONFIDENCE_DIGITS)
            ),
            "posterior": fill_map(
                context.classes,
                decisions.shown_items,
                decisions.shown_labels,
                Numbers(shares, CONFIDENCE_DIGITS),
            ),
            "votes": fill_map(
                context.classes,
                decisions.shown_items[voted],
                decisions.shown_labels[voted],
                Counts(decisions.shown_votes[voted]),
            ),
        },
        statuses=statuses,
        used=used,
        rejected=rejected,
        labels=labels,
    )
    # The built-in function says 0.0 of a single worker's answer.
    told = Numbers(np.where(used[items] == 1, 0.0, shares[rows]), CONFIDENCE_DIGITS)
    _, metadata = task.encode_builtin(Label(task=task.schema_name), context.origin)
    filled = {"class-map": class_map, "confidence-map": fill_map(class_ids, items, chosen, told)}
    builtin_style = StyledTexts(
        (
            f"{compact_json(attribute)}:",
            *value,
            f",{compact_json(f'{attribute}-metadata')}:",
            *fill_members(metadata, filled),
        ),
        write_failures(attribute, task, context, np.flatnonzero(used == 0).tolist(), rejected),
    )
    sets, set_index = _list_sets(items, chosen, n_objects)
    empty = [index for index, labels_of in enumerate(sets) if not labels_of]
    return LabelTexts(
        object_style=object_style,
        builtin_style=builtin_style,
        names=[tuple(context.classes[class_id] for class_id in labels_of) for labels_of in sets],
        name_index=np.where(np.isin(set_index, empty), -1, set_index).astype(np.int32),
        confidences=np.where(used > 0, confidences, np.nan),
        statuses=statuses,
        used=used,
    )


def _list_sets(
    items: NDArray[np.int32], class_ids: NDArray[np.int32], n_objects: int
) -> tuple[list[tuple[int, ...]], NDArray[np.int32]]:
    """The sets of labels there are, and which of them each object has."""
    ends = np.cumsum(np.bincount(items, minlength=n_objects)).tolist()
    chosen = class_ids.tolist()
    known: dict[tuple[int, ...], int] = {}
    indices = [
        known.setdefault(tuple(chosen[start:end]), len(known))
        for start, end in zip([0, *ends[:-1]], ends, strict=True)
    ]
    return list(known), np.array(indices, np.int32)
