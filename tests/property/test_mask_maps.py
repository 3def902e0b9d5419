import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.aggregation.segmentation import overlay
from groundtruth.aggregation.segmentation.one_coin_em import fuse_by_one_coin
from groundtruth.aggregation.segmentation.voting import fuse
from tests.property.strategies_masks import N_CLASSES, crews, run_masks, weights_for

KINDS = [np.uint8, np.uint16, np.int32, np.int64]


def assert_equal(one, other):
    np.testing.assert_array_equal(one.mask.starts, other.mask.starts)
    np.testing.assert_array_equal(one.mask.classes, other.mask.classes)
    np.testing.assert_array_equal(one.class_confidence, other.class_confidence)
    np.testing.assert_array_equal(one.class_pixels, other.class_pixels)
    for name in ("mean_share", "tied_share", "disputed_share"):
        assert getattr(one, name) == getattr(other, name)


@given(crews(), st.data(), st.sampled_from(KINDS), st.integers(1, 200), st.integers(1, 100))
def test_class_maps_give_what_their_runs_give(grids, data, kind, strip, max_segments):
    weights = data.draw(weights_for(len(grids)))
    expected = fuse(run_masks(grids), N_CLASSES, weights=weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlay, "_STRIP", strip)
        patch.setattr(overlay, "_MAX_SEGMENTS", max_segments)
        assert_equal(fuse(list(grids.astype(kind)), N_CLASSES, weights=weights), expected)


@given(crews())
def test_the_model_and_the_vote_by_it_are_the_same_at_once_and_one_by_one(grids):
    masks = run_masks(grids)
    fused, model = fuse_by_one_coin(masks, N_CLASSES)
    expected = fuse(masks, N_CLASSES, weights=model.weights)
    for crew in (masks, list(grids.astype(np.uint8))):
        found = fuse_by_one_coin(crew, N_CLASSES)[1]
        np.testing.assert_allclose(found.accuracies, model.accuracies)
        np.testing.assert_allclose(found.weights, model.weights)
    assert_equal(fused, expected)


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
def test_the_model_is_that_of_every_pixel(grids, rounds, strip):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlay, "_STRIP", strip)
        _, model = fuse_by_one_coin(list(grids), N_CLASSES, max_iterations=rounds, tolerance=-1)
    assert model.iterations == rounds
    np.testing.assert_allclose(model.accuracies, plain_model(grids, N_CLASSES, rounds), atol=1e-9)
