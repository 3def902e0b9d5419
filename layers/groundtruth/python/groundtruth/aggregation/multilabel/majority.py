"""Majority vote: the share of the answers that pick each label."""

import numpy as np

from groundtruth.aggregation.classification.votes import Floats
from groundtruth.aggregation.multilabel.selections import Selections


def share_labels(selections: Selections) -> Floats:
    """Share of the answers that pick each label, item by item.

    Returns
    -------
    ndarray of float, shape (n_items, n_labels)
        From 0 to 1; 0.5 for an item without an answer.

    Examples
    --------
    >>> answers = Selections(
    ...     np.array([0, 0]), np.array([0, 1]), np.array([[True, False], [True, True]]), 1, 2
    ... )
    >>> share_labels(answers)
    array([[1. , 0.5]])
    """
    answers = selections.answers_per_item[:, np.newaxis]
    unknown = np.full((selections.n_items, selections.n_labels), 0.5)
    shares: Floats = np.divide(selections.counts, answers, out=unknown, where=answers > 0)
    return shares
