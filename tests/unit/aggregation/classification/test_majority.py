import numpy as np
import pytest

from groundtruth.aggregation.classification.majority import majority
from groundtruth.aggregation.classification.votes import Votes


def one_item(classes, *, n_classes=2):
    count = len(classes)
    return Votes(
        items=np.zeros(count, dtype=int),
        workers=np.arange(count),
        classes=np.array(classes, dtype=int),
        n_items=1,
        n_workers=count,
        n_classes=n_classes,
    )


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        pytest.param([0, 0, 1, 0], [0.75, 0.25], id="majority"),
        pytest.param([0, 1], [0.5, 0.5], id="tie"),
        pytest.param([1], [0.0, 1.0], id="one-vote"),
        pytest.param([], [0.5, 0.5], id="nobody-voted"),
    ],
)
def test_share_of_each_class(classes, expected):
    np.testing.assert_array_equal(majority(one_item(classes)), [expected])


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        pytest.param([1.0, 1.0, 2.0], [0.5, 0.5], id="a-heavier-worker"),
        pytest.param([0.0, 0.0, 0.0], [0.5, 0.5], id="nobody-is-trusted"),
        pytest.param([1e308, 1e308, 1e308], [2 / 3, 1 / 3], id="very-large"),
        pytest.param([5e-324, 5e-324, 0.0], [1.0, 0.0], id="very-small"),
    ],
)
def test_share_of_weighted_votes(weights, expected):
    shares = majority(one_item([0, 0, 1]), weights=np.array(weights))
    np.testing.assert_allclose(shares, [expected])


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        pytest.param([1.0], "shape", id="wrong-shape"),
        pytest.param([1.0, -1.0], "not negative", id="negative"),
        pytest.param([1.0, np.nan], "finite", id="not-a-number"),
        pytest.param([1.0, np.inf], "finite", id="infinite"),
    ],
)
def test_bad_weights_are_refused(weights, problem):
    with pytest.raises(ValueError, match=problem):
        majority(one_item([0, 1]), weights=np.array(weights))
