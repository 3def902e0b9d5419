"""Weighted majority vote: workers who agree with the others count for more."""

from dataclasses import dataclass

import numpy as np

from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.em import Batch
from groundtruth.aggregation.classification.result import Consolidation
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes
from groundtruth.aggregation.layout import Shares
from groundtruth.aggregation.one_coin import known_of_lone
from groundtruth.aggregation.unanimous import Unanimous


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedSettings:
    """Settings of `weighted`.

    Attributes
    ----------
    accuracy_strength : float
        How many votes the pooled accuracy counts for in a worker's own; above 0.
    smoothing : float
        How many votes of mean weight are spread evenly over the classes; above 0.
    tolerance : float
        Stop when no probability changes by more than this.
    max_rounds : int
        Stop after this many rounds; at least 1.
    """

    accuracy_strength: float = 12.0
    smoothing: float = 0.25
    tolerance: float = 1e-3
    max_rounds: int = 60


def weighted(
    votes: Votes,
    *,
    settings: WeightedSettings | None = None,
    prior_counts: WorkerCounts | None = None,
    gold: Ints | None = None,
    max_weights: Floats | None = None,
) -> Consolidation:
    """Share of the votes, weighted by worker accuracy above chance, iterated [1]_.

    Parameters
    ----------
    votes : Votes
        The batch.
    settings : WeightedSettings, optional
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
    .. [1] H. Li and B. Yu, "Error rate bounds and iterative weighted majority voting for
       crowdsourcing", 2014. arXiv:1411.4086

    Examples
    --------
    >>> votes = Votes(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([1, 1, 0]), 1, 3, 2)
    >>> weighted(votes).posterior.labels
    array([1])
    """
    chosen = settings or WeightedSettings()
    batch = Batch.of(votes, prior_counts, gold)
    truth = shares = batch.start()
    rounds = 0
    for rounds in range(1, chosen.max_rounds + 1):
        accuracy = batch.accuracy(truth, chosen.accuracy_strength)
        shares = weighted_shares(batch, batch.weights(accuracy, max_weights), chosen.smoothing)
        before, truth = truth, batch.with_gold(shares)
        if np.abs(truth.cells - before.cells).max(initial=0.0) < chosen.tolerance:
            break
    if np.any(batch.per_item == 1):
        accuracy = batch.accuracy(truth, chosen.accuracy_strength)
        shares = known_of_lone(batch, accuracy, shares)
    agreed = Unanimous.of(batch)
    least = agreed.best_alone(truth, chosen.accuracy_strength, max_weights=max_weights)
    shares = agreed.raised(shares, least)
    return batch.result(shares, truth, rounds)


def weighted_shares(batch: Batch, weights: Floats, smoothing: float) -> Shares:
    """Share of the weights by class, smoothed by some votes of mean weight.

    Parameters
    ----------
    batch : Batch
        The votes.
    weights : ndarray of float, shape (n_votes,)
        Weight of each vote, not negative.
    smoothing : float
        How many votes of mean weight are spread evenly over the classes.
    """
    mean = float(weights.mean()) if weights.size else 0.0
    even = (smoothing * mean or 1.0) / batch.votes.n_classes
    raw = batch.layout.add_votes(weights) + even
    return batch.layout.normalized(Shares(raw, np.full(batch.votes.n_items, even)))
