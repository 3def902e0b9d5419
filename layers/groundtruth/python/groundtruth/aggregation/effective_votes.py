"""How many votes as strong as its strongest an item has."""

import numpy as np

from groundtruth.aggregation.classification.counts import add_up
from groundtruth.aggregation.classification.em import Batch
from groundtruth.aggregation.classification.votes import Floats
from groundtruth.aggregation.multilabel.selections import Selections, sum_rows


def vote_strengths(accuracy: Floats, n_classes: int, factors: Floats | None) -> Floats:
    """How much each vote says, for or against its class.

    Parameters
    ----------
    accuracy : ndarray of float, shape (n_votes,)
        How often the worker behind each vote is right; above 0 and below 1.
    n_classes : int
        How many classes there are.
    factors : ndarray of float, shape (n_votes,), optional
        What each strength is multiplied with.
    """
    odds = accuracy / (1.0 - accuracy)
    odds *= max(n_classes - 1, 1)
    strengths: Floats = np.abs(np.log(odds, out=odds), out=odds)
    return strengths if factors is None else strengths * factors


def effective(total: Floats, strongest: Floats) -> Floats:
    """How many votes as strong as the strongest an item has: shape (n_items,), 1 or more.

    Tempering by this and not by the plain number of votes keeps a promise: one more vote
    for a class, however weak its worker, never makes that class less probable.

    Parameters
    ----------
    total, strongest : ndarray of float, shape (n_items,)
        Sum of the strengths of an item's votes, and the largest.
    """
    return np.maximum(total / np.maximum(strongest, 1e-9), 1.0)


def effective_votes(batch: Batch, accuracy: Floats, factors: Floats | None) -> Floats:
    """The same for all items of a batch, from its votes in canonical order."""
    strengths = vote_strengths(accuracy, batch.votes.n_classes, factors)
    starts = np.flatnonzero(np.diff(batch.votes.items, prepend=-1))
    strongest = np.zeros(batch.votes.n_items)
    if starts.size:
        strongest[batch.votes.items[starts]] = np.maximum.reduceat(strengths, starts)
    return effective(add_up(batch.votes.items, strengths, batch.votes.n_items), strongest)


def effective_answers(selections: Selections, evidence: Floats) -> Floats:
    """The same for each label of a multi-label batch: shape (n_items, n_labels).

    Parameters
    ----------
    selections : Selections
        The batch.
    evidence : ndarray of float, shape (n_answers, n_labels)
        What each answer says for or against each label.
    """
    strengths, items = np.abs(evidence), selections.items
    strongest = np.zeros((selections.n_items, selections.n_labels))
    starts = np.flatnonzero(np.diff(items, prepend=-1))
    if starts.size:
        strongest[items[starts]] = np.maximum.reduceat(strengths, starts)
    return effective(sum_rows(items, strengths, selections.n_items), strongest)
