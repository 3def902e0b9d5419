"""Pictures that would be BACKGROUND throughout although they show something."""

import numpy as np
from numpy.typing import NDArray

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.color_runs import ColorRuns

_HIGHEST_NUMBER = 2  # of the numbers that could be taken for black that is a little off
_DIGITS = np.array([9, 3, 1])
_OPAQUE = 255


def check_blank(
    runs: ColorRuns, colors: NDArray[np.int16], *, own: tuple[int, ...] | None, grey: bool
) -> None:
    """Refuse a picture without a pixel of a label that an untouched canvas does not give.

    Black on white is an object on a ground, and pixels of 1 and 2 are numbers of classes: read
    as BACKGROUND they would be a vote that nobody cast. A canvas on which nothing was drawn is
    see-through, white or black throughout; what erasing leaves on it is half transparent and
    not looked at. A grey file must be of one colour altogether, for no page draws in grey.

    Parameters
    ----------
    runs : ColorRuns
        A picture all of whose pixels were read as BACKGROUND.
    colors : ndarray of int16, shape (n_colors, 3)
        The worker's colours, and black; they are no numbers.
    own : tuple of int, optional
        Red, green and blue that the worker lists for BACKGROUND: such pixels are looked at no
        further.
    grey : bool
        Whether the file has no colours.

    Raises
    ------
    UnusableAnswer
        ``unreadable-colors``.
    """
    pixels = runs.colors
    if own is not None:
        pixels = pixels[(pixels[:, :3] != own).any(axis=1)]
    rgb, alpha = pixels[:, :3], pixels[:, 3]
    if grey:
        drawn = (
            len({tuple(one) if one[3] else None for one in np.unique(pixels, axis=0).tolist()}) > 1
        )
    else:
        opaque = rgb[alpha == _OPAQUE]
        drawn = bool((opaque == 255).all(axis=1).any() and (opaque == 0).all(axis=1).any())
    if drawn or _has_numbers(rgb[alpha == _OPAQUE], colors):
        raise UnusableAnswer(
            "unreadable-colors",
            "The mask shows something, but only in black, white or grey, which mean no label.",
        )


def _has_numbers(rgb: NDArray[np.uint8], colors: NDArray[np.int16]) -> bool:
    """Whether there are pixels of small numbers that are nobody's colour."""
    seen = rgb[rgb.max(axis=1, initial=0) <= _HIGHEST_NUMBER] @ _DIGITS
    owned = colors[colors.max(axis=1) <= _HIGHEST_NUMBER] @ _DIGITS
    return bool(np.setdiff1d(seen, owned).size)
