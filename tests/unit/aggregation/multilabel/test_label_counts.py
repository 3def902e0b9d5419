import numpy as np
import pytest

from groundtruth.aggregation.multilabel.calibrated import calibrated_labels
from groundtruth.aggregation.multilabel.selections import LabelCounts, Selections

ANSWERS = Selections(
    np.array([0, 0, 1]),
    np.array([0, 1, 0]),
    np.array([[True, False], [True, True], [False, True]]),
    2,
    2,
)


def test_items_add_up_to_the_whole_batch():
    updates = calibrated_labels(ANSWERS).count_updates
    workers, amounts = updates.of_item(0)
    assert workers.tolist() == [0, 1]
    np.testing.assert_allclose(amounts.sum(axis=(2, 3)), 1.0)
    assert updates.of_item(1)[1].sum() == 0.0
    np.testing.assert_allclose(updates.total().amounts[workers], amounts)


def test_known_truths_of_a_single_answer_count():
    gold = np.array([[-1, -1], [1, -1]])
    _, amounts = calibrated_labels(ANSWERS, gold=gold).count_updates.of_item(1)
    assert amounts[0, 0].tolist() == [[0.0, 0.0], [1.0, 0.0]]
    assert amounts[0, 1].sum() == 0.0


@pytest.mark.parametrize(
    ("amounts", "problem"),
    [
        pytest.param(np.zeros((1, 2, 2)), "shape", id="three-axes"),
        pytest.param(np.zeros((1, 2, 2, 3)), "shape", id="three-answers"),
        pytest.param(np.full((1, 1, 2, 2), -1.0), "not negative", id="negative"),
        pytest.param(np.full((1, 1, 2, 2), np.nan), "finite", id="not-a-number"),
    ],
)
def test_bad_counts_are_refused(amounts, problem):
    with pytest.raises(ValueError, match=problem):
        LabelCounts(amounts)
