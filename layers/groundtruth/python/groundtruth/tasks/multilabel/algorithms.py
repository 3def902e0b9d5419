"""From the answers to the images of a batch to probabilities of labels."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

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
)
from groundtruth.annotations import Answers
from groundtruth.settings import Settings
from groundtruth.tasks.base import (
    PRIOR_CONFIDENCE,
    BatchAnswers,
    ConsolidationContext,
    Dependence,
    collect_answers,
    find_dependence,
)
from groundtruth.tasks.multilabel.decisions import LabelDecisions, decide_labels
from groundtruth.worker_history.store import ALL_WORKERS, Amounts, indices_below

_CELLS = ("0:0", "0:1", "1:0", "1:1")
"""Whether a label applies, and whether the worker picked it, in the order of the amounts."""

LabelSet: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SetPrediction:
    """What an algorithm says of one image; see `LabelDecisions`.

    `candidates` are by descending probability, a single worker's in the order of that worker;
    `chosen` are those the image has, in that order.
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
    probabilities, dependence = predict_probabilities(objects, context, algorithm)
    votes = np.zeros(probabilities.shape)
    places = []
    for row, item in zip(votes, objects, strict=True):
        np.add.at(row, list(itertools.chain.from_iterable(item.answers)), 1)
        if len(item.answers) == 1:
            places.append(place_labels(item.answers[0], len(row)))
    decisions = decide(
        probabilities,
        votes,
        used=np.array([len(item.answers) for item in objects], np.int64),
        places=np.array(places, np.int64).reshape(-1, votes.shape[1]),
        classes=context.classes,
        settings=context.settings,
        algorithm=algorithm,
    )
    return _list_predictions(decisions, dependence)


def place_labels(answer: LabelSet, n_labels: int) -> list[int]:
    """Place of each label in an answer, -1 where it is not in it."""
    places = [-1] * n_labels
    for place, label in enumerate(answer):
        places[label] = place
    return places


def decide(
    probabilities: Floats,
    votes: Floats,
    *,
    used: Ints,
    places: Ints,
    classes: Sequence[str],
    settings: Settings,
    algorithm: str,
) -> LabelDecisions:
    """`decide_labels` by a job's settings."""
    exclusion = settings.exclusion_category
    return decide_labels(
        probabilities,
        votes,
        used,
        places,
        quorum=settings.quorum,
        exclusion=classes.index(exclusion) if exclusion in classes else None,
        keep_all=algorithm == "builtin",
    )


def _list_predictions(
    decisions: LabelDecisions, dependence: Sequence[Dependence | None]
) -> list[SetPrediction]:
    columns = zip(
        decisions.shown_labels.tolist(),
        decisions.shown_shares.tolist(),
        decisions.shown_ranks.tolist(),
        decisions.shown_chosen.tolist(),
        strict=True,
    )
    rows: list[list[tuple[int, float, int, bool]]] = [[] for _ in dependence]
    for item, row in zip(decisions.shown_items.tolist(), columns, strict=True):
        rows[item].append(row)
    predictions = []
    of_items = (decisions.tied.tolist(), decisions.below_quorum.tolist(), dependence)
    for shown, tied, below_quorum, found in zip(rows, *of_items, strict=True):
        candidates = sorted((row for row in shown if row[2] >= 0), key=itemgetter(2))
        predictions.append(
            SetPrediction(
                candidates={label: share for label, share, _, _ in candidates},
                chosen=tuple(label for label, _, _, chosen in candidates if chosen),
                posterior={label: share for label, share, _, _ in shown},
                tied=tied,
                below_quorum=below_quorum,
                dependence=found,
            )
        )
    return predictions


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
        posterior = share_as(selections, algorithm)
    probabilities = np.empty_like(posterior)
    probabilities[order] = posterior
    by_object = dict(zip(order, dependence, strict=True))
    return probabilities, [by_object[index] for index in range(len(objects))]


def share_as(selections: Selections, algorithm: str) -> Floats:
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


def make_settings(settings: Settings, dependence: float | None) -> CalibratedLabelsSettings:
    """A job's settings of the algorithm; what is not set is for the algorithm to choose."""
    options: dict[str, Any] = {
        "dependence": None if dependence is None else DependenceSettings.fixed(dependence),
        "worker_strength": settings.worker_strength,
        "strength": settings.row_strength,
        "smoothing": settings.vote_smoothing,
    }
    options = {name: value for name, value in options.items() if value is not None}
    return CalibratedLabelsSettings(**options)


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
    settings = make_settings(context.settings, dependence)
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
