"""Where workers disagree: a map to look at beside the mask."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.mask_overlay import check_masks, overlays
from groundtruth.aggregation.mask_voting import Votes, fixed_point
from groundtruth.masks.runs import RunMask, offset_type

LEVELS = 256


def disagreement(
    masks: Sequence[RunMask], n_classes: int, *, weights: NDArray[np.float64] | None = None
) -> RunMask:
    """Entropy of the votes on each pixel, in 256 levels [1]_.

    Parameters
    ----------
    masks, n_classes, weights
        As for `groundtruth.aggregation.mask_fusion.fuse`.

    Returns
    -------
    RunMask
        0 where all agree, 255 where as many classes as there can be share the votes evenly.

    Raises
    ------
    ValueError
        As `fuse`.

    References
    ----------
    .. [1] C. E. Shannon, "A mathematical theory of communication", Bell System Technical
       Journal 27, 1948. doi:10.1002/j.1538-7305.1948.tb01338.x

    Examples
    --------
    >>> grids = [RunMask.from_array(np.array([row])) for row in ([1, 1, 0], [1, 0, 0])]
    >>> disagreement(grids, n_classes=2).to_array()
    array([[  0, 255,   0]], dtype=uint16)
    """
    check_masks(masks, n_classes)
    units = fixed_point(weights, len(masks), masks[0].n_pixels)
    most = min(n_classes, int(np.count_nonzero(units)))
    starts, levels = [], []
    for piece in overlays(masks):
        entropy = _entropy(piece.votes, units)
        level = np.rint(entropy / np.log(max(most, 2)) * (LEVELS - 1))
        levels.append(np.clip(level, 0, LEVELS - 1).astype(np.uint16)[piece.patterns])
        starts.append(piece.starts.astype(offset_type(masks[0].n_pixels)))
    return RunMask(np.concatenate(starts), np.concatenate(levels), masks[0].shape).merged()


def _entropy(votes: Votes, units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Entropy of the votes of each pattern, in nats.

    Each vote adds its weight times the logarithm of its class's share.
    """
    support = np.zeros(votes.shape, np.int64)
    for row, unit in zip(votes, units, strict=True):
        support += unit * (votes == row)
    total = int(units.sum())
    surprise = -np.log(np.maximum(support, 1) / total)
    return np.asarray((np.sort(units[:, None] * surprise, axis=0)).sum(axis=0) / total)
