"""Dawid and Skene's model of workers who mix up classes, fitted by MAP-EM."""

from dataclasses import dataclass

import numpy as np

from groundtruth.aggregation.classification.confusion import ConfusionModel
from groundtruth.aggregation.classification.counts import WorkerCounts, sum_groups
from groundtruth.aggregation.classification.em import VoteData, conclude, iterate
from groundtruth.aggregation.classification.posterior import Consolidation
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes


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
    settings = settings or DawidSkeneSettings()
    data = VoteData.from_votes(votes, prior_counts, gold)
    model = ConfusionModel.from_data(data) if data.layout.is_complete else None
    several = data.spread(data.n_votes > 1)

    def update(truth: Floats) -> tuple[Floats, None]:
        if model is not None:
            table = truth.reshape(-1, votes.n_classes)
            rates = model.estimate_rates(table, settings.strength)
            return model.estimate_posterior(rates, np.einsum("ij->j", table) + 1.0).ravel(), None
        accuracy = data.estimate_accuracy(truth, settings.strength)
        likelihood = data.sum_votes(data.log_likelihood_ratios(accuracy))
        return data.layout.softmax(likelihood + several * _log_class_prior(data, truth)), None

    fit = iterate(data, update, tolerance=settings.tolerance, max_rounds=settings.max_rounds)
    accuracy = data.estimate_accuracy(fit.truth, settings.strength)
    return conclude(data, data.restore_single_votes(fit.posterior, accuracy), fit)


def _log_class_prior(data: VoteData, truth: Floats) -> Floats:
    """Log of how often each class is true, smoothed by one; a rest counts as never true."""
    layout = data.layout
    true = sum_groups(layout.classes, np.where(layout.is_rest, 0.0, truth), layout.n_classes) + 1.0
    return np.where(layout.is_rest, 0.0, np.log(true)[layout.classes])
