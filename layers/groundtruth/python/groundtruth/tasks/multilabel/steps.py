"""The labels of a whole job, shard by shard.

The file of a shard has these arrays, by `groundtruth.sharding.arrays.pack`:

``n_objects`` (0-d)
    How many data objects it has; some may have no answer.
``items``, ``workers``, int32 of shape (n_answers,)
    Index of the object in the shard and of the worker among all of the plan, once for each pair;
    fastest if they ascend.
``picked``, bool of shape (n_answers, n_labels)
    Which labels the worker chose.
``places``, int16 of shape (objects with one worker's answer, n_labels)
    Place of each label in that answer, by object; -1 if it is not in it.
``gold``, int8 of shape (n_objects, n_labels)
    1 where the label is known to apply, 0 where not, -1 where unknown.

If the plan's options have ``model_max_weight``, that is the largest weight of the last worker,
which is a model: `calibrated` asks it where workers answered too, and it chooses no label's order.

The last step's state has the arrays of `LabelDecisions` and, by object, ``dependence`` and
``correlation`` (float64, nan where a label tells none) and ``pairs`` (int64), as `Dependence`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.dependence import Evidence
from groundtruth.aggregation.classification.votes import Floats, Ints
from groundtruth.aggregation.multilabel.calibrated import (
    AnswerTotals,
    EstimateRates,
    LabelBatch,
    LabelFit,
    LabelTotals,
    WeighedLabels,
    conclude_labels,
    count_labels,
    estimate_one_rate,
    estimate_two_rates,
    judge_labels,
    start_labels,
    weigh_labels,
)
from groundtruth.aggregation.multilabel.selections import Selections
from groundtruth.sharding.arrays import Arrays, unpack
from groundtruth.sharding.steps import StepResult, Steps
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.multilabel.algorithms import decide, make_settings, share_as
from groundtruth.tasks.shards import MODEL_MAX_WEIGHT

if TYPE_CHECKING:
    from groundtruth.sharding.plan import Plan

START, ROUND, WEIGH, CONCLUDE = "start", "round", "weigh", "conclude"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shard:
    """What a shard's file holds: the answers of workers alone, and all that count."""

    of_workers: Selections
    all: Selections
    places: Ints
    gold: Ints


def make_steps(plan: Plan, algorithm: str) -> Steps:
    """How an algorithm labels the shards of a plan."""
    return _CalibratedSteps(plan) if algorithm == "calibrated" else _ShareSteps(plan, algorithm)


def _read_shard(body: bytes, plan: Plan) -> _Shard:
    arrays = unpack(body)
    items, workers, picked = arrays["items"], arrays["workers"], arrays["picked"]
    n_items = int(arrays["n_objects"])

    def select(rows: NDArray[np.bool_]) -> Selections:
        return Selections(items[rows], workers[rows], picked[rows], n_items, plan.n_workers)

    is_human = np.ones(len(items), np.bool_)
    if MODEL_MAX_WEIGHT in plan.options:
        is_human = workers < plan.n_workers - 1
    of_workers = select(is_human)
    answered = of_workers.answers_per_item > 0
    return _Shard(
        of_workers=of_workers,
        all=of_workers if is_human.all() else select(answered[items]),
        places=arrays["places"],
        gold=np.where(answered[:, np.newaxis], arrays["gold"], -1),
    )


def _decide(plan: Plan, shard: _Shard, probabilities: Floats, algorithm: str) -> dict[str, Any]:
    decisions = decide(
        probabilities,
        shard.of_workers.counts,
        used=shard.of_workers.answers_per_item,
        places=shard.places,
        classes=plan.classes,
        settings=plan.settings,
        algorithm=algorithm,
    )
    n_items = shard.all.n_items
    nothing = np.full(n_items, np.nan)
    told = {"dependence": nothing, "correlation": nothing, "pairs": np.zeros(n_items, np.int64)}
    return {**decisions.to_arrays(), **told}


class _ShareSteps:
    """Shares of the votes: each object by itself."""

    def __init__(self, plan: Plan, algorithm: str) -> None:
        self._plan = plan
        self._algorithm = algorithm

    def run(
        self, step: str, shard: bytes, state: Arrays, totals: Arrays, store: ObjectStore
    ) -> StepResult:
        """See `Steps`."""
        data = _read_shard(shard, self._plan)
        shares = share_as(data.of_workers, self._algorithm)
        return StepResult(state=_decide(self._plan, data, shares, self._algorithm))

    def next_step(self, step: str, number: int, change: float) -> str | None:
        """See `Steps`."""
        return None if step else CONCLUDE


_FITS: Mapping[str, EstimateRates] = {"two": estimate_two_rates, "one": estimate_one_rate}
"""What each of the two fits estimates; the second is made if an object has few answers."""


class _CalibratedSteps:
    """`calibrated_labels`, with the sums of all shards in place of a batch's own.

    Both fits make their rounds in the same steps. Each stops for itself, as soon as no shard moves:
    its totals have then no part in the sums any more.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._dependence = plan.settings.error_correlation
        self._settings = make_settings(plan.settings, self._dependence)
        self._max_weights: Floats | None = None
        if MODEL_MAX_WEIGHT in plan.options:
            self._max_weights = np.full(plan.n_workers, np.inf)
            self._max_weights[-1] = plan.options[MODEL_MAX_WEIGHT]

    def run(
        self, step: str, shard: bytes, state: Arrays, totals: Arrays, store: ObjectStore
    ) -> StepResult:
        """See `Steps`."""
        data = _read_shard(shard, self._plan)
        batch = LabelBatch.make(data.all, gold=data.gold, max_weights=self._max_weights)
        steps: dict[str, Callable[[], StepResult]] = {
            START: lambda: self._start(batch),
            ROUND: lambda: self._make_round(batch, state, totals),
            WEIGH: lambda: self._weigh(batch, state),
            CONCLUDE: lambda: self._conclude(data, batch, state, totals),
        }
        return steps[step]()

    def next_step(self, step: str, number: int, change: float) -> str | None:
        """See `Steps`; rounds are as many as `calibrated_labels` makes."""
        settings = self._settings
        if step == ROUND and change >= settings.tolerance and number < settings.max_rounds:
            return ROUND
        return {"": START, START: ROUND, ROUND: WEIGH, WEIGH: CONCLUDE}.get(step)

    def _start(self, batch: LabelBatch) -> StepResult:
        truth = start_labels(batch)
        counted = count_labels(batch, truth)
        moving = {"two": 1, "one": int(batch.has_few.any())}
        return StepResult(
            state={f"{fit}_truth": truth for fit in _FITS},
            totals={
                name: value
                for fit in _FITS
                for name, value in _write_totals(fit, counted, moving[fit]).items()
            },
        )

    def _make_round(self, batch: LabelBatch, state: Arrays, totals: Arrays) -> StepResult:
        following: dict[str, Any] = {}
        counted: dict[str, Any] = {}
        largest = 0.0
        for fit, estimate in _FITS.items():
            if not totals.get(f"{fit}_moving", 0):
                if f"{fit}_before" in state:
                    following |= {f"{fit}_truth": state[f"{fit}_truth"]}
                    following |= {f"{fit}_before": state[f"{fit}_before"]}
                    following |= _write_totals(fit, _read_totals(fit, state))
                continue
            before, of_all = state[f"{fit}_truth"], _read_totals(fit, totals)
            truth = judge_labels(batch, before, of_all, estimate, self._settings)
            change = float(np.abs(truth - before).max(initial=0.0))
            largest = max(largest, change)
            following |= {f"{fit}_truth": truth, f"{fit}_before": before}
            following |= _write_totals(fit, of_all)
            moving = int(change >= self._settings.tolerance)
            counted |= _write_totals(fit, count_labels(batch, truth), moving)
        return StepResult(state=following, totals=counted, change=largest)

    def _weigh(self, batch: LabelBatch, state: Arrays) -> StepResult:
        of_few = _read_fit("one", state) if "one_before" in state else None
        weighed, of_shard = weigh_labels(batch, _read_fit("two", state), of_few, self._settings)
        return StepResult(
            state={
                "independent": weighed.independent,
                "alone": weighed.alone,
                "weights": weighed.weights,
                "ticks": weighed.ticks,
                "evidence": weighed.evidence.to_rows(),
            },
            totals={
                "n_answers": np.array(of_shard.n_answers),
                "weights": of_shard.weights,
                "picked": of_shard.picked,
                "evidence": of_shard.evidence.to_rows(),
            },
        )

    def _conclude(
        self, data: _Shard, batch: LabelBatch, state: Arrays, totals: Arrays
    ) -> StepResult:
        of_all = AnswerTotals(
            n_answers=float(totals["n_answers"]),
            weights=totals["weights"],
            picked=totals["picked"],
            evidence=Evidence.from_rows(totals["evidence"]),
        )
        weighed = WeighedLabels(
            independent=state["independent"],
            alone=state["alone"],
            weights=state["weights"],
            ticks=state["ticks"],
            evidence=Evidence.from_rows(state["evidence"]),
        )
        probabilities = conclude_labels(batch, weighed, of_all, self._settings)
        found = _decide(self._plan, data, probabilities, "calibrated")
        if self._dependence is None:
            elsewhere = of_all.evidence - weighed.evidence
            several, of_job = batch.answers[:, 0] > 1, self._settings.dependence
            pairs = np.rint(elsewhere.unordered_pairs).astype(np.int64)
            found |= {
                "dependence": np.where(several, elsewhere.estimate_dependence(of_job), np.nan),
                "correlation": np.where(several, elsewhere.estimate_correlation(of_job), np.nan),
                "pairs": np.where(several, pairs, 0),
            }
        return StepResult(state=found)


def _write_totals(fit: str, totals: LabelTotals, moving: int | None = None) -> dict[str, Any]:
    """Totals as arrays; `moving` says whether the shard still moves."""
    arrays = {f"{fit}_amounts": totals.amounts, f"{fit}_judged": totals.judged}
    return arrays if moving is None else {**arrays, f"{fit}_moving": np.array(moving)}


def _read_totals(fit: str, arrays: Arrays) -> LabelTotals:
    return LabelTotals(amounts=arrays[f"{fit}_amounts"], judged=arrays[f"{fit}_judged"])


def _read_fit(fit: str, state: Arrays) -> LabelFit:
    return LabelFit(state[f"{fit}_before"], _read_totals(fit, state), state[f"{fit}_truth"])
