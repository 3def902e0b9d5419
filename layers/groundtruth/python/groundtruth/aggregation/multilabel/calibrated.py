"""Multi-label consolidation: one yes-or-no question per label, worker skill shared.

What the algorithm has to know of all items together is two sets of sums, `LabelTotals` and
`AnswerTotals`. One batch makes its own; of a job in shards they are those of all shards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

import numpy as np

from groundtruth.aggregation.classification.dependence import DependenceSettings, Evidence
from groundtruth.aggregation.classification.votes import Floats, Ints
from groundtruth.aggregation.multilabel.selections import (
    Bools,
    LabelConsolidation,
    LabelCounts,
    Selections,
    sum_rows,
)

LABEL_DEPENDENCE = DependenceSettings(
    prior_correlation=0.09, prior_pairs=1000.0, independent=0.02, dependent=0.05
)
"""How the answers of a job tell whether errors are independent, unless it is set."""
_PRIOR_RIGHT = 0.7
_PRIOR_ANSWERS = 4.0
_RATE_LIMITS = (0.01, 0.99)
_SMALLEST_WEIGHT = 0.05
_SHARE_POWER = 0.25
_FEWEST_FOR_ONE_RATE = 3
_FEWEST_FOR_TWO_RATES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedLabelsSettings:
    """Settings of `calibrated_labels`; chosen with whole sets and kinds of crews left out.

    Attributes
    ----------
    dependence : DependenceSettings
        How the answers of a job tell whether errors are independent.
    strength : float
        How many answers a worker's own rates count for in the rates per label; above 0.
    worker_strength : float
        How many answers the label's rates count for in a worker's own; above 0.
    smoothing : float
        How many answers of mean weight are spread by the label's frequency; above 0.
    tolerance : float
        Stop when no probability changes by more than this.
    max_rounds : int
        Stop after this many rounds; at least 1.
    """

    dependence: DependenceSettings = LABEL_DEPENDENCE
    strength: float = 8.0
    worker_strength: float = 8.0
    smoothing: float = 0.5
    tolerance: float = 1e-3
    max_rounds: int = 60


def calibrated_labels(
    selections: Selections,
    *,
    settings: CalibratedLabelsSettings | None = None,
    prior_counts: LabelCounts | None = None,
    gold: Ints | None = None,
    max_weights: Floats | None = None,
    earlier: Evidence | None = None,
) -> LabelConsolidation:
    """Probability that each label applies: the share of answers, or what skill says of it [1]_.

    Each label is a binary question with a hit rate and a false alarm rate per worker. The
    rates of a worker and label are shrunk to the worker's rates over all labels, these to
    the label's rates over all workers; each answer is judged without the item it is for.
    As far as errors are independent given these rates, their posterior is the result, and
    elsewhere the nearly equally weighted share of the answers.

    Parameters
    ----------
    selections : Selections
        The batch.
    settings : CalibratedLabelsSettings, optional
        Defaults when left out.
    prior_counts : LabelCounts, optional
        What earlier calls taught about the workers.
    gold : ndarray of int, shape (n_items, n_labels), optional
        1 where the label is known to apply, 0 where not, -1 where unknown.
    max_weights : ndarray of float, shape (n_workers,), optional
        Largest weight each worker may have, not negative; 1 is a perfect worker's.
    earlier : Evidence, optional
        What earlier calls showed of whether workers err together.

    Returns
    -------
    LabelConsolidation
        An item without an answer gets 0.5 throughout. A single answer gets what is known
        of its worker, else 0.7 for the labels picked and 0.3 for the others.

    Raises
    ------
    ValueError
        If an argument does not fit the answers.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer
       error-rates using the EM algorithm", Applied Statistics 28 (1979).
       doi:10.2307/2346806

    Examples
    --------
    >>> answers = Selections(np.array([0]), np.array([0]), np.array([[True, False]]), 1, 1)
    >>> calibrated_labels(answers).posterior.round(2)
    array([[0.7, 0.3]])
    """
    settings = settings or CalibratedLabelsSettings()
    if prior_counts is None:
        prior_counts = LabelCounts.empty(selections.n_workers, selections.n_labels)
    if prior_counts.amounts.shape[:2] != (selections.n_workers, selections.n_labels):
        raise ValueError("prior_counts must have the workers and labels of the answers")
    batch = LabelBatch.make(selections, gold=gold, max_weights=max_weights)
    prior = LabelTotals.from_counts(prior_counts)
    fit, rounds = _iterate(batch, prior, estimate_two_rates, settings)
    of_few = None
    if batch.has_few.any():
        of_few, _ = _iterate(batch, prior, estimate_one_rate, settings)
    weighed, totals = weigh_labels(batch, fit, of_few, settings)
    totals += AnswerTotals.from_counts(prior_counts, earlier)
    return LabelConsolidation(
        posterior=conclude_labels(batch, weighed, totals, settings),
        selections=selections,
        truth=fit.truth,
        counted=batch.counted,
        rounds=rounds,
        evidence=weighed.evidence,
        elsewhere=totals.evidence - weighed.evidence,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelBatch:
    """Answers, and what is known of their items and workers.

    Attributes
    ----------
    selections : Selections
        The answers.
    known : ndarray of int, shape (n_items, n_labels)
        1 where the label is known to apply, 0 where not, -1 where unknown.
    answers : ndarray of int, shape (n_items, 1)
        How many answers each item has.
    counted : ndarray of float, shape (n_items, n_labels)
        1 where workers are judged, else 0: nobody confirms a single answer.
    caps : ndarray of float, shape (n_answers, 1), or None
        Largest weight of each answer; None if there is none.
    """

    selections: Selections
    known: Ints
    answers: Ints
    counted: Floats
    caps: Floats | None

    @classmethod
    def make(
        cls, selections: Selections, *, gold: Ints | None = None, max_weights: Floats | None = None
    ) -> Self:
        """Check what is known; the arguments are those of `calibrated_labels`."""
        shape = (selections.n_items, selections.n_labels)
        known = np.full(shape, -1) if gold is None else np.asarray(gold)
        if known.shape != shape or not np.all(np.isin(known, (-1, 0, 1))):
            raise ValueError(f"gold must hold -1, 0 or 1 and have shape {shape}")
        caps = None if max_weights is None else np.asarray(max_weights, dtype=np.float64)
        if caps is not None and (caps.shape != (selections.n_workers,) or not np.all(caps >= 0)):
            raise ValueError(f"max_weights must hold {selections.n_workers} numbers of 0 or more")
        answers = selections.answers_per_item[:, np.newaxis]
        return cls(
            selections=selections,
            known=known,
            answers=answers,
            counted=((answers > 1) | (known >= 0)).astype(np.float64),
            caps=None if caps is None else caps[selections.workers][:, np.newaxis],
        )

    @property
    def has_few(self) -> Bools:
        """Whether an item has too few answers to check two rates: shape (n_items,)."""
        answers = self.answers[:, 0]
        few: Bools = (answers >= _FEWEST_FOR_ONE_RATE) & (answers < _FEWEST_FOR_TWO_RATES)
        return few

    @property
    def judged(self) -> Floats:
        """For how many answers an item counts: shape (n_items, n_labels)."""
        judged: Floats = np.maximum(self.answers, 1.0) * self.counted
        return judged


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelTotals:
    """What workers did and how often labels apply, by the truth as it is seen so far.

    Those of two batches of the same workers and labels may be added.

    Attributes
    ----------
    amounts : ndarray of float, shape (n_workers, n_labels, 2, 2)
        As in `LabelCounts`.
    judged : ndarray of float, shape (n_labels, 2)
        For how many answers the items count where the label does not apply, and where it does.
    """

    amounts: Floats
    judged: Floats

    @classmethod
    def from_counts(cls, counts: LabelCounts) -> Self:
        """What earlier batches taught."""
        return cls(amounts=counts.amounts, judged=counts.amounts.sum(axis=(0, 3)))

    def __add__(self, other: LabelTotals) -> LabelTotals:
        """Add those of other answers."""
        return LabelTotals(amounts=self.amounts + other.amounts, judged=self.judged + other.judged)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnswerTotals:
    """What the answers of a batch are weighed by; those of two batches may be added.

    Attributes
    ----------
    n_answers : float
        How many there are.
    weights : ndarray of float, shape (n_labels,)
        Sum of their weights.
    picked : ndarray of float, shape (n_labels, 2)
        How many leave the label out, and how many pick it.
    evidence : Evidence
        Sums of what all items show of whether workers err together.
    """

    n_answers: float
    weights: Floats
    picked: Floats
    evidence: Evidence

    @classmethod
    def from_counts(cls, counts: LabelCounts, evidence: Evidence | None) -> Self:
        """What earlier batches taught: how often labels are picked, and the evidence."""
        picked = counts.amounts.sum(axis=(0, 2))
        return cls(
            n_answers=0.0,
            weights=np.zeros(len(picked)),
            picked=picked,
            evidence=evidence or Evidence.nothing(),
        )

    def __add__(self, other: AnswerTotals) -> AnswerTotals:
        """Add those of other answers."""
        return AnswerTotals(
            n_answers=self.n_answers + other.n_answers,
            weights=self.weights + other.weights,
            picked=self.picked + other.picked,
            evidence=self.evidence + other.evidence,
        )


class LabelFit(NamedTuple):
    """A round: the truth and the totals it was made by, and the truth it found."""

    before: Floats
    totals: LabelTotals
    truth: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeighedLabels:
    """What a batch says of its items, before it is known how far errors go together.

    Attributes
    ----------
    independent : ndarray of float, shape (n_items, n_labels)
        Posterior if errors are independent.
    alone : ndarray of float, shape (n_items, n_labels)
        That of the strongest answer alone.
    weights, ticks : ndarray of float, shape (n_items, n_labels)
        Sum of the weights of the item's answers, and of those that pick the label.
    evidence : Evidence
        What each item shows of whether workers err together.
    """

    independent: Floats
    alone: Floats
    weights: Floats
    ticks: Floats
    evidence: Evidence


EstimateRates: TypeAlias = Callable[
    [LabelBatch, Floats, LabelTotals, CalibratedLabelsSettings], tuple[Floats, Floats]
]
"""Hit and false alarm rate behind each answer and label: shapes (n_answers, n_labels).

By the truth of the items, shape (n_items, n_labels), and the totals of all answers by that truth.
"""


def _iterate(
    batch: LabelBatch,
    prior: LabelTotals,
    estimate: EstimateRates,
    settings: CalibratedLabelsSettings,
) -> tuple[LabelFit, int]:
    """Rates from truths and truths from rates, until nothing moves; and after how many rounds."""
    truth = start_labels(batch)
    rounds = 0
    while True:
        rounds += 1
        totals = count_labels(batch, truth) + prior
        fit = LabelFit(truth, totals, judge_labels(batch, truth, totals, estimate, settings))
        moved = np.abs(fit.truth - truth).max(initial=0.0)
        if moved < settings.tolerance or rounds >= settings.max_rounds:
            return fit, rounds
        truth = fit.truth


def start_labels(batch: LabelBatch) -> Floats:
    """How probable each label is before workers are judged: shape (n_items, n_labels)."""
    shares = (batch.selections.counts + 0.5) / (batch.answers + 1.0)
    return np.where(batch.known >= 0, batch.known, shares)


def count_labels(batch: LabelBatch, truth: Floats) -> LabelTotals:
    """What the workers of a batch did, by how probable each label is."""
    selections, judged = batch.selections, batch.judged
    cells = 2 * selections.n_labels
    columns = 2 * np.arange(selections.n_labels) + selections.picked
    columns += selections.workers[:, np.newaxis] * cells
    amounts = [
        np.bincount(
            columns.ravel(),
            weights=(likely * batch.counted)[selections.items].ravel(),
            minlength=selections.n_workers * cells,
        ).reshape(selections.n_workers, selections.n_labels, 2)
        for likely in (1.0 - truth, truth)
    ]
    applies = (truth * judged).sum(axis=0)
    return LabelTotals(
        amounts=np.stack(amounts, axis=2),
        judged=np.stack([judged.sum(axis=0) - applies, applies], axis=1),
    )


def judge_labels(
    batch: LabelBatch,
    truth: Floats,
    totals: LabelTotals,
    estimate: EstimateRates,
    settings: CalibratedLabelsSettings,
) -> Floats:
    """How probable each label is by what all answers tell of the workers: one round."""
    posterior = _judge(batch, truth, totals, estimate, settings).posterior
    return np.where(batch.known >= 0, batch.known, posterior)


class _Judged(NamedTuple):
    """What a round found: by answer and label, and by item and label."""

    hits: Floats
    alarms: Floats
    ratios: Floats
    likelihood: Floats
    posterior: Floats


def _judge(
    batch: LabelBatch,
    truth: Floats,
    totals: LabelTotals,
    estimate: EstimateRates,
    settings: CalibratedLabelsSettings,
) -> _Judged:
    selections = batch.selections
    hits, alarms = estimate(batch, truth, totals, settings)
    ratios = _log_likelihood_ratios(selections, hits, alarms)
    if batch.caps is not None:
        ratios *= np.minimum(batch.caps / _weigh(hits, alarms), 1.0)
    likelihood = sum_rows(selections.items, ratios, selections.n_items)
    frequency = (batch.answers > 1) * _log_frequency(truth, batch.judged, totals.judged)
    return _Judged(hits, alarms, ratios, likelihood, _logistic(likelihood + frequency))


def estimate_two_rates(
    batch: LabelBatch, truth: Floats, totals: LabelTotals, settings: CalibratedLabelsSettings
) -> tuple[Floats, Floats]:
    """See `EstimateRates`: a hit rate and a false alarm rate for each worker and label."""
    hits, alarms = (
        _estimate_rate(
            batch,
            settings,
            happened=batch.selections.picked,
            amounts=(likely * batch.counted)[batch.selections.items],
            totals=totals.amounts[:, :, applies, :],
            start=start,
        )
        for applies, likely, start in ((1, truth, _PRIOR_RIGHT), (0, 1.0 - truth, 1 - _PRIOR_RIGHT))
    )
    return hits, alarms


def estimate_one_rate(
    batch: LabelBatch, truth: Floats, totals: LabelTotals, settings: CalibratedLabelsSettings
) -> tuple[Floats, Floats]:
    """The same where each worker is as often right whether a label applies or not."""
    selections, amounts = batch.selections, totals.amounts
    likely = truth[selections.items]
    accuracy = _estimate_rate(
        batch,
        settings,
        happened=np.where(selections.picked, likely, 1.0 - likely),
        amounts=batch.counted[selections.items],
        totals=np.stack(
            [amounts[..., 0, 1] + amounts[..., 1, 0], amounts[..., 0, 0] + amounts[..., 1, 1]],
            axis=2,
        ),
        start=_PRIOR_RIGHT,
    )
    return accuracy, 1.0 - accuracy


def _estimate_rate(
    batch: LabelBatch,
    settings: CalibratedLabelsSettings,
    *,
    happened: Floats | Bools,
    amounts: Floats,
    totals: Floats,
    start: float,
) -> Floats:
    """How often something happens, of what counts by `amounts`; `totals` has not and has happened.

    The only answer to an item is judged by what is known of its worker alone, so that other
    workers of the batch do not change how sure it is.
    """
    workers, own = batch.selections.workers, amounts * happened
    is_single = batch.answers[batch.selections.items] == 1
    times, total = totals[..., 1], totals.sum(axis=2)
    label = (times.sum(axis=0) + start * _PRIOR_ANSWERS) / (total.sum(axis=0) + _PRIOR_ANSWERS)
    others_times = times.sum(axis=1)[workers] - own.sum(axis=1)
    others_total = total.sum(axis=1)[workers] - amounts.sum(axis=1)
    pooled = np.where(is_single, start, label)
    worker = others_times[:, np.newaxis] + settings.worker_strength * pooled
    worker /= others_total[:, np.newaxis] + settings.worker_strength
    rate = times[workers] - own + settings.strength * worker
    rate /= total[workers] - amounts + settings.strength
    return np.clip(rate, *_RATE_LIMITS)


def weigh_labels(
    batch: LabelBatch,
    fit: LabelFit,
    of_few: LabelFit | None,
    settings: CalibratedLabelsSettings,
) -> tuple[WeighedLabels, AnswerTotals]:
    """Weigh the answers by the last round, and look how far errors go together.

    The second result are the sums over the batch.

    Parameters
    ----------
    batch : LabelBatch
        The answers.
    fit : LabelFit
        The last round by `estimate_two_rates`.
    of_few : LabelFit or None
        The last one by `estimate_one_rate`; needed if any item has few answers.
    settings : CalibratedLabelsSettings
        Those of the rounds.
    """
    selections = batch.selections
    judged = _judge(batch, fit.before, fit.totals, estimate_two_rates, settings)
    weights = _weigh(judged.hits, judged.alarms) ** _SHARE_POWER
    if batch.caps is not None:
        weights = np.minimum(weights, batch.caps)
    evidence = _compare_answers(batch, fit, judged, of_few, settings)
    n_answers, picked = len(selections.items), selections.picked.sum(axis=0)
    weighed = WeighedLabels(
        independent=judged.posterior,
        alone=_logistic(judged.likelihood / _count_effective_answers(selections, judged.ratios)),
        weights=sum_rows(selections.items, weights, selections.n_items),
        ticks=sum_rows(selections.items, weights * selections.picked, selections.n_items),
        evidence=evidence,
    )
    totals = AnswerTotals(
        n_answers=float(n_answers),
        weights=weights.sum(axis=0),
        picked=np.stack([n_answers - picked, picked], axis=1).astype(np.float64),
        evidence=evidence.total,
    )
    return weighed, totals


def conclude_labels(
    batch: LabelBatch,
    weighed: WeighedLabels,
    totals: AnswerTotals,
    settings: CalibratedLabelsSettings,
) -> Floats:
    """Probability of each label, shape (n_items, n_labels); `totals` are those of all answers."""
    elsewhere = totals.evidence - weighed.evidence
    dependence = elsewhere.estimate_dependence(settings.dependence)[:, np.newaxis]
    shares = _share_weights(weighed, totals, settings)
    mixed = dependence * shares + (1.0 - dependence) * weighed.independent
    return _raise_to_floor(batch, mixed, weighed.alone)


def _compare_answers(
    batch: LabelBatch,
    fit: LabelFit,
    judged: _Judged,
    of_few: LabelFit | None,
    settings: CalibratedLabelsSettings,
) -> Evidence:
    """What each item shows of errors that go together.

    Two rates for each worker fit any three answers, and of n equally good workers' answers they
    leave (n - 3) / n of what could be seen. Of fewer than five answers, one rate is checked.
    """
    answers = batch.answers[:, 0].astype(np.float64)
    products, scales = _multiply_residuals(batch, fit.truth, judged.hits, judged.alarms)
    visible = np.where(answers >= _FEWEST_FOR_TWO_RATES, 1.0 - 3.0 / np.maximum(answers, 1.0), 0.0)
    if of_few is not None:
        few = batch.has_few
        rates = estimate_one_rate(batch, of_few.before, of_few.totals, settings)
        found = _multiply_residuals(batch, of_few.truth, *rates)
        products, scales = (
            np.where(few, *two) for two in zip(found, (products, scales), strict=True)
        )
        visible[few] = 1.0
    nothing = np.zeros_like(answers)
    return Evidence(
        hits=np.where(visible > 0, products, 0.0),
        hits_scale=scales * visible,
        wrong=nothing,
        wrong_scale=nothing,
        pairs=answers * (answers - 1.0) * batch.selections.n_labels * visible,
    )


def _multiply_residuals(
    batch: LabelBatch, truth: Floats, hits: Floats, alarms: Floats
) -> tuple[Floats, Floats]:
    """Products of residuals over ordered pairs of an item's answers, and of their deviations."""
    selections = batch.selections
    products, scales = np.zeros((2, selections.n_items))
    for likely, rate in ((truth, hits), (1.0 - truth, alarms)):
        variance = rate * (1.0 - rate)
        for sums, values in ((products, selections.picked - rate), (scales, np.sqrt(variance))):
            both = sum_rows(selections.items, values, selections.n_items) ** 2
            both -= sum_rows(selections.items, values**2, selections.n_items)
            sums += (likely * both).sum(axis=1)
    return products, scales


def _raise_to_floor(batch: LabelBatch, mixed: Floats, alone: Floats) -> Floats:
    """The mixture, and of one answer what it says alone.

    Where all agree on a label, and nobody does worse than guess, they are no less sure than the
    best of them alone.
    """
    counts, answers = batch.selections.counts, batch.answers
    raised = np.where(counts == answers, np.maximum(mixed, alone), mixed)
    raised = np.where(counts == 0, np.minimum(raised, alone), raised)
    return np.where(answers > 1, raised, alone)


def _weigh(hits: Floats, alarms: Floats) -> Floats:
    """Weight of each answer for each label: 1 is a perfect worker's."""
    return np.maximum(hits - alarms, _SMALLEST_WEIGHT)


def _log_likelihood_ratios(selections: Selections, hits: Floats, alarms: Floats) -> Floats:
    """What each answer says for and against each label: shape (n_answers, n_labels)."""
    picked = selections.picked
    ratios: Floats = np.where(picked, hits, 1.0 - hits) / np.where(picked, alarms, 1.0 - alarms)
    return np.log(ratios, out=ratios)


def _share_weights(
    weighed: WeighedLabels, totals: AnswerTotals, settings: CalibratedLabelsSettings
) -> Floats:
    """Weighted share of the answers that pick each label, smoothed by its frequency."""
    mean = totals.weights / totals.n_answers if totals.n_answers else np.ones(len(totals.weights))
    spread = np.where(mean > 0, settings.smoothing * mean, 1.0)
    frequency = (totals.picked[:, 1] + 0.5) / (totals.picked.sum(axis=1) + 1.0)
    return (weighed.ticks + spread * frequency) / (weighed.weights + spread)


def _logistic(log_odds: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * log_odds))


def _count_effective_answers(selections: Selections, ratios: Floats) -> Floats:
    """How many answers as strong as its strongest each label has: (n_items, n_labels), 1 or more.

    See the same of `calibrated` for one class.
    """
    strengths, items = np.abs(ratios), selections.items
    strongest = np.zeros((selections.n_items, selections.n_labels))
    starts = np.flatnonzero(np.diff(items, prepend=-1))
    if starts.size:
        strongest[items[starts]] = np.maximum.reduceat(strengths, starts)
    total = sum_rows(items, strengths, selections.n_items)
    return np.maximum(total / np.maximum(strongest, 1e-9), 1.0)


def _log_frequency(truth: Floats, judged: Floats, totals: Floats) -> Floats:
    """Log odds of each label by how often it applies to the other items: (n_items, n_labels).

    `judged` says for how many answers an item counts, `totals` for how many all of them count.
    Without the own item, for its answers must not speak twice; smoothed by one answer.
    """
    applies = truth * judged
    yes = totals[:, 1] - applies + 0.5
    no = totals[:, 0] - (judged - applies) + 0.5
    return np.log(yes) - np.log(no)
