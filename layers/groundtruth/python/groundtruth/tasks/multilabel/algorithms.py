"""From the answers to the images of a batch to probabilities of labels."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundtruth.aggregation.classification.dependence import (
    EVIDENCE_CELLS,
    DependenceSettings,
    Evidence,
)
from groundtruth.aggregation.classification.votes import Floats, Ints
from groundtruth.aggregation.multilabel.calibrated import (
    CalibratedLabelsSettings,
    calibrated_labels,
)
from groundtruth.aggregation.multilabel.majority import share_labels, share_labels_as_builtin
from groundtruth.aggregation.multilabel.selections import (
    LabelConsolidation,
    LabelCounts,
    Selections,
    choose_labels,
)
from groundtruth.annotations import Answers
from groundtruth.tasks.base import (
    PRIOR_CONFIDENCE,
    SMALLEST_SHOWN,
    BatchAnswers,
    ConsolidationContext,
    Dependence,
    collect_answers,
    find_dependence,
)
from groundtruth.worker_history.store import ALL_WORKERS, Amounts, indices_below

_CELLS = ("0:0", "0:1", "1:0", "1:1")
"""Whether a label applies, and whether the worker picked it, in the order of the amounts."""

type LabelSet = tuple[int, ...]

_TIE = 1e-9


@dataclass(frozen=True, kw_only=True)
class SetPrediction:
    """What an algorithm says of one image.

    `candidates` are the labels that any worker chose or that are more probable than not, by
    descending probability; `chosen` those the image has, in that order; `tied` says whether label
    order alone decides on one.
    """

    candidates: dict[int, float]
    chosen: tuple[int, ...]
    posterior: dict[int, float]
    tied: bool
    below_quorum: bool
    dependence: Dependence | None


def predict(
    objects: Sequence[Answers[LabelSet]], context: ConsolidationContext, algorithm: str
) -> list[SetPrediction]:
    """One prediction for each image, all with a usable answer; their order changes nothing."""
    found = predict_probabilities(objects, context, algorithm)
    return [
        _predict_set(item, row, dependence, context, algorithm)
        for item, row, dependence in zip(objects, *found, strict=True)
    ]


def _predict_set(
    item: Answers[LabelSet],
    probabilities: Floats,
    dependence: Dependence | None,
    context: ConsolidationContext,
    algorithm: str,
) -> SetPrediction:
    voted = set(itertools.chain.from_iterable(item.answers))
    candidates = _sort_candidates(probabilities, item)
    eligible = np.full_like(probabilities, -1.0)
    eligible[list(candidates)] = probabilities[list(candidates)]
    quorum, exclusion = context.settings.quorum, context.settings.exclusion_category
    decided = choose_labels(
        eligible[np.newaxis],
        quorum=quorum,
        exclusion=context.classes.index(exclusion) if exclusion in context.classes else None,
    )
    keeps_all = algorithm == "builtin"
    below_quorum = bool(decided.below_quorum[0]) and not keeps_all
    # On the scale of the built-in function a label without a vote has 0.05; it is not shown.
    smallest = 1.0 if keeps_all else SMALLEST_SHOWN
    return SetPrediction(
        candidates={label: float(probabilities[label]) for label in candidates},
        chosen=tuple(label for label in candidates if keeps_all or decided.chosen[0, label]),
        posterior={
            label: share
            for label, share in enumerate(probabilities.tolist())
            if label in voted or share > smallest
        },
        tied=_is_tied(probabilities[list(candidates)], quorum, below_quorum=below_quorum),
        below_quorum=below_quorum,
        dependence=dependence,
    )


def _sort_candidates(probabilities: Floats, item: Answers[LabelSet]) -> LabelSet:
    """Labels that any worker chose, or that are more probable than not, the surest first.

    Equal ones are in label order, a single worker's in the order of that worker.
    """
    voted = dict.fromkeys(itertools.chain.from_iterable(item.answers))
    if len(item.answers) == 1:
        return tuple(voted)
    likely = dict.fromkeys(np.flatnonzero(probabilities > 0.5).tolist())
    return tuple(sorted(voted | likely, key=lambda label: (-probabilities[label], label)))


def _is_tied(candidates: Floats, quorum: float, *, below_quorum: bool) -> bool:
    """Whether label order alone decides on a label.

    That is so of one whose probability is the quorum, and of the best of several that are
    equally probable if none is above the quorum.
    """
    if bool((np.abs(candidates - quorum) < _TIE).any()):
        return True
    return below_quorum and int((candidates > candidates.max() - _TIE).sum()) > 1


def predict_probabilities(
    objects: Sequence[Answers[LabelSet]], context: ConsolidationContext, algorithm: str
) -> tuple[Floats, list[Dependence | None]]:
    """Probability of each label for each image, and how dependent errors were taken to be.

    Parameters
    ----------
    objects : sequence of Answers
        Images with one usable answer or more. Their order changes nothing.
    context : ConsolidationContext
        The batch they are of.
    algorithm : str
        One of the task's.

    Returns
    -------
    probabilities : ndarray of float, shape (n_objects, n_classes)
        In [0, 1]. The share of the workers who chose the label for ``majority``; the built-in
        function's map of that share for ``builtin``.
    dependence : list of Dependence or None
        By object; None if it was not looked for.
    """
    order = sorted(range(len(objects)), key=lambda index: objects[index].object_id)
    ordered = [objects[index] for index in order]
    batch = collect_answers(
        ordered,
        context,
        lambda names: _find_labels(names, context),
        with_model=algorithm == "calibrated",
    )
    selections = _make_selections(batch, len(ordered), max(1, len(context.classes)))
    dependence: list[Dependence | None] = [None] * len(ordered)
    if algorithm == "calibrated":
        result, dependence = _calibrated(batch, selections, context)
        context.skills.update_counts(_count_updates(ordered, batch.workers, result))
        posterior = result.posterior
    else:
        posterior = _share_labels(selections, algorithm)
    probabilities = np.empty_like(posterior)
    probabilities[order] = posterior
    by_object = dict(zip(order, dependence, strict=True))
    return probabilities, [by_object[index] for index in range(len(objects))]


def _share_labels(selections: Selections, algorithm: str) -> Floats:
    """Share of the workers who chose each label, as the algorithm writes it."""
    share = share_labels_as_builtin if algorithm == "builtin" else share_labels
    shares, single = share(selections), selections.answers_per_item == 1
    shares[single] = np.where(selections.counts[single] > 0, PRIOR_CONFIDENCE, 0.0)
    return shares


def _find_labels(names: Sequence[str], context: ConsolidationContext) -> LabelSet | None:
    """Indices of the labels that an auxiliary file names; None if one is unknown."""
    if any(name not in context.classes for name in names):
        return None
    return tuple(context.classes.index(name) for name in names)


def _make_selections(batch: BatchAnswers[LabelSet], n_items: int, n_labels: int) -> Selections:
    picked = np.zeros((len(batch.rows), n_labels), np.bool_)
    for row, (_, _, labels) in zip(picked, batch.rows, strict=True):
        row[list(labels)] = True
    return Selections(
        items=np.array([item for item, _, _ in batch.rows], np.int64),
        workers=np.array([worker for _, worker, _ in batch.rows], np.int64),
        picked=picked,
        n_items=n_items,
        n_workers=len(batch.workers),
    )


def _make_gold(batch: BatchAnswers[LabelSet], n_labels: int) -> Ints:
    """Whether each label applies to each image, 0 or 1; -1 where it is not known."""
    gold = np.full((len(batch.gold), n_labels), -1, np.int64)
    for row, labels in zip(gold, batch.gold, strict=True):
        if labels is not None:
            row[:] = 0
            row[list(labels)] = 1
    return gold


def _calibrated(
    batch: BatchAnswers[LabelSet], selections: Selections, context: ConsolidationContext
) -> tuple[LabelConsolidation, list[Dependence | None]]:
    """What the algorithm finds, and the dependence it found if that was not set."""
    n_labels = max(1, len(context.classes))
    history = context.skills.history(
        [*batch.workers, ALL_WORKERS] if batch.workers else [],
        is_cell=indices_below(n_labels, 2, 2),
        shared={ALL_WORKERS: EVIDENCE_CELLS},
    )
    dependence = (
        context.settings.error_correlation if context.dependence is None else context.dependence
    )
    options: dict[str, Any] = {
        "dependence": None if dependence is None else DependenceSettings.fixed(dependence),
        "worker_strength": context.settings.worker_strength,
        "strength": context.settings.row_strength,
        "smoothing": context.settings.vote_smoothing,
    }
    options = {name: value for name, value in options.items() if value is not None}
    settings = CalibratedLabelsSettings(**options)
    earlier = Evidence.from_cells(history.get(ALL_WORKERS, {}))
    result = calibrated_labels(
        selections,
        settings=settings,
        prior_counts=_counts(history, batch.workers, n_labels),
        gold=_make_gold(batch, n_labels),
        max_weights=None if batch.max_weights is None else np.array(batch.max_weights),
        earlier=earlier,
    )
    found = find_dependence(
        result.elsewhere if dependence is None else None,
        earlier,
        selections.answers_per_item.tolist(),
        settings.dependence,
    )
    return result, found


def _counts(history: Amounts, names: Sequence[str], n_labels: int) -> LabelCounts:
    """Stored cells ``"<label>:<applies>:<picked>"`` as counts."""
    amounts = np.zeros((len(names), n_labels, 2, 2))
    for worker, name in enumerate(names):
        for cell, amount in history[name].items():
            label, applies, picked = (int(part) for part in cell.split(":"))
            amounts[worker, label, applies, picked] = amount
    return LabelCounts(amounts)


def _count_updates(
    objects: Sequence[Answers[LabelSet]], names: Sequence[str], result: LabelConsolidation
) -> Mapping[str, Amounts]:
    """What each image teaches about its workers, in the store's terms."""
    n_labels = result.posterior.shape[1]
    cells = [f"{label}:{cell}" for label in range(n_labels) for cell in _CELLS]
    updates_by_object = {}
    for index, item in enumerate(objects):
        workers, amounts = result.count_updates.of_item(index)
        table = amounts.reshape(len(workers), len(cells)).tolist()
        updates = {
            names[worker]: {
                cell: amount for cell, amount in zip(cells, row, strict=True) if amount > 0
            }
            for worker, row in zip(workers.tolist(), table, strict=True)
        }
        updates_by_object[item.object_id] = {
            worker: amounts_of_worker
            for worker, amounts_of_worker in updates.items()
            if amounts_of_worker
        }
        if len(workers) > 1:
            updates_by_object[item.object_id][ALL_WORKERS] = {
                cell: amount
                for cell, amount in result.evidence.cells_of_item(index).items()
                if amount > 0
            }
    return updates_by_object
