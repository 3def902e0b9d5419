"""The classes of a whole job, shard by shard.

The file of a shard has these arrays, by `groundtruth.sharding.arrays.pack`:

``n_objects`` (0-d)
    How many data objects it has; some may have no vote.
``items``, ``workers``, ``classes``, int32 of shape (n_votes,)
    Index of the object in the shard, of the worker among all of the plan, and of the class. Fastest
    if they ascend by item, worker and class, as `Votes` holds them.
``gold``, int32 of shape (n_objects,)
    The true class where it is known, -1 where not.

If the plan's options have ``model_max_weight``, that is the largest weight of the last worker,
which is a model: algorithms of `WITH_MODEL` ask it where workers voted too.

The last step's state has the arrays of `ChosenClasses` (an object without a worker's vote has the
class -1 and shows nothing), and by object ``dependence`` and ``correlation`` (float64, nan where a
label tells none) and ``pairs`` (int64), as `Dependence`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from groundtruth.aggregation.classification.builtin import (
    BuiltinCounts,
    conclude_builtin,
    count_builtin,
)
from groundtruth.aggregation.classification.calibrated import CalibratedRounds, Found
from groundtruth.aggregation.classification.dawid_skene import DawidSkeneRounds, DawidSkeneSettings
from groundtruth.aggregation.classification.dependence import Evidence
from groundtruth.aggregation.classification.ebcc import EbccRounds, EbccSettings, sum_shares
from groundtruth.aggregation.classification.em import Counts, Fit, Rounds, VoteData, VoteTotals
from groundtruth.aggregation.classification.posterior import MOST_LISTED_CLASSES, Consolidation
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes
from groundtruth.aggregation.classification.weighted import WeightedRounds
from groundtruth.auxiliary_inputs import parse_confidence_map
from groundtruth.errors import GroundTruthError
from groundtruth.sharding.arrays import Arrays, unpack
from groundtruth.sharding.steps import StepResult, Steps
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.classification.algorithms import (
    WITH_MODEL,
    ChosenClasses,
    calibrated_settings,
    choose_classes,
    dawid_skene_settings,
    share_votes,
    show_builtin,
    weighted_settings,
)
from groundtruth.tasks.shards import MODEL_MAX_WEIGHT

T = TypeVar("T")

if TYPE_CHECKING:
    from groundtruth.sharding.plan import Plan

START, ROUND, WEIGH, CONCLUDE = "start", "round", "weigh", "conclude"

_VALUES_AT_ONCE = 2**20
"""Probabilities, by image and class, that are looked at together."""


def make_steps(plan: Plan, algorithm: str) -> Steps:
    """How an algorithm consolidates the shards of a plan.

    Raises
    ------
    GroundTruthError
        If the algorithm does not, or not with so many classes.
    """
    if algorithm == "builtin" and _n_classes(plan) > MOST_LISTED_CLASSES:
        raise GroundTruthError(
            f"builtin consolidates jobs of more than {MOST_LISTED_CLASSES} classes in one piece "
            f"only, and this one has {len(plan.classes)}; choose another algorithm"
        )
    if algorithm not in _STEPS:
        raise GroundTruthError(
            f"no algorithm of {plan.task} is called {algorithm}; there are {', '.join(_STEPS)}"
        )
    return _STEPS[algorithm](plan)


def _n_classes(plan: Plan) -> int:
    # Where nothing tells the classes, one that was not seen yet may be right too.
    return max(1 if plan.classes_known else 2, len(plan.classes))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Images:
    """The images of a shard for which a worker voted."""

    votes: Votes  # a model's too
    gold: Ints
    objects: Ints  # by image: its index among the shard's objects
    n_objects: int
    max_weights: Floats | None  # by worker; None without a model


def _read_shard(body: bytes, plan: Plan, *, with_model: bool) -> _Images:
    arrays = unpack(body)
    items, workers, classes = arrays["items"], arrays["workers"], arrays["classes"]
    gold, n_objects, max_weights = arrays["gold"], int(arrays["n_objects"]), None
    of_workers = items
    if MODEL_MAX_WEIGHT in plan.options:
        is_human = workers < plan.n_workers - 1
        of_workers = items[is_human]
        weight = float(plan.options[MODEL_MAX_WEIGHT])
        if with_model and weight > 0:
            max_weights = np.full(plan.n_workers, np.inf)
            max_weights[-1] = weight
        else:
            items, workers, classes = of_workers, workers[is_human], classes[is_human]
    voted = np.bincount(of_workers, minlength=n_objects) > 0
    objects = np.flatnonzero(voted)
    if objects.size < n_objects:
        rows, place = voted[items], np.cumsum(voted) - 1
        items, workers, classes = place[items[rows]], workers[rows], classes[rows]
        gold = gold[objects]
    return _Images(
        votes=Votes(items, workers, classes, objects.size, plan.n_workers, _n_classes(plan)),
        gold=gold.astype(np.int64),
        objects=objects,
        n_objects=n_objects,
        max_weights=max_weights,
    )


def _choose(
    plan: Plan, images: _Images, find: Callable[[int, int, Votes], tuple[Floats, Floats]]
) -> dict[str, Any]:
    """The classes of a shard's images, some at a time: `find` gives posterior and confidences.

    It is asked for the images from one on and up to another, and given their votes.
    """
    content, votes, objects = plan.confidence_map, images.votes, images.objects
    algorithm = plan.settings.consolidation_algorithm
    confidence_map = None
    if content is not None and algorithm != "builtin":
        confidence_map = parse_confidence_map(json.dumps(content).encode(), path="confidence map")
    step, parts = max(1, _VALUES_AT_ONCE // votes.n_classes), []
    for first in range(0, max(1, objects.size), step):
        last = min(first + step, objects.size)
        part = _select_items(votes, first, last)
        found = choose_classes(*find(first, last, part), part.counts, confidence_map)
        parts.append(found._replace(shown_items=objects[found.shown_items + first]))
    chosen = ChosenClasses(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    n_objects = images.n_objects
    return {
        "class_id": _spread(chosen.class_id.astype(np.int32), images, -1),
        "confidence": _spread(chosen.confidence, images, 0.0),
        "tied": _spread(chosen.tied, images, False),
        "shown_items": chosen.shown_items.astype(np.int32),
        "shown_classes": chosen.shown_classes.astype(np.int32),
        "shown_shares": chosen.shown_shares.astype(np.float64),
        "dependence": np.full(n_objects, np.nan),
        "correlation": np.full(n_objects, np.nan),
        "pairs": np.zeros(n_objects, np.int64),
    }


def _select_items(votes: Votes, first: int, last: int) -> Votes:
    if last - first == votes.n_items:
        return votes
    part = slice(*np.searchsorted(votes.items, [first, last]))
    columns = (votes.items[part] - first, votes.workers[part], votes.classes[part])
    return Votes(*columns, last - first, votes.n_workers, votes.n_classes)


def _spread(by_image: Any, images: _Images, rest: float) -> Any:
    """Give each object of the shard its image's value."""
    if images.objects.size == images.n_objects:
        return by_image
    values = np.full(images.n_objects, rest, by_image.dtype)
    values[images.objects] = by_image
    return values


class _MajoritySteps:
    """Shares of the votes: each image by itself."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def run(
        self, step: str, shard: bytes, state: Arrays, totals: Arrays, store: ObjectStore
    ) -> StepResult:
        """See `Steps`."""
        images = _read_shard(shard, self._plan, with_model=True)

        def find(first: int, last: int, votes: Votes) -> tuple[Floats, Floats]:
            return share_votes(votes, images.max_weights)

        return StepResult(state=_choose(self._plan, images, find))

    def next_step(self, step: str, number: int, change: float) -> str | None:
        """See `Steps`."""
        return None if step else CONCLUDE


class _BuiltinSteps:
    """What the built-in function says if all shards come in one call."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._kinds = np.arange(plan.n_workers * _n_classes(plan))

    def run(
        self, step: str, shard: bytes, state: Arrays, totals: Arrays, store: ObjectStore
    ) -> StepResult:
        """See `Steps`."""
        images = _read_shard(shard, self._plan, with_model=False)
        if step == START:
            return StepResult(totals=count_builtin(images.votes, self._kinds)._asdict())
        counts = BuiltinCounts(**totals)

        def find(first: int, last: int, votes: Votes) -> tuple[Floats, Floats]:
            return show_builtin(conclude_builtin(votes, counts, self._kinds), votes)

        return StepResult(state=_choose(self._plan, images, find))

    def next_step(self, step: str, number: int, change: float) -> str | None:
        """See `Steps`."""
        return {"": START, START: CONCLUDE}.get(step)


class _RoundSteps(Generic[T]):
    """An algorithm that makes rounds, with the sums of all shards in place of a batch's own.

    Between steps a shard keeps what its last round found. What only the step after the last round
    wants is kept where no other round may follow.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        algorithm = plan.settings.consolidation_algorithm or "calibrated"
        self._with_model = algorithm in WITH_MODEL

    def run(
        self, step: str, shard: bytes, state: Arrays, totals: Arrays, store: ObjectStore
    ) -> StepResult:
        """See `Steps`."""
        images = _read_shard(shard, self.plan, with_model=self._with_model)
        of_all = None
        if totals:
            of_all = VoteTotals(*(totals[name] for name in VoteTotals._fields))
        data = VoteData.from_votes(images.votes, None, images.gold, totals=of_all)
        rounds = self.make_rounds(data, images.max_weights, totals)
        steps: dict[str, Callable[[], StepResult]] = {
            START: lambda: self._start(rounds),
            ROUND: lambda: self._make_round(rounds, state, totals),
            WEIGH: lambda: self.weigh(rounds, state, totals),
            CONCLUDE: lambda: self._conclude(images, rounds, state, totals),
        }
        return steps[step]()

    def next_step(self, step: str, number: int, change: float) -> str | None:
        """See `Steps`."""
        if step == ROUND and self.goes_on(number, change):
            return ROUND
        return {"": START, START: ROUND, ROUND: CONCLUDE}.get(step)

    @property
    def limits(self) -> tuple[float, int]:
        """The change below which no round follows, and how many rounds there are at most."""
        raise NotImplementedError

    def make_rounds(self, data: VoteData, max_weights: Floats | None, totals: Arrays) -> Rounds[T]:
        """Make the algorithm ready for a shard's votes."""
        raise NotImplementedError

    def own_totals(self, rounds: Rounds[T]) -> dict[str, Any]:
        """What the shard counts in every step."""
        return rounds.data.own._asdict()

    def keep_details(self, details: T) -> dict[str, Any]:
        """What is kept of the last round besides the posterior."""
        return {}

    def weigh(self, rounds: Any, state: Arrays, totals: Arrays) -> StepResult:
        """Count what the next step wants to know of all shards."""
        raise NotImplementedError

    def conclude(
        self, rounds: Any, state: Arrays, totals: Arrays
    ) -> tuple[Consolidation, Evidence | None]:
        """Return the result, and what others show of dependence if the labels tell of it."""
        truth = rounds.settle(state["posterior"])
        fit: Fit[None] = Fit(state["posterior"], truth, None, int(state["rounds"]))
        return rounds.conclude(fit, totals["right"]), None

    def goes_on(self, made: int, change: float) -> bool:
        """Whether another round follows."""
        tolerance, max_rounds = self.limits
        return change >= tolerance and made < max_rounds

    def _start(self, rounds: Rounds[T]) -> StepResult:
        truth = rounds.start()
        return StepResult(
            totals={**self.own_totals(rounds), **rounds.count(truth)._asdict()},
            state={"posterior": truth, "rounds": np.array(0)},
        )

    def _make_round(self, rounds: Rounds[T], state: Arrays, totals: Arrays) -> StepResult:
        before, made = _read_truth(rounds, state), int(state["rounds"]) + 1
        posterior, details = rounds.estimate(before, _read_counts(totals))
        truth = rounds.settle(posterior)
        change = rounds.find_change(before, truth)
        kept = {} if self.goes_on(made, change) else self.keep_details(details)
        return StepResult(
            totals={**self.own_totals(rounds), **rounds.count(truth)._asdict()},
            state={"posterior": posterior, "rounds": np.array(made), **kept},
            change=change,
        )

    def _conclude(
        self, images: _Images, rounds: Rounds[T], state: Arrays, totals: Arrays
    ) -> StepResult:
        result, elsewhere = self.conclude(rounds, state, totals)

        def find(first: int, last: int, votes: Votes) -> tuple[Floats, Floats]:
            posterior = result.posterior.dense(first, last)
            return posterior, posterior.max(axis=1)

        found = _choose(self.plan, images, find)
        if elsewhere is not None:
            several = images.votes.votes_per_item > 1
            settings = calibrated_settings(self.plan.settings).dependence
            dependence = elsewhere.estimate_dependence(settings)
            correlation = elsewhere.estimate_correlation(settings)
            pairs = np.rint(elsewhere.unordered_pairs).astype(np.int64)
            found |= {
                "dependence": _spread(np.where(several, dependence, np.nan), images, np.nan),
                "correlation": _spread(np.where(several, correlation, np.nan), images, np.nan),
                "pairs": _spread(np.where(several, pairs, 0), images, 0),
            }
        return StepResult(state=found)


def _read_truth(rounds: Rounds[Any], state: Arrays) -> Floats:
    """How probable each class is to be true; the first step found that itself."""
    posterior: Floats = state["posterior"]
    return rounds.settle(posterior) if int(state["rounds"]) else posterior


def _read_counts(totals: Arrays) -> Counts:
    return Counts(*(totals[name] for name in Counts._fields))


def _sum_weights(weights: Floats) -> dict[str, Any]:
    return {"weights": np.array(weights.sum()), "n_votes": np.array(float(weights.size))}


def _mean_weight(totals: Arrays) -> float:
    return float(totals["weights"]) / max(float(totals["n_votes"]), 1.0)


class _CalibratedSteps(_RoundSteps[Found]):
    """`calibrated`; what its last step asks of all shards is counted after the last round."""

    def next_step(self, step: str, number: int, change: float) -> str | None:
        """See `Steps`."""
        if step == ROUND and not self.goes_on(number, change):
            return WEIGH
        return CONCLUDE if step == WEIGH else super().next_step(step, number, change)

    @property
    def limits(self) -> tuple[float, int]:
        """See `_RoundSteps`."""
        settings = calibrated_settings(self.plan.settings)
        return settings.tolerance, settings.max_rounds

    def make_rounds(
        self, data: VoteData, max_weights: Floats | None, totals: Arrays
    ) -> CalibratedRounds:
        """See `_RoundSteps`."""
        settings = calibrated_settings(self.plan.settings)
        return CalibratedRounds.from_data(data, settings, max_weights=max_weights)

    def keep_details(self, details: Found) -> dict[str, Any]:
        """See `_RoundSteps`."""
        return details._asdict()

    def weigh(self, rounds: CalibratedRounds, state: Arrays, totals: Arrays) -> StepResult:
        """Count the evidence of dependence, and the weights of the votes."""
        found = Found(state["likelihood"], state["accuracy"])
        evidence = rounds.find_evidence(found)
        return StepResult(
            totals={
                **self.own_totals(rounds),
                "right": rounds.data.count_right(rounds.settle(state["posterior"])),
                "evidence": evidence.total.to_rows(),
                **_sum_weights(rounds.weigh(found)),
            },
            state={
                **state,
                "evidence": evidence.to_rows(),
            },
        )

    def conclude(
        self, rounds: CalibratedRounds, state: Arrays, totals: Arrays
    ) -> tuple[Consolidation, Evidence | None]:
        """See `_RoundSteps`."""
        posterior, found = state["posterior"], Found(state["likelihood"], state["accuracy"])
        evidence, of_all = (
            Evidence.from_rows(state["evidence"]),
            Evidence.from_rows(totals["evidence"]),
        )
        result = rounds.conclude(
            Fit(posterior, rounds.settle(posterior), found, int(state["rounds"])),
            totals["right"],
            earlier=of_all - evidence.total,
            mean_weight=_mean_weight(totals),
            evidence=evidence,
        )
        return result, result.elsewhere


class _WeightedSteps(_RoundSteps[None]):
    """`weighted`; a round asks for the mean weight of all votes, so these are weighed before."""

    def next_step(self, step: str, number: int, change: float) -> str | None:
        """See `Steps`; every other step is a round."""
        if step == ROUND:
            return WEIGH if self.goes_on(number // 2, change) else CONCLUDE
        return {"": START, START: WEIGH, WEIGH: ROUND}.get(step)

    @property
    def limits(self) -> tuple[float, int]:
        """See `_RoundSteps`."""
        settings = weighted_settings(self.plan.settings)
        return settings.tolerance, settings.max_rounds

    def make_rounds(
        self, data: VoteData, max_weights: Floats | None, totals: Arrays
    ) -> WeightedRounds:
        """See `_RoundSteps`."""
        return WeightedRounds(
            data=data,
            settings=weighted_settings(self.plan.settings),
            max_weights=max_weights,
            mean_weight=_mean_weight(totals) if "weights" in totals else None,
        )

    def weigh(self, rounds: WeightedRounds, state: Arrays, totals: Arrays) -> StepResult:
        """Count the weights of the votes."""
        truth = _read_truth(rounds, state)
        weights = rounds.weigh(truth, _read_counts(totals))
        return StepResult(
            totals={
                **self.own_totals(rounds),
                **rounds.count(truth)._asdict(),
                **_sum_weights(weights),
            },
            state=state,
        )


class _DawidSkeneSteps(_RoundSteps[None]):
    """`dawid_skene`."""

    @property
    def settings(self) -> DawidSkeneSettings:
        """What the job sets."""
        return dawid_skene_settings(self.plan.settings)

    @property
    def limits(self) -> tuple[float, int]:
        """See `_RoundSteps`."""
        return self.settings.tolerance, self.settings.max_rounds

    def make_rounds(
        self, data: VoteData, max_weights: Floats | None, totals: Arrays
    ) -> Rounds[None]:
        """See `_RoundSteps`."""
        return DawidSkeneRounds.from_data(data, self.settings)


class _PlainDawidSkeneSteps(_DawidSkeneSteps):
    """`dawid_skene` as `ebcc` asks for it where there are many classes."""

    @property
    def settings(self) -> DawidSkeneSettings:
        """No job sets anything."""
        return DawidSkeneSettings()


class _EbccSteps(_RoundSteps[None]):
    """`ebcc`."""

    @property
    def limits(self) -> tuple[float, int]:
        """See `_RoundSteps`."""
        settings = EbccSettings()
        return settings.tolerance, settings.max_rounds

    def make_rounds(self, data: VoteData, max_weights: Floats | None, totals: Arrays) -> EbccRounds:
        """See `_RoundSteps`."""
        return EbccRounds.from_data(data, EbccSettings(), totals.get("shares"))

    def own_totals(self, rounds: Rounds[None]) -> dict[str, Any]:
        """See `_RoundSteps`; the prior asks for the shares of the votes."""
        return {**super().own_totals(rounds), "shares": sum_shares(rounds.data)}


def _make_ebcc(plan: Plan) -> Steps:
    many = _n_classes(plan) > MOST_LISTED_CLASSES
    return _PlainDawidSkeneSteps(plan) if many else _EbccSteps(plan)


_STEPS: Mapping[str, Callable[[Plan], Steps]] = {
    "calibrated": _CalibratedSteps,
    "weighted": _WeightedSteps,
    "dawid-skene": _DawidSkeneSteps,
    "ebcc": _make_ebcc,
    "majority": _MajoritySteps,
    "builtin": _BuiltinSteps,
}
