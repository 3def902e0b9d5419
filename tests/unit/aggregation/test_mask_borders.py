import numpy as np
import pytest

from groundtruth.aggregation import mask_borders
from groundtruth.aggregation.mask_borders import border_lengths
from groundtruth.masks.runs import RunMask


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
    monkeypatch.setattr(mask_borders, "_RUNS", -(-mask.starts.size // pieces))
    assert border_lengths(mask, 3).tolist() == whole == plain(grid, 3)
