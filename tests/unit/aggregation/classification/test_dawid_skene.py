import numpy as np
import pytest

from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.dawid_skene import DawidSkeneSettings, dawid_skene
from tests.unit.aggregation.classification.crowds import from_table, known, simulated


def test_a_worker_who_swaps_two_classes_is_understood():
    votes, truths = simulated(300, 4, [0.9] * 5, 3, seed=2)
    swapped = np.where(votes.workers == 0, (votes.classes + 1) % 3, votes.classes)
    table = np.full((votes.n_items, votes.n_workers), -1)
    table[votes.items, votes.workers] = swapped
    found = dawid_skene(from_table(table, 3))
    assert (found.posterior.labels == truths).mean() > 0.97
    counts = found.count_updates.total().dense()[0]
    assert counts.argmax(axis=1).tolist() == [1, 2, 0]


def test_a_known_truth_teaches_but_does_not_decide():
    votes = from_table([[0, 1]] * 20 + [[0, 1]], 2)
    gold = np.append(np.ones(20, dtype=int), -1)
    found = dawid_skene(votes, gold=gold)
    assert found.posterior.labels[-1] == 1
    assert found.count_updates.total().right_by_worker()[1] > 20


def test_stored_confusion_is_used():
    turned_around = WorkerCounts.from_dense(np.array([[[0.0, 50.0], [50.0, 0.0]]]))
    votes = from_table([[0]], 2)
    assert dawid_skene(votes, prior_counts=turned_around).posterior.labels.tolist() == [1]


def test_more_classes_than_tables_can_hold():
    votes, truths = simulated(200, 5, [0.8] * 20, 500, seed=4)
    assert (dawid_skene(votes).posterior.labels == truths).mean() > 0.97


@pytest.mark.parametrize(("n_classes", "same"), [(500, True), (3, False)])
def test_one_coin_is_what_is_left_of_many_classes(n_classes, same):
    votes, truths = simulated(100, 5, [0.8] * 9, n_classes, seed=4)
    coin = dawid_skene(votes, settings=DawidSkeneSettings(one_coin=True)).posterior
    assert (coin.labels == truths).mean() > 0.95
    full = dawid_skene(votes).posterior
    assert np.array_equal(coin.probabilities, full.probabilities) == same


def test_all_rounds_are_made_when_asked_for():
    votes, _ = simulated(20, 3, [0.9, 0.8, 0.7], 3)
    settings = DawidSkeneSettings(tolerance=0.0, max_rounds=7)
    assert dawid_skene(votes, settings=settings).rounds == 7


@pytest.mark.parametrize(
    "gold",
    [
        pytest.param([0], id="too-few"),
        pytest.param([0, 2], id="no-such-class"),
        pytest.param([-2, 0], id="below-unknown"),
        pytest.param([0.5, 0.0], id="not-whole"),
    ],
)
def test_a_bad_truth_is_refused(gold):
    with pytest.raises(ValueError, match="gold must"):
        dawid_skene(from_table([[0, 1], [1, 1]], 2), gold=np.array(gold))


def test_one_class_is_certain():
    votes = from_table([[0, 0], [0, -1]], 1)
    assert dawid_skene(votes, prior_counts=known([0.7, 0.7], 1)).posterior.confidences.tolist() == [
        1.0,
        1.0,
    ]
