"""Weighted majority vote: workers who agree with the others count for more."""

from dataclasses import dataclass

from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.em import (
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
    >>> import numpy as np
    >>> votes = Votes(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([1, 1, 0]), 1, 3, 2)
    >>> weighted(votes).posterior.labels
    array([1])
    """
    settings = settings or WeightedSettings()
    data = VoteData.from_votes(votes, prior_counts, gold)
    rounds = WeightedRounds(data=data, settings=settings, max_weights=max_weights)
    return rounds.conclude(
        iterate(rounds, tolerance=settings.tolerance, max_rounds=settings.max_rounds)
    )


@dataclass(frozen=True, kw_only=True)
class WeightedRounds(Rounds[None]):
    """The rounds of `weighted`, whose arguments these are."""

    settings: WeightedSettings
    max_weights: Floats | None = None
    mean_weight: float | None = None  # of all votes, if there are other parts

    def weigh(self, truth: Floats, counts: Counts) -> Floats:
        """Weigh each vote."""
        strength = self.settings.accuracy_strength
        accuracy = self.data.estimate_accuracy(truth, strength, right=counts.right)
        return self.data.weigh(accuracy, self.max_weights)

    def estimate(self, truth: Floats, counts: Counts) -> tuple[Floats, None]:
        """Share the weights of the votes."""
        weights = self.weigh(truth, counts)
        shares = self.data.share_weights(weights, self.settings.smoothing, mean=self.mean_weight)
        return shares, None

    def conclude(self, fit: Fit[None], right: Floats | None = None) -> Consolidation:
        """Look at votes that are alone and at those that agree once more."""
        data, strength = self.data, self.settings.accuracy_strength
        accuracy = data.estimate_accuracy(fit.truth, strength, right=right)
        posterior = data.raise_to_floor(
            data.restore_single_votes(fit.posterior, accuracy),
            fit.truth,
            strength,
            right=right,
            max_weights=self.max_weights,
        )
        return conclude(data, posterior, fit)
