"""How far a share that was found may be from what it is a sample of."""

from __future__ import annotations

import math

_NORMAL_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def compute_wilson_interval(successes: float, trials: int) -> tuple[float, float]:
    """Wilson's score interval of a share, 95 % [1]_.

    Parameters
    ----------
    successes : float
        How many there were, in [0, `trials`]; a fraction of one counts as that much.
    trials : int
        Out of how many, at least 0. Of none the interval is all of [0, 1].

    Returns
    -------
    tuple of (float, float)
        Its ends, in [0, 1].

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
       Journal of the American Statistical Association 22, 1927.
       doi:10.1080/01621459.1927.10502953

    Examples
    --------
    >>> [round(end, 3) for end in compute_wilson_interval(9, 10)]
    [0.596, 0.982]
    """
    if not trials:
        return (0.0, 1.0)
    squared = _NORMAL_95**2
    center = (successes + squared / 2) / (trials + squared)
    half = math.sqrt(successes * (trials - successes) / trials + squared / 4)
    half *= _NORMAL_95 / (trials + squared)
    return (max(0.0, center - half), min(1.0, center + half))
