"""Inputs of the scaling benchmark, made in the process that measures; needs NumPy only."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.crowds import Crowd, speed_crowd

LABELS_PICKED = 3
RIGHT = 0.7


def crowd_of(sizes: Mapping[str, float]) -> Crowd:
    """Votes of one curve's case; `sizes` has answers, per_item, classes and workers."""
    names = ("answers", "per_item", "classes", "workers")
    return speed_crowd(*(int(sizes[name]) for name in names))


def picked_of(
    sizes: Mapping[str, float],
) -> tuple[Crowd, NDArray[np.bool_]]:
    """Answers that pick labels: a few apply to each object, each is judged rightly in 0.7.

    Parameters
    ----------
    sizes : mapping
        With answers, per_item, labels and workers.

    Returns
    -------
    crowd : Crowd
        Its items and workers.
    picked : ndarray of bool, shape (n_answers, n_labels)
    """
    crowd, n_labels = crowd_of({**sizes, "classes": 2}), int(sizes["labels"])
    rng = np.random.default_rng(0)
    share = min(LABELS_PICKED / n_labels, 0.5)
    applies = rng.random((crowd.n_items, n_labels)) < share
    picked = applies[crowd.items]
    picked ^= rng.random(picked.shape) > np.where(picked, RIGHT, 1 - share * (1 - RIGHT))
    return crowd, picked
