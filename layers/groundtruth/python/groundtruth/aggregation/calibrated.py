"""The default: worker skill in full, and a confidence that can be read as a probability."""

from dataclasses import dataclass

import numpy as np

from groundtruth.aggregation.batch import Batch
from groundtruth.aggregation.confusion import Confusion, one_coin
from groundtruth.aggregation.layout import Shares
from groundtruth.aggregation.result import Consolidation
from groundtruth.aggregation.skill import WorkerCounts, add_up
from groundtruth.aggregation.votes import Floats, Ints, Votes
from groundtruth.aggregation.weighted import weighted_shares


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedSettings:
    """Settings of `calibrated`; the defaults did best on the sets they were not chosen on.

    Attributes
    ----------
    correlation : float
        How much errors of workers on one item go together, from 0 (independent) to 1 (many
        votes say as much as one). Tempers the result.
    learning_correlation : float
        The same while workers are judged.
    mix : float
        Share of the tempered posterior in the result, from 0 to 1; the rest is the
        weighted share of the votes.
    frequency_weight : float
        Power of the class frequencies in the prior, from 0 (uniform) to 1.
    strength : float
        How many votes a worker's accuracy counts for in each row of the worker's confusion
        matrix; above 0.
    accuracy_strength : float
        How many votes the accuracy of all workers counts for in a worker's own; above 0.
    smoothing : float
        How many votes of mean weight are spread evenly over the classes; above 0.
    tolerance : float
        Stop when no probability changes by more than this.
    max_rounds : int
        Stop after this many rounds; at least 1.
    """

    correlation: float = 0.5
    learning_correlation: float = 0.2
    mix: float = 0.45
    frequency_weight: float = 0.25
    strength: float = 3.0
    accuracy_strength: float = 12.0
    smoothing: float = 0.25
    tolerance: float = 1e-3
    max_rounds: int = 60


def calibrated(
    votes: Votes,
    *,
    settings: CalibratedSettings | None = None,
    prior_counts: WorkerCounts | None = None,
    gold: Ints | None = None,
    max_weights: Floats | None = None,
) -> Consolidation:
    """Shrunk Dawid-Skene, tempered, mixed with the weighted share of the votes [1]_ [2]_.

    Each worker's confusion matrix is shrunk to the worker's accuracy and that to the
    accuracy of all; each vote is judged without the item it is for. The evidence of an
    item is then tempered, because workers err together on hard items: n equally strong
    votes count as n / (1 + correlation (n - 1)). With more than 20 classes each worker's
    accuracy is learned instead of the full matrix.

    Parameters
    ----------
    votes : Votes
        The batch.
    settings : CalibratedSettings, optional
        Defaults when left out.
    prior_counts : WorkerCounts, optional
        What earlier calls taught about the workers.
    gold : ndarray of int, shape (n_items,), optional
        True classes, -1 where unknown. Workers are judged by them; the posterior of such
        an item is still what its votes say.
    max_weights : ndarray of float, shape (n_workers,), optional
        Largest weight each worker may have, not negative; 1 is a perfect worker's.

    Returns
    -------
    Consolidation
        A tie goes to the class listed first; an item without a vote gets a uniform row.
        The confidence of a single vote is what is known of its worker, else 0.7.

    Raises
    ------
    ValueError
        If an argument does not fit the votes.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer
       error-rates using the EM algorithm", Applied Statistics 28 (1979).
       doi:10.2307/2346806
    .. [2] A. Asuncion, M. Welling, P. Smyth and Y. W. Teh, "On smoothing and inference for
       topic models", UAI 2009. arXiv:1205.2662

    Examples
    --------
    >>> votes = Votes(np.array([0]), np.array([0]), np.array([1]), 1, 1, 2)
    >>> calibrated(votes).posterior.dense()
    array([[0.3, 0.7]])
    """
    chosen = settings or CalibratedSettings()
    batch = Batch.of(votes, prior_counts, gold)
    confusion = Confusion.of(batch) if batch.layout.dense else None
    prior = _log_prior(batch, chosen.frequency_weight)
    truth = batch.start()
    rounds = 0
    while True:
        rounds += 1
        accuracy = batch.accuracy(truth, chosen.accuracy_strength)
        factors = _factors(batch, accuracy, max_weights)
        if confusion is None:
            likelihood = one_coin(batch, accuracy, factors)
        else:
            likelihood = confusion.without_own_item(truth, accuracy, chosen.strength, factors)
        extra = _effective_votes(batch, accuracy, factors) - 1.0
        learned = _tempered(batch, likelihood, prior, 1.0 + chosen.learning_correlation * extra)
        before, truth = truth, batch.with_gold(learned)
        change = np.abs(truth.cells - before.cells).max(initial=0.0)
        if change < chosen.tolerance or rounds >= chosen.max_rounds:
            break
    tempered = _tempered(batch, likelihood, prior, 1.0 + chosen.correlation * extra)
    weights = batch.weights(accuracy, max_weights)
    shares = _mixed(batch, tempered, weighted_shares(batch, weights, chosen.smoothing), chosen.mix)
    return batch.result(shares, truth, rounds)


def _log_prior(batch: Batch, power: float) -> Shares:
    """Log of the class frequencies to a power; flat for items with fewer than two votes."""
    frequencies = batch.log_frequencies()
    several = power * (batch.votes.votes_per_item > 1).astype(np.float64)
    return Shares(frequencies.cells * batch.layout.spread(several), frequencies.others * several)


def _factors(batch: Batch, accuracy: Floats, max_weights: Floats | None) -> Floats | None:
    """How much of each vote's evidence its worker's largest weight leaves."""
    if max_weights is None:
        return None
    return batch.weights(accuracy, max_weights) / batch.weights(accuracy, None)


def _effective_votes(batch: Batch, accuracy: Floats, factors: Floats | None) -> Floats:
    """How many votes as strong as the strongest an item has: shape (n_items,), 1 or more.

    Tempering by this and not by the plain number of votes keeps a promise: one more vote
    for a class, however weak its worker, never makes that class less probable.
    """
    odds = accuracy / (1.0 - accuracy)
    strengths = np.abs(np.log(odds * max(batch.votes.n_classes - 1, 1)))
    if factors is not None:
        strengths = strengths * factors
    starts = np.flatnonzero(np.diff(batch.votes.items, prepend=-1))
    strongest = np.zeros(batch.votes.n_items)
    if starts.size:
        strongest[batch.votes.items[starts]] = np.maximum.reduceat(strengths, starts)
    total = add_up(batch.votes.items, strengths, batch.votes.n_items)
    return np.maximum(total / np.maximum(strongest, 1e-9), 1.0)


def _tempered(batch: Batch, likelihood: Shares, prior: Shares, divisor: Floats) -> Shares:
    """Posterior when the likelihood of each item is raised to the power 1 / divisor."""
    return batch.layout.softmax(
        Shares(
            likelihood.cells / batch.layout.spread(divisor) + prior.cells,
            likelihood.others / divisor + prior.others,
        )
    )


def _mixed(batch: Batch, tempered: Shares, shares: Shares, mix: float) -> Shares:
    """Weighted mean of both; an item with one vote keeps what its worker's skill says."""
    part = np.where(batch.votes.votes_per_item == 1, 1.0, mix)
    cells = batch.layout.spread(part)
    return Shares(
        cells * tempered.cells + (1.0 - cells) * shares.cells,
        part * tempered.others + (1.0 - part) * shares.others,
    )
