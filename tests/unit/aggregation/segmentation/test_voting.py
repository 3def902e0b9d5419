import numpy as np
import pytest

from groundtruth.aggregation.segmentation.voting import assess, fuse
from groundtruth.masks.runs import RunMask


def masks(*grids):
    return [RunMask.from_array(np.array(grid)) for grid in grids]


@pytest.mark.parametrize(
    ("grids", "weights", "expected"),
    [
        pytest.param([[[0, 1, 2]]], None, [[0, 1, 2]], id="one-worker-is-copied"),
        pytest.param([[[1, 1]], [[1, 2]], [[0, 2]]], None, [[1, 2]], id="majority"),
        pytest.param([[[2, 1]], [[1, 0]]], None, [[1, 0]], id="tie-to-the-lowest"),
        pytest.param([[[2, 1]], [[1, 0]]], [2.0, 1.0], [[2, 1]], id="weights"),
        pytest.param(
            [[[0]], [[1]], [[1]], [[2]], [[2]]], None, [[1]], id="plurality-tie-not-background"
        ),
        pytest.param([[[3]], [[3]], [[1]]], [0.1, 0.2, 0.3], [[1]], id="tie-of-tenths-is-a-tie"),
        pytest.param([[[3]], [[1]]], [1.0, 0.0], [[3]], id="zero-weight"),
        pytest.param([[[700]], [[300]], [[700]]], None, [[700]], id="more-than-255-classes"),
    ],
)
def test_winner_of_each_pixel(grids, weights, expected):
    trust = None if weights is None else np.array(weights)
    result = fuse(masks(*grids), n_classes=701, weights=trust)
    np.testing.assert_array_equal(result.mask.to_array(), expected)


def test_confidence_is_the_expected_intersection_over_union():
    result = fuse(masks([[1, 1, 0, 0]], [[1, 0, 0, 0]], [[1, 1, 1, 0]]), n_classes=3)
    # Class 1 wins two pixels, with three votes and with two, and has one vote of another pixel.
    # Rounding moves the border between the classes, one side of a pixel long.
    expected = (1 + 0.625) * (1 - np.pi / 64) / (2 + 0.375 + np.pi / 32)
    assert result.class_confidence[:2].tolist() == pytest.approx([expected, expected])
    assert np.isnan(result.class_confidence[2])
    assert result.mean_share == pytest.approx((1 + 2 / 3 + 2 / 3 + 1) / 4)
    assert result.disputed_share == 0.5
    assert result.tied_share == 0.0
    assert result.class_pixels.tolist() == [2, 2, 0]


def test_unanimous_workers_are_sure():
    result = fuse(masks([[1, 0]], [[1, 0]]), n_classes=2)
    assert result.class_confidence.tolist() == [1.0, 1.0]
    assert (result.mean_share, result.tied_share, result.disputed_share) == (1.0, 0.0, 0.0)


def test_a_result_that_won_its_votes_is_assessed_as_fusion_does():
    crew, weights = masks([[1, 2, 0]], [[1, 1, 0]], [[2, 1, 2]]), np.array([1.0, 0.5, 2.0])
    fused = fuse(crew, 3, weights=weights)
    result = assess(fused.mask, crew, 3, weights=weights)
    np.testing.assert_array_equal(result.class_confidence, fused.class_confidence)
    np.testing.assert_array_equal(result.class_pixels, fused.class_pixels)
    assert result.mean_share == fused.mean_share
    assert result.disputed_share == fused.disputed_share


def test_a_result_without_votes_is_not_sure():
    result = assess(masks([[2, 0]])[0], masks([[1, 0]], [[1, 0]]), 3)
    assert result.class_confidence.tolist()[0] == 1
    assert result.class_confidence[2] == 0
    assert result.mean_share == 0.5


@pytest.mark.parametrize(
    ("grids", "n_classes", "weights"),
    [
        pytest.param([], 1, None, id="no-mask"),
        pytest.param([[[0]], [[0, 0]]], 1, None, id="two-shapes"),
        pytest.param([[[1]]], 1, None, id="class-too-high"),
        pytest.param([[[0]]], 1, [1.0, 1.0], id="too-many-weights"),
        pytest.param([[[0]]], 1, [-1.0], id="negative-weight"),
        pytest.param([[[0]]], 1, [np.nan], id="nan-weight"),
        pytest.param([[[0]]], 1, [0.0], id="all-zero"),
        pytest.param([[[0]]], 1, [1e30], id="too-large-for-exact-sums"),
    ],
)
def test_input_that_makes_no_sense_is_refused(grids, n_classes, weights):
    with pytest.raises(ValueError, match=r"mask|weight"):
        fuse(masks(*grids), n_classes, weights=None if weights is None else np.array(weights))


def test_noise_gives_the_same_as_the_plain_vote():
    random = np.random.default_rng(3)
    grids = random.integers(0, 40, (9, 300, 400))
    counts = np.zeros((40, 300, 400), int)
    for grid in grids:
        counts += grid == np.arange(40)[:, None, None]
    result = fuse(masks(*grids), n_classes=40)
    np.testing.assert_array_equal(result.mask.to_array(), counts.argmax(axis=0))
    assert result.mean_share == pytest.approx(counts.max(axis=0).mean() / 9)
