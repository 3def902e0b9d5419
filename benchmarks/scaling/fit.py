"""Powers that time and memory grow with, fitted by least squares in the logarithms of both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_POINTS = 3
_T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


@dataclass(frozen=True)
class Power:
    """How something grows with a size.

    Attributes
    ----------
    exponent : float
        1 is in proportion, 0 not at all.
    low, high : float
        Where the exponent lies with 95 % confidence, by Student's distribution.
    r2 : float
        Share of the variance of the logarithms that the power explains. Little of a variance
        that is small anyway, when nothing grows.
    """

    exponent: float
    low: float
    high: float
    r2: float


def fitted(sizes: Sequence[float], values: Sequence[float]) -> Power | None:
    """Fit a power.

    Parameters
    ----------
    sizes, values : sequence of float
        Positive, the same number of both, at most 12.

    Returns
    -------
    Power or None
        None if there are fewer than 3 points.

    Examples
    --------
    >>> round(fitted([1, 10, 100], [2, 20, 200]).exponent, 6)
    1.0
    """
    if len(sizes) < FEWEST_POINTS:
        return None
    x, y = np.log(np.array(sizes, dtype=float)), np.log(np.array(values, dtype=float))
    x, y = x - x.mean(), y - y.mean()
    exponent = (x @ y) / (x @ x)
    left = y - exponent * x
    free = len(sizes) - 2
    margin = _T_975[free - 1] * np.sqrt((left @ left) / free / (x @ x))
    r2 = 1.0 - (left @ left) / (y @ y) if y @ y > 0 else 1.0
    return Power(float(exponent), float(exponent - margin), float(exponent + margin), float(r2))
