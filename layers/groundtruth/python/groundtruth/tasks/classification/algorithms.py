"""From the votes on the images of a batch to classes, by the algorithm that is set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.builtin import builtin, builtin_confidence
from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.dawid_skene import DawidSkeneSettings, dawid_skene
from groundtruth.aggregation.classification.dependence import (
    EVIDENCE_CELLS,
    DependenceSettings,
    Evidence,
)
from groundtruth.aggregation.classification.ebcc import ebcc
from groundtruth.aggregation.classification.majority import majority
from groundtruth.aggregation.classification.posterior import SAME, Consolidation
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes
from groundtruth.aggregation.classification.weighted import WeightedSettings, weighted
from groundtruth.annotations import Answers
from groundtruth.auxiliary_inputs import NO_LABELS
from groundtruth.settings import Settings
from groundtruth.tasks.base import (
    PRIOR_CONFIDENCE,
    SMALLEST_SHOWN,
    ConsolidationContext,
    Dependence,
    collect_answers,
    find_dependence,
)
from groundtruth.worker_history.store import (
    ALL_WORKERS,
    Amounts,
    indices_below,
    name_job_record,
)

if TYPE_CHECKING:
    from groundtruth.aggregation.classification.calibration_maps import ConfidenceMap

MOST_POOLED_CLASSES = 10
"""With more classes than this, it is not kept what all workers together did.

That record has a cell for each pair of classes, and each data object of a batch adds to many of
them. A transaction adds to 120 cells of a record at most, so with 20 classes a full batch would
take up to 60 transactions, all on this record, and without it takes 10 at most.
"""


@dataclass(frozen=True)
class Voters:
    """The votes of a batch, and what is known of who cast them."""

    # the workers, sorted; the model of the job's auxiliary file is one more, the last
    names: tuple[str, ...]
    votes: Votes  # theirs
    gold: Ints  # shape (n_items,): true classes, -1 where unknown
    counts: WorkerCounts  # what earlier batches taught about the workers
    # shape (n_classes, n_classes), or None: what they taught about all workers together; None where
    # that is not kept
    population: Floats | None
    evidence: Evidence  # what they showed of whether workers err together
    # shape (n_classes,): how many of their images were known to be of each class
    earlier_gold: Floats
    # shape (n_workers,): which of the workers that is about: all but the model
    in_population: NDArray[np.bool_]
    # shape (n_workers,), or None: largest weight of each; None without the model
    max_weights: Floats | None


def _find_voters(
    objects: Sequence[Answers[int]], context: ConsolidationContext, algorithm: str
) -> Voters:
    """The votes on some images, and of the workers what the algorithm wants to know."""

    def find_class(names: Sequence[str]) -> int | None:
        known = len(names) == 1 and names[0] in context.classes
        return context.classes.index(names[0]) if known else None

    batch = collect_answers(objects, context, find_class, with_model=algorithm in WITH_MODEL)
    names = batch.workers
    # Where nothing tells the classes, one that was not seen yet may be right too.
    n_classes = max(1 if context.classes_known else 2, len(context.classes))
    columns = np.array(batch.rows, dtype=np.int64).reshape(len(batch.rows), 3).T
    gold_cells = [_gold_cell(class_id) for class_id in range(n_classes)]
    of_job = name_job_record(context.skills.job)
    shared: dict[str, Collection[str]] = {ALL_WORKERS: EVIDENCE_CELLS}
    if context.gold != NO_LABELS:
        shared[of_job] = gold_cells
    history = context.skills.history(
        [*names, *shared] if names and algorithm in _SKILLED else [],
        is_cell=indices_below(n_classes, n_classes),
        shared=shared,
    )
    of_all, known = history.get(ALL_WORKERS, {}), history.get(of_job, {})
    of_workers = {cell: amount for cell, amount in of_all.items() if cell not in EVIDENCE_CELLS}
    return Voters(
        names=names,
        votes=Votes(
            items=columns[0],
            workers=columns[1],
            classes=columns[2],
            n_items=len(objects),
            n_workers=len(names),
            n_classes=n_classes,
        ),
        gold=np.array([-1 if truth is None else truth for truth in batch.gold], np.int64),
        counts=_counts(history, names, n_classes),
        population=_population(of_workers, n_classes),
        evidence=Evidence.from_cells(of_all),
        earlier_gold=np.array([known.get(cell, 0.0) for cell in gold_cells]),
        in_population=np.array([name != context.model_id for name in names], np.bool_),
        max_weights=None if batch.max_weights is None else np.array(batch.max_weights),
    )


def _counts(history: Amounts, names: Sequence[str], n_classes: int) -> WorkerCounts:
    """Stored cells ``"<true class>:<chosen class>"`` as counts."""
    cells = [
        (worker, *(int(part) for part in cell.split(":")), amount)
        for worker, name in enumerate(names)
        for cell, amount in history.get(name, {}).items()
    ]
    columns = np.array(cells, dtype=np.float64).reshape(len(cells), 4).T
    workers, truths, answers = columns[:3].astype(np.int64)
    return WorkerCounts(workers, truths, answers, columns[3], len(names), n_classes)


def _population(of_all: Mapping[str, float], n_classes: int) -> Floats | None:
    """What is known of all workers together, as a table."""
    if n_classes > MOST_POOLED_CLASSES:
        return None
    table: Floats = _counts({ALL_WORKERS: of_all}, [ALL_WORKERS], n_classes).dense()[0]
    return table


def _gold_cell(class_id: int) -> str:
    """Under what a job's record keeps how many of its images were known to be of a class."""
    return f"gold:{class_id}"


def count_updates(
    objects: Sequence[Answers[int]],
    voters: Voters,
    result: Consolidation,
    *,
    gold_record: str | None = None,
) -> Mapping[str, Amounts]:
    """What each image teaches about its workers, in the store's terms, by the image's id.

    What all workers together did is there as `ALL_WORKERS`; the model is not one of them. The class
    of an image whose truth is known is there as `gold_record`, if that is given.
    """
    updates: dict[str, dict[str, dict[str, float]]] = {}
    for index, item in enumerate(objects):
        counts = result.count_updates.of_item(index)
        amounts: dict[str, dict[str, float]] = {}
        columns = (counts.workers, counts.truths, counts.answers, counts.amounts)
        for worker, truth, answer, amount in zip(*(c.tolist() for c in columns), strict=True):
            cell = f"{truth}:{answer}"
            amounts.setdefault(voters.names[worker], {})[cell] = amount
            if voters.population is not None and voters.in_population[worker]:
                everyone = amounts.setdefault(ALL_WORKERS, {})
                everyone[cell] = everyone.get(cell, 0.0) + amount
        if result.evidence is not None and voters.votes.votes_per_item[index] > 1:
            amounts.setdefault(ALL_WORKERS, {}).update(result.evidence.cells_of_item(index))
        if gold_record is not None and (truth := int(voters.gold[index])) >= 0:
            amounts.setdefault(gold_record, {})[_gold_cell(truth)] = 1.0
        updates[item.object_id] = amounts
    return updates


WITH_MODEL = ("calibrated", "weighted", "majority")
"""Algorithms in which the model counts: they can hold its weight down."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What an algorithm says of one image; of equally probable classes the first counts."""

    class_id: int
    confidence: float
    tied: bool
    posterior: dict[int, float]
    dependence: Dependence | None


def predict(
    objects: Sequence[Answers[int]], context: ConsolidationContext, algorithm: str
) -> list[Prediction]:
    """One prediction for each image, all with a usable answer; their order changes nothing."""
    ordered = sorted(objects, key=lambda item: item.object_id)
    voters = _find_voters(ordered, context, algorithm)
    elsewhere: Evidence | None = None
    if algorithm in _SKILLED:
        result = _SKILLED[algorithm](voters, context)
        job = name_job_record(context.skills.job) if context.settings.gold_frequencies else None
        updates = count_updates(ordered, voters, result, gold_record=job)
        context.skills.update_counts(updates)
        posterior = result.posterior.dense()
        confidences = posterior.max(axis=1)
        elsewhere = result.elsewhere if context.dependence is None else None
    elif algorithm == "builtin":
        posterior, confidences = show_builtin(builtin(voters.votes), voters.votes)
    else:
        posterior, confidences = share_votes(voters.votes, voters.max_weights)
    confidence_map = None if algorithm == "builtin" else context.confidence_map
    dependence = find_dependence(
        elsewhere,
        voters.evidence,
        voters.votes.votes_per_item.tolist(),
        CalibratedSettings().dependence,
    )
    found = choose_classes(posterior, confidences, voters.votes.counts, confidence_map)
    predictions = _list_predictions(found, dependence)
    by_object = dict(zip((item.object_id for item in ordered), predictions, strict=True))
    return [by_object[item.object_id] for item in objects]


def _calibrated(voters: Voters, context: ConsolidationContext) -> Consolidation:
    settings = calibrated_settings(context.settings)
    if context.dependence is not None:
        settings = replace(settings, dependence=DependenceSettings.fixed(context.dependence))
    return calibrated(
        voters.votes,
        settings=settings,
        prior_counts=voters.counts,
        population_counts=voters.population,
        in_population=voters.in_population,
        gold=voters.gold,
        max_weights=voters.max_weights,
        earlier=voters.evidence,
        earlier_gold=voters.earlier_gold,
    )


def calibrated_settings(settings: Settings) -> CalibratedSettings:
    """What a job sets of `calibrated`."""
    options = _options_set(
        correlation=settings.error_correlation,
        mix=settings.posterior_mix,
        accuracy_strength=settings.worker_strength,
        strength=settings.row_strength,
        frequency_weight=settings.frequency_weight,
        frequencies_from_gold=settings.gold_frequencies,
        smoothing=settings.vote_smoothing,
    )
    return CalibratedSettings(**options)


def _weighted(voters: Voters, context: ConsolidationContext) -> Consolidation:
    return weighted(
        voters.votes,
        settings=weighted_settings(context.settings),
        prior_counts=voters.counts,
        gold=voters.gold,
        max_weights=voters.max_weights,
    )


def weighted_settings(settings: Settings) -> WeightedSettings:
    """What a job sets of `weighted`."""
    options = _options_set(
        accuracy_strength=settings.worker_strength, smoothing=settings.vote_smoothing
    )
    return WeightedSettings(**options)


def _dawid_skene(voters: Voters, context: ConsolidationContext) -> Consolidation:
    return dawid_skene(
        voters.votes,
        settings=dawid_skene_settings(context.settings),
        prior_counts=voters.counts,
        gold=voters.gold,
    )


def dawid_skene_settings(settings: Settings) -> DawidSkeneSettings:
    """What a job sets of `dawid_skene`."""
    return DawidSkeneSettings(**_options_set(strength=settings.worker_strength))


def _ebcc(voters: Voters, context: ConsolidationContext) -> Consolidation:
    return ebcc(voters.votes, prior_counts=voters.counts, gold=voters.gold)


_SKILLED: Mapping[str, Callable[[Voters, ConsolidationContext], Consolidation]] = {
    "calibrated": _calibrated,
    "weighted": _weighted,
    "dawid-skene": _dawid_skene,
    "ebcc": _ebcc,
}


def _options_set(**values: float | bool | None) -> dict[str, Any]:
    """The settings that are set; the others are for the algorithm to choose."""
    return {name: value for name, value in values.items() if value is not None}


def share_votes(votes: Votes, max_weights: Floats | None) -> tuple[Floats, Floats]:
    """Posterior and confidences by `majority`."""
    weights = None if max_weights is None else np.minimum(max_weights, 1.0)
    posterior = majority(votes, weights=weights)
    return _fill_single_votes(posterior, posterior.max(axis=1), votes)


def show_builtin(posterior: Floats, votes: Votes) -> tuple[Floats, Floats]:
    """Posterior and confidences by what `builtin` says."""
    return _fill_single_votes(posterior, builtin_confidence(posterior), votes)


def _fill_single_votes(
    posterior: Floats, confidences: Floats, votes: Votes
) -> tuple[Floats, Floats]:
    """Posterior and confidences, where an image with one vote gets what is known of workers."""
    single_vote = votes.votes_per_item == 1
    n_classes = posterior.shape[1]
    right = PRIOR_CONFIDENCE if n_classes > 1 else 1.0
    known = np.where(votes.counts > 0, right, (1.0 - right) / max(n_classes - 1, 1))
    return (
        np.where(single_vote[:, np.newaxis], known, posterior),
        np.where(single_vote, right, confidences),
    )


class ChosenClasses(NamedTuple):
    """What an algorithm says of images; of equally probable classes the first counts."""

    class_id: Ints  # by image
    confidence: Floats  # by image
    tied: NDArray[np.bool_]  # by image: whether another class is as probable
    # What is shown of the posterior, by image and in it by class: a class that has a vote, or is
    # probable enough.
    shown_items: Ints
    shown_classes: Ints
    shown_shares: Floats


def choose_classes(
    posterior: Floats, confidences: Floats, counts: Floats, confidence_map: ConfidenceMap | None
) -> ChosenClasses:
    """Choose by the posterior, by the job's confidence map if there is one.

    `posterior` and `counts`, of the votes, have the shape (n_items, n_classes).
    """
    is_best = posterior >= posterior.max(axis=1, keepdims=True) - SAME
    best = is_best.argmax(axis=1)
    if confidence_map is not None:
        confidences = confidence_map.apply(confidences)
        posterior = _set_confidences(posterior, best, confidences)
    items, classes = np.nonzero((counts > 0) | (posterior > SMALLEST_SHOWN))
    return ChosenClasses(
        class_id=best,
        confidence=confidences,
        tied=is_best.sum(axis=1) > 1,
        shown_items=items,
        shown_classes=classes,
        shown_shares=posterior[items, classes],
    )


def _list_predictions(
    found: ChosenClasses, dependence: Sequence[Dependence | None]
) -> list[Prediction]:
    posteriors: list[dict[int, float]] = [{} for _ in dependence]
    for item, class_id, share in zip(*(column.tolist() for column in found[3:]), strict=True):
        posteriors[item][class_id] = share
    columns = (*(column.tolist() for column in found[:3]), posteriors, dependence)
    return [
        Prediction(
            class_id=class_id,
            confidence=confidence,
            tied=is_tied,
            posterior=posterior,
            dependence=told,
        )
        for class_id, confidence, is_tied, posterior, told in zip(*columns, strict=True)
    ]


def _set_confidences(posterior: Floats, best: Ints, confidences: Floats) -> Floats:
    """The posterior where the best class of each row has the confidence given.

    The other classes share the rest in proportion, and evenly where they had nothing.
    """
    is_best = np.arange(posterior.shape[1]) == best[:, np.newaxis]
    others = np.where(is_best, 0.0, posterior)
    others = np.where(others.sum(axis=1, keepdims=True) > 0, others, ~is_best)
    total = np.maximum(others.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    rest = others / total * (1.0 - confidences)[:, np.newaxis]
    return np.where(is_best, confidences[:, np.newaxis], rest)
