"""From the answers to a batch of images to one class each, by the algorithm that is set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from groundtruth.aggregation.builtin import builtin, builtin_confidence
from groundtruth.aggregation.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.dawid_skene import DawidSkeneSettings, dawid_skene
from groundtruth.aggregation.majority import majority
from groundtruth.aggregation.result import Consolidation
from groundtruth.aggregation.votes import Floats, Ints
from groundtruth.aggregation.weighted import WeightedSettings, weighted
from groundtruth.answers import Answers
from groundtruth.task import Batch
from groundtruth.tasks.class_votes import Voters, taught
from groundtruth.tasks.statuses import PRIOR_CONFIDENCE, SMALLEST_SHOWN

if TYPE_CHECKING:
    from groundtruth.aggregation.calibration import ConfidenceMap

ALGORITHMS = ("calibrated", "weighted", "dawid-skene", "majority", "builtin")

WITH_MODEL = ("calibrated", "weighted", "majority")
"""Algorithms in which the model counts: they can hold its weight down."""

_TIE = 1e-9


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
        Images with one usable answer or more. Their order changes nothing.
    batch : Batch
        The batch they are of.
    algorithm : str
        One of `ALGORITHMS`.
    """
    ordered = sorted(objects, key=lambda item: item.object_id)
    voters = Voters.of(
        ordered,
        batch,
        with_model=algorithm in WITH_MODEL,
        with_history=algorithm in _SKILLED,
    )
    if algorithm in _SKILLED:
        result = _SKILLED[algorithm](voters, batch)
        batch.skills.learn(taught(ordered, voters, result))
        posterior = result.posterior.dense()
        confidences = posterior.max(axis=1)
    elif algorithm == "builtin":
        posterior = builtin(voters.votes)
        confidences = builtin_confidence(posterior)
        posterior, confidences = _lone(posterior, confidences, voters)
    else:
        weights = None if voters.max_weights is None else np.minimum(voters.max_weights, 1.0)
        posterior = majority(voters.votes, weights=weights)
        posterior, confidences = _lone(posterior, posterior.max(axis=1), voters)
    known_map = None if algorithm == "builtin" else batch.confidence_map
    judgements = _judgements(posterior, confidences, voters, known_map)
    found = {item.object_id: one for item, one in zip(ordered, judgements, strict=True)}
    return [found[item.object_id] for item in objects]


def _calibrated(voters: Voters, batch: Batch) -> Consolidation:
    chosen = _set(
        correlation=batch.settings.error_correlation,
        mix=batch.settings.posterior_mix,
        accuracy_strength=batch.settings.worker_strength,
        strength=batch.settings.row_strength,
        frequency_weight=batch.settings.frequency_weight,
        smoothing=batch.settings.vote_smoothing,
    )
    return calibrated(
        voters.votes,
        settings=CalibratedSettings(**chosen),
        prior_counts=voters.counts,
        pool=voters.pool,
        in_pool=voters.in_pool,
        gold=voters.gold,
        max_weights=voters.max_weights,
    )


def _weighted(voters: Voters, batch: Batch) -> Consolidation:
    chosen = _set(
        accuracy_strength=batch.settings.worker_strength,
        smoothing=batch.settings.vote_smoothing,
    )
    return weighted(
        voters.votes,
        settings=WeightedSettings(**chosen),
        prior_counts=voters.counts,
        gold=voters.gold,
        max_weights=voters.max_weights,
    )


def _dawid_skene(voters: Voters, batch: Batch) -> Consolidation:
    chosen = _set(strength=batch.settings.worker_strength)
    return dawid_skene(
        voters.votes,
        settings=DawidSkeneSettings(**chosen),
        prior_counts=voters.counts,
        gold=voters.gold,
    )


_SKILLED: Mapping[str, Callable[[Voters, Batch], Consolidation]] = {
    "calibrated": _calibrated,
    "weighted": _weighted,
    "dawid-skene": _dawid_skene,
}


def _set(**values: float | None) -> dict[str, Any]:
    """The settings that are set; the others are for the algorithm to choose."""
    return {name: value for name, value in values.items() if value is not None}


def _lone(posterior: Floats, confidences: Floats, voters: Voters) -> tuple[Floats, Floats]:
    """Posterior and confidences, where an image with one vote gets what is known of workers."""
    lone = voters.votes.votes_per_item == 1
    n_classes = posterior.shape[1]
    right = PRIOR_CONFIDENCE if n_classes > 1 else 1.0
    known = np.where(voters.votes.counts > 0, right, (1.0 - right) / max(n_classes - 1, 1))
    return (
        np.where(lone[:, np.newaxis], known, posterior),
        np.where(lone, right, confidences),
    )


def _judgements(
    posterior: Floats, confidences: Floats, voters: Voters, found: ConfidenceMap | None
) -> list[Judgement]:
    """One judgement for each row, by the job's confidence map if there is one."""
    best = posterior.argmax(axis=1)
    tied = (posterior >= posterior.max(axis=1, keepdims=True) - _TIE).sum(axis=1) > 1
    if found is not None:
        confidences = found.apply(confidences)
        posterior = _with_confidences(posterior, best, confidences)
    shown = (voters.votes.counts > 0) | (posterior > SMALLEST_SHOWN)
    columns = (best.tolist(), confidences.tolist(), tied.tolist(), posterior, shown)
    return [
        Judgement(
            class_id=class_id,
            confidence=confidence,
            tied=is_tied,
            posterior={at: float(row[at]) for at in np.flatnonzero(seen).tolist()},
        )
        for class_id, confidence, is_tied, row, seen in zip(*columns, strict=True)
    ]


def _with_confidences(posterior: Floats, best: Ints, confidences: Floats) -> Floats:
    """The posterior where the best class of each row has the confidence given.

    The other classes share the rest in proportion, and evenly where they had nothing.
    """
    is_best = np.arange(posterior.shape[1]) == best[:, np.newaxis]
    others = np.where(is_best, 0.0, posterior)
    others = np.where(others.sum(axis=1, keepdims=True) > 0, others, ~is_best)
    total = np.maximum(others.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    rest = others / total * (1.0 - confidences)[:, np.newaxis]
    return np.where(is_best, confidences[:, np.newaxis], rest)
