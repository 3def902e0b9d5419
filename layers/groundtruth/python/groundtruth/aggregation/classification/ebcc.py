"""EBCC: classes have subtypes, on each of which workers err together in their own way."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.classification.confusion import ConfusionModel
from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.dawid_skene import dawid_skene
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

_LONE_STRENGTH = 4.0
_SERIES = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132)


@dataclass(frozen=True, slots=True, kw_only=True)
class EbccSettings:
    """Settings of `ebcc`; the first four are those of the paper.

    Attributes
    ----------
    n_subtypes : int
        How many subtypes each class may have; at least 1. Those that are not needed stay empty.
    concentration : float
        How many objects are added to a class, spread over its subtypes; above 0. Less leaves
        fewer subtypes in use.
    right, wrong : float
        How many right answers, and how many of each wrong class, every worker is taken to have
        given for each subtype before anything is known; above 0.
    tolerance : float
        Stop when no probability changes by more than this; 0 makes all rounds.
    max_rounds : int
        Stop after this many rounds; at least 1.
    """

    n_subtypes: int = 5
    concentration: float = 0.1
    right: float = 4.0
    wrong: float = 1.0
    tolerance: float = 1e-3
    max_rounds: int = 100


def ebcc(
    votes: Votes,
    *,
    settings: EbccSettings | None = None,
    prior_counts: WorkerCounts | None = None,
    gold: Ints | None = None,
) -> Consolidation:
    """Enhanced Bayesian classifier combination [1]_, fitted by mean-field variational inference.

    Each class is a mixture of subtypes, and each worker has a row of rates for each of them.
    Objects of one subtype are mistaken in the same way, so that answers which go together are
    not taken for independent evidence of the class. The subtypes start by how large a share of
    an object's votes the class got, so nothing is random. The prior of the class frequencies is
    how often each class was chosen, and counts for as many objects as there are. What earlier
    calls taught is spread over a class's subtypes as its objects are. With more than 20 classes
    there are no subtypes: the result is that of `dawid_skene`.

    Parameters
    ----------
    votes : Votes
        The batch.
    settings : EbccSettings, optional
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
    .. [1] Y. Li, B. I. P. Rubinstein and T. Cohn, "Exploiting worker correlation for label
       aggregation in crowdsourcing", ICML 2019. proceedings.mlr.press/v97/li19i.html

    Examples
    --------
    >>> votes = Votes(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([1, 1, 0]), 1, 3, 2)
    >>> ebcc(votes).posterior.labels
    array([1])
    """
    settings = settings or EbccSettings()
    data = VoteData.from_votes(votes, prior_counts, gold)
    if not data.layout.is_complete:
        return dawid_skene(votes, prior_counts=prior_counts, gold=gold)
    rounds = EbccRounds.from_data(data, settings)
    return rounds.conclude(
        iterate(rounds, tolerance=settings.tolerance, max_rounds=settings.max_rounds)
    )


@dataclass(frozen=True, kw_only=True)
class EbccRounds(Rounds[None]):
    """The rounds of `ebcc`. Tables of items have the shape (n_classes, n_subtypes, n_items).

    What `estimate` finds are logarithms of probabilities, not normalized.
    """

    settings: EbccSettings
    model: ConfusionModel
    class_counts: Floats  # of the prior of class frequencies
    answer_counts: Floats  # of the prior of answers, by true class and answer

    @classmethod
    def from_data(
        cls, data: VoteData, settings: EbccSettings, shares: Floats | None = None
    ) -> Self:
        """Make the priors ready; `shares` is `sum_shares` of all items, if in parts."""
        answer_counts = np.full((data.votes.n_classes, data.votes.n_classes), settings.wrong)
        np.fill_diagonal(answer_counts, settings.right)
        return cls(
            data=data,
            settings=settings,
            model=ConfusionModel.from_data(data, n_subtypes=settings.n_subtypes),
            class_counts=(sum_shares(data) if shares is None else shares) + 1.0,
            answer_counts=answer_counts,
        )

    def start(self) -> Floats:
        """Start subtypes by the share of the votes, in steps as far apart as they are wide."""
        last = self.settings.n_subtypes - 1
        steps = np.arange(last + 1)[:, np.newaxis]
        nearness = np.exp(-0.5 * (steps - last * _share_votes(self.data)[:, np.newaxis]) ** 2)
        nearness /= nearness.sum(axis=1, keepdims=True)
        truth = self.data.start().reshape(-1, self.data.votes.n_classes).T
        started: Floats = truth[:, np.newaxis] * nearness
        return started

    def count(self, truth: Floats) -> Counts:
        """Count the answers of each worker, and the items, by class and subtype."""
        n_workers, n_classes = self.data.votes.n_workers, self.data.votes.n_classes
        answers = self.model.count_new(truth.reshape(truth.shape[0] * truth.shape[1], -1))
        by_worker = answers.reshape(n_workers, n_classes, n_classes, self.settings.n_subtypes)
        right = np.einsum("wccs->w", by_worker) + self.data.stored_right
        return Counts(right, answers, truth.sum(axis=2))

    def estimate(self, truth: Floats, counts: Counts) -> tuple[Floats, None]:
        """Add up the expected logarithms of the rates of the votes, and of the prior."""
        sizes = counts.true + self.settings.concentration / self.settings.n_subtypes
        frequencies = _expect_logs(counts.true.sum(axis=1) + self.class_counts)
        prior = (_expect_logs(sizes) + frequencies[:, np.newaxis]).ravel()
        rates = self._expect_log_rates(counts, sizes / sizes.sum(axis=1, keepdims=True))
        scores = np.zeros((prior.size, truth.shape[2]))
        for items, _, pairs in self.model.groups:
            evidence = rates.take(pairs, axis=0).sum(axis=0)
            scores[:, items] = (evidence + prior if len(pairs) > 1 else evidence).T
        return scores.reshape(truth.shape), None

    def settle(self, posterior: Floats) -> Floats:
        """Turn the logarithms into probabilities, without classes that are known not to be true."""
        truth = _normalize(posterior)
        known = np.flatnonzero(self.data.gold >= 0)
        if known.size:
            classes = np.arange(len(truth))[:, np.newaxis, np.newaxis]
            excluded = classes != self.data.gold[known]
            truth[..., known] = _normalize(np.where(excluded, -np.inf, posterior[..., known]))
        return truth

    def find_change(self, before: Floats, after: Floats) -> float:
        """By how much the probability of a class changed at most."""
        return super().find_change(before.sum(axis=1), after.sum(axis=1))

    def conclude(self, fit: Fit[None], right: Floats | None = None) -> Consolidation:
        """Add up the subtypes, and look at votes that are alone once more."""
        data, normalize = self.data, self.data.layout.normalize  # rounding of many adds up
        posterior = normalize(_normalize(fit.posterior).sum(axis=1).T.ravel())
        fit = fit._replace(truth=normalize(fit.truth.sum(axis=1).T.ravel()))
        accuracy = data.estimate_accuracy(fit.truth, _LONE_STRENGTH, right=right)
        return conclude(data, data.restore_single_votes(posterior, accuracy), fit)

    def _expect_log_rates(self, counts: Counts, shares: Floats) -> Floats:
        """Expected logarithms of the pairs' rates, a column for each class and subtype."""
        model, shape = self.model, (-1, *shares.shape)
        answers = counts.answers.reshape(shape) + model.stored[..., np.newaxis] * shares
        totals = model.sum_answers(answers.reshape(-1, shares.size)).reshape(shape)
        answers += self.answer_counts.T[model.answers][..., np.newaxis]
        totals += self.answer_counts.sum(axis=1)[:, np.newaxis]
        rates = _digamma(answers) - np.repeat(_digamma(totals), len(shares), axis=0)
        found: Floats = rates.reshape(-1, shares.size)
        return found


def sum_shares(data: VoteData) -> Floats:
    """Sum of the items' shares of the votes by class; those of some items may be added."""
    total: Floats = _share_votes(data).sum(axis=1)
    return total


def _share_votes(data: VoteData) -> Floats:
    """Share of each item's votes by class: shape (n_classes, n_items)."""
    shares: Floats = data.votes.counts.T / np.maximum(data.n_votes, 1)
    return shares


def _normalize(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=(0, 1)))
    powers /= powers.sum(axis=(0, 1))
    return powers


def _expect_logs(counts: Floats) -> Floats:
    """Expected logarithms of the shares of a Dirichlet distribution, along the last axis."""
    logs: Floats = _digamma(counts) - _digamma(counts.sum(axis=-1, keepdims=True))
    return logs


def _digamma(values: Floats) -> Floats:
    """Derivative of the logarithm of the gamma function, for values above 0; error below 1e-10.

    Six steps of the recurrence, two in one fraction each, lead to where the series is exact.
    """
    shifted = values + 6.0
    inverse = 1.0 / shifted
    square = inverse**2
    series = np.zeros_like(values)
    for factor in reversed(_SERIES):
        series = (series + factor) * square
    product = values * (values + 5.0)
    steps = 1.0 / product + 1.0 / (product + 4.0) + 1.0 / (product + 6.0)
    result: Floats = np.log(shifted) - 0.5 * inverse - series - (2.0 * values + 5.0) * steps
    return result
