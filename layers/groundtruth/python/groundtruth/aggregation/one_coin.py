"""What answers say about the true class when a worker errs towards all classes alike."""

import numpy as np

from groundtruth.aggregation.classification.em import Batch
from groundtruth.aggregation.classification.votes import Floats
from groundtruth.aggregation.layout import Shares


def one_coin(batch: Batch, accuracy: Floats, factors: Floats | None) -> Shares:
    """Log-likelihood of the classes if all mix-ups of a worker are equally probable.

    Measured against a class that nobody chose. It needs memory for the votes only, and is
    what a batch with many classes gets: full tables can not be learned there.
    """
    wrong = (1.0 - accuracy) / max(batch.votes.n_classes - 1, 1)
    evidence = np.log(accuracy / wrong)
    if factors is not None:
        evidence = evidence * factors
    return Shares(batch.layout.add_votes(evidence), np.zeros(batch.votes.n_items))


def known_of_lone(batch: Batch, accuracy: Floats, shares: Shares) -> Shares:
    """The shares, where an item with one vote gets what is known of its worker alone.

    Parameters
    ----------
    batch : Batch
        The votes.
    accuracy : ndarray of float, shape (n_votes,)
        How often the worker behind each vote is right.
    shares : Shares
        Result for the other items.
    """
    lone = batch.per_item == 1
    known = batch.layout.softmax(one_coin(batch, accuracy, None))
    return Shares(
        np.where(batch.layout.spread(lone.astype(np.float64)) > 0, known.cells, shares.cells),
        np.where(lone, known.others, shares.others),
    )
