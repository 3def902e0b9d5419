"""Palette numbers to colours."""

import numpy as np
from numpy.typing import NDArray

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.png import PngFile


def palette_colors(file: PngFile, numbers: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours that palette numbers stand for.

    Parameters
    ----------
    file : PngFile
        With a palette.
    numbers : ndarray of uint8, shape (n_pixels,)
        Numbers of palette entries.

    Returns
    -------
    ndarray of uint8, shape (n_pixels, 4)
        Red, green, blue and alpha. Entries are opaque unless the file says otherwise.

    Raises
    ------
    UnusableAnswer
        ``bad-png``, if a number is past the palette's end.
    """
    rgb = np.frombuffer(file.palette, np.uint8).reshape(-1, 3)
    if int(numbers.max()) >= len(rgb):
        raise UnusableAnswer("bad-png", "A pixel names a colour that the palette lacks.")
    rgba = np.full((len(rgb), 4), 255, np.uint8)
    rgba[:, :3] = rgb
    alpha = np.frombuffer(file.transparency[: len(rgb)], np.uint8)
    rgba[: alpha.size, 3] = alpha
    return rgba[numbers]
