"""The limit is Bayes' rule for the crews as they are stated."""

from itertools import product

import numpy as np
import pytest

from benchmarks.synthetic.crews import CREWS, SEVERAL, SINGLE, Crew, draw
from benchmarks.synthetic.limit import accuracies, class_likelihood, label_sets, limit
from benchmarks.synthetic.limit import ticks_likelihood as ticks

pytestmark = pytest.mark.slow


def drawn(crew, *, task=SINGLE, n_classes=4, per_object=3, n_objects=300):
    sizes = {"n_classes": n_classes, "per_object": per_object, "n_objects": n_objects}
    return draw(crew, "job", task=task, seed=5, **sizes)


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("task", [SINGLE, SEVERAL])
@pytest.mark.parametrize("name", CREWS)
def test_it_is_right_as_often_as_it_says(name, task, n_classes):
    job = drawn(CREWS[name], task=task, n_classes=n_classes)
    table = limit(job)
    if task is SINGLE:
        np.testing.assert_allclose(table.sum(axis=1), 1.0)
        sure = table.max(axis=1)
        right = table.argmax(axis=1) == job.truth.argmax(axis=1)
    else:
        sure = np.maximum(table, 1.0 - table).mean(axis=1)
        right = ((table > 0.5) == job.truth).mean(axis=1)
    error = np.sqrt(np.maximum(sure * (1.0 - sure), 1e-3).mean() / len(sure))
    assert abs(sure.mean() - right.mean()) < 4.0 * error


@pytest.mark.parametrize("accuracy", [0.6, 0.95])
@pytest.mark.parametrize("n_labels", [2, 3, 5])
def test_the_ticks_of_a_set_of_labels_are_a_distribution(n_labels, accuracy):
    picked = np.array([row for row in product([False, True], repeat=n_labels) if any(row)])
    table = ticks(picked, label_sets(n_labels), np.full(len(picked), accuracy))
    np.testing.assert_allclose(table.sum(axis=0), 1.0)


@pytest.mark.parametrize(("n_labels", "n_sets"), [(2, 3), (4, 14), (10, 175)])
def test_one_to_three_labels_are_true(n_labels, n_sets):
    sets = label_sets(n_labels)
    assert sets.shape == (n_sets, n_labels)
    assert len({tuple(row) for row in sets.tolist()}) == n_sets


def test_one_answer_is_worth_its_workers_skill():
    job = drawn(Crew("skill=0.8"), per_object=1, n_objects=20)
    np.testing.assert_allclose(np.sort(limit(job), axis=1)[:, -1], 0.8)


def test_an_adversary_is_read_backwards():
    job = drawn(Crew("adversary"), per_object=1, n_objects=200)
    assert (limit(job).argmax(axis=1) == job.truth.argmax(axis=1)).mean() > 0.9


def test_who_does_not_look_says_nothing():
    job = drawn(Crew("constant,spammer"), per_object=2, n_objects=20)
    np.testing.assert_allclose(limit(job), 0.25)


def test_a_copy_is_no_second_answer():
    job = drawn(Crew("copycat:2"), per_object=2, n_objects=20)
    np.testing.assert_allclose(np.sort(limit(job), axis=1)[:, -1], 0.85)


def test_a_confuser_says_one_of_its_two():
    job = drawn(Crew("confuser=class-0/class-1"), per_object=1, n_objects=200)
    given = job.picked.argmax(axis=1)
    np.testing.assert_allclose(class_likelihood(job)[given == 0, :2], 0.5)
    np.testing.assert_allclose(
        class_likelihood(job)[given == 2, :3], [[0.0, 0.0, 0.95]] * int((given == 2).sum())
    )


def test_skill_is_lost_by_the_tired_and_on_hard_objects():
    job = drawn(Crew("tired", difficulty=0.3), per_object=1, n_objects=20)
    expected = 0.25 + 0.7 * 0.5 ** (np.arange(20) / 200) * (1.0 - job.hardness)
    np.testing.assert_allclose(accuracies(job), expected)
