"""The default: worker skill in full, and a confidence that can be read as a probability."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.confusion import Confusion
from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.em import Batch
from groundtruth.aggregation.classification.result import Consolidation
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes
from groundtruth.aggregation.classification.weighted import weighted_shares
from groundtruth.aggregation.effective_votes import effective, effective_votes, vote_strengths
from groundtruth.aggregation.layout import Shares, largest_change, softmax
from groundtruth.aggregation.one_coin import one_coin
from groundtruth.aggregation.rates import accuracy_of_votes, without_own_item
from groundtruth.aggregation.unanimous import Unanimous


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
    pool: Floats | None = None,
    in_pool: NDArray[np.bool_] | None = None,
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
    pool : ndarray of float, shape (n_classes, n_classes), optional
        What earlier calls taught about all workers together, those of this call too:
        expected counts by true class and class chosen. Workers of whom little is known are
        taken to be like that.
    in_pool : ndarray of bool, shape (n_workers,), optional
        Whose counts `pool` has, among the workers of this call; all when left out.
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
    batch = Batch.of(votes, prior_counts, gold, pool, in_pool)
    fit = _with_tables if batch.layout.dense else _with_accuracies
    found = fit(batch, chosen, max_weights)
    prior = _log_prior(batch, chosen.frequency_weight)
    tempered = _tempered(batch, found.likelihood, prior, 1.0 + chosen.correlation * found.extra)
    weights = batch.weights(found.accuracy, max_weights)
    shares = _mixed(batch, tempered, weighted_shares(batch, weights, chosen.smoothing), chosen.mix)
    agreed = Unanimous.of(batch)
    least = agreed.best_alone(
        found.truth,
        chosen.accuracy_strength,
        row_strength=chosen.strength if batch.layout.dense else 0.0,
        max_weights=max_weights,
    )
    shares = agreed.raised(shares, least)
    return batch.result(shares, found.truth, found.rounds)


class _Fit(NamedTuple):
    """What was learned.

    Attributes
    ----------
    truth : Shares
        How probable each class is to be true, as far as workers are judged by it.
    likelihood : Shares
        Log-likelihood of the classes in the last round.
    accuracy : ndarray of float, shape (n_votes,)
        How often the worker behind each vote is right.
    extra : ndarray of float, shape (n_items,)
        How many votes as strong as the strongest an item has, less one.
    rounds : int
        How many rounds were made.
    """

    truth: Shares
    likelihood: Shares
    accuracy: Floats
    extra: Floats
    rounds: int


def _with_tables(batch: Batch, chosen: CalibratedSettings, max_weights: Floats | None) -> _Fit:
    """Learn confusion matrices, block by block of the items."""
    model = Confusion.of(batch)
    truth = model.table(batch.start())
    likelihood = np.empty_like(truth)
    accuracy, extra = np.empty(batch.votes.n_votes), np.empty(batch.votes.n_items)
    prior = chosen.frequency_weight * np.log(batch.frequencies())[:, np.newaxis]
    caps = None if max_weights is None else batch.caps(max_weights)[model.ranks.order]
    rounds, settled = 0, False
    while not settled and rounds < max(chosen.max_rounds, 1):
        rounds, settled = rounds + 1, True
        expected = model.expected(truth, chosen.strength)
        for block in model.ranks.blocks:
            shares = model.counted_shares(truth, block)
            judged = accuracy_of_votes(model, block, shares, expected, chosen.accuracy_strength)
            factors = None if caps is None else batch.factors(judged, caps[block.votes])
            logs = without_own_item(
                model, block, shares, expected, judged, chosen.strength, factors
            )
            strengths = vote_strengths(judged, batch.votes.n_classes, factors)
            more = effective(block.totals(strengths), block.largest(strengths)) - 1.0
            accuracy[block.votes], extra[block.items] = judged, more
            likelihood[block.items] = logs
            scores = np.array(logs.T, order="C")
            scores /= 1.0 + chosen.learning_correlation * more
            scores += prior * model.several[block.items]
            learned = model.known(block, softmax(scores))
            settled = settled and largest_change(truth[block.items].T, learned) < chosen.tolerance
            truth[block.items] = learned.T
    return _Fit(
        truth=model.shares(truth),
        likelihood=model.shares(likelihood),
        accuracy=model.by_vote(accuracy),
        extra=model.ranks.restored(extra),
        rounds=rounds,
    )


def _with_accuracies(batch: Batch, chosen: CalibratedSettings, max_weights: Floats | None) -> _Fit:
    """Learn one accuracy a worker, where there are too many classes for matrices."""
    prior = _log_prior(batch, chosen.frequency_weight)
    caps = None if max_weights is None else batch.caps(max_weights)
    truth = batch.start()
    rounds = 0
    while True:
        rounds += 1
        accuracy = batch.accuracy(truth, chosen.accuracy_strength)
        factors = None if caps is None else batch.factors(accuracy, caps)
        likelihood = one_coin(batch, accuracy, factors)
        extra = effective_votes(batch, accuracy, factors) - 1.0
        learned = _tempered(batch, likelihood, prior, 1.0 + chosen.learning_correlation * extra)
        before, truth = truth, batch.with_gold(learned)
        change = np.abs(truth.cells - before.cells).max(initial=0.0)
        if change < chosen.tolerance or rounds >= chosen.max_rounds:
            return _Fit(truth, likelihood, accuracy, extra, rounds)


def _log_prior(batch: Batch, power: float) -> Shares:
    """Log of the class frequencies to a power; flat for items with fewer than two votes."""
    frequencies = batch.log_frequencies()
    several = power * (batch.per_item > 1).astype(np.float64)
    return Shares(frequencies.cells * batch.layout.spread(several), frequencies.others * several)


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
    part = np.where(batch.per_item == 1, 1.0, mix)
    cells = batch.layout.spread(part)
    return Shares(
        cells * tempered.cells + (1.0 - cells) * shares.cells,
        part * tempered.others + (1.0 - part) * shares.others,
    )
