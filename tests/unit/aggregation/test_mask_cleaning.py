import numpy as np
import pytest

from groundtruth.aggregation.mask_cleaning import clean
from groundtruth.masks.runs import RunMask


def cleaned(grid, min_pixels):
    return clean(RunMask.from_array(np.array(grid)), min_pixels=min_pixels).to_array().tolist()


@pytest.mark.parametrize(
    ("grid", "min_pixels", "expected"),
    [
        pytest.param([[1, 2, 1]] * 3, 3, [[1, 2, 1]] * 3, id="large-enough"),
        pytest.param([[1, 1], [1, 0]], 2, [[1, 1], [1, 1]], id="hole"),
        pytest.param([[0, 0, 0], [0, 2, 2]], 3, [[0, 0, 0], [0, 0, 0]], id="speck"),
        pytest.param([[1, 0, 0], [0, 1, 0], [0, 0, 0]], 3, [[0] * 3] * 3, id="corners-do-not-join"),
        pytest.param([[1, 2]], 5, [[1, 2]], id="nothing-is-large"),
        pytest.param([[1, 2]], 1, [[1, 2]], id="nothing-is-small"),
        pytest.param(
            [[1, 1, 1, 3, 3, 0, 0, 0]], 3, [[1, 1, 1, 1, 0, 0, 0, 0]], id="each-pixel-its-nearest"
        ),
    ],
)
def test_small_regions_take_the_class_beside_them(grid, min_pixels, expected):
    assert cleaned(grid, min_pixels) == expected


def test_a_region_of_no_pixels_is_refused():
    with pytest.raises(ValueError, match="min_pixels"):
        cleaned([[0]], 0)
