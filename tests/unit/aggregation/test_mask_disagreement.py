import numpy as np
import pytest

from groundtruth.aggregation.mask_disagreement import disagreement
from groundtruth.masks.runs import RunMask


@pytest.mark.parametrize(
    ("rows", "weights", "n_classes", "expected"),
    [
        pytest.param([[0, 1]], None, 2, [0, 0], id="one-worker"),
        pytest.param([[0, 1], [0, 1]], None, 2, [0, 0], id="unanimous"),
        pytest.param([[0, 1], [0, 0]], None, 2, [0, 255], id="even-split"),
        pytest.param([[0], [1], [2]], None, 3, [255], id="all-differ"),
        pytest.param([[0], [1], [1]], None, 2, [234], id="two-to-one"),
        pytest.param([[0], [1]], [3.0, 1.0], 2, [207], id="weights"),
        pytest.param([[0], [1]], [1.0, 0.0], 2, [0], id="zero-weight"),
    ],
)
def test_entropy_of_the_votes(rows, weights, n_classes, expected):
    masks = [RunMask.from_array(np.array([row])) for row in rows]
    trust = None if weights is None else np.array(weights)
    assert disagreement(masks, n_classes, weights=trust).to_array()[0].tolist() == expected
