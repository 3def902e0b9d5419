"""From the masks of one data object to one, by the algorithm and the options that are set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.one_coin_em import OneCoin, fuse_by_one_coin
from groundtruth.aggregation.segmentation.skill import disputed_agreement, skill_weights
from groundtruth.aggregation.segmentation.voting import Fusion, assess, fuse
from groundtruth.masks.runs import RunMask
from groundtruth.settings import Settings
from groundtruth.worker_history.store import Amounts

FEWEST_TO_JUDGE = 3
"""Masks from which workers can be judged: of two that differ, neither is the odd one out."""

type Weights = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Fused:
    """The consolidated mask of one image, and how it came about.

    Attributes
    ----------
    fusion : Fusion
        The mask and how sure it is.
    weights : ndarray of float, shape (n_workers,), or None
        The weights of the workers, in the order of the masks; None if they are equal.
    model : OneCoin or None
        What was fitted to the image, if anything was.
    """

    fusion: Fusion
    weights: Weights | None = None
    model: OneCoin | None = None


def known_weights(history: Amounts) -> dict[str, float]:
    """Weight of each worker, from the agreement with others on earlier images.

    Parameters
    ----------
    history : mapping
        For each worker of the batch the cells ``n``, ``sum`` and ``squares``: number of images,
        sum of the agreement, and of its squares. Empty for a worker of whom nothing is known.
    """
    workers = sorted(history)
    columns = [
        np.array([history[worker].get(cell, 0.0) for worker in workers])
        for cell in ("n", "sum", "squares")
    ]
    return dict(zip(workers, skill_weights(*columns).tolist(), strict=True))


def fuse_masks(
    masks: Mapping[str, RunMask],
    n_classes: int,
    *,
    algorithm: str,
    weights: Mapping[str, float],
    settings: Settings,
) -> Fused:
    """The consolidated mask of one image.

    Parameters
    ----------
    masks : mapping of str to RunMask
        Masks by worker, at least one.
    n_classes : int
        How many classes there are, with BACKGROUND.
    algorithm : str
        One of the task's.
    weights : mapping of str to float
        What is known of the workers, for ``weighted``.
    settings : Settings
        Smoothing, tie-break and clean-up. They change pixels of the mask; the confidences are
        then those of the changed mask.

    Returns
    -------
    Fused
    """
    drawn = list(masks.values())
    given: Weights | None = None
    model: OneCoin | None = None
    if algorithm == "one-coin-em" and n_classes > 1:
        fusion, model = fuse_by_one_coin(drawn, n_classes)
        given = model.weights
    else:
        if algorithm == "weighted":
            given = np.array([weights.get(worker, 1.0) for worker in masks])
        fusion = fuse(drawn, n_classes, weights=given)
    mask = _retouched(drawn, n_classes, fusion.mask, given, settings)
    if mask is not fusion.mask:
        fusion = assess(mask, drawn, n_classes, weights=given)
    return Fused(fusion=fusion, weights=given, model=model)


def _retouched(
    drawn: Sequence[RunMask],
    n_classes: int,
    mask: RunMask,
    weights: Weights | None,
    settings: Settings,
) -> RunMask:
    """The mask after the options that are on; scikit-image is loaded only for those."""
    if settings.smoothing_sigma > 0:
        from groundtruth.aggregation.segmentation.smoothing import smooth

        mask = smooth(drawn, n_classes, sigma=settings.smoothing_sigma, weights=weights)
    elif settings.tie_break == "neighbours":
        from groundtruth.aggregation.segmentation.smoothing import break_ties_by_neighbours

        mask = break_ties_by_neighbours(drawn, n_classes, weights=weights)
    if settings.clean_up_pixels > 0:
        from groundtruth.aggregation.segmentation.smoothing import clean

        mask = clean(mask, min_pixels=settings.clean_up_pixels)
    return mask


def count_updates(
    masks: Mapping[str, RunMask], n_classes: int, weights: Weights | None
) -> dict[str, dict[str, float]]:
    """What one image teaches about its workers, in the store's terms; nothing if it is clear.

    An image is one observation of each worker: errors on its pixels are one event.
    """
    if len(masks) < FEWEST_TO_JUDGE:
        return {}
    agreement = disputed_agreement(list(masks.values()), n_classes, weights=weights)
    return {
        worker: {"n": 1.0, "sum": share, "squares": share * share}
        for worker, share in zip(masks, agreement.tolist(), strict=True)
        if not np.isnan(share)
    }
