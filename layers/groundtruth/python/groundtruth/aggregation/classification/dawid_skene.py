"""Dawid and Skene's model of workers who mix up classes, fitted by MAP-EM."""

from dataclasses import dataclass

import numpy as np

from groundtruth.aggregation.classification.confusion import Confusion
from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.em import Batch
from groundtruth.aggregation.classification.result import Consolidation
from groundtruth.aggregation.classification.votes import Ints, Votes
from groundtruth.aggregation.evidence import Posteriors, rates_of_kinds
from groundtruth.aggregation.layout import Shares, largest_change
from groundtruth.aggregation.one_coin import known_of_lone, one_coin


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
    fit = _with_tables if batch.layout.dense else _with_accuracies
    shares, truth, rounds = fit(batch, chosen)
    if np.any(batch.per_item == 1):
        shares = known_of_lone(batch, batch.accuracy(truth, chosen.strength), shares)
    return batch.result(shares, truth, rounds)


def _with_tables(batch: Batch, chosen: DawidSkeneSettings) -> tuple[Shares, Shares, int]:
    """Learn confusion matrices: the posterior, what is true, and the number of rounds."""
    model = Confusion.of(batch)
    truth = model.table(batch.start())
    shares = truth.copy() if np.any(batch.gold >= 0) else truth
    rounds, settled, sums = 0, False, truth.sum(axis=0)
    while not settled and rounds < max(chosen.max_rounds, 1):
        rounds, settled = rounds + 1, chosen.tolerance > 0
        prior = (sums + 1.0) / (sums + 1.0).sum()
        posteriors = Posteriors(model, rates_of_kinds(model, truth, chosen.strength), prior)
        sums = np.zeros_like(sums)
        for block in model.ranks.blocks:
            learned = truth[block.items]
            before = learned.copy() if settled else None
            posteriors.put(block, learned)
            if shares is not truth:
                shares[block.items] = learned
                model.known(block, learned.T)
            sums += np.einsum("ij->j", learned)
            if before is not None:
                settled = largest_change(before, learned) < chosen.tolerance
    found = model.shares(truth)
    return found if shares is truth else model.shares(shares), found, rounds


def _with_accuracies(batch: Batch, chosen: DawidSkeneSettings) -> tuple[Shares, Shares, int]:
    """Learn one accuracy a worker, where there are too many classes for matrices."""
    truth = shares = batch.start()
    layout, several = batch.layout, (batch.per_item > 1).astype(np.float64)
    rounds = 0
    for rounds in range(1, chosen.max_rounds + 1):
        likelihood = one_coin(batch, batch.accuracy(truth, chosen.strength), None)
        # A class without a cell counts like one that is never true: log(0 + 1) = 0.
        log_share = np.log(layout.sum_by_class(truth.cells) + 1.0)
        prior = log_share[layout.classes] * several[layout.items]
        shares = layout.softmax(Shares(likelihood.cells + prior, likelihood.others))
        before, truth = truth, batch.with_gold(shares)
        if np.abs(truth.cells - before.cells).max(initial=0.0) < chosen.tolerance:
            break
    return shares, truth, rounds
