"""How long a batch may still take, so that it is answered before its function times out."""

from __future__ import annotations

import math
from collections.abc import Callable

MARGIN_SECONDS = 20.0
"""Left for answering what is complete, and for the data object that was begun last."""

MARGIN_SHARE = 0.2
"""The margin's largest share of the time there is, for functions with a short time limit."""

CAUTION = 1.5
"""How many times longer than the slowest data object so far the next one may take."""


class Deadline:
    """The time a batch has, and how much of it one more data object needs.

    Parameters
    ----------
    seconds_left : callable, optional
        How many seconds are left until the function is stopped; without it there is no end.

    Examples
    --------
    >>> left = iter([60.0, 60.0, 11.0])
    >>> deadline = Deadline(lambda: next(left))
    >>> deadline.is_near(), deadline.is_near()
    (False, True)
    """

    def __init__(self, seconds_left: Callable[[], float] | None = None) -> None:
        self._seconds_left = seconds_left
        self._margin = min(MARGIN_SECONDS, MARGIN_SHARE * self._left())
        self._begun_at: float | None = None

    def _left(self) -> float:
        return math.inf if self._seconds_left is None else self._seconds_left()

    def is_near(self) -> bool:
        """Whether no other data object may be begun."""
        return self._left() <= self._margin

    def spare_seconds(self) -> float | None:
        """For how long an answer may be waited for; None for as long as it takes."""
        return None if self._seconds_left is None else max(0.0, self._left() - self._margin)

    def give_up(self) -> None:
        """Begin no other data object: one has been waited for in vain."""
        self._margin = math.inf

    def object_begins(self) -> None:
        """Measure a data object from now on."""
        if self._seconds_left is not None:
            self._begun_at = self._left()

    def object_ends(self) -> None:
        """Leave time for one that is slower than the one that was begun, if one was."""
        if self._begun_at is not None:
            self._margin = max(self._margin, CAUTION * (self._begun_at - self._left()))
            self._begun_at = None
