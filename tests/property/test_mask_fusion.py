from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.aggregation.segmentation import overlay
from groundtruth.aggregation.segmentation.confidence import crowd_probabilities
from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.masks.runs import RunMask
from tests.property.strategies_masks import N_CLASSES, crews, run_masks, weights_for

pytestmark = pytest.mark.slow


def plain_vote(grids, weights, n_classes):
    """The definition: weights in 65536ths, added up pixel by pixel and class by class."""
    units = [round(weight * 65536) for weight in weights]
    votes = np.zeros((n_classes, *grids.shape[1:]), object)
    for grid, unit in zip(grids, units, strict=True):
        for index in range(n_classes):
            votes[index] += unit * (grid == index).astype(object)
    return votes, sum(units)


def crowd_says(shares, weights):
    """The definition of how sure a share of votes is, without a table."""
    units = np.rint(weights * 65536)
    n_workers = float(units.sum() ** 2 / (units**2).sum())
    fewer = max(1, int(n_workers))
    few, many = (
        np.interp(shares, np.arange(number + 1) / number, crowd_probabilities(number))
        for number in (fewer, fewer + 1)
    )
    return few + max(n_workers - fewer, 0) * (many - few)


def plain_iou(sure, chosen):
    """The definition of the expected intersection over union, with the border's doubt."""
    inside, pixels = sure[chosen].sum(), chosen.sum()
    union = pixels + sure[~chosen].sum()
    sides = (chosen[1:] != chosen[:-1]).sum() + (chosen[:, 1:] != chosen[:, :-1]).sum()
    moved = min(np.pi / 32 * sides, union - inside)
    return inside * (1 - moved / pixels) / (union + moved)


@given(crews(), st.data())
def test_fusion_is_the_plain_vote_on_every_pixel(grids, data):
    weights = data.draw(weights_for(len(grids)))
    votes, total = plain_vote(grids, weights, N_CLASSES)
    result = fuse(run_masks(grids), N_CLASSES, weights=weights)
    expected = votes.argmax(axis=0)
    np.testing.assert_array_equal(result.mask.to_array(), expected)
    best = votes.max(axis=0)
    n_pixels = best.size
    assert result.mean_share == float(Fraction(int(best.sum()), total * n_pixels))
    assert result.tied_share == ((votes == best).sum(axis=0) > 1).sum() / n_pixels
    assert result.disputed_share == (grids != grids[0]).any(axis=0).sum() / n_pixels
    for index in range(N_CLASSES):
        sure = crowd_says(votes[index].astype(float) / total, weights)
        pixels = int((expected == index).sum())
        assert result.class_pixels[index] == pixels
        if pixels:
            iou = plain_iou(sure, expected == index)
            np.testing.assert_allclose(result.class_confidence[index], iou, atol=1e-3)
        else:
            assert np.isnan(result.class_confidence[index])


@given(crews(max_workers=6), st.data())
def test_one_more_who_agrees_with_the_result_never_lowers_a_confidence(grids, data):
    weights = data.draw(weights_for(len(grids) + 1))
    weights[0] += 0.25
    before = fuse(run_masks(grids), N_CLASSES, weights=weights[:-1])
    after = fuse([*run_masks(grids), before.mask], N_CLASSES, weights=weights)
    np.testing.assert_array_equal(after.mask.to_array(), before.mask.to_array())
    known = before.class_pixels > 0
    assert (after.class_confidence[known] >= before.class_confidence[known] - 1e-3).all()


@given(crews(), st.data())
def test_the_order_of_workers_does_not_matter(grids, data):
    weights = data.draw(weights_for(len(grids)))
    order = data.draw(st.permutations(range(len(grids))))
    one = fuse(run_masks(grids), N_CLASSES, weights=weights)
    other = fuse(run_masks(grids[order]), N_CLASSES, weights=weights[order])
    np.testing.assert_array_equal(one.mask.starts, other.mask.starts)
    np.testing.assert_array_equal(one.mask.classes, other.mask.classes)
    np.testing.assert_array_equal(one.class_confidence, other.class_confidence)
    assert one.mean_share == other.mean_share


@given(crews(max_workers=5), st.integers(1, 7))
def test_pieces_and_single_pixels_change_nothing(grids, max_runs):
    whole = fuse(run_masks(grids), N_CLASSES)
    masks = [
        RunMask(np.arange(grid.size), grid.ravel().astype(np.uint16), grid.shape) for grid in grids
    ]
    limit, overlay._MAX_RUNS = overlay._MAX_RUNS, max_runs
    try:
        pieces = fuse(masks, N_CLASSES)
    finally:
        overlay._MAX_RUNS = limit
    np.testing.assert_array_equal(whole.mask.starts, pieces.mask.starts)
    np.testing.assert_array_equal(whole.mask.classes, pieces.mask.classes)
    np.testing.assert_array_equal(whole.class_confidence, pieces.class_confidence)


@given(crews())
def test_large_class_numbers_change_nothing(grids):
    small = fuse(run_masks(grids), N_CLASSES)
    large = fuse(run_masks(grids * 16000), 65536)
    np.testing.assert_array_equal(small.mask.to_array() * 16000, large.mask.to_array())
    np.testing.assert_array_equal(small.class_confidence, large.class_confidence[::16000][:5])


@given(crews(max_workers=4), st.permutations(range(1, N_CLASSES)))
def test_renaming_classes_renames_the_result_where_nothing_ties(grids, names):
    renamed = np.array([0, *names])
    result = fuse(run_masks(grids), N_CLASSES)
    other = fuse(run_masks(renamed[grids]), N_CLASSES)
    votes, _ = plain_vote(grids, np.ones(len(grids)), N_CLASSES)
    clear = (votes == votes.max(axis=0)).sum(axis=0) == 1
    np.testing.assert_array_equal(
        renamed[result.mask.to_array()][clear], other.mask.to_array()[clear]
    )


@given(crews(max_workers=1), st.integers(1, 9))
def test_unanimous_workers_get_their_mask_back(grids, n_workers):
    result = fuse(run_masks(grids) * n_workers, N_CLASSES)
    np.testing.assert_array_equal(result.mask.to_array(), grids[0])
    assert result.mean_share == 1.0
