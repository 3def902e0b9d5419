"""Dawid and Skene's model of workers who mix up classes, fitted by MAP-EM."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.classification.confusion import ConfusionModel
from groundtruth.aggregation.classification.counts import WorkerCounts, sum_groups
from groundtruth.aggregation.classification.em import (
    NOTHING,
    Counts,
    Fit,
    Rounds,
    VoteData,
    conclude,
    iterate,
)
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
    one_coin : bool
        Whether each worker's accuracy is learned instead of the full confusion matrix, as it
        is with more than 20 classes.
    """

    strength: float = 4.0
    tolerance: float = 1e-3
    max_rounds: int = 60
    one_coin: bool = False


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
    rounds = DawidSkeneRounds.from_data(VoteData.from_votes(votes, prior_counts, gold), settings)
    return rounds.conclude(
        iterate(rounds, tolerance=settings.tolerance, max_rounds=settings.max_rounds)
    )


@dataclass(frozen=True, kw_only=True)
class DawidSkeneRounds(Rounds[None]):
    """The rounds of `dawid_skene`."""

    settings: DawidSkeneSettings
    model: ConfusionModel | None  # None if accuracies are learned, or not every class is listed

    @classmethod
    def from_data(cls, data: VoteData, settings: DawidSkeneSettings) -> Self:
        """Make the confusion matrices ready."""
        has_matrices = data.layout.is_complete and not settings.one_coin
        model = ConfusionModel.from_data(data) if has_matrices else None
        return cls(data=data, settings=settings, model=model)

    def count(self, truth: Floats) -> Counts:
        """Count the answers of each worker, and how often each class is true.

        A rest counts as never true.
        """
        if self.model is not None:
            return self.model.count(truth)
        layout = self.data.layout
        listed = np.where(layout.is_rest, 0.0, truth)
        true = sum_groups(layout.classes, listed, layout.n_classes)
        return Counts(self.data.count_right(truth), NOTHING, true)

    def estimate(self, truth: Floats, counts: Counts) -> tuple[Floats, None]:
        """Multiply the rates of the votes and the class prior."""
        data, layout, strength = self.data, self.data.layout, self.settings.strength
        if self.model is not None:
            rates = self.model.estimate_rates(counts, strength)
            return self.model.estimate_posterior(rates, counts.true + 1.0).ravel(), None
        accuracy = data.estimate_accuracy(truth, strength, right=counts.right)
        likelihood = data.sum_votes(data.log_likelihood_ratios(accuracy))
        prior = np.where(layout.is_rest, 0.0, np.log(counts.true + 1.0)[layout.classes])
        return layout.softmax(likelihood + data.spread(data.n_votes > 1) * prior), None

    def conclude(self, fit: Fit[None], right: Floats | None = None) -> Consolidation:
        """Look at votes that are alone once more."""
        data, strength = self.data, self.settings.strength
        accuracy = data.estimate_accuracy(fit.truth, strength, right=right)
        return conclude(data, data.restore_single_votes(fit.posterior, accuracy), fit)
