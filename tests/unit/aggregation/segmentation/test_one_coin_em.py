import numpy as np
import pytest

from groundtruth.aggregation.segmentation.one_coin_em import fuse_by_one_coin
from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.masks.runs import RunMask


def crew(accuracies, n_classes=3, shape=(60, 60), seed=1):
    random = np.random.default_rng(seed)
    truth = random.integers(0, n_classes, shape)
    grids = []
    for accuracy in accuracies:
        wrong = (truth + random.integers(1, n_classes, shape)) % n_classes
        grids.append(np.where(random.random(shape) < accuracy, truth, wrong))
    return truth, [RunMask.from_array(grid) for grid in grids]


def test_accuracies_are_found_again():
    accuracies = [0.9, 0.9, 0.6, 0.5, 0.4]
    truth, masks = crew(accuracies)
    found, result = fuse_by_one_coin(masks, n_classes=3)
    assert result.converged
    np.testing.assert_allclose(result.accuracies, accuracies, atol=0.04)
    plain = fuse(masks, 3).mask.to_array() == truth
    weighted = found.mask.to_array() == truth
    assert weighted.mean() > plain.mean() + 0.02


def test_alike_workers_get_alike_weights():
    grid = np.arange(12).reshape(3, 4) % 3
    masks = [RunMask.from_array(grid)] * 3
    weights = fuse_by_one_coin(masks, n_classes=3)[1].weights
    assert weights[0] == weights[1] == weights[2] > 0


def test_nobody_is_better_than_a_guess():
    masks = [RunMask.from_array(np.array([[index]])) for index in range(2)]
    _, result = fuse_by_one_coin(masks, n_classes=2)
    np.testing.assert_array_equal(result.weights, [1, 1])


def test_rounds_are_limited_and_told():
    _, masks = crew([0.9, 0.7, 0.5])
    _, result = fuse_by_one_coin(masks, n_classes=3, max_iterations=2, tolerance=0)
    assert (result.iterations, result.converged) == (2, False)


@pytest.mark.parametrize(
    ("n_classes", "max_iterations"),
    [pytest.param(1, 5, id="one-class"), pytest.param(2, 0, id="no-round")],
)
def test_settings_that_make_no_sense_are_refused(n_classes, max_iterations):
    masks = [RunMask.from_array(np.array([[0]]))]
    with pytest.raises(ValueError, match="two classes and one round"):
        fuse_by_one_coin(masks, n_classes, max_iterations=max_iterations)


def test_one_worker_is_believed():
    _, result = fuse_by_one_coin([RunMask.from_array(np.array([[0, 1]]))], n_classes=2)
    assert result.weights.shape == (1,)
    assert result.weights[0] > 0


@pytest.mark.parametrize("n_classes", [2, 3, 6, 7, 14, 19])
def test_a_worker_no_better_than_a_guess_weighs_nothing(n_classes):
    truth = np.arange(40).reshape(5, 8) % n_classes
    masks = [RunMask.from_array(grid) for grid in (truth, truth, (truth + 1) % n_classes)]
    weights = fuse_by_one_coin(masks, n_classes)[1].weights
    assert weights[0] > 1
    assert weights[2] == pytest.approx(0)
    assert weights[2] >= 0
