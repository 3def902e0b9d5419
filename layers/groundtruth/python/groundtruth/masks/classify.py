"""Colours of runs to classes, with tolerance for what browsers do to colours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.colors import color_bytes, normalize_color
from groundtruth.masks.runs import ColorRuns, RunMask, Starts

REACH = 5
"""How far off a channel may be at most, for a colour to be near another."""

FAR = np.iinfo(np.int16).max

_BITS = 5  # a cell of the colour space has the upper bits of each channel in common
_LOW = 8 - _BITS
_SPAN = 3  # a colour reaches into so many cells of a channel at most
_STRIDES = np.array([1 << 2 * _BITS, 1 << _BITS, 1])


class NearColors:
    """Finds which of some colours is near another.

    A colour is compared only with those that reach into its cell of the colour space, so that
    many different ones cost little however many labels there are.

    Parameters
    ----------
    colors : ndarray of int16, shape (n_colors, 3)
        The colours to find: red, green and blue.

    Examples
    --------
    >>> near = NearColors(np.array([[0, 0, 0], [40, 40, 40]], np.int16))
    >>> numbers = np.array([0x030001, 0x282628, 0x141414], np.uint32)
    >>> near.possible(numbers)
    array([ True,  True, False])
    >>> near.nearest(numbers[:2])
    (array([0, 1]), array([3, 2], dtype=int16))
    """

    def __init__(self, colors: NDArray[np.int16]) -> None:
        low = np.maximum(colors - REACH, 0) >> _LOW
        high = np.minimum(colors + REACH, 255) >> _LOW
        steps = np.indices((_SPAN, _SPAN, _SPAN)).reshape(3, -1).T
        reached = low[:, None] + steps
        inside = (reached <= high[:, None]).all(axis=2)
        cells = reached[inside] @ _STRIDES
        counts = np.bincount(cells, minlength=1 << 3 * _BITS)
        self._colors = colors
        self._rows = np.nonzero(inside)[0][np.argsort(cells, kind="stable")]
        self._ends = np.cumsum(counts)
        self._counts = counts
        self._reached = counts > 0

    def possible(self, numbers: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Whether a colour may be near: False where certainly none is.

        Parameters
        ----------
        numbers : ndarray of uint32
            Red, green and blue from the lowest byte on; the highest one does not count.
        """
        return self._reached[_cells(numbers)]

    def nearest(self, numbers: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.int16]]:
        """Which colour is nearest to each of many, by the channel that is most off.

        Parameters
        ----------
        numbers : ndarray of uint32, shape (n_numbers,)
            As for `possible`.

        Returns
        -------
        which : ndarray of int, shape (n_numbers,)
            Row of the colour, the first of those equally near; -1 if none is near.
        distance : ndarray of int16, shape (n_numbers,)
            By how much the channel is off, 0 .. `REACH`; `FAR` if no colour is near.
        """
        rgb = np.ascontiguousarray(numbers).view(np.uint8).reshape(-1, 4)[:, :3].astype(np.int16)
        which = np.full(len(rgb), -1, np.intp)
        best = np.full(len(rgb), FAR, np.int16)
        cells = _cells(numbers)
        end = self._ends[cells]
        turn = end - self._counts[cells]
        at = np.flatnonzero(turn < end)
        while at.size:  # a round for each of the colours that reach into a cell
            row = self._rows[turn[at]]
            distance = np.abs(rgb[at] - self._colors[row]).max(axis=1)
            nearer = (distance < best[at]) & (distance <= REACH)
            best[at[nearer]] = distance[nearer]
            which[at[nearer]] = row[nearer]
            turn[at] += 1
            at = at[turn[at] < end[at]]
        return which, best


def _cells(numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The cell of each colour."""
    red, green, blue = (numbers >> np.uint32(8 * channel + _LOW) for channel in range(3))
    mask = np.uint32((1 << _BITS) - 1)
    upper = (red & mask) << np.uint32(2 * _BITS) | (green & mask) << np.uint32(_BITS)
    return np.asarray(upper | blue & mask)


UNKNOWN = -1

_NOTHING = np.iinfo(np.int32).max
_TRANSPARENT = 1 << 15  # more than any two colours differ by


def snapped_runs(runs: ColorRuns, classes: NDArray[np.int32]) -> tuple[Starts, NDArray[np.int32]]:
    """The runs with a class for each.

    An unknown run takes the class of the nearest known run of its row, on the side whose colour
    is more like its own. A row of which nothing is known is a copy of the next row above of
    which something is, or below if there is none above.

    Parameters
    ----------
    runs : ColorRuns
        The picture.
    classes : ndarray of int32, shape (n_runs,)
        Class of each run, or `UNKNOWN`; at least one is known.

    Returns
    -------
    starts : ndarray of int
        Flat pixel offset at which each run begins.
    classes : ndarray of int32
        Class of each of these runs.
    """
    filled = _from_beside(runs, classes)
    rows = np.arange(0, runs.shape[0] * runs.shape[1], runs.shape[1], dtype=runs.starts.dtype)
    begins = np.searchsorted(runs.starts, rows)
    known = filled[begins] != UNKNOWN
    if known.all():
        return runs.starts, filled
    source = _known_row(known)
    n_runs = np.diff(begins, append=filled.size)[source]
    ends = np.cumsum(n_runs)
    at = np.arange(ends[-1]) + np.repeat(begins[source] - (ends - n_runs), n_runs)
    return runs.starts[at] + np.repeat(rows - rows[source], n_runs), filled[at]


def _known_row(known: NDArray[np.bool_]) -> NDArray[np.intp]:
    """For each row itself if it is known, else the next known one above, else below."""
    index = np.arange(known.size)
    above = np.maximum.accumulate(np.where(known, index, -1))
    return np.where(above < 0, known.argmax(), above)


def _from_beside(runs: ColorRuns, classes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Classes with each unknown run filled from the known runs on either side, in its row."""
    index = np.arange(classes.size)
    known = classes != UNKNOWN
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
        distance += np.where(runs.colors[neighbour, 3] == 0, _TRANSPARENT, 0)
        distances.append(np.where(inside, distance, _NOTHING))
    nearest = np.where(distances[1] < distances[0], right[at], left[at])
    found = np.minimum(*distances) < _NOTHING
    filled[at[found]] = classes[nearest[found]]
    return filled


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
