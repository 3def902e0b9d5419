import numpy as np
import pytest
from skimage.filters import gaussian

from groundtruth.aggregation.segmentation import smoothing
from groundtruth.aggregation.segmentation.smoothing import break_ties_by_neighbours, clean, smooth
from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.masks.runs import RunMask


def crew(n_workers, shape=(40, 50), n_classes=4, seed=2):
    """Workers who draw rectangles, each a little differently."""
    random = np.random.default_rng(seed)
    grids = np.zeros((n_workers, *shape), np.uint16)
    for index in range(1, n_classes):
        top, left = random.integers(0, shape[0] - 15), random.integers(0, shape[1] - 15)
        for grid in grids:
            dy, dx = random.integers(0, 5, 2)
            grid[top + dy : top + dy + 10, left + dx : left + dx + 10] = index
    return grids


def plain_smoothing(grids, sigma, n_classes):
    maps = [
        gaussian((grids == index).mean(axis=0), sigma, mode="nearest", truncate=4.0)
        for index in range(n_classes)
    ]
    return np.argmax(np.round(maps, 12), axis=0)


@pytest.mark.parametrize("band_pixels", [1, 500, 1 << 18])
@pytest.mark.parametrize("sigma", [0.7, 1.0, 3.0])
def test_smoothing_is_a_blur_of_each_classs_votes_where_workers_differ(
    sigma, band_pixels, monkeypatch
):
    monkeypatch.setattr(smoothing, "_BAND_PIXELS", band_pixels)
    grids = crew(5)
    result = smooth([RunMask.from_array(grid) for grid in grids], 4, sigma=sigma).to_array()
    disputed = (grids != grids[0]).any(axis=0)
    np.testing.assert_array_equal(result[~disputed], grids[0][~disputed])
    expected = plain_smoothing(grids, sigma, 4)
    assert (result == expected)[disputed].mean() > 0.999


def test_a_lonely_vote_is_smoothed_away():
    grids = np.zeros((3, 9, 9), int)
    grids[:2, 4, 4] = 1
    masks = [RunMask.from_array(grid) for grid in grids]
    assert fuse(masks, 2).mask.to_array().sum() == 1
    assert smooth(masks, 2, sigma=1).to_array().sum() == 0


@pytest.mark.parametrize("sigma", [0, -1, 3.1, np.nan])
def test_a_blur_too_wide_or_none_is_refused(sigma):
    with pytest.raises(ValueError, match="sigma"):
        smooth([RunMask.from_array(np.zeros((2, 2), int))], 1, sigma=sigma)


def test_only_ties_change_and_only_to_a_tied_class():
    grids = crew(4)
    masks = [RunMask.from_array(grid) for grid in grids]
    plain = fuse(masks, 4).mask.to_array()
    result = break_ties_by_neighbours(masks, 4).to_array()
    counts = (grids == np.arange(4)[:, None, None, None]).sum(axis=1)
    leads = counts == counts.max(axis=0)
    tied = leads.sum(axis=0) > 1
    np.testing.assert_array_equal(result[~tied], plain[~tied])
    assert np.take_along_axis(leads, result[None].astype(int), axis=0).all()
    assert (result != plain).any()


def test_a_tie_goes_where_the_neighbours_are():
    grids = np.zeros((2, 7, 7), int)
    grids[0] = 1
    grids[1] = 1
    grids[1, 3, 3] = 0
    masks = [RunMask.from_array(grid) for grid in grids]
    assert fuse(masks, 2).mask.to_array()[3, 3] == 0
    assert break_ties_by_neighbours(masks, 2).to_array()[3, 3] == 1


def test_workers_without_weight_have_no_say():
    grids = crew(3)
    masks = [RunMask.from_array(grid) for grid in grids]
    result = smooth(masks, 4, sigma=1, weights=np.array([1.0, 0.0, 0.0]))
    np.testing.assert_array_equal(result.to_array(), grids[0])


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
