"""Sums of logarithms of ratios, with one logarithm for the votes of several workers."""

import math

import numpy as np

from groundtruth.aggregation.classification.votes import Floats
from groundtruth.aggregation.ranks import Part

_DIGITS = 300
"""A product of numbers stays exact up to about as many decimal places."""

_TINIEST = 1e-300  # whatever is smaller is taken for that


def most_factors(*, smallest: float, largest: float) -> int:
    """Find how many numbers between these, none negative, can be multiplied: at least 1."""
    digits = max(-math.log10(max(smallest, _TINIEST)), math.log10(largest), 1.0)
    return max(int(_DIGITS / digits), 1)


class RatioLogs:
    """Adds log(above / below) of each vote to its item, class by class.

    The ratios of an item's votes are multiplied first, as far as the products can be held:
    a logarithm costs several times as much as a multiplication.

    Parameters
    ----------
    n_items, n_classes : int
        How many there are.
    smallest, largest : float
        Between these lie all numbers above and below; larger than 0.
    """

    def __init__(self, n_items: int, n_classes: int, *, smallest: float, largest: float) -> None:
        self._shape = (n_items, n_classes)
        self._most = most_factors(smallest=smallest, largest=largest)
        self._totals = np.zeros(self._shape)
        self._products = np.empty((2, n_items, n_classes))
        self._multiplied = 0

    def room(self, part: Part, spare: Floats) -> Floats:
        """Return where to put the numbers above and below for the votes of a part.

        Parameters
        ----------
        part : Part
            Votes of a block.
        spare : ndarray of float, shape (2, at least n_votes, n_classes)
            Room that may be used.

        Returns
        -------
        ndarray of float, shape (2, n_votes, n_classes)
        """
        if self._starts_with(part):
            return self._products
        return spare[:, : part.size]

    def add(self, part: Part, sides: Floats, factors: Floats | None) -> None:
        """Add the votes of a part.

        Parameters
        ----------
        part : Part
            The votes.
        sides : ndarray of float, shape (2, n_votes, n_classes)
            The numbers above and below, where `room` wanted them; not needed any more.
        factors : ndarray of float, shape (n_votes,), optional
            Each vote's logarithms are multiplied with this.
        """
        if factors is not None or not isinstance(part.items, slice):
            logs = _logs(sides)
            if factors is not None:
                logs *= factors[:, np.newaxis]
            part.add_to(self._totals, logs)
            return
        if not self._starts_with(part):
            if not self._multiplied:
                self._products.fill(1.0)
            here = self._products[:, part.items]
            here *= sides
        self._multiplied += 1
        if self._multiplied == self._most:
            self._take_logs()

    def totals(self) -> Floats:
        """Return the sums: shape (n_items, n_classes)."""
        self._take_logs()
        return self._totals

    def _starts_with(self, part: Part) -> bool:
        """Whether the part's numbers are the products so far."""
        whole = slice(0, self._shape[0])
        return not self._multiplied and isinstance(part.items, slice) and part.items == whole

    def _take_logs(self) -> None:
        if self._multiplied:
            self._totals += _logs(self._products)
            self._multiplied = 0


def _logs(sides: Floats) -> Floats:
    """Logarithms of the ratios, in the place of the numbers above."""
    above, below = sides
    above /= below
    logs: Floats = np.log(above, out=above)
    return logs
