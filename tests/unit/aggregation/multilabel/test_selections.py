import numpy as np
import pytest

from groundtruth.aggregation.multilabel.majority import share_labels
from groundtruth.aggregation.multilabel.selections import Selections


def make(items, workers, picked, *, n_items=2, n_workers=2):
    return Selections(
        np.array(items), np.array(workers), np.array(picked, dtype=bool), n_items, n_workers
    )


def test_answers_are_held_in_canonical_order_and_once():
    answers = make([1, 0, 1], [0, 1, 0], [[1, 0], [0, 1], [1, 0]])
    assert answers.items.tolist() == [0, 1]
    assert answers.picked.tolist() == [[False, True], [True, False]]


def test_two_different_answers_of_one_worker_both_count():
    answers = make([0, 0], [0, 0], [[1, 0], [1, 1]])
    assert answers.counts.tolist() == [[2.0, 1.0], [0.0, 0.0]]


def test_share_of_the_answers_that_pick_a_label():
    answers = make([0, 0], [0, 1], [[1, 0], [1, 1]])
    assert share_labels(answers).tolist() == [[1.0, 0.5], [0.5, 0.5]]


def test_a_batch_may_be_empty():
    answers = make(np.empty(0, int), np.empty(0, int), np.empty((0, 3)))
    assert answers.n_labels == 3
    assert share_labels(answers).tolist() == [[0.5] * 3] * 2


@pytest.mark.parametrize(
    ("items", "workers", "picked", "problem"),
    [
        pytest.param([2], [0], np.array([[True]]), "items must hold", id="unknown-item"),
        pytest.param([0], [-1], np.array([[True]]), "workers must hold", id="negative-worker"),
        pytest.param([0, 1], [0], np.array([[True]]), "one entry per answer", id="lengths"),
        pytest.param([0], [0], np.array([True]), "table of truth values", id="not-a-table"),
        pytest.param([0], [0], np.array([[1]]), "table of truth values", id="numbers"),
        pytest.param([0], [0], np.empty((1, 0), bool), "a column or more", id="no-label"),
    ],
)
def test_bad_answers_are_refused(items, workers, picked, problem):
    with pytest.raises(ValueError, match=problem):
        Selections(np.array(items), np.array(workers), picked, 2, 2)
