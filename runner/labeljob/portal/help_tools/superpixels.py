"""Superpixels: regions of similar color that a worker paints with one touch."""

from __future__ import annotations

import gzip
import math

import numpy as np
import skimage  # its parts are loaded when they are first used
from numpy.typing import NDArray
from PIL import Image

from labeljob.portal.help_tools.pictures import shrink_part
from labeljob.portal.thumbnails import open_picture

COUNTS = (200, 500, 1000, 2000)
"""About how many regions an image may be divided into."""

VERSION = 2
"""Grows when the same image and count give other regions, or other bytes."""

_MOST_PIXELS = 2_000_000  # of the map; a larger image is shrunk first
_LONGEST_SIDE = 16_384  # of the map, which browsers show as a picture
_COMPACTNESS = 10.0  # of a region, beside the likeness of its colors
_BLUR = 1.0  # pixels: noise makes no regions
_LEAST_SHARE = 0.25  # of the usual region; what is smaller goes to a neighbor
_COMPRESSION = 6


def divide(picture: Image.Image, count: int) -> NDArray[np.uint16]:
    """Divide a picture into about `count` connected regions of similar color by SLIC [1]_.

    Parameters
    ----------
    picture : Image
        In RGB.
    count : int
        About how many regions, at least 1.

    Returns
    -------
    ndarray of uint16, shape (height, width)
        The number of each pixel's region, from 0.

    References
    ----------
    .. [1] R. Achanta, A. Shaji, K. Smith, A. Lucchi, P. Fua and S. Süsstrunk, "SLIC superpixels
       compared to state-of-the-art superpixel methods", TPAMI 34(11), 2012.
       doi:10.1109/TPAMI.2012.120

    Examples
    --------
    >>> picture = Image.new("RGB", (40, 20), "white")
    >>> picture.paste("red", (0, 0, 20, 20))
    >>> regions = divide(picture, 2)
    >>> set(regions[:, :20].ravel().tolist()) & set(regions[:, 20:].ravel().tolist())
    set()
    """
    regions = skimage.segmentation.slic(
        np.asarray(picture),
        n_segments=count,
        compactness=_COMPACTNESS,
        sigma=_BLUR,
        min_size_factor=_LEAST_SHARE,
        start_label=0,
    )
    return np.asarray(regions, dtype=np.uint16)


def make_region_file(content: bytes, count: int) -> bytes:
    """The regions of an image file as the page reads them, compressed by gzip.

    These are the width and the height of the map as little-endian uint32, and then the regions'
    numbers as uint16, row by row. The map has the image's size, or is smaller in one or both
    directions. Raises `PictureError`.
    """
    with open_picture(content) as image:
        width, height = image.size
        scale = min(1.0, math.sqrt(_MOST_PIXELS / (width * height)))
        size = (_scale_side(width, scale), _scale_side(height, scale))
        regions = divide(shrink_part(image, (0, 0, width, height), size), count)
    header = np.array(size, dtype="<u4").tobytes()
    return gzip.compress(header + regions.astype("<u2").tobytes(), _COMPRESSION, mtime=0)


def _scale_side(side: int, scale: float) -> int:
    return min(max(1, int(side * scale)), _LONGEST_SIDE)
