"""From probabilities per label to the set of labels that is reported."""

from dataclasses import dataclass

import numpy as np

from groundtruth.aggregation.classification.votes import Floats
from groundtruth.aggregation.multilabel.selections import Bools


@dataclass(frozen=True, slots=True, eq=False)
class LabelSets:
    """The labels decided on.

    Attributes
    ----------
    chosen : ndarray of bool, shape (n_items, n_labels)
        Whether the label is reported.
    below_quorum : ndarray of bool, shape (n_items,)
        True where no label passed the quorum and the best one stands in.
    """

    chosen: Bools
    below_quorum: Bools


def choose_labels(
    posterior: Floats,
    *,
    quorum: float = 0.5,
    exclusion: int | None = None,
    at_least_one: bool = True,
) -> LabelSets:
    """Labels more probable than the quorum.

    Parameters
    ----------
    posterior : ndarray of float, shape (n_items, n_labels)
        Probability that each label applies.
    quorum : float
        From 0 to 1; a label at the quorum does not pass.
    exclusion : int, optional
        Index of the label that excludes all others ("none of the above"). If it passes
        together with others, the more probable side stays; a tie goes to the others.
    at_least_one : bool
        Whether an item where nothing passes gets its best label, a tie to the label listed
        first (workers had to pick one).

    Raises
    ------
    ValueError
        If `quorum` is not in [0, 1] or `exclusion` names no label.

    Examples
    --------
    >>> decided = choose_labels(np.array([[0.9, 0.2, 0.6], [0.4, 0.3, 0.1]]), exclusion=2)
    >>> decided.chosen.tolist()
    [[True, False, False], [True, False, False]]
    >>> decided.below_quorum.tolist()
    [False, True]
    """
    n_items, n_labels = posterior.shape
    if not 0.0 <= quorum <= 1.0:
        raise ValueError(f"quorum must lie in 0 to 1, not {quorum}")
    if exclusion is not None and not 0 <= exclusion < n_labels:
        raise ValueError(f"exclusion must lie in 0 to {n_labels - 1}")
    chosen = posterior > quorum
    below = ~chosen.any(axis=1)
    if at_least_one and n_items:
        chosen[below, posterior[below].argmax(axis=1)] = True
    if exclusion is not None and n_labels > 1:
        others = np.delete(posterior, exclusion, axis=1).max(axis=1)
        alone = chosen[:, exclusion] & (posterior[:, exclusion] > others)
        chosen[alone] = np.arange(n_labels) == exclusion
        several = chosen.sum(axis=1) > 1
        chosen[several, exclusion] = False
    return LabelSets(chosen, below)
