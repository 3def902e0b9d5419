"""Whether workers err together: what the votes of a job show of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.classification.votes import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class DependenceSettings:
    """How correlated errors are read; chosen without the sets and crews that judged the choice.

    Attributes
    ----------
    prior_correlation : float
        What errors of real crews show before anything is known of this one.
    prior_pairs : float
        How many pairs of votes on one item that counts for; above 0.
    independent, dependent : float
        Correlation up to which errors count as independent, and from which on many votes say
        little more than one; the second is the larger.
    """

    prior_correlation: float = 0.15
    prior_pairs: float = 1000.0
    independent: float = 0.03
    dependent: float = 0.09

    @classmethod
    def fixed(cls, dependence: float) -> Self:
        """Settings by which dependence is a number in [0, 1], whatever votes show."""
        return cls(prior_correlation=dependence, prior_pairs=1e18, independent=0.0, dependent=1.0)


_DEFAULT = DependenceSettings()
_SIGNED = ("hits", "wrong")
_SUMS = ("hits", "hits_scale", "wrong", "wrong_scale", "pairs")
EVIDENCE_CELLS = (*_SUMS, *(f"-{name}" for name in _SIGNED))
"""Names under which a store keeps the sums: what is negative has a name of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Sums over pairs of votes on one item, as numbers or by item; those of batches may be added.

    With the class t taken to be true, a vote's residual is 1 or 0, whether it hits t, minus the
    worker's accuracy; the same for each wrong class, which a worker is expected to choose in an
    equal share of the errors. Each t counts with its probability.

    Attributes
    ----------
    hits, wrong : float
        Products of the residuals of two votes, summed over ordered pairs: of hits, and of votes
        for each wrong class. 0 is expected of independent errors; can be negative.
    hits_scale, wrong_scale : float
        Products of their standard deviations: what full dependence would give.
    pairs : float
        How many ordered pairs there are.
    """

    hits: Floats | float
    hits_scale: Floats | float
    wrong: Floats | float
    wrong_scale: Floats | float
    pairs: Floats | float

    @classmethod
    def nothing(cls) -> Self:
        """Return the evidence of no votes."""
        return cls(hits=0.0, hits_scale=0.0, wrong=0.0, wrong_scale=0.0, pairs=0.0)

    @classmethod
    def from_cells(cls, cells: Mapping[str, float]) -> Self:
        """Read what `cells_of_item` wrote, added up; what is missing is 0."""
        return cls(
            **{
                name: cells.get(name, 0.0) - (cells.get(f"-{name}", 0.0) if name in _SIGNED else 0)
                for name in _SUMS
            }
        )

    def cells_of_item(self, item: int) -> dict[str, float]:
        """Write one item's sums as amounts, none of them negative, to be kept by name."""
        values = {name: float(np.asarray(getattr(self, name))[item]) for name in _SUMS}
        return {
            f"-{name}" if value < 0 and name in _SIGNED else name: abs(value)
            for name, value in values.items()
        }

    def to_rows(self) -> Floats:
        """The sums as one array, a row each: what `from_rows` reads."""
        return np.array([getattr(self, name) for name in _SUMS])

    @classmethod
    def from_rows(cls, rows: Floats) -> Self:
        """Read what `to_rows` wrote."""
        return cls(**dict(zip(_SUMS, rows, strict=True)))

    @property
    def total(self) -> "Evidence":
        """The sums over all items."""
        return Evidence(**{name: float(np.sum(getattr(self, name))) for name in _SUMS})

    def __add__(self, other: "Evidence") -> "Evidence":
        """Add the evidence of other votes."""
        return Evidence(**{name: getattr(self, name) + getattr(other, name) for name in _SUMS})

    def __sub__(self, other: "Evidence") -> "Evidence":
        """Leave some votes out."""
        return Evidence(**{name: getattr(self, name) - getattr(other, name) for name in _SUMS})

    def find_elsewhere(self, earlier: "Evidence | None") -> "Evidence":
        """By item, what all others and `earlier` show: no item's own votes decide about it."""
        elsewhere = self.total - self
        return elsewhere if earlier is None else elsewhere + earlier

    @property
    def unordered_pairs(self) -> Floats:
        """How many pairs there are, each counted once."""
        return np.asarray(self.pairs) / 2.0

    def estimate_correlation(self, settings: DependenceSettings = _DEFAULT) -> Floats:
        """How much errors go together, from -1 to 1, shrunk to what is usual; 0 if they do not.

        The larger of both signs counts: hard objects show in the hits, and objects that lure
        workers to one wrong class in the wrong votes.
        """
        known = settings.prior_pairs * settings.prior_correlation
        found = (
            self.pairs * np.clip(product / np.maximum(scale, 1e-9), -1.0, 1.0)
            for product, scale in ((self.hits, self.hits_scale), (self.wrong, self.wrong_scale))
        )
        largest: Floats = np.maximum(*found)
        return (largest + known) / (self.pairs + settings.prior_pairs)

    def estimate_dependence(self, settings: DependenceSettings = _DEFAULT) -> Floats:
        """From 0, errors are independent, to 1, many votes say little more than one."""
        reach = settings.dependent - settings.independent
        above = self.estimate_correlation(settings) - settings.independent
        return np.clip(above / reach, 0.0, 1.0)
