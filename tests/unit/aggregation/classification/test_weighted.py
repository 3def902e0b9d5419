import numpy as np
import pytest

from groundtruth.aggregation.classification.weighted import WeightedSettings, weighted
from tests.unit.aggregation.classification.crowds import from_table, known, simulated


def test_workers_who_agree_with_the_others_count_for_more():
    votes, truths = simulated(400, 5, [0.95] * 3 + [0.55] * 6, 2, seed=1)
    plain = votes.counts.argmax(axis=1)
    learned = weighted(votes).posterior.labels
    assert (learned == truths).mean() > (plain == truths).mean() + 0.05


def test_stored_skill_decides_between_two_workers():
    votes = from_table([[0, 1]], 2)
    assert weighted(votes, prior_counts=known([0.6, 0.9], 2)).posterior.labels.tolist() == [1]
    assert weighted(votes, prior_counts=known([0.9, 0.6], 2)).posterior.labels.tolist() == [0]


def test_a_worker_can_be_held_to_a_largest_weight():
    votes = from_table([[0, 1, 1]], 2)
    stored = known([0.99, 0.65, 0.65], 2)
    assert weighted(votes, prior_counts=stored).posterior.labels.tolist() == [0]
    held = weighted(votes, prior_counts=stored, max_weights=np.array([0.2, 1.0, 1.0]))
    assert held.posterior.labels.tolist() == [1]


def test_many_classes_take_cells_for_the_chosen_only():
    votes = from_table([[7, 7, 400]], 1000)
    posterior = weighted(votes).posterior
    assert posterior.layout.classes.tolist() == [0, 7, 400]  # and all others by the first
    assert posterior.labels.tolist() == [7]
    np.testing.assert_allclose(posterior.dense().sum(axis=1), 1.0)


def test_rounds_end():
    votes, _ = simulated(50, 3, [0.9, 0.8, 0.7], 3)
    assert weighted(votes, settings=WeightedSettings(max_rounds=2, tolerance=0.0)).rounds == 2


def test_stored_counts_must_fit_the_votes():
    with pytest.raises(ValueError, match="prior_counts"):
        weighted(from_table([[0, 1]], 2), prior_counts=known([0.7], 2))
