"""Whether workers err together: what the votes of a job show of it."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.classification.counts import sum_groups
from groundtruth.aggregation.classification.em import VoteData
from groundtruth.aggregation.classification.votes import Floats

PRIOR_CORRELATION = 0.09
"""What errors of real crews show before anything is known of this one."""
PRIOR_PAIRS = 3000.0
"""How many pairs of votes on one item that counts for."""
_INDEPENDENT, _DEPENDENT = 0.02, 0.08


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
    def by_item(cls, data: VoteData, accuracy: Floats, posterior: Floats) -> Self:
        """Measure a batch.

        Parameters
        ----------
        data : VoteData
            Its votes.
        accuracy : ndarray of float, shape (n_votes,)
            Of the worker behind each vote, judged without the item.
        posterior : ndarray of float, shape (n_cells,)
            Of the votes taken for independent.
        """
        layout, items, n_items = data.layout, data.votes.items, data.votes.n_items
        others = max(data.votes.n_classes - 1, 1)
        likely = posterior * layout.widths
        received = data.sum_votes(np.ones(data.votes.n_votes))

        def products(chance: Floats) -> Floats:
            """By cell: products of residuals of votes for its class, over ordered pairs."""
            sums, squares = (sum_groups(items, x, n_items) for x in (chance, chance**2))
            residual = received - layout.spread(sums)
            return residual**2 - data.sum_votes(1.0 - 2.0 * chance) - layout.spread(squares)

        def scale(chance: Floats) -> Floats:
            variance = chance * (1.0 - chance)
            roots = sum_groups(items, np.sqrt(variance), n_items)
            return roots**2 - sum_groups(items, variance, n_items)

        error = (1.0 - accuracy) / others
        wrong = products(error)
        wrong_of_all = layout.spread(sum_groups(layout.items, wrong * layout.widths, n_items))
        return cls(
            hits=sum_groups(layout.items, likely * products(accuracy), n_items),
            hits_scale=scale(accuracy),
            wrong=sum_groups(layout.items, likely * (wrong_of_all - wrong), n_items),
            wrong_scale=others * scale(error),
            pairs=(data.n_votes * (data.n_votes - 1)).astype(np.float64),
        )

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

    @property
    def correlation(self) -> Floats:
        """How much errors go together, shrunk to what is usual; about 0 if they do not.

        The larger of both signs counts: hard objects show in the hits, and objects that lure
        workers to one wrong class in the wrong votes.
        """
        known = PRIOR_PAIRS * PRIOR_CORRELATION
        found = (
            self.pairs * product / np.maximum(scale, 1e-9)
            for product, scale in ((self.hits, self.hits_scale), (self.wrong, self.wrong_scale))
        )
        largest: Floats = np.maximum(*found)
        return (largest + known) / (self.pairs + PRIOR_PAIRS)

    @property
    def dependence(self) -> Floats:
        """From 0, errors are independent, to 1, many votes say little more than one."""
        return np.clip((self.correlation - _INDEPENDENT) / (_DEPENDENT - _INDEPENDENT), 0.0, 1.0)


_SUMS = ("hits", "hits_scale", "wrong", "wrong_scale", "pairs")
