"""From the answers to a batch of images to one class each, by the algorithm that is set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from groundtruth.aggregation.builtin import builtin, builtin_confidence
from groundtruth.aggregation.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.dawid_skene import DawidSkeneSettings, dawid_skene
from groundtruth.aggregation.majority import majority
from groundtruth.aggregation.result import Consolidation
from groundtruth.aggregation.skill import WorkerCounts
from groundtruth.aggregation.votes import Floats, Ints, Votes
from groundtruth.aggregation.weighted import WeightedSettings, weighted
from groundtruth.answers import Answers
from groundtruth.skills.store import Amounts
from groundtruth.task import Batch
from groundtruth.tasks.statuses import PRIOR_CONFIDENCE

ALGORITHMS = ("calibrated", "weighted", "dawid-skene", "majority", "builtin")

_TIE = 1e-9
_SMALLEST_SHOWN = 0.01


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What an algorithm says of one image.

    Attributes
    ----------
    class_id : int
        Index of the class; of equally probable ones that listed first.
    confidence : float
        Probability in [0, 1] that it is right.
    tied : bool
        Whether another class is just as probable.
    posterior : dict of int to float
        Probability of each class that got a vote or has more than 1 %.
    """

    class_id: int
    confidence: float
    tied: bool
    posterior: dict[int, float]


def judged(objects: Sequence[Answers[int]], batch: Batch, algorithm: str) -> list[Judgement]:
    """One judgement for each image.

    Parameters
    ----------
    objects : sequence of Answers
        Images with one usable answer or more.
    batch : Batch
        The batch they are of.
    algorithm : str
        One of `ALGORITHMS`.
    """
    voters = _Voters.of(objects, batch)
    if algorithm == "builtin":
        posterior = builtin(voters.votes)
        return _judgements(posterior, _lone(builtin_confidence(posterior), voters), voters)
    if algorithm == "majority":
        weights = None if voters.max_weights is None else np.minimum(voters.max_weights, 1.0)
        posterior = majority(voters.votes, weights=weights)
        return _judgements(posterior, _lone(posterior.max(axis=1), voters), voters)
    result = _SKILLED[algorithm](voters, batch)
    batch.skills.learn(_taught(objects, voters, result))
    posterior = result.posterior.dense()
    judgements = _judgements(posterior, posterior.max(axis=1), voters)
    return [_mapped(judgement, batch) for judgement in judgements]


@dataclass(frozen=True)
class _Voters:
    """The votes of a batch, and what is known of who cast them.

    The model of the job's side file is one more worker, the last one.
    """

    names: tuple[str, ...]
    votes: Votes
    gold: Ints
    counts: WorkerCounts
    max_weights: Floats | None

    @classmethod
    def of(cls, objects: Sequence[Answers[int]], batch: Batch) -> _Voters:
        cast = [(item.workers, item.answers) for item in objects]
        model = [
            _known_class(batch.model.of(item.object_id, item.source), batch) for item in objects
        ]
        names = sorted({worker for workers, _ in cast for worker in workers})
        if any(chosen >= 0 for chosen in model):
            names.append(batch.model_id)
            cast = [
                ((*workers, batch.model_id), (*classes, chosen))
                if chosen >= 0
                else (workers, classes)
                for (workers, classes), chosen in zip(cast, model, strict=True)
            ]
        weights = np.full(len(names), np.inf)
        weights[[at for at, name in enumerate(names) if name == batch.model_id]] = (
            batch.settings.model_max_weight
        )
        gold = [_known_class(batch.gold.of(item.object_id, item.source), batch) for item in objects]
        return cls(
            names=tuple(names),
            votes=_votes(cast, names, len(batch.classes)),
            gold=np.array(gold, np.int64),
            counts=_counts(batch.skills.history(names), names, len(batch.classes)),
            max_weights=weights if batch.model_id in names else None,
        )


def _known_class(names: tuple[str, ...] | None, batch: Batch) -> int:
    """Index of the class that a side file names for an object; -1 for none."""
    if names is None or len(names) != 1 or names[0] not in batch.classes:
        return -1
    return batch.classes.index(names[0])


def _votes(
    cast: Sequence[tuple[Sequence[str], Sequence[int]]], names: Sequence[str], n_classes: int
) -> Votes:
    number = {worker: at for at, worker in enumerate(names)}
    flat = [
        (item, number[worker], chosen)
        for item, (workers, classes) in enumerate(cast)
        for worker, chosen in zip(workers, classes, strict=True)
    ]
    columns = np.array(flat, dtype=np.int64).reshape(len(flat), 3).T
    return Votes(
        items=columns[0],
        workers=columns[1],
        classes=columns[2],
        n_items=len(cast),
        n_workers=len(names),
        n_classes=max(1, n_classes),
    )


def _counts(history: Amounts, names: Sequence[str], n_classes: int) -> WorkerCounts:
    """Stored cells ``"<true class>:<chosen class>"`` as counts."""
    cells = [
        (worker, *(int(part) for part in cell.split(":")), amount)
        for worker, name in enumerate(names)
        for cell, amount in history[name].items()
    ]
    columns = np.array(cells, dtype=np.float64).reshape(len(cells), 4).T
    workers, truths, answers = columns[:3].astype(np.int64)
    return WorkerCounts(workers, truths, answers, columns[3], len(names), max(1, n_classes))


def _taught(
    objects: Sequence[Answers[int]], voters: _Voters, result: Consolidation
) -> Mapping[str, Amounts]:
    """What each image teaches about its workers, in the store's terms."""
    taught: dict[str, dict[str, dict[str, float]]] = {}
    for at, item in enumerate(objects):
        counts = result.contributions.of_item(at)
        amounts: dict[str, dict[str, float]] = {}
        columns = (counts.workers, counts.truths, counts.answers, counts.amounts)
        for worker, truth, answer, amount in zip(*(c.tolist() for c in columns), strict=True):
            amounts.setdefault(voters.names[worker], {})[f"{truth}:{answer}"] = amount
        taught[item.object_id] = amounts
    return taught


def _calibrated(voters: _Voters, batch: Batch) -> Consolidation:
    chosen = _set(
        correlation=batch.settings.error_correlation,
        mix=batch.settings.posterior_mix,
        strength=batch.settings.worker_strength,
    )
    return calibrated(
        voters.votes,
        settings=CalibratedSettings(**chosen),
        prior_counts=voters.counts,
        gold=voters.gold,
        max_weights=voters.max_weights,
    )


def _weighted(voters: _Voters, batch: Batch) -> Consolidation:
    chosen = _set(accuracy_strength=batch.settings.worker_strength)
    return weighted(
        voters.votes,
        settings=WeightedSettings(**chosen),
        prior_counts=voters.counts,
        gold=voters.gold,
        max_weights=voters.max_weights,
    )


def _dawid_skene(voters: _Voters, batch: Batch) -> Consolidation:
    chosen = _set(strength=batch.settings.worker_strength)
    return dawid_skene(
        voters.votes,
        settings=DawidSkeneSettings(**chosen),
        prior_counts=voters.counts,
        gold=voters.gold,
    )


_SKILLED: Mapping[str, Callable[[_Voters, Batch], Consolidation]] = {
    "calibrated": _calibrated,
    "weighted": _weighted,
    "dawid-skene": _dawid_skene,
}


def _set(**values: float | None) -> dict[str, Any]:
    """The settings that are set; the others are for the algorithm to choose."""
    return {name: value for name, value in values.items() if value is not None}


def _lone(confidences: Floats, voters: _Voters) -> Floats:
    """The confidences, but for images with one vote, of which only the voter speaks."""
    return np.where(voters.votes.votes_per_item == 1, PRIOR_CONFIDENCE, confidences)


def _judgements(posterior: Floats, confidences: Floats, voters: _Voters) -> list[Judgement]:
    voted = voters.votes.counts > 0
    judgements = []
    for row, confidence, chosen in zip(posterior, confidences.tolist(), voted, strict=True):
        class_id = int(np.argmax(row))
        shown = np.flatnonzero(chosen | (row > _SMALLEST_SHOWN)).tolist()
        judgements.append(
            Judgement(
                class_id=class_id,
                confidence=confidence,
                tied=int((row >= row[class_id] - _TIE).sum()) > 1,
                posterior={at: float(row[at]) for at in shown},
            )
        )
    return judgements


def _mapped(judgement: Judgement, batch: Batch) -> Judgement:
    """The judgement with the job's confidence map applied; the other classes share the rest."""
    if batch.confidence_map is None:
        return judgement
    before = judgement.confidence
    after = float(batch.confidence_map.apply(np.array([before]))[0])
    rest = (1.0 - after) / (1.0 - before) if before < 1.0 else 0.0
    posterior = {
        at: after if at == judgement.class_id else share * rest
        for at, share in judgement.posterior.items()
    }
    return replace(judgement, confidence=after, posterior=posterior)
