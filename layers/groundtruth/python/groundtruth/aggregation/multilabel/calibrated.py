"""Multi-label consolidation: one yes-or-no question per label, worker skill shared."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

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
    prior, known, caps = _check(selections, prior_counts, gold, max_weights)
    counted = (selections.answers_per_item[:, np.newaxis] > 1) | (known >= 0)
    data = _Data(selections, known, counted.astype(np.float64), prior, caps, settings)
    fit = _iterate(data, _estimate_rates)
    evidence = _compare_answers(data, fit)
    elsewhere = evidence.find_elsewhere(earlier)
    weights = np.minimum(_weigh(fit.hits, fit.alarms) ** _SHARE_POWER, data.caps)
    shares = _share_weights(selections, weights, _share_picked(selections, prior), settings)
    dependence = elsewhere.estimate_dependence(settings.dependence)[:, np.newaxis]
    mixed = dependence * shares + (1.0 - dependence) * fit.posterior
    posterior = _raise_to_floor(selections, mixed, fit)
    return LabelConsolidation(
        posterior=posterior,
        selections=selections,
        truth=fit.truth,
        counted=data.counted,
        rounds=fit.rounds,
        evidence=evidence,
        elsewhere=elsewhere,
    )


class _Data(NamedTuple):
    """What a fit is made from."""

    selections: Selections
    known: Ints
    counted: Floats
    prior: LabelCounts
    caps: Floats
    settings: CalibratedLabelsSettings


class _Fit(NamedTuple):
    """What the rounds found: by answer and label, and by item and label."""

    hits: Floats
    alarms: Floats
    ratios: Floats
    likelihood: Floats
    posterior: Floats
    truth: Floats
    rounds: int


def _iterate(data: _Data, estimate: Callable[[_Data, Floats], tuple[Floats, Floats]]) -> _Fit:
    """Rates from truths and truths from rates, until nothing moves."""
    selections, known = data.selections, data.known
    answers = selections.answers_per_item[:, np.newaxis]
    truth = np.where(known >= 0, known, (selections.counts + 0.5) / (answers + 1.0))
    rounds = 0
    while True:
        rounds += 1
        hits, alarms = estimate(data, truth)
        ratios = _log_likelihood_ratios(selections, hits, alarms)
        ratios *= np.minimum(data.caps / _weigh(hits, alarms), 1.0)
        likelihood = sum_rows(selections.items, ratios, selections.n_items)
        judged = np.maximum(answers, 1.0) * data.counted
        posterior = _logistic(
            likelihood + (answers > 1) * _log_frequency(truth, judged, data.prior)
        )
        before, truth = truth, np.where(known >= 0, known, posterior)
        moved = np.abs(truth - before).max(initial=0.0)
        if moved < data.settings.tolerance or rounds >= data.settings.max_rounds:
            return _Fit(hits, alarms, ratios, likelihood, posterior, truth, rounds)


def _check(
    selections: Selections,
    prior: LabelCounts | None,
    gold: Ints | None,
    max_weights: Floats | None,
) -> tuple[LabelCounts, Ints, Floats]:
    if prior is None:
        prior = LabelCounts.empty(selections.n_workers, selections.n_labels)
    if prior.amounts.shape[:2] != (selections.n_workers, selections.n_labels):
        raise ValueError("prior_counts must have the workers and labels of the answers")
    shape = (selections.n_items, selections.n_labels)
    known = np.full(shape, -1) if gold is None else np.asarray(gold)
    if known.shape != shape or not np.all(np.isin(known, (-1, 0, 1))):
        raise ValueError(f"gold must hold -1, 0 or 1 and have shape {shape}")
    unlimited = np.full(selections.n_workers, np.inf)
    caps = unlimited if max_weights is None else np.asarray(max_weights, dtype=np.float64)
    if caps.shape != (selections.n_workers,) or not np.all(caps >= 0):
        raise ValueError(f"max_weights must hold {selections.n_workers} numbers of 0 or more")
    return prior, known, caps[selections.workers][:, np.newaxis]


def _estimate_rates(data: _Data, truth: Floats) -> tuple[Floats, Floats]:
    """Hit and false alarm rate behind each answer and label: shapes (n_answers, n_labels)."""
    picked = data.selections.picked
    amounts = data.prior.amounts
    hits, alarms = (
        _estimate_rate(
            data,
            happened=picked,
            amounts=(likely * data.counted)[data.selections.items],
            stored=amounts[:, :, applies, :],
            start=start,
        )
        for applies, likely, start in ((1, truth, _PRIOR_RIGHT), (0, 1.0 - truth, 1 - _PRIOR_RIGHT))
    )
    return hits, alarms


def _estimate_one_rate(data: _Data, truth: Floats) -> tuple[Floats, Floats]:
    """The same where each worker is as often right whether a label applies or not."""
    selections, stored = data.selections, data.prior.amounts
    right = np.where(selections.picked, truth[selections.items], 1.0 - truth[selections.items])
    wrong_and_right = (stored[..., 0, 1] + stored[..., 1, 0], stored[..., 0, 0] + stored[..., 1, 1])
    accuracy = _estimate_rate(
        data,
        happened=right,
        amounts=data.counted[selections.items],
        stored=np.stack(wrong_and_right, axis=2),
        start=_PRIOR_RIGHT,
    )
    return accuracy, 1.0 - accuracy


def _estimate_rate(
    data: _Data, *, happened: Floats | Bools, amounts: Floats, stored: Floats, start: float
) -> Floats:
    """How often something happens, of what counts by `amounts`; `stored` has not and has happened.

    The only answer to an item is judged by what is known of its worker alone, so that other
    workers of the batch do not change how sure it is.
    """
    selections, settings = data.selections, data.settings
    workers, own = selections.workers, amounts * happened
    is_single = selections.answers_per_item[selections.items][:, np.newaxis] == 1
    times = sum_rows(workers, own, selections.n_workers) + stored[..., 1]
    total = sum_rows(workers, amounts, selections.n_workers) + stored.sum(axis=2)
    label = (times.sum(axis=0) + start * _PRIOR_ANSWERS) / (total.sum(axis=0) + _PRIOR_ANSWERS)
    others_times = times.sum(axis=1)[workers] - own.sum(axis=1)
    others_total = total.sum(axis=1)[workers] - amounts.sum(axis=1)
    pooled = np.where(is_single, start, label)
    worker = others_times[:, np.newaxis] + settings.worker_strength * pooled
    worker /= others_total[:, np.newaxis] + settings.worker_strength
    rate = times[workers] - own + settings.strength * worker
    rate /= total[workers] - amounts + settings.strength
    return np.clip(rate, *_RATE_LIMITS)


def _compare_answers(data: _Data, fit: _Fit) -> Evidence:
    """What each item shows of errors that go together.

    Two rates for each worker fit any three answers, and of n equally good workers' answers they
    leave (n - 3) / n of what could be seen. Of fewer than five answers, one rate is checked.
    """
    answers = data.selections.answers_per_item.astype(np.float64)
    products, scales = _multiply_residuals(data, fit)
    visible = np.where(answers >= _FEWEST_FOR_TWO_RATES, 1.0 - 3.0 / np.maximum(answers, 1.0), 0.0)
    few = (answers >= _FEWEST_FOR_ONE_RATE) & (answers < _FEWEST_FOR_TWO_RATES)
    if few.any():
        of_few = _multiply_residuals(data, _iterate(data, _estimate_one_rate))
        products, scales = (
            np.where(few, *two) for two in zip(of_few, (products, scales), strict=True)
        )
        visible[few] = 1.0
    nothing = np.zeros_like(answers)
    return Evidence(
        hits=np.where(visible > 0, products, 0.0),
        hits_scale=scales * visible,
        wrong=nothing,
        wrong_scale=nothing,
        pairs=answers * (answers - 1.0) * data.selections.n_labels * visible,
    )


def _multiply_residuals(data: _Data, fit: _Fit) -> tuple[Floats, Floats]:
    """Products of residuals over ordered pairs of an item's answers, and of their deviations."""
    selections = data.selections
    products, scales = np.zeros((2, selections.n_items))
    for likely, rate in ((fit.truth, fit.hits), (1.0 - fit.truth, fit.alarms)):
        variance = rate * (1.0 - rate)
        for sums, values in ((products, selections.picked - rate), (scales, np.sqrt(variance))):
            both = sum_rows(selections.items, values, selections.n_items) ** 2
            both -= sum_rows(selections.items, values**2, selections.n_items)
            sums += (likely * both).sum(axis=1)
    return products, scales


def _raise_to_floor(selections: Selections, mixed: Floats, fit: _Fit) -> Floats:
    """The mixture, and of one answer what it says alone.

    Where all agree on a label, and nobody does worse than guess, they are no less sure than the
    best of them alone.
    """
    answers = selections.answers_per_item[:, np.newaxis]
    alone = _logistic(fit.likelihood / _count_effective_answers(selections, fit.ratios))
    raised = np.where(selections.counts == answers, np.maximum(mixed, alone), mixed)
    raised = np.where(selections.counts == 0, np.minimum(raised, alone), raised)
    return np.where(answers > 1, raised, alone)


def _weigh(hits: Floats, alarms: Floats) -> Floats:
    """Weight of each answer for each label: 1 is a perfect worker's."""
    return np.maximum(hits - alarms, _SMALLEST_WEIGHT)


def _log_likelihood_ratios(selections: Selections, hits: Floats, alarms: Floats) -> Floats:
    """What each answer says for and against each label: shape (n_answers, n_labels)."""
    picked, left_out = np.log(hits / alarms), np.log((1.0 - hits) / (1.0 - alarms))
    return np.where(selections.picked, picked, left_out)


def _share_weights(
    selections: Selections, weights: Floats, frequency: Floats, settings: CalibratedLabelsSettings
) -> Floats:
    """Weighted share of the answers that pick each label, smoothed by its frequency."""
    n_items = selections.n_items
    mean = weights.mean(axis=0) if len(weights) else np.ones(selections.n_labels)
    spread = np.where(mean > 0, settings.smoothing * mean, 1.0)
    ticks = sum_rows(selections.items, weights * selections.picked, n_items)
    return (ticks + spread * frequency) / (sum_rows(selections.items, weights, n_items) + spread)


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


def _log_frequency(truth: Floats, judged: Floats, prior: LabelCounts) -> Floats:
    """Log odds of each label by how often it applies to the other items: (n_items, n_labels).

    `judged` says for how many answers an item counts. Without the own item, for its answers must
    not speak twice; smoothed by one answer.
    """
    stored = prior.amounts.sum(axis=(0, 3))
    applies, total = truth * judged, judged
    yes = applies.sum(axis=0) + stored[:, 1] - applies + 0.5
    no = (total - applies).sum(axis=0) + stored[:, 0] - (total - applies) + 0.5
    return np.log(yes) - np.log(no)


def _share_picked(selections: Selections, prior: LabelCounts) -> Floats:
    """Share of all answers that pick each label, smoothed by one: shape (n_labels,)."""
    stored = prior.amounts.sum(axis=(0, 2))
    picked: Floats = selections.picked.sum(axis=0) + stored[:, 1] + 0.5
    return picked / (len(selections.picked) + stored.sum(axis=1) + 1.0)
