import numpy as np
import pytest

from groundtruth.aggregation.classification.votes import Votes


def make(items, workers, classes, *, n_items=3, n_workers=3, n_classes=3):
    return Votes(
        items=np.array(items),
        workers=np.array(workers),
        classes=np.array(classes),
        n_items=n_items,
        n_workers=n_workers,
        n_classes=n_classes,
    )


def test_votes_are_held_in_canonical_order():
    votes = make([2, 0, 0], [0, 1, 0], [1, 2, 0])
    assert votes.items.tolist() == [0, 0, 2]
    assert votes.workers.tolist() == [0, 1, 0]
    assert votes.classes.tolist() == [0, 2, 1]


def test_a_repeated_vote_counts_once_and_a_second_class_counts_too():
    votes = make([0, 0, 0], [1, 1, 1], [2, 2, 0])
    assert votes.n_votes == 2
    assert votes.counts[0].tolist() == [1.0, 0.0, 1.0]


def test_votes_do_not_follow_later_changes_of_the_arguments():
    items = np.array([0, 1])
    votes = Votes(items, np.array([0, 0]), np.array([0, 0]), n_items=2, n_workers=1, n_classes=1)
    items[0] = 1
    assert votes.items.tolist() == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        votes.items[0] = 1


def test_counts_by_item_worker_and_class():
    votes = make([0, 0, 2], [0, 1, 0], [1, 1, 2])
    assert votes.counts.tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 1]]
    assert votes.votes_per_item.tolist() == [2, 0, 1]
    assert votes.votes_per_worker.tolist() == [2, 1, 0]


def test_a_batch_may_be_empty():
    votes = make([], [], [], n_items=2, n_workers=0)
    assert votes.n_votes == 0
    assert votes.counts.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_codes_too_large_for_one_integer_are_sorted_too():
    votes = make([5, 0], [0, 0], [0, 0], n_items=10, n_workers=2**40, n_classes=2**30)
    assert votes.items.tolist() == [0, 5]


@pytest.mark.parametrize(
    ("items", "workers", "classes", "problem"),
    [
        pytest.param([3], [0], [0], "items must lie in 0 to 2", id="item-too-large"),
        pytest.param([-1], [0], [0], "items must lie in", id="negative-item"),
        pytest.param([0], [3], [0], "workers must lie in", id="worker-too-large"),
        pytest.param([0], [0], [3], "classes must lie in", id="class-too-large"),
        pytest.param([0, 1], [0], [0], "same length", id="lengths-differ"),
        pytest.param([0.5], [0], [0], "whole numbers", id="not-whole"),
        pytest.param([[0]], [[0]], [[0]], "one-dimensional", id="two-dimensional"),
    ],
)
def test_bad_votes_are_refused(items, workers, classes, problem):
    with pytest.raises(ValueError, match=problem):
        make(items, workers, classes)


def test_there_must_be_a_class():
    with pytest.raises(ValueError, match="n_classes at least 1"):
        make([], [], [], n_classes=0)
