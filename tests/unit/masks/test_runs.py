import numpy as np
import pytest

from groundtruth.masks.runs import RunMask


@pytest.mark.parametrize(
    ("array", "starts", "classes"),
    [
        pytest.param([[5]], [0], [5], id="one-pixel"),
        pytest.param([[1, 1], [1, 1]], [0], [1], id="one-run-over-rows"),
        pytest.param([[0, 1], [1, 0]], [0, 1, 3], [0, 1, 0], id="run-over-the-end-of-a-row"),
        pytest.param([[0, 65535]], [0, 1], [0, 65535], id="highest-class"),
    ],
)
def test_a_class_map_becomes_the_fewest_runs(array, starts, classes):
    mask = RunMask.from_array(np.array(array))
    assert mask.starts.tolist() == starts
    assert mask.classes.tolist() == classes
    np.testing.assert_array_equal(mask.to_array(), array)


@pytest.mark.parametrize(
    ("rows", "noisy"),
    [
        pytest.param(2, slice(None), id="noise-in-one-piece"),
        pytest.param(11, slice(None), id="noise-in-pieces"),
        pytest.param(11, slice(5), id="noise-beside-a-drawing"),
        pytest.param(1, slice(None), id="a-little-noise"),
    ],
)
def test_noise_becomes_runs_of_the_same_classes(rows, noisy):
    array = np.zeros((rows, 50_000), np.uint8)
    array[noisy] = np.random.default_rng(5).integers(0, 11, array[noisy].shape)
    mask = RunMask.from_array(array)
    np.testing.assert_array_equal(mask.to_array(), array)
    merged = mask.merge()
    np.testing.assert_array_equal(merged.to_array(), array)
    flat = array.ravel()
    assert merged.starts.size == 1 + np.count_nonzero(flat[1:] != flat[:-1])


def test_the_array_of_a_mask_is_a_copy():
    mask = RunMask.from_array(np.array([[1, 2], [3, 4]]))
    mask.to_array()[:] = 0
    assert mask.classes.tolist() == [1, 2, 3, 4]


def test_some_rows_are_those_of_the_whole_map():
    array = np.random.default_rng(6).integers(0, 2, (7, 3)).repeat(2, axis=1)
    mask = RunMask.from_array(array)
    for first in range(7):
        for last in range(first + 1, 8):
            np.testing.assert_array_equal(mask.rows(first, last), array[first:last])


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.zeros((0, 3), int), id="no-pixel"),
        pytest.param(np.zeros(3, int), id="flat"),
        pytest.param(np.array([[-1]]), id="negative"),
        pytest.param(np.array([[65536]]), id="too-high"),
    ],
)
def test_what_is_no_class_map_is_refused(array):
    with pytest.raises(ValueError, match=r"class map|whole number"):
        RunMask.from_array(array)


@pytest.mark.parametrize(
    ("starts", "classes", "shape"),
    [
        pytest.param([1], [0], (1, 2), id="first-not-zero"),
        pytest.param([0, 0], [0, 1], (1, 2), id="not-increasing"),
        pytest.param([0, 2], [0, 1], (1, 2), id="past-the-end"),
        pytest.param([0], [0, 1], (1, 2), id="two-lengths"),
        pytest.param([], [], (1, 2), id="no-run"),
        pytest.param([0], [0], (0, 2), id="no-pixel"),
    ],
)
def test_runs_that_describe_no_mask_are_refused(starts, classes, shape):
    with pytest.raises(ValueError, match=r"run|starts|pixel"):
        RunMask(np.array(starts, np.int64), np.array(classes, np.uint16), shape)


def test_equal_runs_side_by_side_are_joined_and_others_kept():
    mask = RunMask(np.array([0, 2, 3]), np.array([1, 1, 0], np.uint16), (2, 2))
    assert mask.merge().starts.tolist() == [0, 3]
    assert mask.merge().merge().starts.tolist() == [0, 3]
    assert mask.lengths().tolist() == [2, 1, 1]
