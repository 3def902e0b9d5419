"""Which two workers give each other's answers: a likelihood ratio, pair by pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from labeljob.history.job import ObjectAnnotations
from labeljob.metrics.tails import chi_squared_tail
from labeljob.tasks.base import Ints, JobType

Floats: TypeAlias = NDArray[np.float64]
Pair: TypeAlias = tuple[int, int]

FEWEST_COMMON = 8
"""Data objects that two workers must both have answered."""

FEWEST_OTHERS = 3
"""Workers besides the two: with fewer, nothing tells a pair of copyists from a pair of experts."""

LEVEL = 0.001
"""Probability that an honest crew is accused, over all its pairs."""

_MOST_OBJECTS, _MOST_UNITS, _MOST_CLASSES = 2_000, 100, 32
_CANDIDATES = 8
_FEWEST_IN_PERIOD, _MOST_PERIODS = 100, 4
_ROUNDS, _SETTLED = 40, 1e-3
_WORKER_WEIGHT, _CLASS_WEIGHT, _ERROR_WEIGHT = 2.0, 5.0, 10.0
_USUAL_ACCURACY = 0.7


@dataclass(frozen=True, kw_only=True)
class Copying:
    """Two workers, one of whom gives the other's answers."""

    # their ids, in the order of the alphabet; who copies whom the answers do not tell
    workers: tuple[str, str]
    share: float  # estimated share of the answers that are copied, in (0, 1)
    common: int  # data objects that both answered
    chance: float  # probability of such evidence, or stronger, in an honest crew of this size


@dataclass(frozen=True, kw_only=True)
class _Answers:
    """A job's answers to questions of `n_classes` classes, ordered by item.

    An item is one question about one data object; what is asked later in a job counts as another
    question, for workers tire and learn. `items`, `workers`, `classes` and `cells` (a
    worker's answers to one question) have one entry an answer; `question` and `object_index`
    one an item; `position`, of shape (n_items, n_workers), says where an answer is, or -1.
    """

    items: Ints
    workers: Ints
    classes: Ints
    cells: Ints
    question: Ints
    object_index: Ints
    position: Ints
    n_questions: int
    n_classes: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Workers, questions, classes."""
        return self.position.shape[1], self.n_questions, self.n_classes

    def common(self, pair: Pair) -> tuple[Ints, Ints]:
        """The answers of two workers to the items that both answered."""
        both = (self.position[:, pair[0]] >= 0) & (self.position[:, pair[1]] >= 0)
        return self.position[both, pair[0]], self.position[both, pair[1]]

    def common_objects(self, pair: Pair) -> int:
        first, _ = self.common(pair)
        return int(np.unique(self.object_index[self.items[first]]).size)


@dataclass(frozen=True)
class _Fit:
    """A fitted model: its log-likelihood item by item, and each pair's share of copies."""

    log_likelihood: Floats
    shares: Mapping[Pair, float]
    posterior: Floats


def find_copying(
    objects: Sequence[ObjectAnnotations], job_type: JobType, n_values: int
) -> list[Copying]:
    """Find pairs of workers whose answers depend on each other beyond the truth.

    The model is that of Dawid and Skene [1]_ with one more parameter a pair: with probability c
    the second worker repeats the first one's answer instead of giving an own one, as in the work
    on copying between sources [2]_. Skill may change between the quarters of a job (of at least
    100 objects each), lest the two who did not tire be taken for copyists. All of it is estimated
    by EM, so neither of the two has a say in what is true where one only repeats the other. A
    pair is reported if c is above what the job type has by chance (difficult objects make honest
    workers alike), by a likelihood ratio test at `LEVEL` over all pairs; the units of one data
    object count as one observation. The strongest pair is taken into the model first, and the
    rest is judged with it.

    Parameters
    ----------
    objects : sequence of ObjectAnnotations
        The answers. Of more than 2,000 objects as many evenly spaced ones are used, of a mask
        100 points; classes beyond the 32 most frequent share a number with one of these.
    job_type : JobType
        The job type.
    n_values : int
        What a unit of an answer can be, at least 2.

    Returns
    -------
    list of Copying
        The surest first. Empty for crews of fewer than five: two who always agree may as well
        be the two who are always right.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates
       using the EM algorithm", Applied Statistics 28(1), 1979. doi:10.2307/2346806
    .. [2] X. L. Dong, L. Berti-Equille and D. Srivastava, "Integrating conflicting data: the role
       of source dependence", PVLDB 2(1), 2009. doi:10.14778/1687627.1687690
    """
    ids = sorted({worker for obj in objects for worker in obj.workers})
    if len(ids) < 2 + FEWEST_OTHERS:
        return []
    answers = _tabulate(objects, ids, job_type, n_values)
    common = {pair: answers.common_objects(pair) for pair in combinations(range(len(ids)), 2)}
    pairs = [pair for pair, times in common.items() if times >= FEWEST_COMMON]
    excess = _excess_agreement(answers, pairs)
    found: dict[Pair, Copying] = {}
    shares: dict[Pair, float] = {}
    honest = job_type.copying_by_chance
    while rest := [pair for pair in excess if pair not in found][:_CANDIDATES]:
        fits = {pair: _fit(answers, {**shares, pair: 0.5}, free=pair) for pair in rest}
        pair = max(rest, key=lambda pair: float(fits[pair].log_likelihood.sum()))
        best = fits[pair]
        if best.shares[pair] <= honest:
            break
        fixed = {**shares, pair: honest}
        null = max(
            (_fit(answers, fixed, posterior=start) for start in (None, best.posterior)),
            key=lambda fit: float(fit.log_likelihood.sum()),
        )
        chance = _chance(best, null, answers.object_index) * len(pairs)
        if chance >= LEVEL:
            break
        shares[pair] = best.shares[pair]
        found[pair] = Copying(
            workers=(ids[pair[0]], ids[pair[1]]),
            share=best.shares[pair],
            common=common[pair],
            chance=chance,
        )
    return sorted(found.values(), key=lambda item: item.chance)


def _tabulate(
    objects: Sequence[ObjectAnnotations], ids: Sequence[str], job_type: JobType, n_values: int
) -> _Answers:
    index = {worker: number for number, worker in enumerate(ids)}
    answered = [obj for obj in objects if len(obj.workers) > 1]
    chosen = np.unique(np.linspace(0, len(answered) - 1, _MOST_OBJECTS).astype(np.int64))
    tables, questions, origins = [], [], []
    for number in chosen if answered else ():
        obj = answered[number]
        units = np.arange(obj.choices.shape[1])
        if job_type.units_are_alike and units.size > _MOST_UNITS:
            units = np.random.default_rng(number).choice(units, _MOST_UNITS, replace=False)
        table = np.full((units.size, len(ids)), -1, np.int64)
        table[:, [index[worker] for worker in obj.workers]] = obj.choices[:, units].T
        tables.append(table)
        questions.append(np.zeros_like(units) if job_type.units_are_alike else units)
        origins.append(np.full(units.size, number))
    votes = np.concatenate(tables) if tables else np.empty((0, len(ids)), np.int64)
    if n_values > _MOST_CLASSES:
        frequent = np.argsort(-np.bincount(votes[votes >= 0], minlength=n_values), kind="stable")
        group = np.empty(n_values, np.int64)
        group[frequent] = np.arange(n_values) % _MOST_CLASSES
        votes, n_values = np.where(votes >= 0, group[votes], -1), _MOST_CLASSES
    items, workers = np.nonzero(votes >= 0)
    position = np.full(votes.shape, -1, np.int64)
    position[items, workers] = np.arange(items.size)
    question = np.concatenate(questions) if questions else np.empty(0, np.int64)
    origin = np.concatenate(origins) if origins else np.empty(0, np.int64)
    n_periods = min(max(chosen.size // _FEWEST_IN_PERIOD, 1), _MOST_PERIODS)
    period = np.searchsorted(chosen, origin) * n_periods // max(chosen.size, 1)
    question = question * n_periods + period
    n_questions = int(question.max(initial=0)) + 1
    return _Answers(
        items=items,
        workers=workers,
        classes=votes[items, workers],
        cells=workers * n_questions + question[items],
        question=question,
        object_index=origin,
        position=position,
        n_questions=n_questions,
        n_classes=n_values,
    )


def _excess_agreement(answers: _Answers, pairs: Sequence[Pair]) -> list[Pair]:
    """Pairs by how much more they agree than the skill that each shows with all others explains.

    Agreement beyond chance of two independent workers is about the product of their skills; the
    medians are not moved by a few pairs. It only says which pairs are looked at first.
    """
    n_workers = answers.position.shape[1]
    beyond = np.full((n_workers, n_workers), np.nan)
    weight = np.zeros((n_workers, n_workers))
    for pair in pairs:
        first, second = (answers.classes[rows] for rows in answers.common(pair))
        shares = [np.bincount(c, minlength=answers.n_classes) / c.size for c in (first, second)]
        expected = float(shares[0] @ shares[1])
        value = (float(np.mean(first == second)) - expected) / max(1.0 - expected, 0.05)
        beyond[pair] = beyond[pair[::-1]] = value
        weight[pair] = np.sqrt(first.size)
    skill = np.full(n_workers, _USUAL_ACCURACY)
    met = np.isfinite(beyond).any(axis=1)
    for _ in range(30):
        update = np.nanmedian(beyond[met] / skill, axis=1).clip(-1.0, 1.0)
        skill[met] += 0.5 * (np.where(np.abs(update) < 0.05, 0.05, update) - skill[met])
    excess = (beyond - np.outer(skill, skill)) * weight
    return sorted(pairs, key=lambda pair: -excess[pair])


def _fit(
    answers: _Answers,
    shares: Mapping[Pair, float],
    *,
    free: Pair | None = None,
    posterior: Floats | None = None,
) -> _Fit:
    """Fit confusions, class frequencies and the share of copies of the `free` pair by EM."""
    n_workers, n_questions, n_classes = answers.shape
    eye = np.eye(n_classes)
    starts = np.searchsorted(answers.items, np.arange(answers.question.size))
    said = answers.cells * n_classes + answers.classes
    pairs = {pair: answers.common(pair) for pair in shares}
    shares, previous = dict(shares), -np.inf
    own = np.ones((answers.items.size, n_classes))
    if posterior is None:  # the vote, in which a pair has one voice
        voices = np.ones(answers.items.size)
        for first, second in pairs.values():
            voices[first], voices[second] = 0.5, 0.0
        posterior = np.full((answers.question.size, n_classes), 0.1)
        np.add.at(posterior, (answers.items, answers.classes), voices)
        posterior /= posterior.sum(axis=1, keepdims=True)
    for round_ in range(_ROUNDS):
        evidence = own * posterior[answers.items]
        counts = np.stack(
            [
                np.bincount(said, column, n_workers * n_questions * n_classes)
                for column in evidence.T
            ],
            axis=1,
        )
        confusion = _confusion(
            counts.reshape(n_workers, n_questions, n_classes, n_classes).swapaxes(2, 3), eye
        )
        prior = np.stack(
            [np.bincount(answers.question, column, n_questions) for column in posterior.T], axis=1
        )
        prior = (prior + 1.0) / (prior + 1.0).sum(axis=1, keepdims=True)
        likelihood = confusion.reshape(-1, n_classes, n_classes)[answers.cells, :, answers.classes]
        mixed = likelihood.copy()
        own[:] = 1.0
        copied = {}
        for pair, (first, second) in pairs.items():
            same = (answers.classes[first] == answers.classes[second])[:, None]
            mixed[second] = (1.0 - shares[pair]) * likelihood[second] + shares[pair] * same
            copied[pair] = shares[pair] * same / np.maximum(mixed[second], 1e-12)
            own[second] = 1.0 - copied[pair]
        joint = np.add.reduceat(np.log(np.maximum(mixed, 1e-9)), starts, axis=0)
        joint += np.log(prior)[answers.question]
        top = joint.max(axis=1, keepdims=True)
        posterior = np.exp(joint - top)
        total = posterior.sum(axis=1, keepdims=True)
        posterior /= total
        log_likelihood = (top + np.log(total))[:, 0]
        if free is not None:
            _, second = pairs[free]
            repeated = copied[free] * posterior[answers.items[second]]
            shares[free] = min(float(repeated.sum()) / second.size, 0.98)
        now = float(log_likelihood.sum())
        if round_ > 5 and now - previous < _SETTLED:
            break
        previous = now
    return _Fit(log_likelihood, shares, posterior)


def _confusion(counts: Floats, eye: Floats) -> Floats:
    """Confusion matrices from counts of shape (n_workers, n_questions, true, said).

    A worker's accuracy for a class is drawn to the worker's own over all classes, and what is
    said instead to what everybody says.
    """
    total = counts.sum(axis=3)
    hits = np.einsum("wqtt->wqt", counts)
    overall = (hits.sum(axis=2, keepdims=True) + _WORKER_WEIGHT * _USUAL_ACCURACY) / (
        total.sum(axis=2, keepdims=True) + _WORKER_WEIGHT
    )
    accuracy = (hits + _CLASS_WEIGHT * overall) / (total + _CLASS_WEIGHT)
    errors = counts * (1.0 - eye)
    usual = errors.sum(axis=0) + (1.0 - eye)
    usual /= usual.sum(axis=2, keepdims=True)
    errors = errors + _ERROR_WEIGHT * usual
    errors /= errors.sum(axis=3, keepdims=True)
    return np.asarray(accuracy[..., None] * eye + (1.0 - accuracy)[..., None] * errors)


def _chance(best: _Fit, null: _Fit, object_index: Ints) -> float:
    """One-sided likelihood ratio test; the items of a data object are one observation."""
    gain = best.log_likelihood - null.log_likelihood
    _, clusters = np.unique(object_index, return_inverse=True)
    by_object = np.bincount(clusters, gain)
    spread = float(np.square(gain - gain.mean()).sum())
    together = float(np.square(by_object - by_object.mean()).sum())
    inflation = max(1.0, together / spread) if spread > 0.0 else 1.0
    return chi_squared_tail(max(2.0 * float(gain.sum()), 0.0) / inflation) / 2.0
