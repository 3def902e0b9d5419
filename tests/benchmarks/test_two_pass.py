"""The peer LA: worked by hand, and beside the majority on a crew with careless workers."""

import numpy as np
import pytest

from benchmarks.common.crowds import Crowd, synthetic_crowds
from benchmarks.two_pass import aggregate_in_two_passes


def crowd(table, n_classes):
    """A crowd of a table of classes: a row for each object, a column for each worker."""
    answers = np.array(table)
    items, workers = np.nonzero(answers >= 0)
    sizes = (*answers.shape, n_classes)
    return Crowd("a", items, workers, answers[items, workers], *sizes, np.zeros(len(answers), int))


def test_one_object_by_hand():
    # First pass: two for class 1; their accuracies become 2/3, the third worker's 1/3.
    # Second pass: 3 a - 1 is 1, 1 and 0.
    found = aggregate_in_two_passes(crowd([[1, 1, 2]], 3))
    np.testing.assert_allclose(found, [[0.0, 1.0, 0.0]], atol=1e-8)


def test_four_equal_objects_by_hand():
    # 5/6, 5/6 and 1/6 after the first pass; with two classes they weigh 2/3, 2/3 and -2/3.
    found = aggregate_in_two_passes(crowd([[0, 0, 1]] * 4 + [[-1, -1, 1], [-1, -1, -1]], 2))
    np.testing.assert_allclose(found[:4], [[1.0, 0.0]] * 4, atol=1e-8)
    assert found[4:].tolist() == [[0.0, 1.0], [0.5, 0.5]]


def test_weights_are_shared_between_two_classes_by_hand():
    # The tie goes to class 0 whenever it comes: accuracies 12/13 and 11/13, weights 11/13 and 9/13.
    found = aggregate_in_two_passes(crowd([[0, 0]] * 10 + [[0, 1]], 2))
    np.testing.assert_allclose(found[-1], [0.55, 0.45])


def test_the_second_pass_lets_good_workers_outvote_the_majority():
    known = [[0, 0, 1, 2, 2], [1, 1, 0, 0, 1], [2, 2, 1, 2, 0], [0, 0, 2, 1, 0]] * 10
    found = aggregate_in_two_passes(crowd([*known, [0, 0, 1, 1, 1]], 3))
    assert found[-1].argmax() == 0


@pytest.mark.parametrize("index", range(3))
def test_it_beats_the_majority_on_crews_that_differ(index):
    crew = list(synthetic_crowds(seed=1))[index]
    votes = np.zeros((crew.n_items, crew.n_classes))
    np.add.at(votes, (crew.items, crew.classes), 1)
    found = aggregate_in_two_passes(crew)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    right, majority = ((table.argmax(axis=1) == crew.gold).mean() for table in (found, votes))
    assert right >= majority - 0.002 if crew.name == "equal-crew" else right > majority + 0.01
