"""How often labels apply and are picked, as far as is known."""

import numpy as np

from groundtruth.aggregation.classification.votes import Floats
from groundtruth.aggregation.multilabel.counts import LabelCounts
from groundtruth.aggregation.multilabel.selections import Selections


def log_frequency(truth: Floats, judged: Floats, prior: LabelCounts) -> Floats:
    """Log odds of each label by how often it applies to the other items: (n_items, n_labels).

    `judged` says for how many answers an item counts. Without the own item, for its answers must
    not speak twice; smoothed by one answer.
    """
    stored = prior.amounts.sum(axis=(0, 3))
    applies, total = truth * judged, judged
    yes = applies.sum(axis=0) + stored[:, 1] - applies + 0.5
    no = (total - applies).sum(axis=0) + stored[:, 0] - (total - applies) + 0.5
    return np.log(yes) - np.log(no)


def picked_share(selections: Selections, prior: LabelCounts) -> Floats:
    """Share of all answers that pick each label, smoothed by one: shape (n_labels,)."""
    stored = prior.amounts.sum(axis=(0, 2))
    picked: Floats = selections.picked.sum(axis=0) + stored[:, 1] + 0.5
    return picked / (len(selections.picked) + stored.sum(axis=1) + 1.0)
