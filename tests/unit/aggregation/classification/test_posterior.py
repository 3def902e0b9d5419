import numpy as np
import pytest

from groundtruth.aggregation.classification import posterior as module
from groundtruth.aggregation.classification.posterior import ClassLayout, Posterior
from groundtruth.aggregation.classification.votes import Votes


@pytest.fixture(autouse=True)
def list_chosen_classes_alone(monkeypatch):
    monkeypatch.setattr(module, "MOST_LISTED_CLASSES", 1)


def sparse(cells, others, n_classes=4):
    """Item, class and probability of what is listed; that of each other class by item."""
    items, classes, probabilities = (np.array(column) for column in zip(*cells, strict=True))
    nobody = np.zeros_like(items)
    votes = Votes(items, nobody, classes, len(others), 1, n_classes)
    layout = ClassLayout.from_votes(votes, np.full(len(others), -1))
    values = np.array(others)[layout.items]
    values[layout.find_cells(items, classes)] = probabilities
    return Posterior(layout, values)


def test_classes_without_a_cell_share_one_value():
    posterior = sparse([(0, 1, 0.4), (1, 0, 0.1), (1, 3, 0.7)], [0.2, 0.1])
    np.testing.assert_array_equal(posterior.dense(), [[0.2, 0.4, 0.2, 0.2], [0.1, 0.1, 0.1, 0.7]])
    assert posterior.labels.tolist() == [1, 3]
    assert posterior.confidences.tolist() == [0.4, 0.7]


@pytest.mark.parametrize(
    ("cells", "others", "label"),
    [
        pytest.param([(0, 1, 0.1), (0, 2, 0.1)], 0.4, 0, id="first-class-without-a-cell"),
        pytest.param([(0, 0, 0.1), (0, 1, 0.1)], 0.4, 2, id="gap-after-the-cells"),
        pytest.param([(0, 0, 0.1), (0, 2, 0.1)], 0.4, 1, id="gap-between-cells"),
        pytest.param([(0, 1, 0.25)], 0.25, 0, id="tie-with-an-earlier-class"),
        pytest.param([(0, 0, 0.25)], 0.25, 0, id="tie-with-a-later-class"),
        pytest.param([(0, 1, 0.4), (0, 2, 0.4)], 0.1, 1, id="tie-of-two-cells"),
    ],
)
def test_the_label_is_the_first_of_the_most_probable(cells, others, label):
    posterior = sparse(cells, [others])
    assert posterior.labels.tolist() == [label]
    assert posterior.labels.tolist() == posterior.dense().argmax(axis=1).tolist()


def test_an_item_without_a_cell_gets_the_first_class():
    posterior = sparse([(1, 2, 0.7)], [0.25, 0.1, 0.25])
    assert posterior.labels.tolist() == [0, 2, 0]
    assert posterior.confidences.tolist() == [0.25, 0.7, 0.25]


def test_a_known_truth_is_listed_even_if_nobody_chose_it():
    nobody = np.empty(0, dtype=int)
    layout = ClassLayout.from_votes(Votes(nobody, nobody, nobody, 2, 0, 4), np.array([2, -1]))
    assert layout.classes.tolist() == [0, 2, 0]
    assert layout.widths.tolist() == [3, 1, 4]


@pytest.mark.parametrize("n_classes", [1, 3])
def test_a_posterior_of_no_item(n_classes):
    nobody = np.empty(0, dtype=int)
    layout = ClassLayout.from_votes(Votes(nobody, nobody, nobody, 0, 0, n_classes), nobody)
    posterior = Posterior(layout, np.empty(0))
    assert posterior.labels.shape == posterior.confidences.shape == (0,)
    assert posterior.dense().shape == (0, n_classes)
