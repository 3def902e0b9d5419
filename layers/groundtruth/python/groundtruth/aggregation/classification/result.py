"""What an algorithm that learns about workers gives back."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.counts import CountUpdates, sum_groups
from groundtruth.aggregation.classification.posterior import Posterior
from groundtruth.aggregation.classification.votes import Votes

_SMALLEST_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class Consolidation:
    """Result of an algorithm that learns about workers.

    Attributes
    ----------
    posterior : Posterior
        Probability of each class, item by item.
    votes : Votes
        The batch it is about.
    truth : Posterior
        How probable each class is to be true, as far as workers are judged by it.
    informative : ndarray of bool, shape (n_items,)
        Items that teach something about workers.
    rounds : int
        How many rounds were made.
    """

    posterior: Posterior
    votes: Votes
    truth: Posterior
    informative: NDArray[np.bool_]
    rounds: int

    @cached_property
    def count_updates(self) -> CountUpdates:
        """What the batch alone taught about its workers, item by item.

        Classes that are less probable than 0.01, or that nobody chose of many, are left out.
        """
        votes, layout, probabilities = self.votes, self.truth.layout, self.truth.probabilities
        kept = (probabilities >= _SMALLEST_SHARE) & self.informative[layout.items] & ~layout.is_rest
        items, classes, shares = layout.items[kept], layout.classes[kept], probabilities[kept]
        shares = shares / sum_groups(items, shares, votes.n_items)[items]
        # Each vote meets each class that its item may be.
        n_kept = np.bincount(items, minlength=votes.n_items)[votes.items]
        vote = np.repeat(np.arange(votes.n_votes), n_kept)
        rank = np.arange(vote.size) - np.repeat(np.cumsum(n_kept) - n_kept, n_kept)
        cell = np.searchsorted(items, votes.items)[vote] + rank
        return CountUpdates(
            items=votes.items[vote],
            workers=votes.workers[vote],
            truths=classes[cell],
            answers=votes.classes[vote],
            amounts=shares[cell],
            n_workers=votes.n_workers,
            n_classes=votes.n_classes,
        )
