"""Colours of runs to classes, with tolerance for what browsers do to colours."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.runs import ColorRuns, RunMask, Starts

BACKGROUND_COLOR = "#ffffff"

# The first colours are those Ground Truth's own worker page gives to labels, in its order.
DEFAULT_COLORS = (
    "#2ca02c",
    "#1f77b4",
    "#ff7f0e",
    "#d62728",
    "#9467bd",
    "#8c564b",
    "#e377c2",
    "#7f7f7f",
    "#bcbd22",
    "#17becf",
    "#98df8a",
    "#aec7e8",
    "#ffbb78",
    "#ff9896",
    "#c5b0d5",
    "#c49c94",
    "#f7b6d2",
    "#c7c7c7",
    "#dbdb8d",
    "#9edae5",
)

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.ASCII)
_ALL_COLORS = 1 << 24
_STEP = 0x9E3779  # odd, so that its multiples pass through all colours; near 2**24 / golden ratio


def normalize_color(text: str, *, label: str) -> str:
    """A label's colour, ``#rrggbb`` or ``#rgb`` in any case, as ``#rrggbb`` in lower case.

    Raises
    ------
    UnusableAnswer
        ``bad-color``, naming the label.

    Examples
    --------
    >>> normalize_color("#2CA02C", label="water"), normalize_color("#fff", label="sky")
    ('#2ca02c', '#ffffff')
    """
    color = text.strip().lower()
    if not _HEX.fullmatch(color):
        raise UnusableAnswer(
            "bad-color", f"The colour of label {label!r} is not written as #rrggbb."
        )
    return color if len(color) == 7 else "#" + "".join(2 * digit for digit in color[1:])


def color_bytes(color: str) -> tuple[int, int, int]:
    """Red, green and blue of a ``#rrggbb``, each 0 .. 255.

    Examples
    --------
    >>> color_bytes("#2ca02c")
    (44, 160, 44)
    """
    number = int(color[1:], 16)
    return number >> 16, number >> 8 & 0xFF, number & 0xFF


def output_palette(labels: Sequence[str], seen: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Colours of the consolidated mask: BACKGROUND's, then one for each label.

    A label keeps the colour most workers painted it with; of colours used equally often, the
    first in order of their hexadecimal text. Where an earlier label has that colour, the
    label's next most common one is taken. White is never a label's colour, since readers of
    these masks take white for BACKGROUND. A label without a colour by then gets the first
    of `DEFAULT_COLORS` that is free.

    Parameters
    ----------
    labels : sequence of str
        The job's labels in their order, without BACKGROUND.
    seen : sequence of mappings
        For each worker, the colour of each label as that worker's answer tells it. Labels
        that are not in `labels` are left out of account.

    Returns
    -------
    tuple of str
        ``#rrggbb`` of each class, all different: BACKGROUND, then label after label.

    Raises
    ------
    UnusableAnswer
        ``bad-color``, if a colour in `seen` cannot be read.

    Examples
    --------
    >>> output_palette(["water", "sky"], [{"water": "#1f77b4"}, {"water": "#1F77B4"}])
    ('#ffffff', '#1f77b4', '#2ca02c')
    """
    taken = {BACKGROUND_COLOR}
    color_of_label: dict[str, str] = {}
    for label in labels:
        counts = Counter(
            normalize_color(colors[label], label=label) for colors in seen if label in colors
        )
        for color, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            if color not in taken:
                color_of_label[label] = color
                taken.add(color)
                break
    free = (color for color in _color_sequence() if color not in taken)
    return BACKGROUND_COLOR, *(color_of_label.get(label) or next(free) for label in labels)


def _color_sequence() -> Iterator[str]:
    """All colours once, the default ones first, then far-apart ones."""
    yield from DEFAULT_COLORS
    defaults = set(DEFAULT_COLORS)
    for index in range(_ALL_COLORS):
        color = f"#{index * _STEP % _ALL_COLORS:06x}"
        if color not in defaults:
            yield color


MAX_UNKNOWN_SHARE = 0.02

_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_TOLERANCE = 2  # by which a channel of an opaque pixel may be off
_REACH = 5  # and of a half transparent one at most
_UNKNOWN = -1
_CELL_BITS = 3  # lower bits that the colours of one cell of the colour space do not share
_CHUNK = 1 << 12  # colours compared with all labels at a time
_NO_RUN = np.iinfo(np.int32).max
_TRANSPARENT = 1 << 15  # more than any two colours differ by
_HIGHEST_NUMBER = 2  # of the numbers that could be taken for black that is a little off
_DIGITS = np.array([9, 3, 1])


@dataclass(frozen=True)
class ColorTable:
    """Which class each colour of one worker's answer means.

    White and black that no label owns mean BACKGROUND.
    """

    colors: NDArray[np.int16]  # red, green and blue of each
    classes: NDArray[np.int32]
    background: tuple[int, int, int] | None = None  # what the worker lists for BACKGROUND, if any

    @property
    def has_grey_label(self) -> bool:
        """Whether a label is painted in a grey, black or white."""
        labels = self.colors[self.classes > 0]
        return bool(((labels[:, 0] == labels[:, 1]) & (labels[:, 1] == labels[:, 2])).any())


def color_table(colors: Mapping[int, str], name_of: Callable[[int], str]) -> ColorTable:
    """Table of the colours, ``#rrggbb``, of the classes that one worker's answer lists.

    Raises
    ------
    UnusableAnswer
        ``ambiguous-color``, if two classes have one colour; both are named. ``bad-color``, if
        a colour cannot be read.
    """
    owners: dict[tuple[int, int, int], int] = {}
    background = None
    for index, color in sorted(colors.items()):
        rgb = color_bytes(normalize_color(color, label=name_of(index)))
        owner = owners.setdefault(rgb, index)
        if owner != index:
            raise UnusableAnswer(
                "ambiguous-color",
                f"Labels {name_of(owner)!r} and {name_of(index)!r} have the same colour.",
            )
        if index == 0:
            background = rgb
    owners.setdefault(_WHITE, 0)
    owners.setdefault(_BLACK, 0)
    return ColorTable(
        np.array(list(owners), np.int16), np.array(list(owners.values()), np.int32), background
    )


@dataclass(frozen=True)
class Classified:
    """Classes of a picture, and how many pixels needed leniency."""

    mask: RunMask
    near_pixels: int  # whose colour was only near that of a label
    snapped_pixels: int  # whose colour was unknown; they took the class beside or above them


def classify(runs: ColorRuns, table: ColorTable, *, grey: bool = False) -> Classified:
    """Class of each run of colours.

    A colour means the class that owns it; a pixel with alpha 0 is BACKGROUND. Otherwise the
    nearest colour counts if no channel is off by more than 2, or, for a half transparent pixel,
    by what storing colours multiplied by alpha loses: 255 / (2 alpha), at most 5. A run still
    unknown takes the class of the run beside it whose colour is more like its own: the pixels
    of a smoothed edge go to either side. A row without a known run takes after the row above.

    The greys of a `grey` file, one without colours, are likely numbers of classes unless a label is
    grey: then no colour is taken for another, and no unknown one is accepted.

    Raises
    ------
    UnusableAnswer
        ``unreadable-colors``, if more than `MAX_UNKNOWN_SHARE` of the pixels are unknown, or if
        the picture shows something but no label.
    """
    exact = grey and not table.has_grey_label
    colors = runs.colors.view("<u4")[:, 0]
    n_pixels = runs.shape[0] * runs.shape[1]
    classes = _look_up(colors, table)
    starts = runs.starts
    near_pixels = unknown_pixels = 0
    other = np.flatnonzero(classes == _UNKNOWN)
    if other.size:
        pixels = np.diff(starts, append=n_pixels)[other]
        limit = 0 if exact else int(n_pixels * MAX_UNKNOWN_SHARE)
        classes[other], near = _approximate(runs.colors[other], pixels, table, exact, limit)
        near_pixels = int(pixels[near].sum())
        unknown_pixels = _count_unknown(pixels, classes[other] == _UNKNOWN, limit)
    if unknown_pixels:
        starts, classes = _fill_from_nearest(runs, classes)
    if not classes.any():
        _check_unlabeled(runs, table, grey=grey)
    mask = RunMask(starts, classes.astype(np.uint16), runs.shape).merge()
    return Classified(mask, near_pixels, unknown_pixels)


def _look_up(colors: NDArray[np.uint32], table: ColorTable) -> NDArray[np.int32]:
    """Class of each colour that is exactly a label's, or nothing at all; else `_UNKNOWN`."""
    rgba = np.full((1 + len(table.colors), 4), 255, np.uint8)
    rgba[1:, :3] = table.colors
    rgba[0] = 0
    known = rgba.view("<u4")[:, 0]
    order = np.argsort(known)
    position = order[np.searchsorted(known[order[:-1]], colors)]
    classes = np.append(0, table.classes).astype(np.int32)[position]
    classes[known[position] != colors] = _UNKNOWN
    return classes


def _approximate(
    colors: NDArray[np.uint8],
    pixels: NDArray[np.integer],
    table: ColorTable,
    exact: bool,
    limit: int,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Class of each colour by the nearest one of the table, and whether it was only near that.

    Nothing is compared if too many pixels cannot be near any.
    """
    alpha = colors[:, 3].astype(np.int16)
    classes = np.where(alpha > 0, np.int32(_UNKNOWN), np.int32(0))
    near = np.zeros(len(colors), np.bool_)
    cells = tuple((colors[:, :3] >> _CELL_BITS).T)
    possible = _reachable_cells(table.colors)[cells] & (alpha > 0)
    _count_unknown(pixels, ~possible & (alpha > 0), limit)
    some = np.flatnonzero(possible)
    distinct, inverse = np.unique(colors[some, :3], axis=0, return_inverse=True)
    nearest, distance = (values[inverse] for values in _find_nearest(distinct, table.colors))
    lost = -(-255 // (2 * alpha[some]))
    enough = distance <= (0 if exact else np.clip(lost, _TOLERANCE, _REACH))
    classes[some[enough]] = table.classes[nearest[enough]]
    near[some] = enough & (distance > 0)
    return classes, near


def _reachable_cells(colors: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Cells of the colour space, by red, green and blue, in which a pixel may be near a colour."""
    size = 256 >> _CELL_BITS
    reachable = np.zeros((size, size, size), np.bool_)
    low = np.maximum(colors - _REACH, 0) >> _CELL_BITS
    high = (np.minimum(colors + _REACH, 255) >> _CELL_BITS) + 1
    for first, last in zip(low, high, strict=True):
        reachable[tuple(map(slice, first, last))] = True
    return reachable


def _find_nearest(
    colors: NDArray[np.uint8], known: NDArray[np.int16]
) -> tuple[NDArray[np.intp], NDArray[np.int16]]:
    """The nearest known colour of each, the first of equals, and the channel most off from it."""
    nearest = np.empty(len(colors), np.intp)
    distance = np.empty(len(colors), np.int16)
    for first in range(0, len(colors), _CHUNK):
        chunk = slice(first, first + _CHUNK)
        distances = np.abs(colors[chunk, None] - known).max(axis=2)
        nearest[chunk] = distances.argmin(axis=1)
        distance[chunk] = distances.min(axis=1)
    return nearest, distance


def _count_unknown(pixels: NDArray[np.integer], unknown: NDArray[np.bool_], limit: int) -> int:
    """How many pixels are unknown; refuses the picture if they are more than `limit`."""
    count = int(pixels[unknown].sum())
    if count > limit:
        raise UnusableAnswer(
            "unreadable-colors",
            f"{count} pixels or more have the colour of no label; {limit} are let pass.",
        )
    return count


def _fill_from_nearest(
    runs: ColorRuns, classes: NDArray[np.int32]
) -> tuple[Starts, NDArray[np.int32]]:
    """Starts and classes of the runs, those of unknown class filled; one must be known.

    An unknown run takes the class of the nearest known run of its row, on the side whose colour
    is more like its own. A row of which nothing is known is a copy of the next row above of
    which something is, or below if there is none above.
    """
    filled = _fill_from_beside(runs, classes)
    rows = np.arange(0, runs.shape[0] * runs.shape[1], runs.shape[1], dtype=runs.starts.dtype)
    begins = np.searchsorted(runs.starts, rows)
    known = filled[begins] != _UNKNOWN
    if known.all():
        return runs.starts, filled
    index = np.arange(known.size)
    above = np.maximum.accumulate(np.where(known, index, -1))
    source = np.where(above < 0, known.argmax(), above)
    n_runs = np.diff(begins, append=filled.size)[source]
    ends = np.cumsum(n_runs)
    copied = np.arange(ends[-1]) + np.repeat(begins[source] - (ends - n_runs), n_runs)
    return runs.starts[copied] + np.repeat(rows - rows[source], n_runs), filled[copied]


def _fill_from_beside(runs: ColorRuns, classes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Classes with each unknown run filled from the known runs on either side, in its row."""
    index = np.arange(classes.size)
    known = classes != _UNKNOWN
    unknown = np.flatnonzero(~known)
    left = np.maximum.accumulate(np.where(known, index, -1))[unknown]
    right = np.minimum.accumulate(np.where(known, index, classes.size)[::-1])[::-1][unknown]
    row = runs.starts // runs.shape[1]
    rgb = runs.colors[:, :3].astype(np.int32)
    distances = []
    for side in (left, right):
        inside = (side >= 0) & (side < classes.size)
        neighbour = np.where(inside, side, 0)
        inside &= row[neighbour] == row[unknown]
        distance = np.abs(rgb[neighbour] - rgb[unknown]).sum(axis=1)
        distance += np.where(runs.colors[neighbour, 3] == 0, _TRANSPARENT, 0)
        distances.append(np.where(inside, distance, _NO_RUN))
    nearest = np.where(distances[1] < distances[0], right, left)
    has_neighbour = np.minimum(*distances) < _NO_RUN
    filled = classes.copy()
    filled[unknown[has_neighbour]] = classes[nearest[has_neighbour]]
    return filled


def _check_unlabeled(runs: ColorRuns, table: ColorTable, *, grey: bool) -> None:
    """Refuse a picture without a pixel of a label that an untouched canvas does not give.

    Black on white is an object on a ground, and pixels of 1 and 2 are numbers of classes: read
    as BACKGROUND they would be a vote that nobody cast. A canvas on which nothing was drawn is
    see-through, white or black throughout; what erasing leaves on it is half transparent and
    not looked at, nor is what the worker lists for BACKGROUND. A grey file must be of one colour
    altogether, for no page draws in grey.
    """
    colors = runs.colors
    if table.background is not None:
        colors = colors[(colors[:, :3] != table.background).any(axis=1)]
    opaque = colors[colors[:, 3] == 255, :3]
    if grey:
        shades = np.unique(colors, axis=0).tolist()
        drawn = len({tuple(shade) if shade[3] else None for shade in shades}) > 1
    else:
        drawn = bool((opaque == 255).all(axis=1).any() and (opaque == 0).all(axis=1).any())
    # Small numbers that are nobody's colour.
    seen = opaque[opaque.max(axis=1, initial=0) <= _HIGHEST_NUMBER] @ _DIGITS
    owned = table.colors[table.colors.max(axis=1) <= _HIGHEST_NUMBER] @ _DIGITS
    if drawn or np.setdiff1d(seen, owned).size:
        raise UnusableAnswer(
            "unreadable-colors",
            "The mask shows something, but only in black, white or grey, which mean no label.",
        )
