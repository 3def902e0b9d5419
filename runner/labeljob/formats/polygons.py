"""Regions of a mask as polygons, and polygons as regions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import skimage
from numpy.typing import NDArray

# Its functions have no hints; its parts are loaded when they are first used.
_skimage: Any = skimage

Points: TypeAlias = NDArray[np.float64]
"""Shape (n_points, 2): row and column; a pixel's centre is at its own number and a half."""

TOLERANCE = 0.3
"""Pixels that a polygon may be off the boundary."""


def polygons_of(region: NDArray[np.bool_]) -> Iterator[Points]:
    """One polygon for each connected part of a region; holes are joined to it by a cut.

    A cut is walked to the hole and back on the same line, so that it has no area and the even-odd
    rule leaves the hole open.

    Examples
    --------
    >>> next(polygons_of(np.ones((1, 1), dtype=bool))).shape
    (4, 2)
    """
    for part in _skimage.measure.regionprops(_skimage.measure.label(region, connectivity=1)):
        rows, columns, _, _ = part.bbox
        outlines = _outlines(np.pad(part.image, 1))
        # Padding moves pixels by 1, and a centre is half a pixel beyond its number.
        yield _joined(outlines) - 0.5 + (rows, columns)


def _outlines(padded: NDArray[np.bool_]) -> list[Points]:
    """The closed outlines of one connected part, the outer one first, without their last point."""
    found = _skimage.measure.find_contours(padded.astype(np.float64), 0.5, fully_connected="low")
    found.sort(key=lambda points: -abs(_area(points)))
    return [_simpler(points) for points in found]


def _simpler(closed: Points) -> Points:
    """A closed outline with fewer points, and without its last one, which is the first."""
    simple: Points = _skimage.measure.approximate_polygon(closed, TOLERANCE)
    return simple[:-1] if len(simple) > 3 else closed[:-1]


def _area(points: Points) -> float:
    rows, columns = points.T
    return float(rows @ np.roll(columns, -1) - columns @ np.roll(rows, -1)) / 2


def _joined(outlines: Sequence[Points]) -> Points:
    """An outer polygon and its holes as one polygon."""
    polygon = outlines[0]
    for hole in outlines[1:]:
        gaps = ((polygon[:, None, :] - hole[None, :, :]) ** 2).sum(axis=2)
        at, near = np.unravel_index(int(gaps.argmin()), gaps.shape)
        walk = np.concatenate([np.roll(hole, -near, axis=0), hole[near : near + 1]])
        polygon = np.concatenate([polygon[: at + 1], walk, polygon[at:]])
    return polygon


def painted(points: Points, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of an image whose centre lies in a polygon, by the even-odd rule."""
    return np.asarray(_skimage.draw.polygon2mask(shape, points - 0.5))
