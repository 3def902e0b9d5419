import numpy as np
import pytest

from groundtruth.aggregation.classification.counts import WorkerCounts

TABLE = np.array([[[3.0, 1.0], [0.0, 2.0]], [[0.0, 0.0], [0.5, 0.0]]])


def test_counts_survive_the_way_to_cells_and_back():
    counts = WorkerCounts.from_dense(TABLE)
    assert counts.amounts.tolist() == [3.0, 1.0, 2.0, 0.5]
    np.testing.assert_array_equal(counts.dense(), TABLE)


def test_cells_given_twice_are_added_up_in_any_order():
    cells = [np.array(column) for column in ([0, 1, 0], [1, 0, 1], [0, 0, 0])]
    amounts = np.array([0.1, 0.7, 0.2])
    counts = WorkerCounts(*cells, amounts, 2, 2)
    turned = WorkerCounts(*(column[::-1] for column in cells), amounts[::-1], 2, 2)
    assert counts.amounts.tolist() == turned.amounts.tolist() == [0.1 + 0.2, 0.7]


def test_sums_by_worker():
    counts = WorkerCounts.from_dense(TABLE)
    assert counts.answers_by_worker().tolist() == [6.0, 0.5]
    assert counts.right_by_worker().tolist() == [5.0, 0.0]


def test_cells_are_looked_up():
    counts = WorkerCounts.from_dense(TABLE)
    pairs = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert counts.look_up(*pairs, np.array([1, 0, 1])).tolist() == [1.0, 0.0, 0.0]


def test_nothing_is_known_of_new_workers():
    counts = WorkerCounts.empty(2, 3)
    assert counts.dense().sum() == 0.0
    assert counts.look_up(np.array([1]), np.array([2]), np.array([0])).tolist() == [0.0]
    assert counts.answers_by_worker().tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("workers", "truths", "amounts", "problem"),
    [
        pytest.param([0], [0, 1], [1.0], "same length", id="lengths-differ"),
        pytest.param([2], [0], [1.0], "below their number", id="unknown-worker"),
        pytest.param([0], [2], [1.0], "below their number", id="unknown-class"),
        pytest.param([-1], [0], [1.0], "not negative", id="negative-worker"),
        pytest.param([0.5], [0], [1.0], "whole", id="not-whole"),
        pytest.param([0], [0], [-1.0], "not negative", id="negative-amount"),
        pytest.param([0], [0], [np.inf], "finite", id="infinite-amount"),
    ],
)
def test_bad_counts_are_refused(workers, truths, amounts, problem):
    with pytest.raises(ValueError, match=problem):
        WorkerCounts(np.array(workers), np.array(truths), np.array([0]), np.array(amounts), 2, 2)


def test_a_dense_table_must_be_square():
    with pytest.raises(ValueError, match="shape"):
        WorkerCounts.from_dense(np.zeros((2, 2, 3)))


def test_counts_of_some_workers():
    counts = WorkerCounts.from_dense(np.arange(12.0).reshape(3, 2, 2))
    some = counts.select_workers(np.array([True, False, True])).dense()
    assert np.array_equal(some[[0, 2]], counts.dense()[[0, 2]])
    assert not some[1].any()
    with pytest.raises(ValueError, match="3 workers"):
        counts.select_workers(np.array([True]))
