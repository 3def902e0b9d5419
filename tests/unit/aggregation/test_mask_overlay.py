import numpy as np
import pytest

from groundtruth.aggregation import mask_overlay
from groundtruth.aggregation.mask_overlay import overlays
from groundtruth.masks.runs import RunMask


@pytest.mark.parametrize("n_classes", [2, 7, 300, 65536])
@pytest.mark.parametrize("n_workers", [1, 4, 9])
@pytest.mark.parametrize("run_length", [1, 30])
@pytest.mark.parametrize("max_runs", [50, 1 << 18])
def test_segments_and_patterns_tell_every_workers_vote(
    n_classes, n_workers, run_length, max_runs, monkeypatch
):
    monkeypatch.setattr(mask_overlay, "_MAX_RUNS", max_runs)
    random = np.random.default_rng(4)
    values = random.integers(0, n_classes, (n_workers, 60 * 60 // run_length))
    grids = np.repeat(values, run_length, axis=1).reshape(n_workers, 60, 60)
    end, expected = 0, grids.reshape(n_workers, -1)
    for piece in overlays([RunMask.from_array(grid) for grid in grids]):
        assert piece.starts[0] == end
        pixels_before = end
        end += int(piece.pixels.sum())
        lengths = np.diff(piece.starts, append=end)
        seen = np.repeat(piece.votes[:, piece.patterns], lengths, axis=1)
        np.testing.assert_array_equal(seen, expected[:, pixels_before:end])
    assert end == 3600


def test_codes_that_share_a_slot_are_kept_apart():
    codes = np.arange(200_000) * (1 << 40) + np.arange(200_000) % 3
    doubled = np.concatenate([codes, codes[::-1]])
    chosen, members = mask_overlay._first_of_each(doubled)
    np.testing.assert_array_equal(doubled[chosen], doubled)
    np.testing.assert_array_equal(chosen[:200_000], chosen[200_000:][::-1])
    assert members.size == 200_000
