"""Multi-label consolidation: one yes-or-no question per label, worker skill shared."""

from dataclasses import dataclass

import numpy as np

from groundtruth.aggregation.classification.votes import Floats, Ints
from groundtruth.aggregation.multilabel.selections import (
    LabelConsolidation,
    LabelCounts,
    Selections,
    sum_rows,
)

_PRIOR_RIGHT = 0.7
_PRIOR_ANSWERS = 4.0
_RATE_LIMITS = (0.01, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedLabelsSettings:
    """Settings of `calibrated_labels`.

    Attributes
    ----------
    correlation : float
        How much errors of workers on one item go together, from 0 to 1.
    learning_correlation : float
        The same while workers are judged.
    mix : float
        Share of the tempered posterior in the result, from 0 to 1; the rest is the
        weighted share of the answers.
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

    correlation: float = 1.0
    learning_correlation: float = 0.0
    mix: float = 0.6
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
) -> LabelConsolidation:
    """Probability that each label applies, from workers who tick more or less readily [1]_.

    Each label is a binary question with a hit rate and a false alarm rate per worker. The
    rates of a worker and label are shrunk to the worker's rates over all labels, these to
    the label's rates over all workers; each answer is judged without the item it is for.
    Tempering and mixing are those of `calibrated`.

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
    prior, known = _check(selections, prior_counts, gold)
    several = selections.answers_per_item[:, np.newaxis] > 1
    counted = (several | (known >= 0)).astype(np.float64)
    answers = np.maximum(selections.answers_per_item[:, np.newaxis], 1.0)
    truth = (selections.counts + 0.5) / (selections.answers_per_item[:, np.newaxis] + 1.0)
    truth = np.where(known >= 0, known, truth)
    rounds = 0
    while True:
        rounds += 1
        hits, alarms = _estimate_rates(selections, truth, counted, prior, settings)
        factors, weights = _weigh(selections, hits - alarms, max_weights)
        ratios = _log_likelihood_ratios(selections, hits, alarms, factors)
        likelihood = sum_rows(selections.items, ratios, selections.n_items)
        learned = likelihood.copy()
        if settings.learning_correlation > 0:
            extra = _count_effective_answers(selections, ratios) - 1.0
            learned /= 1.0 + settings.learning_correlation * extra
        learned += several * _log_frequency(truth, answers * counted, prior)
        before, truth = truth, np.where(known >= 0, known, _logistic(learned))
        if np.abs(truth - before).max(initial=0.0) < settings.tolerance:
            break
        if rounds >= settings.max_rounds:
            break
    extra = _count_effective_answers(selections, ratios) - 1.0
    shares = _share_weights(selections, weights, _share_picked(selections, prior), settings)
    posterior = _mix(selections, likelihood, extra, shares, settings)
    return LabelConsolidation(posterior, selections, truth, counted, rounds)


def _check(
    selections: Selections, prior: LabelCounts | None, gold: Ints | None
) -> tuple[LabelCounts, Ints]:
    if prior is None:
        prior = LabelCounts.empty(selections.n_workers, selections.n_labels)
    if prior.amounts.shape[:2] != (selections.n_workers, selections.n_labels):
        raise ValueError("prior_counts must have the workers and labels of the answers")
    shape = (selections.n_items, selections.n_labels)
    known = np.full(shape, -1) if gold is None else np.asarray(gold)
    if known.shape != shape or not np.all(np.isin(known, (-1, 0, 1))):
        raise ValueError(f"gold must hold -1, 0 or 1 and have shape {shape}")
    return prior, known


def _estimate_rates(
    selections: Selections,
    truth: Floats,
    counted: Floats,
    prior: LabelCounts,
    settings: CalibratedLabelsSettings,
) -> tuple[Floats, Floats]:
    """Hit and false alarm rate behind each answer and label: shapes (n_answers, n_labels).

    The only answer to an item is judged by what is known of its worker alone, so that other
    workers of the batch do not change how sure it is.
    """
    is_single = selections.answers_per_item[selections.items][:, np.newaxis] == 1
    picked = selections.picked.astype(np.float64)
    rates = []
    for applies, start in ((1, _PRIOR_RIGHT), (0, 1.0 - _PRIOR_RIGHT)):
        likely = (truth if applies else 1.0 - truth) * counted
        own = likely[selections.items]
        stored = prior.amounts[:, :, applies, :]
        ticks = sum_rows(selections.workers, own * picked, selections.n_workers) + stored[..., 1]
        total = sum_rows(selections.workers, own, selections.n_workers) + stored.sum(axis=2)
        label = (ticks.sum(axis=0) + start * _PRIOR_ANSWERS) / (total.sum(axis=0) + _PRIOR_ANSWERS)
        others_ticks = ticks.sum(axis=1)[selections.workers] - (own * picked).sum(axis=1)
        others_total = total.sum(axis=1)[selections.workers] - own.sum(axis=1)
        pooled = np.where(is_single, start, label)
        worker = others_ticks[:, np.newaxis] + settings.worker_strength * pooled
        worker /= others_total[:, np.newaxis] + settings.worker_strength
        rate = ticks[selections.workers] - own * picked + settings.strength * worker
        rate /= total[selections.workers] - own + settings.strength
        rates.append(np.clip(rate, *_RATE_LIMITS))
    return rates[0], rates[1]


def _mix(
    selections: Selections,
    likelihood: Floats,
    extra: Floats,
    shares: Floats,
    settings: CalibratedLabelsSettings,
) -> Floats:
    """Mean of the tempered posterior and the share; of one answer the posterior alone.

    Where all agree on a label, and nobody does worse than guess, they are no less sure than the
    best of them alone.
    """
    answers = selections.answers_per_item[:, np.newaxis]
    tempered = _logistic(likelihood / (1.0 + settings.correlation * extra))
    mixed = settings.mix * tempered + (1 - settings.mix) * shares
    alone = _logistic(likelihood / (1.0 + extra))
    mixed = np.where(selections.counts == answers, np.maximum(mixed, alone), mixed)
    mixed = np.where(selections.counts == 0, np.minimum(mixed, alone), mixed)
    return np.where(answers > 1, mixed, tempered)


def _weigh(
    selections: Selections, informedness: Floats, max_weights: Floats | None
) -> tuple[Floats | None, Floats]:
    """How much of the evidence the largest weights leave, and the weights themselves."""
    weights = np.maximum(informedness, 0.05)
    if max_weights is None:
        return None, weights
    caps = np.asarray(max_weights, dtype=np.float64)
    if caps.shape != (selections.n_workers,) or not np.all(caps >= 0):
        raise ValueError(f"max_weights must hold {selections.n_workers} numbers of 0 or more")
    capped = np.minimum(weights, caps[selections.workers][:, np.newaxis])
    return capped / weights, capped


def _log_likelihood_ratios(
    selections: Selections, hits: Floats, alarms: Floats, factors: Floats | None
) -> Floats:
    """What each answer says for and against each label: shape (n_answers, n_labels)."""
    picked = np.log(hits / alarms)
    left_out = np.log((1.0 - hits) / (1.0 - alarms))
    ratios: Floats = np.where(selections.picked, picked, left_out)
    return ratios if factors is None else ratios * factors


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
