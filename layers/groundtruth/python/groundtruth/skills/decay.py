"""Decay by sums alone: what is added grows with time, what is read shrinks with it [1]_.

An amount is stored times ``2 ** (age of its era in half-lives)`` and read divided by the same
power at the time of reading, so records are only ever added to, in any order. So that the
numbers stay within 38 digits, time is cut into eras of 64 half-lives with a record each.

References
----------
.. [1] G. Cormode, V. Shkapenyuk, D. Srivastava and B. Xu, "Forward decay: a practical time
   decay model for streaming systems", ICDE 2009. doi:10.1109/ICDE.2009.65
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from groundtruth.skills.amounts import Cells

ORIGIN = datetime(2018, 1, 1, tzinfo=UTC)
ERA = 64
"""Half-lives from one era's begin to the next."""

REMEMBERED = 32
"""Half-lives after which an amount is next to nothing: a 4,294,967,296th."""

TOTAL = ""
"""Cell of a record that holds the sum of all amounts as they were, without decay."""

_SPARE_BITS = 10


@dataclass(frozen=True)
class Moment:
    """A time on the scale of one half-life.

    Parameters
    ----------
    at : datetime
        The time, in UTC.
    half_life_days : float
        0 for no decay: there is one era, number 0, then.
    """

    at: datetime
    half_life_days: float

    @property
    def position(self) -> float:
        """Half-lives since the origin."""
        if not self.half_life_days:
            return 0.0
        return (self.at - ORIGIN) / timedelta(days=1) / self.half_life_days

    @property
    def era(self) -> int:
        """Number of the era, to which everything of this moment is added."""
        return math.floor(self.position / ERA)

    @property
    def eras(self) -> tuple[int, ...]:
        """Eras that count at this moment: its own, and the one before unless all but gone."""
        if not self.half_life_days or self.position - self.era * ERA >= REMEMBERED:
            return (self.era,)
        return (self.era, self.era - 1)

    def factor(self, era: int) -> float:
        """How much an amount of this moment is stored for in a record of an era."""
        if not self.half_life_days:
            return 1.0
        return float(2.0 ** (self.position - era * ERA + _SPARE_BITS))

    def stored(self, cells: Mapping[str, int]) -> Cells:
        """What to add to the record of this moment's era.

        Examples
        --------
        >>> Moment(ORIGIN + timedelta(days=30), 30).stored({"0:0": 3})
        {'': 3, '0:0': 6144}
        """
        factor = self.factor(self.era)
        grown = {cell: round(number * factor) for cell, number in cells.items()}
        return {TOTAL: sum(cells.values())} | grown

    def read(self, records: Mapping[int, Mapping[str, int]]) -> Cells:
        """Decayed sums of records, era -> cell -> number; without cells that are gone.

        Together they are at most what was added: what was added later than this moment would
        weigh more than it was.

        Examples
        --------
        >>> Moment(ORIGIN + timedelta(days=60), 30).read({0: {"": 3, "0:0": 6144}})
        {'0:0': 2}
        """
        if not self.half_life_days:
            return {cell: number for cell, number in records.get(0, {}).items() if cell != TOTAL}
        sums: dict[str, float] = {}
        for era in sorted(records):
            factor = self.factor(era)
            for cell, number in records[era].items():
                if cell != TOTAL:
                    sums[cell] = sums.get(cell, 0.0) + number / factor
        most = sum(record.get(TOTAL, 0) for record in records.values())
        scale = min(1.0, most / (math.fsum(sums.values()) or 1.0))
        decayed = {cell: round(value * scale) for cell, value in sums.items()}
        return {cell: number for cell, number in decayed.items() if number}
