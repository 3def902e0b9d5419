"""Colours of runs to classes, with tolerance for what browsers do to colours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.color_runs import ColorRuns
from groundtruth.masks.colors import color_bytes, normalize_color
from groundtruth.masks.runs import RunMask

MAX_SNAPPED_SHARE = 0.02

_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_TOLERANCE, _MAX_TOLERANCE = 2, 5
_UNKNOWN = -1
_FAR = np.iinfo(np.int16).max
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
        Pixels whose colour was unknown; they took the class of a run beside them.
    """

    mask: RunMask
    near_pixels: int
    snapped_pixels: int


def classify(runs: ColorRuns, table: ColorTable, *, exact: bool = False) -> Classified:
    """Class of each run of colours.

    A colour means the class that owns it; a pixel with alpha 0 is BACKGROUND. Otherwise the
    nearest colour counts if no channel is off by more than 2, or, for a half transparent pixel,
    by what storing colours multiplied by alpha loses: 255 / (2 alpha), at most 5. A run still
    unknown takes the class of the nearest known run of its row, on the side whose colour is
    more like its own: the pixels of a smoothed edge go to either side.

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
        ``unreadable-colors``, if more than `MAX_SNAPPED_SHARE` of the pixels are unknown, or
        if a row that has unknown pixels has no known ones.
    """
    colors = runs.colors.view("<u4")[:, 0]
    classes = _looked_up(colors, table)
    n_pixels = runs.shape[0] * runs.shape[1]
    near = snapped = 0
    at = np.flatnonzero(classes == _UNKNOWN)
    if at.size:
        distinct, which = np.unique(colors[at], return_inverse=True)
        found, distance = _nearest(distinct.view(np.uint8).reshape(-1, 4), table, exact)
        classes[at] = found[which]
        pixels = np.bincount(which, np.diff(runs.starts, append=n_pixels)[at])
        snapped = int(pixels[found == _UNKNOWN].sum())
        near = int(pixels[(distance > 0) & (found != _UNKNOWN)].sum())
        if snapped > n_pixels * (0 if exact else MAX_SNAPPED_SHARE):
            raise UnusableAnswer(
                "unreadable-colors", f"{snapped} of {n_pixels} pixels have the colour of no label."
            )
    if snapped:
        classes = _from_beside(runs, classes)
    mask = RunMask(runs.starts, classes.astype(np.uint16), runs.shape)
    noise = classes.size == n_pixels > _BLOCK
    return Classified(mask if noise else mask.merged(), near, snapped)


def _looked_up(colors: NDArray[np.uint32], table: ColorTable) -> NDArray[np.int32]:
    """Class of each colour that is exactly a label's, or nothing at all; else `_UNKNOWN`.

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
        found[owners[slots] != block] = _UNKNOWN
        classes[first : first + _BLOCK] = found
    return classes


def _nearest(
    rgba: NDArray[np.uint8], table: ColorTable, exact: bool
) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Class of each colour, `_UNKNOWN` where none is near enough, and its distance."""
    rgb, alpha = rgba[:, :3].astype(np.int16), rgba[:, 3].astype(np.int16)
    best = np.full(len(rgba), _FAR, np.int16)
    classes = np.full(len(rgba), _UNKNOWN, np.int32)
    for color, index in zip(table.colors, table.classes, strict=True):
        distance = np.abs(rgb - color).max(axis=1)
        nearer = distance < best
        best[nearer] = distance[nearer]
        classes[nearer] = index
    lost = -(-255 // np.maximum(2 * alpha, 1))
    tolerance = 0 if exact else np.clip(lost, _TOLERANCE, _MAX_TOLERANCE)
    classes[best > tolerance] = _UNKNOWN
    classes[alpha == 0] = 0
    best[alpha == 0] = 0
    return classes, best


def _from_beside(runs: ColorRuns, classes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Classes with each unknown run filled from the known runs on either side, in its row."""
    index = np.arange(classes.size)
    known = classes != _UNKNOWN
    left = np.maximum.accumulate(np.where(known, index, -1))
    right = np.minimum.accumulate(np.where(known, index, classes.size)[::-1])[::-1]
    row = runs.starts // runs.shape[1]
    rgb = runs.colors[:, :3].astype(np.int32)
    filled = classes.copy()
    at = np.flatnonzero(~known)
    distances = []
    for side in (left[at], right[at]):
        inside = (side >= 0) & (side < classes.size)
        neighbour = np.where(inside, side, 0)
        inside &= row[neighbour] == row[at]
        distance = np.abs(rgb[neighbour] - rgb[at]).sum(axis=1)
        distance += np.where(runs.colors[neighbour, 3] == 0, _FAR, 0)
        distances.append(np.where(inside, distance, np.iinfo(np.int32).max))
    if (np.minimum(*distances) == np.iinfo(np.int32).max).any():
        raise UnusableAnswer("unreadable-colors", "A whole row has the colour of no label.")
    nearest = np.where(distances[1] < distances[0], right[at], left[at])
    filled[at] = classes[nearest]
    return filled
