import numpy as np
import pytest

from groundtruth.aggregation.classification import posterior
from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.votes import Votes
from tests.unit.aggregation.classification.crowds import from_table, known, simulated


def test_one_answer_is_worth_the_prior_whatever_the_batch_holds():
    nine_cats_and_a_dog = from_table([[0]] * 9 + [[1]], 2)
    found = calibrated(nine_cats_and_a_dog).posterior
    assert found.labels.tolist() == [0] * 9 + [1]
    np.testing.assert_allclose(found.confidences, 0.7)


@pytest.mark.parametrize("n_classes", [2, 10, 1000])
def test_one_answer_is_worth_what_is_known_of_the_worker(n_classes):
    votes = from_table([[1]] * 3, n_classes)
    worse, better = (
        calibrated(votes, prior_counts=known([accuracy], n_classes)).posterior.confidences
        for accuracy in (0.75, 0.95)
    )
    assert worse.min() == worse.max()
    np.testing.assert_allclose(worse, 0.75, atol=0.02)
    np.testing.assert_allclose(better, 0.95, atol=0.02)


def test_one_answer_gains_from_what_the_worker_did_elsewhere():
    agreeing = from_table([[0, 0, 0], [1, 1, 1]] * 10 + [[1, -1, -1]], 2)
    assert calibrated(agreeing).posterior.confidences[-1] > 0.75


def test_unequal_workers_are_found_and_confidence_is_not_too_high():
    votes, truths = simulated(3000, 3, list(np.linspace(0.45, 0.95, 40)), 4, seed=5)
    found = calibrated(votes).posterior
    right = found.labels == truths
    assert right.mean() > (votes.counts.argmax(axis=1) == truths).mean() + 0.02
    assert found.confidences.mean() < right.mean() + 0.01


def test_stored_skill_decides_between_two_workers():
    votes = from_table([[0, 1]], 2)
    assert calibrated(votes, prior_counts=known([0.6, 0.9], 2)).posterior.labels.tolist() == [1]
    assert calibrated(votes, prior_counts=known([0.9, 0.6], 2)).posterior.labels.tolist() == [0]


@pytest.mark.parametrize("n_classes", [2, 100])
def test_a_worker_can_be_held_to_a_largest_weight(n_classes):
    votes = from_table([[0, 1, 1]], n_classes)
    stored = known([0.99, 0.65, 0.65], n_classes)
    free = calibrated(votes, prior_counts=stored).posterior.dense()
    held = calibrated(
        votes, prior_counts=stored, max_weights=np.array([0.1, np.inf, np.inf])
    ).posterior
    assert held.labels.tolist() == [1]
    assert held.dense()[0, 0] < free[0, 0]


def test_a_worker_held_to_zero_says_nothing():
    found = calibrated(from_table([[1]], 2), max_weights=np.array([0.0])).posterior
    np.testing.assert_allclose(found.dense(), [[0.5, 0.5]])


@pytest.mark.parametrize(
    "caps", [pytest.param([1.0], id="too-few"), pytest.param([1.0, -0.1], id="negative")]
)
def test_bad_largest_weights_are_refused(caps):
    with pytest.raises(ValueError, match="max_weights"):
        calibrated(from_table([[0, 1]], 2), max_weights=np.array(caps))


def test_a_tie_goes_to_the_class_listed_first():
    assert calibrated(from_table([[2, 1], [1, 2]], 3)).posterior.labels.tolist() == [1, 1]


@pytest.mark.parametrize("n_classes", [1, 2, 19, 21])
def test_an_item_without_a_vote_gets_a_uniform_row(n_classes):
    found = calibrated(from_table([[0, 0, 0], [-1, -1, -1]], n_classes)).posterior
    np.testing.assert_allclose(found.dense()[1], 1 / n_classes)


def test_an_empty_batch_has_an_empty_result():
    found = calibrated(from_table(np.empty((0, 3), dtype=int), 4))
    assert found.posterior.dense().shape == (0, 4)
    assert found.count_updates.total().amounts.size == 0


def test_one_coin_and_full_tables_agree_where_there_is_nothing_to_learn(monkeypatch):
    votes = from_table([[0, 0, 1]], 4)
    full = calibrated(votes).posterior.dense()
    monkeypatch.setattr(posterior, "MOST_LISTED_CLASSES", 3)
    np.testing.assert_allclose(calibrated(votes).posterior.dense(), full, atol=0.01)


def test_settings_are_heeded():
    votes = from_table([[0, 0, 0, 1]], 2)
    independent = calibrated(votes, settings=CalibratedSettings(correlation=0.0, mix=1.0))
    dependent = calibrated(votes, settings=CalibratedSettings(correlation=1.0, mix=1.0))
    assert independent.posterior.confidences[0] > dependent.posterior.confidences[0]


@pytest.mark.slow
def test_a_million_answers_on_a_thousand_classes():
    rng = np.random.default_rng(0)
    truths = rng.integers(0, 1000, 200_000)
    items = np.repeat(np.arange(200_000), 5)
    classes = np.where(rng.random(items.size) < 0.7, truths[items], rng.integers(0, 1000, 10**6))
    votes = Votes(items, rng.integers(0, 5000, 10**6), classes, 200_000, 5000, 1000)
    found = calibrated(votes).posterior
    assert found.probabilities.size < 1.2 * 10**6
    assert (found.labels == truths).mean() > 0.95
