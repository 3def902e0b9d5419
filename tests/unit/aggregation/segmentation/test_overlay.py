import numpy as np
import pytest

from groundtruth.aggregation.segmentation import overlay
from groundtruth.aggregation.segmentation.overlay import (
    check_masks,
    encode_votes,
    find_first_equals,
    overlay_masks,
)
from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.masks.runs import RunMask


def check(masks, grids):
    """See that pieces follow each other and tell each worker's class on each pixel."""
    end, expected = 0, grids.reshape(len(grids), -1)
    for piece in overlay_masks(masks):
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


@pytest.mark.parametrize("n_classes", [2, 11, 256, 65536])
def test_columns_of_votes_have_one_code_if_they_are_equal(n_classes):
    votes = np.random.default_rng(7).integers(0, n_classes, (9, 400)).astype(np.uint16)
    votes[:, 300:] = votes[:, :100]
    codes = encode_votes(votes)
    np.testing.assert_array_equal(codes[300:], codes[:100])
    assert len(set(codes)) == len(np.unique(votes, axis=1).T)


def test_codes_that_share_a_slot_are_kept_apart():
    codes = np.arange(200_000) * (1 << 40) + np.arange(200_000) % 3
    doubled = np.concatenate([codes, codes[::-1]])
    chosen, members = find_first_equals(doubled)
    np.testing.assert_array_equal(doubled[chosen], doubled)
    np.testing.assert_array_equal(chosen[:200_000], chosen[200_000:][::-1])
    assert members.size == 200_000


def test_more_classes_than_a_mask_can_tell_are_refused():
    masks = [RunMask.from_array(np.zeros((2, 2), np.uint16))]
    check_masks(masks, 65_536)
    with pytest.raises(ValueError, match="65536 classes"):
        fuse(masks, 65_537)
