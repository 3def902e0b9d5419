import numpy as np
import pytest

from groundtruth.aggregation.multilabel.calibrated import multi_label
from groundtruth.aggregation.multilabel.counts import LabelCounts
from groundtruth.aggregation.multilabel.selections import Selections

ANSWERS = Selections(
    np.array([0, 0, 1]),
    np.array([0, 1, 0]),
    np.array([[True, False], [True, True], [False, True]]),
    2,
    2,
)


def test_counts_are_added_and_decayed():
    counts = LabelCounts(np.ones((1, 2, 2, 2)))
    np.testing.assert_array_equal(counts.plus(counts).scaled(0.5).amounts, counts.amounts)


def test_items_add_up_to_the_whole_batch():
    contributions = multi_label(ANSWERS).contributions
    workers, amounts = contributions.of_item(0)
    assert workers.tolist() == [0, 1]
    np.testing.assert_allclose(amounts.sum(axis=(2, 3)), 1.0)
    assert contributions.of_item(1)[1].sum() == 0.0
    np.testing.assert_allclose(contributions.total().amounts[workers], amounts)


def test_known_truths_of_a_single_answer_contribute():
    gold = np.array([[-1, -1], [1, -1]])
    _, amounts = multi_label(ANSWERS, gold=gold).contributions.of_item(1)
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


def test_counts_of_other_workers_are_not_added():
    with pytest.raises(ValueError, match="same workers and labels"):
        LabelCounts.empty(1, 2).plus(LabelCounts.empty(2, 2))
