import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.aggregation.segmentation import overlay
from groundtruth.aggregation.segmentation.one_coin_em import fuse_by_one_coin
from groundtruth.aggregation.segmentation.voting import fuse
from tests.property.strategies_masks import N_CLASSES, crews, run_masks

pytestmark = pytest.mark.slow


@given(crews())
def test_the_masks_are_voted_on_by_the_models_weights(grids):
    masks = run_masks(grids)
    fused, model = fuse_by_one_coin(masks, N_CLASSES)
    expected = fuse(masks, N_CLASSES, weights=model.weights)
    np.testing.assert_array_equal(fused.mask.starts, expected.mask.starts)
    np.testing.assert_array_equal(fused.mask.classes, expected.mask.classes)
    np.testing.assert_array_equal(fused.class_confidence, expected.class_confidence)
    assert fused.mean_share == expected.mean_share


def plain_model(grids, n_classes, rounds):
    """The definition: a probability of each class on each pixel, and accuracies from it."""
    votes = grids.reshape(len(grids), -1)
    shares = np.array([(votes == index).mean(axis=0) for index in range(n_classes)])
    for _ in range(rounds + 1):
        accuracies = np.array([shares[row, np.arange(row.size)].mean() for row in votes])
        right = np.clip(accuracies, 1 / n_classes, 1 - 1e-6)
        logs = np.zeros((n_classes, votes.shape[1]))
        for row, accuracy in zip(votes, right, strict=True):
            for index in range(n_classes):
                wrong = (1 - accuracy) / (n_classes - 1)
                logs[index] += np.log(np.where(row == index, accuracy, wrong))
        shares = np.exp(logs - logs.max(axis=0))
        shares /= shares.sum(axis=0)
    return accuracies


@given(crews(max_workers=5), st.integers(1, 3), st.integers(1, 50))
def test_the_model_is_that_of_every_pixel(grids, rounds, max_runs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlay, "_MAX_RUNS", max_runs)
        _, model = fuse_by_one_coin(
            run_masks(grids), N_CLASSES, max_iterations=rounds, tolerance=-1
        )
    assert model.iterations == rounds
    np.testing.assert_allclose(model.accuracies, plain_model(grids, N_CLASSES, rounds), atol=1e-9)
