"""Random star-shaped regions: what a spammer paints, and truth where none is known."""

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon

_VERTICES = 24


def star_shapes(
    shape: tuple[int, int], n_classes: int, count: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Paint random star-shaped polygons, later ones over earlier ones.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    n_classes : int
        How many classes there are, 1 to 255.
    count : int
        How many polygons are painted.
    rng : numpy.random.Generator
        Decides on place, size, outline and class.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        0 for background, else the class's index + 1.
    """
    mask = np.zeros(shape, dtype=np.uint8)
    extent = float(min(shape))
    angles = np.linspace(0.0, 2.0 * np.pi, _VERTICES, endpoint=False)
    for _ in range(count):
        radius = rng.uniform(0.08, 0.25) * extent
        wobble = rng.normal(0.0, 0.15, size=3) @ np.cos(
            np.outer([2, 3, 5], angles) + rng.uniform(0.0, 2.0 * np.pi, size=(3, 1))
        )
        radii = radius * np.clip(1.0 + wobble, 0.3, 1.7)
        row, column = rng.uniform(0.0, shape[0]), rng.uniform(0.0, shape[1])
        rows, columns = row + radii * np.sin(angles), column + radii * np.cos(angles)
        inside = polygon(rows, columns, shape)  # type: ignore[no-untyped-call]  # has no hints
        mask[inside] = rng.integers(1, n_classes + 1)
    return mask
