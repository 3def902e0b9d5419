"""Colours of labels: reading them, and choosing those of the consolidated mask."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from groundtruth.errors import UnusableAnswer

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
    """A label's colour as ``#rrggbb`` in lower case.

    Parameters
    ----------
    text : str
        ``#rrggbb`` or ``#rgb``, in any case.
    label : str
        Whose colour it is, for the message.

    Returns
    -------
    str

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
