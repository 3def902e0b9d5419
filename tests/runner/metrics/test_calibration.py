"""Figures of confidences."""

import math

import numpy as np
import pytest

from labeljob.metrics.scores import (
    bin_by_confidence,
    compute_calibration_error,
    measure_confidences,
)


@pytest.mark.parametrize(
    ("confidences", "right", "expected"),
    [
        pytest.param([1.0, 1.0], [1, 1], 0.0, id="sure-and-right"),
        pytest.param([1.0, 1.0], [0, 0], 1.0, id="sure-and-wrong"),
        pytest.param([0.75] * 4, [1, 1, 1, 0], 0.0, id="as-often-as-it-says"),
        pytest.param([0.5, 0.5, 1.0, 1.0], [1, 1, 1, 0], 0.5, id="two-bins"),
    ],
)
def test_calibration_error(confidences, right, expected):
    for equal_mass in (False, True):
        bins = bin_by_confidence(np.array(confidences), np.array(right), equal_mass=equal_mass)
        assert compute_calibration_error(bins) == pytest.approx(expected)


def test_equal_confidences_share_a_bin():
    bins = bin_by_confidence(np.full(100, 0.95), np.ones(100), equal_mass=True)
    assert [one.count for one in bins] == [100]


def test_bins_of_equal_mass_hold_about_equally_many():
    confidences = np.linspace(0.5, 1, 150)
    counts = [one.count for one in bin_by_confidence(confidences, np.ones(150), equal_mass=True)]
    assert sum(counts) == 150
    assert max(counts) <= 11


def test_what_cannot_be_told_is_no_number():
    figures = measure_confidences([0.9, 0.8], [1.0, 1.0])
    assert math.isnan(figures["auroc"])
    assert figures["brier"] == pytest.approx((0.01 + 0.04) / 2)
    assert measure_confidences([], []) == {}
