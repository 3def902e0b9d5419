"""From the answers to the images of a batch to probabilities of labels."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from groundtruth.aggregation.classification.votes import Floats, Ints
from groundtruth.aggregation.multilabel.builtin import share_labels_as_builtin
from groundtruth.aggregation.multilabel.calibrated import (
    CalibratedLabelsSettings,
    calibrated_labels,
)
from groundtruth.aggregation.multilabel.counts import LabelConsolidation, LabelCounts
from groundtruth.aggregation.multilabel.label_sets import choose_labels
from groundtruth.aggregation.multilabel.majority import share_labels
from groundtruth.aggregation.multilabel.selections import Selections
from groundtruth.annotations import Answers
from groundtruth.tasks.base import (
    PRIOR_CONFIDENCE,
    SMALLEST_SHOWN,
    ConsolidationContext,
)
from groundtruth.worker_history.store import Amounts

_CELLS = ("0:0", "0:1", "1:0", "1:1")
"""Whether a label applies, and whether the worker picked it, in the order of the amounts."""

type Chosen = tuple[int, ...]


_TIE = 1e-9


@dataclass(frozen=True, kw_only=True)
class SetPrediction:
    """What an algorithm says of one image.

    Attributes
    ----------
    candidates : dict of int to float
        Probability in [0, 1] of each label that any worker chose or that is more probable than
        not, by descending probability; of equal ones the label listed first comes first.
    chosen : tuple of int
        The labels the image has, in that order.
    posterior : dict of int to float
        Probability in [0, 1] of each label that any worker chose or that has more than 1 %.
    tied : bool
        Whether label order alone decides on a label.
    below_quorum : bool
        Whether no label is more probable than the quorum.
    """

    candidates: dict[int, float]
    chosen: tuple[int, ...]
    posterior: dict[int, float]
    tied: bool
    below_quorum: bool


def predict(
    objects: Sequence[Answers[Chosen]], context: ConsolidationContext, algorithm: str
) -> list[SetPrediction]:
    """One prediction for each image.

    Parameters
    ----------
    objects : sequence of Answers
        Images with one usable answer or more. Their order changes nothing.
    context : ConsolidationContext
        The batch they are of.
    algorithm : str
        One of the task's.
    """
    rows = predict_probabilities(objects, context, algorithm)
    return [
        _predict_set(item, row, context, algorithm) for item, row in zip(objects, rows, strict=True)
    ]


def _predict_set(
    item: Answers[Chosen], probabilities: Floats, context: ConsolidationContext, algorithm: str
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
    )


def _sort_candidates(probabilities: Floats, item: Answers[Chosen]) -> Chosen:
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
    objects: Sequence[Answers[Chosen]], context: ConsolidationContext, algorithm: str
) -> Floats:
    """Probability of each label for each image.

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
    ndarray of float, shape (n_objects, n_classes)
        In [0, 1]. The share of the workers who chose the label for ``majority``; the built-in
        function's map of that share for ``builtin``.
    """
    order = sorted(range(len(objects)), key=lambda index: objects[index].object_id)
    ordered = [objects[index] for index in order]
    answering = _Answering.of(ordered, context, with_model=algorithm == "calibrated")
    if algorithm == "calibrated":
        result = _calibrated(answering, context)
        context.skills.update_counts(_count_updates(ordered, answering, result))
        posterior = result.posterior
    else:
        posterior = _share_labels(answering, algorithm)
    probabilities = np.empty_like(posterior)
    probabilities[order] = posterior
    return probabilities


def _share_labels(answering: _Answering, algorithm: str) -> Floats:
    """Share of the workers who chose each label, as the algorithm writes it."""
    share = share_labels_as_builtin if algorithm == "builtin" else share_labels
    selections = answering.selections
    shares, single = share(selections), selections.answers_per_item == 1
    shares[single] = np.where(selections.counts[single] > 0, PRIOR_CONFIDENCE, 0.0)
    return shares


@dataclass(frozen=True)
class _Answering:
    """The answers of a batch, and what is known of who gave them."""

    names: tuple[str, ...]
    selections: Selections
    gold: Ints
    max_weights: Floats | None

    @classmethod
    def of(
        cls, objects: Sequence[Answers[Chosen]], context: ConsolidationContext, *, with_model: bool
    ) -> _Answering:
        answers_by_item = [list(zip(item.workers, item.answers, strict=True)) for item in objects]
        names = sorted({worker for answers in answers_by_item for worker, _ in answers})
        if with_model and context.settings.model_max_weight > 0:
            for answers, item in zip(answers_by_item, objects, strict=True):
                known = _known_labels(context.model.of(item.object_id, item.source), context)
                answers += [(context.model_id, known)] if known is not None else []
        voters = {worker for answers in answers_by_item for worker, _ in answers}
        has_model = context.model_id in voters
        names += [context.model_id] if has_model else []
        weights = np.full(len(names), np.inf)
        weights[len(names) - has_model :] = context.settings.model_max_weight
        gold = [
            _gold_row(context.gold.of(item.object_id, item.source), context) for item in objects
        ]
        return cls(
            names=tuple(names),
            selections=_selections(answers_by_item, names, len(context.classes)),
            gold=np.array(gold, np.int64).reshape(len(objects), max(1, len(context.classes))),
            max_weights=weights if has_model else None,
        )


def _known_labels(names: tuple[str, ...] | None, context: ConsolidationContext) -> Chosen | None:
    """Indices of the labels that a side file names for an object; None if one is unknown."""
    if names is None or any(name not in context.classes for name in names):
        return None
    return tuple(context.classes.index(name) for name in names)


def _gold_row(names: tuple[str, ...] | None, context: ConsolidationContext) -> list[int]:
    known = _known_labels(names, context)
    if known is None:
        return [-1] * max(1, len(context.classes))
    return [int(at in known) for at in range(max(1, len(context.classes)))]


def _selections(
    answers_by_item: Sequence[Sequence[tuple[str, Chosen]]], names: Sequence[str], n_labels: int
) -> Selections:
    number = {worker: at for at, worker in enumerate(names)}
    flat = [
        (item, number[worker], chosen)
        for item, answers in enumerate(answers_by_item)
        for worker, chosen in answers
    ]
    picked = np.zeros((len(flat), max(1, n_labels)), np.bool_)
    for row, (_, _, chosen) in zip(picked, flat, strict=True):
        row[list(chosen)] = True
    return Selections(
        items=np.array([item for item, _, _ in flat], np.int64),
        workers=np.array([worker for _, worker, _ in flat], np.int64),
        picked=picked,
        n_items=len(answers_by_item),
        n_workers=len(names),
    )


def _calibrated(answering: _Answering, context: ConsolidationContext) -> LabelConsolidation:
    options: dict[str, Any] = {
        "correlation": context.settings.error_correlation,
        "mix": context.settings.posterior_mix,
        "worker_strength": context.settings.worker_strength,
        "strength": context.settings.row_strength,
        "smoothing": context.settings.vote_smoothing,
    }
    chosen = {name: value for name, value in options.items() if value is not None}
    return calibrated_labels(
        answering.selections,
        settings=replace(CalibratedLabelsSettings(), **chosen),
        prior_counts=_counts(
            context.skills.history(answering.names), answering.names, len(context.classes)
        ),
        gold=answering.gold,
        max_weights=answering.max_weights,
    )


def _counts(history: Amounts, names: Sequence[str], n_labels: int) -> LabelCounts:
    """Stored cells ``"<label>:<applies>:<picked>"`` as counts."""
    amounts = np.zeros((len(names), max(1, n_labels), 2, 2))
    for worker, name in enumerate(names):
        for cell, amount in history[name].items():
            label, applies, picked = (int(part) for part in cell.split(":"))
            amounts[worker, label, applies, picked] = amount
    return LabelCounts(amounts)


def _count_updates(
    objects: Sequence[Answers[Chosen]], answering: _Answering, result: LabelConsolidation
) -> Mapping[str, Amounts]:
    """What each image teaches about its workers, in the store's terms."""
    cells = [f"{label}:{cell}" for label in range(answering.gold.shape[1]) for cell in _CELLS]
    updates_by_object: dict[str, dict[str, dict[str, float]]] = {}
    for at, item in enumerate(objects):
        workers, amounts = result.count_updates.of_item(at)
        table = amounts.reshape(len(workers), len(cells)).tolist()
        updates = {}
        for worker, row in zip(workers.tolist(), table, strict=True):
            cells_of_worker = {
                cell: amount for cell, amount in zip(cells, row, strict=True) if amount > 0
            }
            if cells_of_worker:
                updates[answering.names[worker]] = cells_of_worker
        updates_by_object[item.object_id] = updates
    return updates_by_object
