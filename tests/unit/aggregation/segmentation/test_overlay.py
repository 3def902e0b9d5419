import numpy as np
import pytest

from groundtruth.aggregation.segmentation import overlay
from groundtruth.aggregation.segmentation.overlay import (
    check_masks,
    codes_of,
    first_of_each,
    overlays,
)
from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.masks.runs import RunMask


def check(masks, grids):
    """See that pieces follow each other and tell each worker's class on each pixel."""
    end, expected = 0, grids.reshape(len(grids), -1)
    for piece in overlays(masks):
        assert piece.starts[0] == end
        begin = end
        end += int(piece.pixels.sum())
        lengths = np.diff(piece.starts, append=end)
        seen = np.repeat(piece.votes[:, piece.patterns], lengths, axis=1)
        np.testing.assert_array_equal(seen, expected[:, begin:end])
    assert end == expected.shape[1]


@pytest.mark.parametrize("n_classes", [2, 7, 300, 65536])
@pytest.mark.parametrize("n_workers", [1, 4, 9])
@pytest.mark.parametrize("run_length", [1, 30])
@pytest.mark.parametrize("max_runs", [50, 1 << 18])
def test_segments_and_patterns_tell_every_workers_vote(
    n_classes, n_workers, run_length, max_runs, monkeypatch
):
    monkeypatch.setattr(overlay, "_MAX_RUNS", max_runs)
    random = np.random.default_rng(4)
    values = random.integers(0, n_classes, (n_workers, 60 * 60 // run_length))
    grids = np.repeat(values, run_length, axis=1).reshape(n_workers, 60, 60)
    check([RunMask.from_array(grid) for grid in grids], grids)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int64])
@pytest.mark.parametrize("n_workers", [1, 9])
@pytest.mark.parametrize("run_length", [1, 30])
@pytest.mark.parametrize(
    ("strip", "max_segments"), [(1 << 17, 1 << 18), (100, 1 << 18), (700, 200), (3601, 10)]
)
def test_class_maps_need_no_runs(kind, n_workers, run_length, strip, max_segments, monkeypatch):
    monkeypatch.setattr(overlay, "_STRIP", strip)
    monkeypatch.setattr(overlay, "_MAX_SEGMENTS", max_segments)
    random = np.random.default_rng(5)
    n_classes = 200 if kind == np.uint8 else 65536
    values = random.integers(0, n_classes, (n_workers, 60 * 60 // run_length))
    grids = np.repeat(values, run_length, axis=1).reshape(n_workers, 60, 60).astype(kind)
    check(list(grids), grids)
    check([grid[:, ::-1] for grid in grids], grids[:, :, ::-1])


def test_noise_and_drawing_in_one_class_map(monkeypatch):
    monkeypatch.setattr(overlay, "_STRIP", 500)
    random = np.random.default_rng(6)
    grids = np.zeros((3, 60, 60), np.uint8)
    grids[:, :, 20:] = 3
    grids[:, 20:40] = random.integers(0, 11, (3, 20, 60))
    check(list(grids), grids)
    assert {piece.single_pixels for piece in overlays(list(grids))} == {True, False}


@pytest.mark.parametrize(
    ("maps", "n_classes"),
    [
        pytest.param([np.array([[0, 3]])], 3, id="class-too-high"),
        pytest.param([np.array([[0, -1]])], 3, id="class-below-zero"),
        pytest.param([np.array([[0, 1 << 40]])], 1 << 16, id="class-that-16-bits-would-cut"),
        pytest.param([np.array([[0, 256]]), np.array([[0, 0]], np.uint8)], 3, id="two-types"),
        pytest.param([np.array([[0.0, 1.0]])], 3, id="fractions"),
        pytest.param([np.array([[True, False]])], 3, id="truths"),
        pytest.param([np.array([0, 1])], 3, id="flat"),
        pytest.param([np.zeros((0, 2), int)], 3, id="no-pixel"),
        pytest.param([np.zeros((1, 2), int), np.zeros((2, 1), int)], 3, id="two-shapes"),
        pytest.param(
            [np.zeros((1, 2), int), RunMask.from_array(np.zeros((1, 2), int))], 3, id="two-kinds"
        ),
        pytest.param([], 3, id="none"),
    ],
)
def test_what_are_no_class_maps_is_refused(maps, n_classes):
    with pytest.raises(ValueError, match=r"mask|class map"):
        fuse(maps, n_classes)


@pytest.mark.parametrize("n_classes", [2, 11, 256, 65536])
def test_columns_of_votes_have_one_code_if_they_are_equal(n_classes):
    votes = np.random.default_rng(7).integers(0, n_classes, (9, 400)).astype(np.uint16)
    votes[:, 300:] = votes[:, :100]
    codes = codes_of(votes)
    np.testing.assert_array_equal(codes[300:], codes[:100])
    assert len(set(codes)) == len(np.unique(votes, axis=1).T)


def test_codes_that_share_a_slot_are_kept_apart():
    codes = np.arange(200_000) * (1 << 40) + np.arange(200_000) % 3
    doubled = np.concatenate([codes, codes[::-1]])
    chosen, members = first_of_each(doubled)
    np.testing.assert_array_equal(doubled[chosen], doubled)
    np.testing.assert_array_equal(chosen[:200_000], chosen[200_000:][::-1])
    assert members.size == 200_000


@pytest.mark.parametrize("as_runs", [False, True])
def test_more_classes_than_a_mask_can_tell_are_refused(as_runs):
    grid = np.zeros((2, 2), np.uint16)
    masks = [RunMask.from_array(grid) if as_runs else grid]
    assert check_masks(masks, 65_536) == (2, 2)
    with pytest.raises(ValueError, match="65536 classes"):
        fuse(masks, 65_537)
