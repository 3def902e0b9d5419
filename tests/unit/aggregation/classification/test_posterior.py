import numpy as np
import pytest

from groundtruth.aggregation.classification.posterior import Posterior


def sparse(cells, others, n_classes=4):
    items, classes, probabilities = (np.array(column) for column in zip(*cells, strict=True))
    return Posterior(items, classes, probabilities, np.array(others), n_classes)


def test_a_table_survives_the_way_to_cells_and_back():
    table = np.array([[0.2, 0.8], [0.5, 0.5]])
    np.testing.assert_array_equal(Posterior.from_dense(table).dense(), table)


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


def test_cells_of_one_item():
    posterior = sparse([(0, 1, 0.4), (1, 0, 0.2), (1, 3, 0.7)], [0.2, 0.05])
    classes, probabilities = posterior.of_item(1)
    assert classes.tolist() == [0, 3]
    assert probabilities.tolist() == [0.2, 0.7]


def test_a_posterior_of_no_item():
    posterior = Posterior.from_dense(np.empty((0, 3)))
    assert posterior.labels.shape == posterior.confidences.shape == (0,)
