import numpy as np
import pytest

from groundtruth.aggregation.multilabel.calibrated import calibrated_labels
from groundtruth.aggregation.multilabel.majority import share_labels
from groundtruth.aggregation.multilabel.selections import LabelCounts, Selections


def from_table(table, *, n_workers=None):
    """Selections from a table (item, worker, label) of truth values."""
    answers = np.array(table, dtype=bool)
    items, workers = (grid.ravel() for grid in np.indices(answers.shape[:2]))
    picked = answers.reshape(-1, answers.shape[2])
    return Selections(items, workers, picked, answers.shape[0], n_workers or answers.shape[1])


def simulated(n_items, hits, alarms, frequency, *, seed=0):
    """Answers of workers with given rates to labels of given frequency, and the truths."""
    rng = np.random.default_rng(seed)
    truths = rng.random((n_items, len(frequency))) < np.array(frequency)
    rates = np.where(
        truths[:, np.newaxis], np.array(hits)[:, np.newaxis], np.array(alarms)[:, np.newaxis]
    )
    return from_table(rng.random(rates.shape) < rates), truths


def known(hits, alarms, n_labels, *, answers=200.0):
    """Stored counts of workers with given rates."""
    amounts = np.zeros((len(hits), n_labels, 2, 2))
    for worker, (hit, alarm) in enumerate(zip(hits, alarms, strict=True)):
        amounts[worker] = answers * np.array([[1 - alarm, alarm], [1 - hit, hit]])
    return LabelCounts(amounts)


def test_one_answer_is_worth_the_prior_whatever_the_batch_holds():
    found = calibrated_labels(from_table([[[True, False]]] * 9 + [[[False, True]]])).posterior
    np.testing.assert_allclose(found, [[0.7, 0.3]] * 9 + [[0.3, 0.7]])


def test_one_answer_is_worth_what_is_known_of_the_worker():
    answers = from_table([[[True, False]]])
    careful = calibrated_labels(answers, prior_counts=known([0.9], [0.02], 2)).posterior[0]
    careless = calibrated_labels(answers, prior_counts=known([0.9], [0.6], 2)).posterior[0]
    assert careful[0] > 0.9 > careless[0]


def test_workers_who_tick_sparingly_are_understood():
    answers, truths = simulated(300, [0.45] * 5, [0.02] * 5, [0.3, 0.4, 0.5], seed=1)
    by_majority = (share_labels(answers) > 0.5) == truths
    learned = (calibrated_labels(answers).posterior > 0.5) == truths
    assert learned.mean() > by_majority.mean() + 0.05


def test_a_worker_can_be_held_to_a_largest_weight():
    answers = from_table([[[True], [False], [False]]])
    stored = known([0.99, 0.7, 0.7], [0.01, 0.3, 0.3], 1)
    free = calibrated_labels(answers, prior_counts=stored).posterior[0, 0]
    caps = np.array([0.1, 1.0, 1.0])
    assert calibrated_labels(answers, prior_counts=stored, max_weights=caps).posterior[0, 0] < free


def test_an_item_without_an_answer_is_undecided():
    answers = Selections(np.array([0, 0]), np.array([0, 1]), np.ones((2, 1), bool), 2, 2)
    assert calibrated_labels(answers).posterior[1].tolist() == [0.5]


def test_an_empty_batch_has_an_empty_result():
    nothing = np.empty(0, dtype=int)
    answers = Selections(nothing, nothing, np.empty((0, 3), bool), 0, 0)
    assert calibrated_labels(answers).posterior.shape == (0, 3)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param({"gold": np.array([[2]])}, "gold", id="gold-value"),
        pytest.param({"gold": np.array([1])}, "gold", id="gold-shape"),
        pytest.param({"prior_counts": LabelCounts.empty(2, 1)}, "prior_counts", id="prior"),
        pytest.param({"max_weights": np.array([-1.0])}, "max_weights", id="weights"),
    ],
)
def test_arguments_must_fit_the_answers(options, problem):
    with pytest.raises(ValueError, match=problem):
        calibrated_labels(from_table([[[True]]]), **options)
