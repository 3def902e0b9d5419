"""Tail probabilities, beside SciPy's."""

import math

import pytest
from scipy.stats import binom, chi2

from labeljob.metrics.tails import binomial_tail, chi_squared_tail


@pytest.mark.parametrize("trials", [1, 8, 57, 5000])
@pytest.mark.parametrize("probability", [0.0, 1e-5, 0.3, 0.5, 0.97, 1.0])
def test_the_binomial_tail_is_that_of_scipy(trials, probability):
    for count in {0, 1, trials // 2, trials - 1, trials, trials + 1}:
        expected = binom.sf(count - 1, trials, probability)
        assert binomial_tail(count, trials, probability) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("value", [0.0, 1e-3, 3.841, 50.0])
def test_the_tail_of_chi_squared_is_that_of_scipy(value):
    assert math.isclose(chi_squared_tail(value), chi2.sf(value, 1), rel_tol=1e-9)
