from fractions import Fraction
from math import comb

import numpy as np
import pytest

from groundtruth.aggregation.mask_confidence import crowd_probabilities
from groundtruth.aggregation.mask_fusion import fuse
from groundtruth.masks.runs import RunMask


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
    assert alike[1] == pytest.approx(0.625)
    assert known[1] > 0.95


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
