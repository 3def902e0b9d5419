"""Specks and holes taken out of a mask. Needs scikit-image."""

import numpy as np

from groundtruth.masks.runs import RunMask


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
