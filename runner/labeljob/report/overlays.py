"""Masks over photographs, and how far masks agree."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_STRENGTH = 0.55


def overlay(
    photo: NDArray[np.uint8], mask: NDArray[np.uint8], colors: Sequence[str]
) -> NDArray[np.uint8]:
    """Tint a photograph with a mask's colours and draw the boundaries in white.

    Parameters
    ----------
    photo : ndarray of uint8, shape (rows, columns, 3)
        Red, green, blue.
    mask : ndarray of uint8, shape (rows, columns)
        0 for background, else the class's index + 1.
    colors : sequence of str
        ``#rrggbb`` of each class.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
    """
    palette = np.zeros((256, 3))
    for place, color in enumerate(colors, start=1):
        palette[place] = tuple(bytes.fromhex(color.removeprefix("#")))
    # Grey underneath: a photograph's own colours would be taken for classes.
    grey = photo.mean(axis=-1, keepdims=True)
    tinted = np.where(
        mask[..., np.newaxis] > 0, (1.0 - _STRENGTH) * grey + _STRENGTH * palette[mask], grey
    )
    edges = np.zeros(mask.shape, dtype=np.bool_)
    edges[:, 1:] |= mask[:, 1:] != mask[:, :-1]
    edges[1:] |= mask[1:] != mask[:-1]
    edges[:, :-1] |= edges[:, 1:]
    tinted[edges] = 255.0
    return tinted.astype(np.uint8)


def mean_iou(mask: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Intersection over union, averaged over the classes that either mask has.

    Parameters
    ----------
    mask, truth : ndarray of uint8, shape (rows, columns)
        0 for background, which counts as a class, else the class's index + 1.

    Returns
    -------
    float
        In [0, 1]; 0 if the shapes differ.

    Examples
    --------
    >>> mean_iou(np.array([[0, 1]], dtype=np.uint8), np.array([[1, 1]], dtype=np.uint8))
    0.25
    """
    if mask.shape != truth.shape:
        return 0.0
    shares = [
        np.count_nonzero((mask == value) & (truth == value))
        / np.count_nonzero((mask == value) | (truth == value))
        for value in np.union1d(mask, truth)
    ]
    return float(np.mean(shares))


def disagreement(masks: Sequence[NDArray[np.uint8]], n_classes: int) -> NDArray[np.float64]:
    """Share of the workers, pixel by pixel, who did not paint the most frequent class.

    Parameters
    ----------
    masks : sequence of ndarray of uint8, shape (rows, columns)
        At least one, all of one shape.
    n_classes : int
        How many classes there are besides background.

    Returns
    -------
    ndarray of float, shape (rows, columns)
        0 where all agree.

    Examples
    --------
    >>> disagreement([np.array([[0, 1]]), np.array([[0, 0]])], n_classes=1)
    array([[0. , 0.5]])
    """
    most = np.zeros(masks[0].shape, dtype=np.int64)
    for value in range(n_classes + 1):
        most = np.maximum(most, sum(np.asarray(mask == value, dtype=np.int64) for mask in masks))
    return 1.0 - most / len(masks)
