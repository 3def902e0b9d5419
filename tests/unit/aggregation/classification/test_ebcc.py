"""EBCC: what it gives, what its formulas give subtype by subtype, and what it is for."""

import math
from itertools import product

import numpy as np
import pytest

from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.dawid_skene import dawid_skene
from groundtruth.aggregation.classification.ebcc import EbccSettings, ebcc
from tests.unit.aggregation.classification.crowds import from_table, known, simulated
from tests.unit.aggregation.classification.plain import Plain

ROUNDS = 3


def digamma(value):
    """By its recurrence, from where two terms of the series are exact."""
    below = sum(1 / (value + step) for step in range(400))
    far = value + 400
    return math.log(far) - 1 / (2 * far) - 1 / (12 * far**2) - below


def plain_ebcc(votes, settings, *, stored=None, gold=None):
    """Vote by vote and subtype by subtype: posterior and truth by item and class."""
    plain = Plain(votes, stored, gold)
    classes, subtypes = range(plain.n_classes), range(settings.n_subtypes)
    pairs, known_counts = list(product(classes, subtypes)), plain.stored.dense()
    shares = votes.counts / np.maximum(plain.per_item, 1)[:, np.newaxis]
    joint = {}
    for item, true in product(range(plain.n_items), classes):
        place = (settings.n_subtypes - 1) * shares[item, true]
        near = [math.exp(-((subtype - place) ** 2) / 2) for subtype in subtypes]
        for subtype in subtypes:
            joint[item, true, subtype] = plain.start()[item, true] * near[subtype] / sum(near)

    def rates_of(worker, true, subtype, share):
        counts = [settings.right if one == true else settings.wrong for one in classes]
        for one in classes:
            counts[one] += known_counts[worker, true, one] * share
        for item, voter, answer in plain.votes:
            if voter == worker and plain.counted[item]:
                counts[answer] += joint[item, true, subtype]
        return [digamma(count) - digamma(sum(counts)) for count in counts]

    for _ in range(settings.max_rounds):
        sizes = {
            pair: sum(joint[item, *pair] for item in range(plain.n_items))
            + settings.concentration / settings.n_subtypes
            for pair in pairs
        }
        of_class = {true: sum(sizes[true, subtype] for subtype in subtypes) for true in classes}
        frequency = {
            true: 1 + shares[:, true].sum() + of_class[true] - settings.concentration
            for true in classes
        }
        prior = {
            pair: digamma(frequency[pair[0]])
            - digamma(sum(frequency.values()))
            + digamma(sizes[pair])
            - digamma(of_class[pair[0]])
            for pair in pairs
        }
        rates = {
            (worker, *pair): rates_of(worker, *pair, sizes[pair] / of_class[pair[0]])
            for worker in range(plain.n_workers)
            for pair in pairs
        }
        found = {}
        for item in range(plain.n_items):
            scores = {pair: plain.several(item) * prior[pair] for pair in pairs}
            for one, worker, answer in plain.votes:
                for pair in pairs if one == item else ():
                    scores[pair] += rates[worker, *pair][answer]
            for kept, table in ((pairs, found), (with_truth(pairs, plain.gold[item]), joint)):
                total = sum(math.exp(scores[pair]) for pair in kept)
                for pair in pairs:
                    share = math.exp(scores[pair]) / total if pair in kept else 0.0
                    table[item, *pair] = share
    return tuple(
        np.array(
            [
                [sum(table[item, true, one] for one in subtypes) for true in classes]
                for item in range(plain.n_items)
            ]
        )
        for table in (found, joint)
    )


def with_truth(pairs, truth):
    return [pair for pair in pairs if truth in (-1, pair[0])]


@pytest.mark.parametrize("n_classes", [1, 2, 3])
@pytest.mark.parametrize("told", [False, True], ids=["alone", "with-gold-and-stored-counts"])
def test_the_formulas_written_out(n_classes, told):
    draw = np.random.default_rng(n_classes)
    table = draw.integers(-1, n_classes, (14, 4))
    table[:3, 1:] = -1  # at most one vote
    stored, gold = None, None
    if told:
        stored = WorkerCounts.from_dense(8.0 * draw.random((4, n_classes, n_classes)))
        gold = np.where(draw.random(14) < 0.4, draw.integers(0, n_classes, 14), -1)
    settings = EbccSettings(n_subtypes=3, tolerance=0.0, max_rounds=ROUNDS)
    votes = from_table(table, n_classes)
    found = ebcc(votes, settings=settings, prior_counts=stored, gold=gold)
    posterior, truth = plain_ebcc(votes, settings, stored=stored, gold=gold)
    several = votes.votes_per_item != 1  # a single vote is worth what is known of its worker
    np.testing.assert_allclose(found.truth.dense(), truth, atol=1e-8)
    np.testing.assert_allclose(found.posterior.dense()[several], posterior[several], atol=1e-8)
    assert found.rounds == ROUNDS


def crowd_with_hard_objects(seed):
    """Half of the objects are hard, and lure everybody to the next class alike."""
    draw = np.random.default_rng(seed)
    truths, hard = draw.integers(0, 4, (1200, 1)), draw.random((1200, 1)) < 0.5
    right = draw.random((1200, 9)) < np.where(hard, 0.6, 0.98)
    wrong = truths + np.where(hard, 1, draw.integers(1, 4, right.shape))
    return from_table(np.where(right, truths, wrong % 4), 4), truths.ravel()


def test_objects_on_which_workers_err_together_are_told_apart():
    errors = np.zeros(2)
    for seed in range(3):
        votes, truths = crowd_with_hard_objects(seed)
        for index, count in enumerate((EbccSettings().n_subtypes, 1)):
            found = ebcc(votes, settings=EbccSettings(n_subtypes=count))
            errors[index] += np.count_nonzero(found.posterior.labels != truths)
    assert errors[0] < 0.6 * errors[1], errors


def test_a_worker_who_swaps_two_classes_is_understood():
    votes, truths = simulated(300, 4, [0.9] * 5, 3, seed=2)
    swapped = np.where(votes.workers == 0, (votes.classes + 1) % 3, votes.classes)
    table = np.full((votes.n_items, votes.n_workers), -1)
    table[votes.items, votes.workers] = swapped
    found = ebcc(from_table(table, 3))
    assert (found.posterior.labels == truths).mean() > 0.97
    assert found.count_updates.total().dense()[0].argmax(axis=1).tolist() == [1, 2, 0]


def test_what_earlier_calls_taught_counts_for_all_subtypes():
    votes = from_table([[0, 0, 1]], 2)
    turned = WorkerCounts.from_dense(np.array([[[2.0, 98.0], [98.0, 2.0]]] * 3))
    assert ebcc(votes).posterior.labels.tolist() == [0]
    assert ebcc(votes, prior_counts=turned).posterior.labels.tolist() == [1]


def test_a_known_truth_teaches_but_does_not_decide():
    votes = from_table([[0, 1]] * 20 + [[0, 1]], 2)
    found = ebcc(votes, gold=np.append(np.ones(20, dtype=int), -1))
    assert found.posterior.labels[-1] == 1
    right = found.count_updates.total().right_by_worker()
    assert right[1] > 20 > right[0]
    lured = ebcc(from_table([[0, 0, 0]] * 9, 2), gold=np.array([1] + [-1] * 8))
    assert lured.posterior.labels.tolist() == [0] * 9


def test_a_class_that_nobody_chose_and_an_item_without_a_vote():
    found = ebcc(from_table([[0, 0, 0], [1, 1, 1], [-1, -1, -1]], 4)).posterior
    assert found.labels[:2].tolist() == [0, 1]
    assert np.all(found.dense()[:2, 2:] < 1e-6)
    assert found.dense()[2].tolist() == [0.25] * 4


def test_above_twenty_classes_there_are_no_subtypes():
    votes, truths = simulated(200, 5, [0.8] * 20, 21, seed=4)
    found = ebcc(votes).posterior
    assert (found.labels == truths).mean() > 0.97
    np.testing.assert_array_equal(found.dense(), dawid_skene(votes).posterior.dense())


def test_one_class_is_certain():
    votes = from_table([[0, 0], [0, -1]], 1)
    assert ebcc(votes, prior_counts=known([0.7, 0.7], 1)).posterior.confidences.tolist() == [1, 1]
