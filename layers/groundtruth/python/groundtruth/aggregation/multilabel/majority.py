"""Majority vote: the share of the answers that pick each label, and the built-in's form of it."""

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


def share_labels_as_builtin(selections: Selections) -> Floats:
    """Confidence the built-in reports for each label: ``round(0.9 * share + 0.05, 2)``.

    It reports every label that any worker picked.

    Returns
    -------
    ndarray of float, shape (n_items, n_labels)
        From 0.05 to 0.95, in steps of 0.01, rounded as Python's `round` does.

    Examples
    --------
    >>> answers = Selections(
    ...     np.array([0, 0]), np.array([0, 1]), np.array([[True, False], [True, True]]), 1, 2
    ... )
    >>> share_labels_as_builtin(answers)
    array([[0.95, 0.5 ]])
    """
    shares = share_labels(selections)
    distinct, which = np.unique(shares, return_inverse=True)
    rounded = np.array([round(0.9 * share + 0.05, 2) for share in distinct.tolist()])
    return rounded[which].reshape(shares.shape)
