from fractions import Fraction
from math import comb

import numpy as np
import pytest

from groundtruth.aggregation.segmentation import overlay
from groundtruth.aggregation.segmentation.confidence import (
    border_lengths,
    crowd_probabilities,
    disagreement,
)
from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.masks.runs import RunMask

MOVED = np.pi / 32  # pixels for each side of a pixel along a border


def confidence(*grids, weights=None):
    crew = [RunMask.from_array(np.array([grid])) for grid in grids]
    trust = None if weights is None else np.array(weights)
    return fuse(crew, n_classes=2, weights=trust).class_confidence


@pytest.mark.parametrize("n_workers", [1, 2, 3, 4, 5, 9, 50])
def test_a_side_and_the_other_are_sure_together(n_workers):
    known = crowd_probabilities(n_workers)
    assert known.shape == (n_workers + 1,)
    assert (np.diff(known) > 0).all()
    assert (known[0], known[-1]) == (0, 1)
    np.testing.assert_allclose(known + known[::-1], 1)


def test_the_same_share_of_more_votes_is_surer():
    two_thirds = [crowd_probabilities(n)[2 * n // 3] for n in (3, 6, 9, 30)]
    assert two_thirds == sorted(two_thirds)
    assert two_thirds[0] < 2 / 3 < two_thirds[1]


def test_probabilities_cannot_be_changed_by_mistake():
    with pytest.raises(ValueError, match="read-only"):
        crowd_probabilities(3)[0] = 1


def test_a_careless_worker_hardly_lowers_the_confidence():
    crew = ([1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0])
    alike, known = confidence(*crew), confidence(*crew, weights=[1, 1, 1 / 16])
    assert alike[1] == pytest.approx(1.25 * (1 - MOVED / 2) / (2 + MOVED))
    assert known[1] > 0.9


def test_a_longer_border_is_less_sure():
    outlines = np.zeros((3, 12, 30), int)
    outlines[:, 1:7, 1:7] = 1  # a square
    outlines[:, 9:11, 1:19] = 2  # as many pixels in a strip
    outlines[2, 1:7, 5:7] = outlines[2, 9:11, 13:19] = 0  # and as many votes against them
    found = fuse([RunMask.from_array(grid) for grid in outlines], n_classes=3).class_confidence
    inside = 24 + 12 * 0.625
    for index, sides in ((1, 24), (2, 40)):
        moved = MOVED * sides
        assert found[index] == pytest.approx(inside * (1 - moved / 36) / (36 + moved))


def test_a_border_on_which_nearly_all_agree_is_nearly_sure():
    outlines = np.zeros((3, 20, 20), int)
    outlines[:, 5:15, 5:15] = 1
    outlines[2, 5, 5] = 0
    found = fuse([RunMask.from_array(grid) for grid in outlines], n_classes=2).class_confidence
    assert found[1] == pytest.approx((100 - 0.375) * (1 - 0.375 / 100) / 100.375)


def test_weights_count_by_their_ratios_alone():
    crew, weights = ([1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0]), np.array([1.0, 0.75, 0.25])
    np.testing.assert_array_equal(
        confidence(*crew, weights=weights), confidence(*crew, weights=16 * weights)
    )


def test_any_weights_are_near_simple_ones():
    crew = ([1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0])
    simple, close = confidence(*crew, weights=[2, 1, 1]), confidence(*crew, weights=[2.0001, 1, 1])
    np.testing.assert_allclose(close, simple, atol=1e-3)


@pytest.mark.parametrize("n_workers", [3, 62, 63, 67, 1100])
def test_probabilities_are_exact_for_any_number_of_workers(n_workers):
    found, throws = crowd_probabilities(n_workers), n_workers + 1
    heads = 0
    for votes in range(n_workers // 2 + 1):
        heads += comb(throws, votes)
        if votes > 1:  # the first two are known to differ
            assert found[votes] == float(Fraction(heads, 2**throws))
    assert np.all(np.diff(found) >= 0)
    np.testing.assert_allclose(found + found[::-1], 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_workers", [63, 67])
def test_a_large_crew_is_sure_of_what_most_say(n_workers):
    found = confidence(*[[1, 1, 0, 0]] * (n_workers - 3), *[[0, 1, 0, 0]] * 3)
    assert found == pytest.approx(np.ones(2), abs=1e-6)


def plain(grid, n_classes):
    """Sides of pixels between each class and another, one after the other."""
    lengths = [0] * n_classes
    for row in range(grid.shape[0]):
        for column in range(grid.shape[1]):
            for other in ((row + 1, column), (row, column + 1)):
                if other[0] < grid.shape[0] and other[1] < grid.shape[1]:
                    classes = {int(grid[row, column]), int(grid[other])}
                    for index in classes if len(classes) == 2 else ():
                        lengths[index] += 1
    return lengths


@pytest.mark.parametrize("blown_up", [1, 2, 7], ids=["pixels", "small-runs", "long-runs"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (5, 4), (3, 8)])
@pytest.mark.parametrize("n_classes", [1, 2, 5])
def test_each_side_between_two_classes_counts_for_both(shape, n_classes, blown_up):
    grid = np.random.default_rng(shape).integers(0, n_classes, shape)
    grid = grid.repeat(blown_up, axis=0).repeat(blown_up, axis=1)
    found = border_lengths(RunMask.from_array(grid), n_classes)
    assert found.tolist() == plain(grid, n_classes)


def test_equal_runs_side_by_side_have_no_border():
    mask = RunMask(np.arange(0, 120, 10), np.zeros(12, np.uint16), (6, 20))
    assert border_lengths(mask, 2).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("rows", "columns", "noisy"),
    [
        pytest.param(9, 40_000, slice(0, 9), id="in-more-than-one-piece"),
        pytest.param(400, 3000, slice(100, 150), id="in-some-rows"),
    ],
)
def test_noise(rows, columns, noisy):
    grid = np.zeros((rows, columns), int)
    grid[noisy] = np.random.default_rng(1).integers(0, 3, grid[noisy].shape)
    found = border_lengths(RunMask.from_array(grid), 3)
    for index in range(3):
        chosen = grid == index
        sides = (chosen[1:] != chosen[:-1]).sum() + (chosen[:, 1:] != chosen[:, :-1]).sum()
        assert found[index] == sides


def test_pictures_whose_offsets_need_more_than_four_bytes():
    rows, columns = 50_000, 50_000
    mask = RunMask(
        np.array([0, 25_000 * columns + 7]), np.array([3, 1], np.uint16), (rows, columns)
    )
    assert border_lengths(mask, 4).tolist() == [0, columns + 1, 0, columns + 1]


@pytest.mark.parametrize("pieces", [1, 2, 3, 6, 50])
@pytest.mark.parametrize("blown_up", [1, 9])
def test_pieces_change_nothing(monkeypatch, pieces, blown_up):
    grid = np.random.default_rng(4).integers(0, 3, (6, 5)).repeat(blown_up, axis=1)
    mask = RunMask.from_array(grid)
    whole = border_lengths(mask, 3).tolist()
    monkeypatch.setattr(overlay, "_MAX_RUNS", -(-2 * mask.starts.size // pieces))
    assert border_lengths(mask, 3).tolist() == whole == plain(grid, 3)


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
