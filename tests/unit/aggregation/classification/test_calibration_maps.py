import numpy as np
import pytest

from benchmarks.common.scores import equal_width_gap
from groundtruth.aggregation.classification.calibration_maps import (
    IsotonicMap,
    LogisticMap,
    cross_validated,
    fit_isotonic,
    fit_logistic,
)


@pytest.fixture
def overconfident():
    """Confidences whose logits are twice too large, and whether the labels were right."""
    rng = np.random.default_rng(0)
    logits = rng.uniform(0.0, 3.0, 2000)
    right = rng.random(2000) < 1 / (1 + np.exp(-logits))
    return 1 / (1 + np.exp(-2 * logits)), right


def test_the_logistic_map_finds_the_slope(overconfident):
    fitted = fit_logistic(*overconfident)
    assert fitted.slope == pytest.approx(0.5, abs=0.05)
    assert fitted.offset == pytest.approx(0.0, abs=0.15)


def test_without_items_the_map_changes_nothing():
    assert fit_logistic(np.empty(0), np.empty(0, dtype=bool)) == LogisticMap(0.0, 1.0)


def test_few_items_move_the_map_little():
    fitted = fit_logistic(np.array([0.9]), np.array([False]))
    assert abs(fitted.offset) < 0.5
    assert fitted.slope > 0.5


def test_the_slope_never_turns_the_order_around():
    confidences = np.repeat([0.6, 0.99], 200)
    assert fit_logistic(confidences, confidences < 0.8).slope == 0.0


@pytest.mark.parametrize("fit", [fit_logistic, fit_isotonic])
def test_maps_lower_the_error_on_items_they_did_not_see(fit, overconfident):
    confidences, right = overconfident
    mapped = cross_validated(fit, confidences, right, rng=np.random.default_rng(1))
    assert equal_width_gap(mapped, right) < 0.5 * equal_width_gap(confidences, right)


def test_isotonic_steps_rise_and_stay_off_zero_and_one(overconfident):
    fitted = fit_isotonic(*overconfident)
    assert list(fitted.accuracies) == sorted(fitted.accuracies)
    assert fitted.accuracies[0] > 0.0
    assert fitted.accuracies[-1] < 1.0


def test_isotonic_pools_neighbours_that_fall():
    fitted = fit_isotonic(np.array([0.2, 0.4, 0.9]), np.array([True, False, True]))
    assert fitted == IsotonicMap(
        (pytest.approx(0.3), pytest.approx(0.9)), (pytest.approx(1.3 / 3), pytest.approx(0.95))
    )


@pytest.mark.parametrize(
    ("confidences", "right"),
    [
        pytest.param([0.5], [True, False], id="lengths-differ"),
        pytest.param([1.5], [True], id="above-one"),
        pytest.param([np.nan], [True], id="not-a-number"),
    ],
)
def test_bad_arguments_are_refused(confidences, right):
    with pytest.raises(ValueError, match="confidences"):
        fit_logistic(np.array(confidences), np.array(right))


def test_other_bad_arguments_are_refused(overconfident):
    with pytest.raises(ValueError, match="prior_items"):
        fit_logistic(*overconfident, prior_items=0.0)
    with pytest.raises(ValueError, match="at least one item"):
        fit_isotonic(np.empty(0), np.empty(0, dtype=bool))
    with pytest.raises(ValueError, match="n_folds"):
        cross_validated(fit_logistic, *overconfident, n_folds=1, rng=np.random.default_rng(0))
