"""How well workers outline: agreement with the others, and the trust that follows from it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.overlay import (
    Overlay,
    add_support,
    check_masks,
    overlay_masks,
    to_fixed_point,
)
from groundtruth.masks.runs import RunMask

_POWER = 2
_STEP = 0.25
_MIN_WEIGHT = 1 / 16
_CARELESS_SHARE = 0.8  # skill beside the typical one
_DEVIATIONS = 1.2816  # how sure that must be: of a normal distribution 90 % are below


def disputed_agreement(
    masks: Sequence[RunMask], n_classes: int, *, weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Share of the disputed pixels on which each worker agrees with the vote of the others.

    A pixel is disputed if not all workers gave it the same class: what everybody sees tells
    nothing of anybody. Where several classes lead the others' vote, agreement with one of
    them counts as one over their number.

    Parameters
    ----------
    masks : sequence of RunMask
        One per worker, at least one, all of one shape.
    n_classes : int
        How many classes there are, with BACKGROUND.
    weights : ndarray of float, shape (n_workers,), optional
        Trust in each worker: unitless, not negative, not all zero. Equal when left out.

    Returns
    -------
    ndarray of float, shape (n_workers,)
        In [0, 1]; nan if no pixel is disputed, and for a worker whose others all have the
        weight zero.

    Raises
    ------
    ValueError
        As `groundtruth.aggregation.segmentation.voting.fuse`.

    Examples
    --------
    >>> grids = np.array([[[1, 1, 0, 0]], [[1, 1, 0, 0]], [[1, 0, 1, 1]]])
    >>> disputed_agreement([RunMask.from_array(grid) for grid in grids], n_classes=2)
    array([0.5, 0.5, 0. ])
    """
    check_masks(masks, n_classes)
    units = to_fixed_point(weights, len(masks), masks[0].n_pixels)
    agreement = np.zeros(len(masks))
    n_disputed = 0
    for piece in overlay_masks(masks):
        pixels = np.where((piece.votes != piece.votes[0]).any(axis=0), piece.pixels, 0)
        n_disputed += int(pixels.sum())
        agreement += [_credit(piece, units, worker) @ pixels for worker in range(len(masks))]
    judged = (units.sum() - units > 0) & (n_disputed > 0)
    return np.where(judged, agreement / max(n_disputed, 1), np.nan)


def _credit(piece: Overlay, units: NDArray[np.int64], worker: int) -> NDArray[np.float64]:
    """Credit of one worker for each pattern, in [0, 1]."""
    votes = np.delete(piece.votes, worker, axis=0)
    weights = np.delete(units, worker)
    if not weights.any():
        return np.zeros(votes.shape[1])
    support = add_support(votes, weights)
    leaders = np.where(support == support.max(axis=0), votes.astype(np.int32), -1)
    agrees = (leaders == piece.votes[worker]).any(axis=0)
    leaders.sort(axis=0)
    n_leaders = (leaders[0] >= 0) + (leaders[1:] != leaders[:-1]).sum(axis=0)
    return np.where(agrees, 1 / n_leaders, 0.0)


def skill_weights(
    counts: NDArray[np.float64], sums: NDArray[np.float64], sums_of_squares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights of workers from what is known of their agreement with others.

    A worker's mean agreement is drawn towards that of all workers, the more so the less is
    known and the more alike workers are (empirical Bayes with variances by the method of
    moments [1]_). Whose skill is then below 4/5 of the typical one with a probability of 90 %
    is careless: the weight is the square of that share, in quarter steps and at least 1/16, so
    that each crew has a vote. All others weigh 1: this skill shows who is careless, but not who
    of the others is best, since it measures agreement and not truth. Typical is the median or
    the mean, whichever is higher: few careless workers hardly move the one, many not so much
    the other.

    Parameters
    ----------
    counts : ndarray of float, shape (n_workers,)
        Number of images on which each worker was judged. May be 0.
    sums, sums_of_squares : ndarray of float, shape (n_workers,)
        Sums of the agreement of those images, and of its squares.

    Returns
    -------
    ndarray of float, shape (n_workers,)

    Raises
    ------
    ValueError
        If the arrays differ in shape, or a count is negative.

    References
    ----------
    .. [1] S. R. Searle, G. Casella and C. E. McCulloch, "Variance Components", Wiley 1992,
       chapter 3. doi:10.1002/9780470316856

    Examples
    --------
    >>> counts = np.array([20, 20, 20, 0])
    >>> mean, deviation = np.array([0.7, 0.7, 0.2, 0]), 0.1
    >>> skill_weights(counts, counts * mean, counts * (mean**2 + deviation**2))
    array([1.    , 1.    , 0.0625, 1.    ])
    """
    if not counts.shape == sums.shape == sums_of_squares.shape or counts.ndim != 1:
        raise ValueError("counts, sums and sums of squares are one per worker")
    if (counts < 0).any():
        raise ValueError("a worker cannot have been judged on fewer than 0 images")
    known = counts > 0
    weights = np.ones(counts.shape)
    n = counts[known].astype(np.float64)
    means = sums[known] / n
    within, between = _estimate_variances(n, means, sums_of_squares[known])
    if between <= 0:
        return weights
    precision = 1 / (between + within / n)
    overall_mean = float((precision * means).sum() / precision.sum())
    if overall_mean <= 0:
        return weights
    skill = overall_mean + between * precision * (means - overall_mean)
    deviation = np.sqrt(between * within / n * precision)
    typical = max(float(np.median(skill)), overall_mean)
    careless = skill + _DEVIATIONS * deviation < _CARELESS_SHARE * typical
    share = np.maximum(skill[careless], 0) / typical
    lowered = np.maximum(np.rint(share**_POWER / _STEP) * _STEP, _MIN_WEIGHT)
    weights[np.flatnonzero(known)[careless]] = lowered
    return weights


def _estimate_variances(
    n: NDArray[np.float64], means: NDArray[np.float64], sums_of_squares: NDArray[np.float64]
) -> tuple[float, float]:
    """Variance within a worker and between workers; 0 between them where it cannot be told."""
    n_free, total = float((n - 1).sum()), float(n.sum())
    if n.size < 2 or n_free <= 0:
        return 0.0, 0.0
    within = max(float((sums_of_squares - n * means**2).sum()) / n_free, 0.0)
    grand_mean = float((n * means).sum()) / total
    among = float((n * (means - grand_mean) ** 2).sum()) / (n.size - 1)
    effective = (total - float((n**2).sum()) / total) / (n.size - 1)
    return within, max((among - within) / effective, 0.0)
