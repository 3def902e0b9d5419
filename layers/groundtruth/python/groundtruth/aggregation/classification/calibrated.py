"""The default: worker skill in full, and a confidence that can be read as a probability."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.confusion import ConfusionModel
from groundtruth.aggregation.classification.counts import WorkerCounts, sum_groups
from groundtruth.aggregation.classification.dependence import DependenceSettings, Evidence
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
    frequencies_from_gold : bool
        Whether the class frequencies are those of the items of known truth, if there are any;
        they have to be drawn at random then.
    smoothing : float
        How many votes of mean weight are spread evenly over the classes; above 0.
    tolerance : float
        Stop when no probability changes by more than this.
    max_rounds : int
        Stop after this many rounds; at least 1.
    dependence : DependenceSettings
        How correlated errors are read.
    """

    correlation: float = 0.5
    learning_correlation: float = 0.2
    mix: float = 0.45
    frequency_weight: float = 0.25
    frequencies_from_gold: bool = True
    strength: float = 3.0
    accuracy_strength: float = 12.0
    smoothing: float = 0.25
    tolerance: float = 1e-3
    max_rounds: int = 60
    dependence: DependenceSettings = field(default_factory=DependenceSettings)


def calibrated(
    votes: Votes,
    *,
    settings: CalibratedSettings | None = None,
    prior_counts: WorkerCounts | None = None,
    population_counts: Floats | None = None,
    in_population: NDArray[np.bool_] | None = None,
    gold: Ints | None = None,
    max_weights: Floats | None = None,
    earlier: Evidence | None = None,
    earlier_gold: Floats | None = None,
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
    population_counts : ndarray of float, shape (n_classes, n_classes), optional
        What earlier calls taught about all workers together, those of this call too:
        expected counts by true class and class chosen. Workers of whom little is known are
        taken to be like that.
    in_population : ndarray of bool, shape (n_workers,), optional
        Whose counts `population_counts` has, among the workers of this call; all when left out.
    gold : ndarray of int, shape (n_items,), optional
        True classes, -1 where unknown. Workers are judged by them, and they tell how frequent
        each class is; the posterior of such an item is still what its votes say.
    max_weights : ndarray of float, shape (n_workers,), optional
        Largest weight each worker may have, not negative; 1 is a perfect worker's.
    earlier : Evidence, optional
        What earlier calls showed of whether workers err together.
    earlier_gold : ndarray of float, shape (n_classes,), optional
        How many items of earlier calls were known to be of each class.

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
    settings = settings or CalibratedSettings()
    data = VoteData.from_votes(votes, prior_counts, gold, population_counts, in_population)
    rounds = CalibratedRounds.from_data(
        data, settings, max_weights=max_weights, earlier_gold=earlier_gold
    )
    fit = iterate(rounds, tolerance=settings.tolerance, max_rounds=settings.max_rounds)
    return rounds.conclude(fit, earlier=earlier)


def judge_workers(votes: Votes, *, settings: CalibratedSettings) -> "JudgedVotes":
    """All of `calibrated` but its last step."""
    rounds = CalibratedRounds.from_data(VoteData.from_votes(votes, None, None), settings)
    return rounds.judge(
        iterate(rounds, tolerance=settings.tolerance, max_rounds=settings.max_rounds)
    )


class Found(NamedTuple):
    """What a round found."""

    likelihood: Floats  # by cell: its logarithm
    accuracy: Floats  # by vote: its worker's, on other items


@dataclass(frozen=True, kw_only=True)
class CalibratedRounds(Rounds[Found]):
    """The rounds of `calibrated`."""

    settings: CalibratedSettings
    max_weights: Floats | None
    model: ConfusionModel | None  # None if not every class is listed
    prior: Floats  # by cell: log of the class frequencies

    @classmethod
    def from_data(
        cls,
        data: VoteData,
        settings: CalibratedSettings,
        *,
        max_weights: Floats | None = None,
        earlier_gold: Floats | None = None,
    ) -> Self:
        """Make the confusion matrices and the prior ready."""
        known = data.count_gold(earlier_gold) if settings.frequencies_from_gold else None
        listed = data.layout.is_complete
        return cls(
            data=data,
            settings=settings,
            max_weights=max_weights,
            model=ConfusionModel.from_data(data) if listed else None,
            prior=data.log_class_prior(settings.frequency_weight, known),
        )

    def count(self, truth: Floats) -> Counts:
        """Count the answers of each worker."""
        if self.model is not None:
            return self.model.count(truth)
        return super().count(truth)

    def estimate(self, truth: Floats, counts: Counts) -> tuple[Floats, Found]:
        """Judge each vote without the item it is for."""
        data, settings = self.data, self.settings
        accuracy = data.estimate_accuracy(truth, settings.accuracy_strength, right=counts.right)
        factors = data.cap_factors(accuracy, self.max_weights)
        ratios = data.log_likelihood_ratios(accuracy) * factors
        if self.model is not None:
            likelihood = self.model.log_likelihood_elsewhere(
                truth.reshape(-1, data.votes.n_classes),
                counts,
                accuracy,
                settings.strength,
                factors,
            ).ravel()
        else:
            likelihood = data.sum_votes(ratios)
        found = Found(likelihood, accuracy)
        return self._temper(found, ratios, settings.learning_correlation), found

    def weigh(self, found: Found) -> Floats:
        """Weigh each vote by its worker's accuracy."""
        return self.data.weigh(found.accuracy, self.max_weights)

    def find_evidence(self, found: Found) -> Evidence:
        """Find what each item shows of whether workers err together."""
        independent = self._find_posterior(found.likelihood)
        return _compare_votes(self.data, found.accuracy, self.data.settle_gold(independent))

    def judge(
        self,
        fit: Fit[Found],
        right: Floats | None = None,
        *,
        mean_weight: float | None = None,
        evidence: Evidence | None = None,
    ) -> "JudgedVotes":
        """Turn what the last round found into all that the last step asks for.

        `right` is that of `conclude`. If there are other parts, `mean_weight` is that of all votes.
        `evidence` is what `find_evidence` found, if it was asked.
        """
        data, settings, found = self.data, self.settings, fit.details
        factors = data.cap_factors(found.accuracy, self.max_weights)
        ratios = data.log_likelihood_ratios(found.accuracy) * factors
        tempered = self._temper(found, ratios, settings.correlation)
        shares = data.share_weights(self.weigh(found), settings.smoothing, mean=mean_weight)
        mix = data.spread(np.where(data.n_votes == 1, 1.0, settings.mix))
        independent = self._find_posterior(found.likelihood)
        by_accuracy = self._find_posterior(data.sum_votes(ratios))
        return JudgedVotes(
            data=data,
            fit=fit,
            row_strength=settings.strength if data.layout.is_complete else 0.0,
            careful=mix * tempered + (1.0 - mix) * shares,
            independent=independent,
            surest=np.minimum(independent, by_accuracy),
            evidence=evidence or self.find_evidence(found),
            right=right,
        )

    def conclude(
        self,
        fit: Fit[Found],
        right: Floats | None = None,
        *,
        earlier: Evidence | None = None,
        mean_weight: float | None = None,
        evidence: Evidence | None = None,
    ) -> Consolidation:
        """Return the result; `earlier` has the evidence of earlier calls and of other parts."""
        judged = self.judge(fit, right, mean_weight=mean_weight, evidence=evidence)
        return judged.conclude(self.settings, max_weights=self.max_weights, earlier=earlier)

    def _temper(self, found: Found, ratios: Floats, correlation: float) -> Floats:
        """Find the posterior if errors are so correlated."""
        effective = _count_effective_votes(self.data, np.abs(ratios))
        divisor = self.data.spread(1.0 + correlation * (effective - 1.0))
        return self._find_posterior(found.likelihood / divisor)

    def _find_posterior(self, likelihood: Floats) -> Floats:
        return self.data.layout.softmax(likelihood + self.prior)


class JudgedVotes(NamedTuple):
    """Votes whose workers are known; how far their errors go together is left to say."""

    data: VoteData
    fit: Fit[Found]
    row_strength: float
    careful: Floats  # by cell: the posterior if errors go together
    independent: Floats  # by cell: the posterior if they do not
    # by cell: what both that and the workers' accuracies without their mix-ups allow
    surest: Floats
    evidence: Evidence  # by item
    right: Floats | None  # by worker: right answers, if not to these items alone

    def conclude(
        self,
        settings: CalibratedSettings,
        *,
        max_weights: Floats | None = None,
        earlier: Evidence | None = None,
    ) -> Consolidation:
        """The last step of `calibrated`."""
        elsewhere = self.evidence.find_elsewhere(earlier)
        dependence = elsewhere.estimate_dependence(settings.dependence)
        posterior = self.data.raise_to_floor(
            _raise_confidences(self.data, self.careful, self.surest, dependence),
            self.fit.truth,
            settings.accuracy_strength,
            right=self.right,
            row_strength=self.row_strength,
            max_weights=max_weights,
        )
        # Tempered truths are unsure: counted alone, they keep a new crew's accuracies too low.
        taught = (self.fit.truth + self.data.settle_gold(self.independent)) / 2
        return replace(
            conclude(self.data, posterior, self.fit._replace(truth=taught)),
            evidence=self.evidence,
            elsewhere=elsewhere,
        )


def _compare_votes(data: VoteData, accuracy: Floats, posterior: Floats) -> Evidence:
    """What each item shows of dependence, by its workers' accuracies and its class's posterior."""
    layout, items, n_items = data.layout, data.votes.items, data.votes.n_items
    others = max(data.votes.n_classes - 1, 1)
    likely = posterior * layout.widths
    received = data.count_votes()

    def multiply_residuals(chance: Floats) -> Floats:
        """By cell: products of residuals of votes for its class, over ordered pairs."""
        sums, squares = (sum_groups(items, values, n_items) for values in (chance, chance**2))
        residual = received - layout.spread(sums)
        products: Floats = residual**2 - data.sum_votes(1.0 - 2.0 * chance) - layout.spread(squares)
        return products

    def multiply_deviations(chance: Floats) -> Floats:
        variance = chance * (1.0 - chance)
        deviation = sum_groups(items, np.sqrt(variance), n_items)
        return deviation**2 - sum_groups(items, variance, n_items)

    error = (1.0 - accuracy) / others
    wrong = multiply_residuals(error)
    wrong_of_all = layout.spread(sum_groups(layout.items, wrong * layout.widths, n_items))
    return Evidence(
        hits=sum_groups(layout.items, likely * multiply_residuals(accuracy), n_items),
        hits_scale=multiply_deviations(accuracy),
        wrong=sum_groups(layout.items, likely * (wrong_of_all - wrong), n_items),
        wrong_scale=others * multiply_deviations(error),
        pairs=(data.n_votes * (data.n_votes - 1)).astype(np.float64),
    )


def _raise_confidences(
    data: VoteData, posterior: Floats, surest: Floats, dependence: Floats
) -> Floats:
    """Move each label's probability up to what independent votes say, by how independent they are.

    It is never lowered, and the item's other classes share the rest as before.
    """
    layout = data.layout
    best = layout.find_best(posterior)
    before = posterior[best]
    weight = np.where(data.n_votes > 1, dependence, 1.0)
    wanted = np.maximum(before, weight * before + (1.0 - weight) * surest[best])
    higher = wanted > before
    return layout.raise_cells(posterior, best[higher], wanted[higher])


def _count_effective_votes(data: VoteData, strengths: Floats) -> Floats:
    """How many votes as strong as its strongest each item has: 1 or more.

    Tempering by this and not by the plain number of votes keeps a promise: one more vote
    for a class, however weak its worker, never makes that class less probable.
    """
    total = sum_groups(data.votes.items, strengths, data.votes.n_items)
    return np.maximum(total / np.maximum(data.find_largest_vote(strengths), 1e-9), 1.0)
