"""Majority vote: the share of the votes that each class received."""

import numpy as np

from groundtruth.aggregation.classification.votes import Floats, Votes


def majority(votes: Votes, *, weights: Floats | None = None) -> Floats:
    """Share of the weighted votes that each class received, item by item [1]_.

    Parameters
    ----------
    votes : Votes
        The batch.
    weights : ndarray of float, shape (n_workers,), optional
        Trust in each worker: unitless, finite, not negative. Equal when left out.

    Returns
    -------
    ndarray of float, shape (n_items, n_classes)
        Each row sums to 1. An item without a vote, or with votes of weight 0 only, gets a
        uniform row. The label is the largest entry; a tie goes to the class listed first,
        as `argmax` does.

    Raises
    ------
    ValueError
        If `weights` has another shape, or a weight is negative or not finite.

    References
    ----------
    .. [1] V. S. Sheng, F. Provost and P. G. Ipeirotis, "Get another label? Improving data
       quality and data mining using multiple, noisy labelers", KDD 2008.
       doi:10.1145/1401890.1401965

    Examples
    --------
    >>> votes = Votes(
    ...     items=np.array([0, 0, 0, 0]),
    ...     workers=np.array([0, 1, 2, 3]),
    ...     classes=np.array([0, 0, 1, 0]),
    ...     n_items=2,
    ...     n_workers=4,
    ...     n_classes=2,
    ... )
    >>> majority(votes)
    array([[0.75, 0.25],
           [0.5 , 0.5 ]])
    """
    if weights is None:
        received = votes.counts
    else:
        trust = np.asarray(weights, dtype=np.float64)
        if trust.shape != (votes.n_workers,):
            raise ValueError(f"weights must have shape ({votes.n_workers},), not {trust.shape}")
        if not np.all(np.isfinite(trust)) or np.any(trust < 0):
            raise ValueError("weights must be finite and not negative")
        # Only ratios count, so the largest weight becomes 1: sums can then not overflow.
        scale = trust.max(initial=0.0)
        received = votes.weighted_counts(trust[votes.workers] / (scale if scale > 0 else 1.0))
    total = received.sum(axis=1, keepdims=True)
    uniform = np.full_like(received, 1.0 / votes.n_classes)
    return np.divide(received, total, out=uniform, where=total > 0)
