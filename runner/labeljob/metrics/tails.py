"""Probabilities of a distribution's tail, without the seconds and megabytes of a library for it."""

import math

_NEGLIGIBLE = 1e-17


def binomial_tail(count: int, trials: int, probability: float) -> float:
    """Probability of `count` successes or more [1]_.

    Parameters
    ----------
    count : int
        Successes; what is above `trials` never happens.
    trials : int
        Independent trials, at least 0.
    probability : float
        Of success in each trial, in [0, 1].

    Returns
    -------
    float
        In [0, 1].

    References
    ----------
    .. [1] M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964, 26.1.20.

    Examples
    --------
    >>> round(binomial_tail(2, 3, 0.5), 9)
    0.5
    """
    if count <= 0:
        return 1.0
    if count > trials:
        return 0.0
    if count <= trials * probability:  # the other tail is the one whose terms only fall
        return 1.0 - binomial_tail(trials - count + 1, trials, 1.0 - probability)
    if probability <= 0.0:
        return 0.0
    odds = probability / (1.0 - probability)
    term = math.exp(
        math.lgamma(trials + 1)
        - math.lgamma(count + 1)
        - math.lgamma(trials - count + 1)
        + count * math.log(probability)
        + (trials - count) * math.log1p(-probability)
    )
    total = 0.0
    while term > total * _NEGLIGIBLE:
        total += term
        term *= odds * (trials - count) / (count + 1)
        count += 1
    return min(total, 1.0)


def chi_squared_tail(value: float) -> float:
    """Probability that a chi-squared variable of one degree of freedom is above `value` [1]_.

    References
    ----------
    .. [1] M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964, 26.4.11.

    Examples
    --------
    >>> round(chi_squared_tail(3.841), 3)
    0.05
    """
    return math.erfc(math.sqrt(value / 2.0))
