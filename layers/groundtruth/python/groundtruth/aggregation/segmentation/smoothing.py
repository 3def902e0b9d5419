"""Masks made smoother: blurred votes, another rule for ties, specks and holes taken out.

Needs scikit-image.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.overlay import check_masks, count_votes, to_fixed_point
from groundtruth.masks.runs import RunMask

MAX_SIGMA = 3.0
TIE_SIGMA = 2.0
_TRUNCATE = 4.0
_BAND_PIXELS = 1 << 18


def smooth(
    masks: Sequence[RunMask],
    n_classes: int,
    *,
    sigma: float,
    weights: NDArray[np.float64] | None = None,
) -> RunMask:
    """Consolidate masks, disputed pixels being decided by the votes around them as well.

    Each class's votes are a picture, which is blurred by a Gaussian; the highest value wins.
    Pixels on which all workers agree keep their class.

    Parameters
    ----------
    masks, n_classes, weights
        As for `groundtruth.aggregation.segmentation.voting.fuse`.
    sigma : float
        Standard deviation of the Gaussian, in pixels: above 0, at most `MAX_SIGMA`, as wider
        ones round off what workers drew. 1 is a good value.

    Returns
    -------
    RunMask

    Raises
    ------
    ValueError
        As `fuse`, and if `sigma` is outside its range.
    """
    if not 0 < sigma <= MAX_SIGMA:
        raise ValueError(f"sigma is above 0 and at most {MAX_SIGMA}, not {sigma}")
    return _smooth_open_pixels(masks, n_classes, weights, sigma, tied_only=False)


def break_ties_by_neighbours(
    masks: Sequence[RunMask], n_classes: int, *, weights: NDArray[np.float64] | None = None
) -> RunMask:
    """Consolidate masks, a tie going to the class with most votes around the pixel.

    Only the classes that tie take part. What is still equal goes to the lowest class.
    Parameters and errors are those of `smooth`.
    """
    return _smooth_open_pixels(masks, n_classes, weights, TIE_SIGMA, tied_only=True)


def _smooth_open_pixels(
    masks: Sequence[RunMask],
    n_classes: int,
    weights: NDArray[np.float64] | None,
    sigma: float,
    *,
    tied_only: bool,
) -> RunMask:
    """The vote's result with the open pixels decided by blurred votes, in bands of rows."""
    check_masks(masks, n_classes)
    units = to_fixed_point(weights, len(masks), masks[0].n_pixels)
    masks = [mask for mask, unit in zip(masks, units, strict=True) if unit]
    units = units[units > 0]
    reach = int(np.ceil(_TRUNCATE * sigma))
    rows, columns = masks[0].shape
    height = max(1, _BAND_PIXELS // columns)
    bands = []
    for top in range(0, rows, height):
        first, last = max(0, top - reach), min(rows, top + height + reach)
        votes = np.stack([mask.rows(first, last) for mask in masks])
        inner = slice(top - first, min(rows, top + height) - first)
        bands.append(_decide(votes, inner, units, sigma, tied_only=tied_only))
    return RunMask.from_array(np.concatenate(bands))


def _decide(
    votes: NDArray[np.uint16],
    inner: slice,
    units: NDArray[np.int64],
    sigma: float,
    *,
    tied_only: bool,
) -> NDArray[np.uint16]:
    """Classes of the rows `inner` of a band, around which the votes reach as far as the blur."""
    inner_votes = votes[:, inner].reshape(len(units), -1)
    vote = count_votes(inner_votes, units)
    disputed = (inner_votes != inner_votes[0]).any(axis=0)
    open_pixels = np.flatnonzero(vote.tied if tied_only else disputed)
    open_votes = inner_votes[:, open_pixels]
    result = vote.winners
    highest = np.full(open_pixels.size, -np.inf)
    for index in np.unique(open_votes):
        value = _blur(votes, units, index, sigma)[inner].ravel()[open_pixels]
        if tied_only:
            received = (units[:, None] * (open_votes == index)).sum(axis=0)
            value = np.where(received == vote.units[open_pixels], value, -np.inf)
        higher = value > highest
        highest[higher] = value[higher]
        result[open_pixels[higher]] = index
    return result.reshape(votes[0, inner].shape)


def _blur(
    votes: NDArray[np.uint16], units: NDArray[np.int64], index: int, sigma: float
) -> NDArray[np.float64]:
    """Blurred share of the votes for a class."""
    from skimage.filters import gaussian

    support = sum(unit * (row == index) for unit, row in zip(units, votes, strict=True))
    share = np.asarray(support, np.float64) / units.sum()
    return np.asarray(
        gaussian(share, sigma, mode="nearest", truncate=_TRUNCATE, preserve_range=True)  # type: ignore[no-untyped-call]  # scikit-image has no types
    )


def clean(mask: RunMask, *, min_pixels: int) -> RunMask:
    """Give small regions the class of what is nearest to them.

    A region is a set of pixels of one class that are joined by their sides. A speck is a small
    region, and so is a hole. Each pixel of one takes the class of the nearest pixel, in a
    straight line, that is in no small region.

    Parameters
    ----------
    mask : RunMask
        Any mask.
    min_pixels : int
        Regions with fewer pixels are small; at least 1.

    Returns
    -------
    RunMask
        The same mask if it has nothing but small regions.

    Raises
    ------
    ValueError
        If `min_pixels` is below 1.

    Examples
    --------
    >>> speck = np.array([[1, 1, 1], [1, 2, 1], [1, 1, 1]])
    >>> clean(RunMask.from_array(speck), min_pixels=2).to_array().tolist()
    [[1, 1, 1], [1, 1, 1], [1, 1, 1]]
    """
    if min_pixels < 1:
        raise ValueError(f"a region has at least 1 pixel, so min_pixels cannot be {min_pixels}")
    from skimage.measure import label
    from skimage.segmentation import expand_labels

    classes = mask.to_array()
    regions = label(classes, background=-1, connectivity=1)  # type: ignore[no-untyped-call]  # scikit-image has no types
    large = np.bincount(regions.ravel()) >= min_pixels
    large[0] = False
    if large[1:].all() or not large.any():
        return mask
    class_of = np.zeros(large.size, np.uint16)
    class_of[regions.ravel()] = classes.ravel()
    nearest = expand_labels(np.where(large[regions], regions, 0), distance=sum(mask.shape))  # type: ignore[no-untyped-call]  # scikit-image has no types
    return RunMask.from_array(class_of[nearest])
