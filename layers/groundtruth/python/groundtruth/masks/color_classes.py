"""Colours of runs to classes, with tolerance for what browsers do to colours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.color_runs import ColorRuns
from groundtruth.masks.colors import color_bytes, normalize_color
from groundtruth.masks.near_colors import REACH, NearColors
from groundtruth.masks.runs import RunMask
from groundtruth.masks.snapping import UNKNOWN, snapped_runs

MAX_SNAPPED_SHARE = 0.02

_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_TOLERANCE = 2
_RGB = np.uint32(0xFFFFFF)
_HASH = np.uint32(0x9E3779B1)  # prime, near 2**32 / golden ratio: spreads close numbers far apart
_SLOTS, _TO_SLOT = 1 << 16, np.uint32(16)
_BLOCK = 1 << 15  # runs looked at together, so that they stay in the processor's cache


@dataclass(frozen=True)
class ColorTable:
    """Which class each colour of one worker's answer means.

    White and black that no label owns mean BACKGROUND.

    Attributes
    ----------
    colors : ndarray of int16, shape (n_colors, 3)
        Red, green and blue.
    classes : ndarray of int32, shape (n_colors,)
        The class of each colour.
    """

    colors: NDArray[np.int16]
    classes: NDArray[np.int32]

    @property
    def has_grey_label(self) -> bool:
        """Whether a label is painted in a grey, black or white."""
        labels = self.colors[self.classes > 0]
        return bool(((labels[:, 0] == labels[:, 1]) & (labels[:, 1] == labels[:, 2])).any())


def color_table(colors: Mapping[int, str], name_of: Callable[[int], str]) -> ColorTable:
    """Table of one worker's colours.

    Parameters
    ----------
    colors : mapping of int to str
        ``#rrggbb`` of each class that the answer lists.
    name_of : callable
        Name of a class, for messages.

    Returns
    -------
    ColorTable

    Raises
    ------
    UnusableAnswer
        ``ambiguous-color``, if two classes have one colour; both are named. ``bad-color``, if
        a colour cannot be read.
    """
    owners: dict[tuple[int, int, int], int] = {}
    for index, color in sorted(colors.items()):
        rgb = color_bytes(normalize_color(color, label=name_of(index)))
        owner = owners.setdefault(rgb, index)
        if owner != index:
            raise UnusableAnswer(
                "ambiguous-color",
                f"Labels {name_of(owner)!r} and {name_of(index)!r} have the same colour.",
            )
    owners.setdefault(_WHITE, 0)
    owners.setdefault(_BLACK, 0)
    return ColorTable(np.array(list(owners), np.int16), np.array(list(owners.values()), np.int32))


@dataclass(frozen=True)
class Classified:
    """Classes of a picture, and how many pixels needed leniency.

    Attributes
    ----------
    mask : RunMask
        With no two equal runs side by side, or with a run for each pixel.
    near_pixels : int
        Pixels whose colour was only near that of a label.
    snapped_pixels : int
        Pixels whose colour was unknown; they took the class of a pixel beside or above them.
    """

    mask: RunMask
    near_pixels: int
    snapped_pixels: int


def classify(runs: ColorRuns, table: ColorTable, *, exact: bool = False) -> Classified:
    """Class of each run of colours.

    A colour means the class that owns it; a pixel with alpha 0 is BACKGROUND. Otherwise the
    nearest colour counts if no channel is off by more than 2, or, for a half transparent pixel,
    by what storing colours multiplied by alpha loses: 255 / (2 alpha), at most 5. A run still
    unknown takes the class of the run beside it whose colour is more like its own: the pixels
    of a smoothed edge go to either side. A row without a known run takes after the row above.

    Parameters
    ----------
    runs : ColorRuns
        The picture.
    table : ColorTable
        The worker's colours.
    exact : bool, optional
        Take no colour for another, and accept no unknown colour.

    Returns
    -------
    Classified

    Raises
    ------
    UnusableAnswer
        ``unreadable-colors``, if more than `MAX_SNAPPED_SHARE` of the pixels are unknown.
    """
    colors = runs.colors.view("<u4")[:, 0]
    classes = _looked_up(colors, table)
    n_pixels = runs.shape[0] * runs.shape[1]
    near = snapped = 0
    starts = runs.starts
    at = np.flatnonzero(classes == UNKNOWN)
    if at.size:
        pixels = np.diff(starts, append=n_pixels)[at]
        limit = 0 if exact else int(n_pixels * MAX_SNAPPED_SHARE)
        found, distance = _approximated(colors[at], pixels, table, exact, limit)
        near = int(pixels[(distance > 0) & (found != UNKNOWN)].sum())
        snapped = _unknown(pixels, found == UNKNOWN, limit)
        classes[at] = found
    if snapped:
        starts, classes = snapped_runs(runs, classes)
    mask = RunMask(starts, classes.astype(np.uint16), runs.shape)
    noise = classes.size == n_pixels > _BLOCK
    return Classified(mask if noise else mask.merged(), near, snapped)


def _looked_up(colors: NDArray[np.uint32], table: ColorTable) -> NDArray[np.int32]:
    """Class of each colour that is exactly a label's, or nothing at all; else `UNKNOWN`.

    Each label's colour has a slot of a table. One that lost it to another is not found.
    """
    rgba = np.full((1 + len(table.colors), 4), 255, np.uint8)
    rgba[1:, :3] = table.colors
    rgba[0] = 0
    known = rgba.view("<u4")[:, 0]
    owners, class_of = np.zeros(_SLOTS, np.uint32), np.zeros(_SLOTS, np.int32)
    slots = known * _HASH >> _TO_SLOT
    owners[slots] = known
    class_of[slots] = [0, *table.classes]
    classes = np.empty(colors.size, np.int32)
    for first in range(0, colors.size, _BLOCK):
        block = colors[first : first + _BLOCK]
        slots = block * _HASH >> _TO_SLOT
        found = class_of[slots]
        found[owners[slots] != block] = UNKNOWN
        classes[first : first + _BLOCK] = found
    return classes


def _approximated(
    colors: NDArray[np.uint32],
    pixels: NDArray[np.integer],
    table: ColorTable,
    exact: bool,
    limit: int,
) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Class of each colour by the nearest one of the table, `UNKNOWN` if none is near enough.

    With it goes the distance. Nothing is compared if too many pixels cannot be near any.
    """
    known = NearColors(table.colors)
    alpha = (colors >> np.uint32(24)).astype(np.int16)
    possible = known.possible(colors) & (alpha > 0)
    _unknown(pixels, ~possible & (alpha > 0), limit)
    classes = np.where(alpha > 0, np.int32(UNKNOWN), np.int32(0))
    best = np.zeros(colors.size, np.int16)
    at = np.flatnonzero(possible)
    distinct, back = np.unique(colors[at] & _RGB, return_inverse=True)
    which, distance = (values[back] for values in known.nearest(distinct))
    lost = -(-255 // (2 * alpha[at]))
    enough = distance <= (0 if exact else np.clip(lost, _TOLERANCE, REACH))
    classes[at[enough]] = table.classes[which[enough]]
    best[at] = distance
    return classes, best


def _unknown(pixels: NDArray[np.integer], unknown: NDArray[np.bool_], limit: int) -> int:
    """How many pixels are unknown; refuses the picture if they are more than `limit`."""
    count = int(pixels[unknown].sum())
    if count > limit:
        raise UnusableAnswer(
            "unreadable-colors",
            f"{count} pixels or more have the colour of no label; {limit} are let pass.",
        )
    return count
