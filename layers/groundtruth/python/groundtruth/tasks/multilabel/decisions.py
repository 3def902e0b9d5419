"""From probabilities of labels to the labels that images get, all images at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.classification.votes import Floats, Ints
from groundtruth.aggregation.multilabel.selections import Bools, choose_labels
from groundtruth.tasks.base import SMALLEST_SHOWN

_DIGITS = 9
"""Digits to which probabilities are compared: the last ones depend on the order of sums."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelDecisions:
    """The labels of images, as a table of the labels worth showing.

    These are the *candidates*, which any worker chose or which are more probable than not, and what
    else has a probability above the smallest that is shown. Rows are in the order of the images
    and, of one image, of the labels.

    Attributes
    ----------
    shown_items : ndarray of int32, shape (n_shown,)
        Index of the image.
    shown_labels : ndarray of int32, shape (n_shown,)
        Index of the label.
    shown_shares : ndarray of float64, shape (n_shown,)
        Its probability, in [0, 1].
    shown_votes : ndarray of int32, shape (n_shown,)
        How many workers chose it.
    shown_ranks : ndarray of int32, shape (n_shown,)
        Its place among the image's candidates, the surest first; -1 if it is none.
    shown_chosen : ndarray of bool, shape (n_shown,)
        Whether the image has it.
    confidence : ndarray of float64, shape (n_images,)
        The lowest probability of the labels it has; nan if it has no answer and so no label.
    used : ndarray of int32, shape (n_images,)
        How many workers answered.
    tied : ndarray of bool, shape (n_images,)
        Whether label order alone decides on a label. That is so of one whose probability is the
        quorum, and of the best of several that are equally probable if none is above the quorum.
    below_quorum : ndarray of bool, shape (n_images,)
        Whether no label is above the quorum, so that the best one stands in.
    """

    shown_items: NDArray[np.int32]
    shown_labels: NDArray[np.int32]
    shown_shares: Floats
    shown_votes: NDArray[np.int32]
    shown_ranks: NDArray[np.int32]
    shown_chosen: Bools
    confidence: Floats
    used: NDArray[np.int32]
    tied: Bools
    below_quorum: Bools

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fields by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Read what `to_arrays` gave; other arrays are left alone."""
        return cls(**{name: arrays[name] for name in cls.__slots__})


def decide_labels(
    probabilities: Floats,
    votes: Floats,
    used: Ints,
    places: Ints,
    *,
    quorum: float,
    exclusion: int | None = None,
    keep_all: bool = False,
) -> LabelDecisions:
    """Decide which labels images get.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_images, n_labels)
        That the label applies, in [0, 1]; equal ones are those that are equal in nine digits.
    votes : ndarray of float, shape (n_images, n_labels)
        How many workers chose the label.
    used : ndarray of int, shape (n_images,)
        How many workers answered.
    places : ndarray of int, shape (n_images with one answer, n_labels)
        Place of each label in that answer, whose order the labels keep; of no account where the
        worker did not choose it.
    quorum, exclusion
        As `choose_labels` has them.
    keep_all : bool
        Whether an image has every candidate, as from the built-in function.
    """
    compared, quorum = probabilities.round(_DIGITS), float(np.round(quorum, _DIGITS))
    answered, is_single = (used > 0)[:, np.newaxis], (used == 1)[:, np.newaxis]
    voted = (votes > 0) & answered
    candidate = voted | ((compared > 0.5) & answered & ~is_single)
    eligible = np.where(candidate, compared, -1.0)
    decided = choose_labels(eligible, quorum=quorum, exclusion=exclusion)
    chosen = candidate if keep_all else decided.chosen & answered
    below = decided.below_quorum & (used > 0) & (not keep_all)
    is_best = candidate & (eligible == eligible.max(axis=1, keepdims=True))
    # On the scale of the built-in function a label without a vote has 0.05; it is not shown.
    smallest = 1.0 if keep_all else SMALLEST_SHOWN
    items, labels = np.nonzero(voted | ((compared > smallest) & answered))
    rows = np.where(is_single[:, 0], np.cumsum(is_single) - 1, 0)
    order = -compared[items, labels]
    if len(places):
        order = np.where(used[items] == 1, places[rows[items], labels], order)
    return LabelDecisions(
        shown_items=items.astype(np.int32),
        shown_labels=labels.astype(np.int32),
        shown_shares=probabilities[items, labels],
        shown_votes=votes[items, labels].astype(np.int32),
        shown_ranks=_rank(items, order, candidate[items, labels], len(used)),
        shown_chosen=chosen[items, labels],
        confidence=_find_lowest(probabilities, chosen, used),
        used=used.astype(np.int32),
        tied=(eligible == quorum).any(axis=1) | (below & (is_best.sum(axis=1) > 1)),
        below_quorum=below,
    )


def _rank(items: Ints, order: Floats, candidate: Bools, n_items: int) -> NDArray[np.int32]:
    """Places of the candidates of each image by an order, equal ones as they are; else -1."""
    ranks = np.full(len(items), -1, np.int32)
    rows = np.flatnonzero(candidate)
    by_order = rows[np.lexsort((order[rows], items[rows]))]
    starts = np.searchsorted(items[by_order], np.arange(n_items))
    ranks[by_order] = np.arange(len(by_order)) - starts[items[by_order]]
    return ranks


def _find_lowest(probabilities: Floats, chosen: Bools, used: Ints) -> Floats:
    lowest = np.where(chosen, probabilities, np.inf).min(axis=1, initial=np.inf)
    return np.where(used > 0, lowest, np.nan)
