import numpy as np

from groundtruth.aggregation.classification.calibrated import calibrated
from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.dawid_skene import dawid_skene
from tests.unit.aggregation.classification.crowds import from_table, simulated


def test_each_vote_contributes_one_in_all():
    votes, _ = simulated(30, 3, [0.9, 0.8, 0.7, 0.6], 4)
    total = calibrated(votes).count_updates.total()
    np.testing.assert_allclose(total.answers_by_worker(), votes.votes_per_worker)


def test_items_add_up_to_the_whole_batch():
    votes, _ = simulated(12, 3, [0.9, 0.8, 0.7, 0.6], 3)
    updates = calibrated(votes).count_updates
    parts = [updates.of_item(item) for item in range(votes.n_items)]
    total = sum(part.dense() for part in parts)
    np.testing.assert_allclose(total, updates.total().dense(), rtol=1e-12)


def test_an_item_with_one_vote_contributes_nothing():
    updates = calibrated(from_table([[0, -1], [1, 1]], 2)).count_updates
    assert updates.of_item(0).amounts.size == 0
    assert updates.of_item(1).answers_by_worker().tolist() == [1.0, 1.0]


def test_an_item_with_one_vote_and_a_known_truth_contributes():
    votes = from_table([[0, -1], [1, -1]], 2)
    updates = calibrated(votes, gold=np.array([1, -1])).count_updates
    assert updates.of_item(0).dense()[0].tolist() == [[0.0, 0.0], [1.0, 0.0]]
    assert updates.of_item(1).amounts.size == 0


def test_stored_counts_are_no_part_of_the_contribution():
    votes = from_table([[0, 0, 1]], 2)
    stored = WorkerCounts.from_dense(np.full((3, 2, 2), 50.0))
    total = dawid_skene(votes, prior_counts=stored).count_updates.total()
    np.testing.assert_allclose(total.answers_by_worker(), [1.0, 1.0, 1.0])


def test_a_batch_without_a_vote_contributes_nothing():
    updates = calibrated(from_table(np.full((2, 2), -1), 3)).count_updates
    assert updates.total().amounts.size == 0
    assert updates.of_item(1).amounts.size == 0
