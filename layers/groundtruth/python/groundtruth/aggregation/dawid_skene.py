"""Dawid and Skene's model of workers who mix up classes, fitted by MAP-EM."""

from dataclasses import dataclass

import numpy as np

from groundtruth.aggregation.batch import Batch
from groundtruth.aggregation.confusion import Confusion, known_of_lone, one_coin
from groundtruth.aggregation.layout import Shares
from groundtruth.aggregation.result import Consolidation
from groundtruth.aggregation.skill import WorkerCounts
from groundtruth.aggregation.votes import Floats, Ints, Votes


@dataclass(frozen=True, slots=True, kw_only=True)
class DawidSkeneSettings:
    """Settings of `dawid_skene`.

    Attributes
    ----------
    strength : float
        How many votes the accuracy of all workers counts for in each row of a worker's
        confusion matrix; above 0.
    tolerance : float
        Stop when no probability changes by more than this; 0 makes all rounds.
    max_rounds : int
        Stop after this many rounds; at least 1.
    """

    strength: float = 4.0
    tolerance: float = 1e-3
    max_rounds: int = 60


def dawid_skene(
    votes: Votes,
    *,
    settings: DawidSkeneSettings | None = None,
    prior_counts: WorkerCounts | None = None,
    gold: Ints | None = None,
) -> Consolidation:
    """Posterior of the classes under each worker's confusion matrix [1]_.

    Rows of the matrices are shrunk to the pooled accuracy of all workers (maximum a
    posteriori), the class prior is estimated. The posterior takes errors of workers for
    independent and is therefore too sure of itself; `calibrated` is not. With more than 20
    classes each worker's accuracy is learned instead of the full matrix.

    Parameters
    ----------
    votes : Votes
        The batch.
    settings : DawidSkeneSettings, optional
        Defaults when left out.
    prior_counts : WorkerCounts, optional
        What earlier calls taught about the workers.
    gold : ndarray of int, shape (n_items,), optional
        True classes, -1 where unknown. Workers are judged by them; the posterior of such
        an item is still what its votes say.

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

    Examples
    --------
    >>> votes = Votes(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([1, 1, 0]), 1, 3, 2)
    >>> dawid_skene(votes).posterior.labels
    array([1])
    """
    chosen = settings or DawidSkeneSettings()
    batch = Batch.of(votes, prior_counts, gold)
    confusion = Confusion.of(batch) if batch.layout.dense else None
    several = (votes.votes_per_item > 1).astype(np.float64)
    truth = shares = batch.start()
    rounds = 0
    for rounds in range(1, chosen.max_rounds + 1):
        if confusion is None:
            likelihood = one_coin(batch, batch.accuracy(truth, chosen.strength), None)
        else:
            likelihood = confusion.posterior_rates(truth, chosen.strength)
        shares = batch.layout.softmax(_with_class_prior(batch, likelihood, truth, several))
        before, truth = truth, batch.with_gold(shares)
        if np.abs(truth.cells - before.cells).max(initial=0.0) < chosen.tolerance:
            break
    accuracy = batch.accuracy(truth, chosen.strength)
    return batch.result(known_of_lone(batch, accuracy, shares), truth, rounds)


def _with_class_prior(batch: Batch, likelihood: Shares, truth: Shares, several: Floats) -> Shares:
    """Add the log of the mean posterior, smoothed by one item per class, where it counts."""
    layout = batch.layout
    log_share = np.log(layout.sum_by_class(truth.cells) + 1.0)
    if layout.dense:
        prior = (log_share[:, np.newaxis] * several).ravel()
    else:
        # A class without a cell counts like one that is never true: log(0 + 1) = 0.
        prior = log_share[layout.classes] * several[layout.items]
    return Shares(likelihood.cells + prior, likelihood.others)
