"""How workers mix up classes, and what each vote says without the item it is for."""

import numpy as np

from groundtruth.aggregation.classification.confusion import Confusion, Expected
from groundtruth.aggregation.classification.votes import Floats
from groundtruth.aggregation.products import RatioLogs
from groundtruth.aggregation.ranks import Block, Part


def accuracy_of_votes(
    model: Confusion, block: Block, shares: Floats, expected: Expected, strength: float
) -> Floats:
    """Estimate how often the worker behind each vote of a block is right.

    As `Batch.accuracy` does.

    Parameters
    ----------
    model : Confusion
        The workers.
    block : Block
        Some items and their votes.
    shares : ndarray of float, shape (n_items, n_classes)
        Its `counted_shares`.
    expected : Expected
        The counts for the whole batch.
    strength : float
        How many votes the pooled accuracy counts for.
    """
    own = model.own[block.votes]
    chosen = [shares[part.items].reshape(-1).take(own[part.votes]) for part in block.parts]
    agreed = np.concatenate(chosen)
    workers = model.workers[block.votes]
    counted: Floats | float = 1.0
    if not model.counted[block.items].all():
        counted = block.spread(model.counted[block.items])
    lone = None
    if not model.several[block.items].all():
        lone = block.spread(model.several[block.items]) == 0
    return model.batch.judged(expected.right, workers, agreed, counted, lone, strength)


def without_own_item(
    model: Confusion,
    block: Block,
    shares: Floats,
    expected: Expected,
    accuracy: Floats,
    strength: float,
    factors: Floats | None,
) -> Floats:
    """Log-likelihood of the classes, each vote judged without the item it is for [1]_.

    A worker's row of counts is shrunk to the worker's accuracy, which has the weight of
    `strength` votes. The item's own expected count is taken out of the counts (the
    predictive form of collapsed variational inference), so that no item confirms itself.

    Parameters
    ----------
    model : Confusion
        The workers.
    block : Block
        Some items and their votes.
    shares : ndarray of float, shape (n_items, n_classes)
        Its `counted_shares`.
    expected : Expected
        The counts for the whole batch.
    accuracy : ndarray of float, shape (n_votes,)
        How often the worker behind each vote of the block is right.
    strength : float
        Weight of that in votes, larger than 0.
    factors : ndarray of float, shape (n_votes,), optional
        Each vote's evidence is multiplied with this.

    Returns
    -------
    ndarray of float, shape (n_items, n_classes)

    References
    ----------
    .. [1] A. Asuncion, M. Welling, P. Smyth and Y. W. Teh, "On smoothing and inference
       for topic models", UAI 2009. arXiv:1205.2662
    """
    n_classes = model.batch.votes.n_classes
    right = strength * accuracy
    wrong = (strength - right) / max(n_classes - 1, 1)
    workers, kinds, own = (array[block.votes] for array in (model.workers, model.kinds, model.own))
    logs = RatioLogs(
        block.n_items,
        n_classes,
        smallest=_smallest(model, right, wrong, strength),
        largest=float(expected.rows.max(initial=strength)),
    )
    for part in block.parts:
        here, of_item = part.votes, shares[part.items]
        sides = logs.room(part, model.spare[:2])
        above, below = sides
        expected.rows.take(workers[here], axis=0, mode="clip", out=below)
        below -= of_item
        expected.counts.take(kinds[here], axis=0, mode="clip", out=above)
        prior = model.spare[2, : len(above)]
        prior[:] = wrong[here, np.newaxis]
        prior.reshape(-1)[own[here]] = right[here]
        _draw_to_pool(prior, model, block, part, accuracy, strength)
        above += prior
        above -= of_item
        logs.add(part, sides, None if factors is None else factors[here])
    return logs.totals()


def _smallest(model: Confusion, right: Floats, wrong: Floats, strength: float) -> float:
    """The smallest count that a worker's row is drawn to."""
    smallest = float(min(wrong.min(initial=strength), right.min(initial=strength)))
    pool = model.batch.pool
    return smallest if pool is None else min(smallest, strength * pool.smallest)


def _draw_to_pool(
    prior: Floats, model: Confusion, block: Block, part: Part, accuracy: Floats, strength: float
) -> None:
    """Draw the rows of a part's votes to those of all workers, but for lone votes."""
    if model.batch.pool is None:
        return
    classes = model.kind_answers[model.kinds[block.votes][part.votes]]
    several = model.several[block.items][part.items] > 0
    rates = model.batch.pool.rates(accuracy[part.votes], classes)
    prior[several] = strength * rates[several]
