"""The limit: Bayes' rule for somebody who knows every worker and every data object's difficulty.

The likelihood of each answer follows from what the crew states of itself: the kinds of
`labeljob.simulation.workers.SKILLS` and the behaviors of `labeljob.simulation.behavior`. No rule
that only sees the answers can be right more often on average, or have a better Brier score.
"""

from itertools import combinations

import numpy as np

from benchmarks.synthetic.crews import Bools, Drawn, Floats
from labeljob.simulation.behavior import TIRED_HALF_LIFE

_MOST_TRUE_LABELS = 3  # that labeljob.simulation.truth.invented_truth gives a data object


def limit(drawn: Drawn) -> Floats:
    """Probability of each class, or of each label, of each data object."""
    single = drawn.task.single_choice
    truths = np.eye(len(drawn.labels), dtype=np.bool_) if single else label_sets(len(drawn.labels))
    likelihood = class_likelihood(drawn) if single else set_likelihood(drawn, truths)
    likelihood[_says_nothing(drawn)] = 1.0
    with np.errstate(divide="ignore"):
        evidence = np.log(likelihood)
    total = np.tile(np.log(_prior(truths)), (len(drawn.truth), 1))
    np.add.at(total, drawn.items, evidence)
    shares = np.exp(total - total.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True) @ truths)


def label_sets(n_labels: int) -> Bools:
    """All sets of labels that can be true: shape (n_sets, n_labels)."""
    sizes = range(1, min(_MOST_TRUE_LABELS, n_labels) + 1)
    chosen = [places for size in sizes for places in combinations(range(n_labels), size)]
    table = np.zeros((len(chosen), n_labels), dtype=np.bool_)
    for row, places in zip(table, chosen, strict=True):
        row[list(places)] = True
    return table


def accuracies(drawn: Drawn) -> Floats:
    """How often the worker behind each answer is right there: shape (n_answers,)."""
    chance = drawn.task.chance(len(drawn.labels))
    stated = np.array([member.answer_model.skill.accuracy for member in drawn.members])[
        drawn.workers
    ]
    tired = np.array([member.behavior == "tired" for member in drawn.members])[drawn.workers]
    fresh = np.where(tired, 0.5 ** (drawn.tasks_done / TIRED_HALF_LIFE), 1.0)
    return np.asarray(chance + (stated - chance) * fresh * (1.0 - drawn.hardness[drawn.items]))


def class_likelihood(drawn: Drawn) -> Floats:
    """Probability of each answer if each class were the true one: (n_answers, n_classes)."""
    n_classes, rows = len(drawn.labels), np.arange(len(drawn.items))
    accuracy, given = accuracies(drawn), drawn.picked.argmax(axis=1)
    shift = np.array([member.behavior == "adversary" for member in drawn.members])[drawn.workers]
    table = np.tile(((1.0 - accuracy) / (n_classes - 1))[:, np.newaxis], (1, n_classes))
    table[rows, (given - shift) % n_classes] = accuracy
    for worker, member in enumerate(drawn.members):
        pair = member.answer_model.confused_classes(drawn.labels)
        if pair is not None:
            own, wrong = drawn.workers == worker, member.answer_model.skill.confusion
            for true, other in (pair, pair[::-1]):
                table[own, true] = np.select(
                    [given[own] == true, given[own] == other], [1.0 - wrong, wrong]
                )
    return table


def set_likelihood(drawn: Drawn, truths: Bools) -> Floats:
    """Probability of each answer if each set of labels were the true one: (n_answers, n_sets)."""
    table = np.empty((len(drawn.items), len(truths)))
    accuracy = accuracies(drawn)
    for worker, member in enumerate(drawn.members):
        own = drawn.workers == worker
        shown = truths
        if member.behavior == "adversary":
            shown = np.where(truths.all(axis=1, keepdims=True), truths, ~truths)
        table[own] = ticks_likelihood(drawn.picked[own], shown, accuracy[own])
        pair = member.answer_model.confused_classes(drawn.labels)
        if pair is not None:
            swapped = shown.copy()
            swapped[:, list(pair)] = shown[:, list(pair[::-1])]
            confused = ticks_likelihood(drawn.picked[own], swapped, accuracy[own])
            share = member.answer_model.skill.confusion
            table[own] = (1.0 - share) * table[own] + share * confused
    return table


def ticks_likelihood(picked: Bools, shown: Bools, accuracy: Floats) -> Floats:
    """Probability of ticks, each label being judged on its own, one being ticked at least."""
    n_labels = shown.shape[1]
    wrong = (picked[:, np.newaxis, :] != shown[np.newaxis]).sum(axis=2)
    right, missed = accuracy[:, np.newaxis], 1.0 - accuracy[:, np.newaxis]
    table = right ** (n_labels - wrong) * missed**wrong
    for row in np.flatnonzero(picked.sum(axis=1) == 1):
        table[row] += _nearest(shown, int(picked[row].argmax()), float(accuracy[row]))
    return np.asarray(table)


def _nearest(shown: Bools, label: int, accuracy: float) -> Floats:
    """Probability that nothing would be ticked, and that this label is then the nearest to it.

    A label that is not ticked misses by an amount spread evenly from 0 to its probability of
    not being ticked; the page takes the smallest. The integrand is a polynomial, so that
    Gauss's nodes give the integral but for rounding.
    """
    reach = np.where(shown, 1.0 - accuracy, accuracy)
    nodes, weights = np.polynomial.legendre.leggauss(shown.shape[1] // 2 + 1)
    top = reach.min(axis=1, keepdims=True)
    at = top * (nodes + 1.0) / 2.0
    others = np.delete(reach, label, axis=1)
    beyond = np.prod(others[:, np.newaxis, :] - at[:, :, np.newaxis], axis=2)
    return np.asarray((beyond * weights).sum(axis=1) * top[:, 0] / 2.0)


def _says_nothing(drawn: Drawn) -> Bools:
    """Answers that do not depend on the truth, and those that repeat another's."""
    blind = np.array(
        [
            member.behavior == "constant" or member.answer_model.kind == "spammer"
            for member in drawn.members
        ]
    )
    seen: set[tuple[int, str]] = set()
    silent = blind[drawn.workers]
    for place, (item, worker) in enumerate(zip(drawn.items, drawn.workers, strict=True)):
        key = (int(item), drawn.members[worker].answer_model.worker_id)
        silent[place] |= key in seen
        seen.add(key)
    return silent


def _prior(truths: Bools) -> Floats:
    """How often each truth is drawn: each number of labels as often, then each set of it."""
    sizes = truths.sum(axis=1)
    return np.asarray(1.0 / (len(np.unique(sizes)) * np.bincount(sizes)[sizes]))
