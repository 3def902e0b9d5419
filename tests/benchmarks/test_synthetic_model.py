"""The made-up model beside a crew is what it states to be."""

import numpy as np
import pytest

from benchmarks.synthetic.crews import CREWS, SINGLE, draw
from benchmarks.synthetic.model import model_probabilities, our_answers


@pytest.mark.parametrize("n_classes", [2, 4, 10])
@pytest.mark.parametrize("accuracy", [0.7, 0.85, 0.95])
def test_a_model_is_as_often_right_as_it_says(n_classes, accuracy):
    truth = np.arange(20_000) % n_classes
    table = model_probabilities(truth, n_classes, accuracy, seed=1)
    np.testing.assert_allclose(table.sum(axis=1), 1.0)
    right = table.argmax(axis=1) == truth
    assert abs(right.mean() - accuracy) < 0.015
    sure = table.max(axis=1)
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 1.0)):
        some = (low <= sure) & (sure < high)
        assert abs(right[some].mean() - sure[some].mean()) < 0.04


def test_the_same_seed_gives_the_same_model():
    truth = np.arange(30) % 4
    first, again, other = (model_probabilities(truth, 4, 0.85, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_model_that_knows_decides_where_workers_do_not():
    crew = CREWS["all careless"]
    job = draw(crew, "job", task=SINGLE, n_classes=4, per_object=3, n_objects=300, seed=1)
    gold = job.truth.argmax(axis=1)
    found = our_answers(job, model_probabilities(gold, 4, 0.95, seed=1))
    right = {method: (classes == gold).mean() for method, (classes, _) in found.items()}
    assert right["calibrated"] < right["calibrated with model"]
    assert right["calibrated with model"] <= right["calibrated with model, up to 1"] + 0.02
    assert right["limit"] > 0.95
