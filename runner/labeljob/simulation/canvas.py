"""The PNG that the segmentation page sends: colours in label order on a transparent canvas.

A browser's canvas is 8 bits red, green, blue, alpha; its encoder uses the filter Sub on every
row (W3C, "Portable Network Graphics Specification (Second Edition)", 2003, section 9).
"""

import colorsys
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ELEMENT_COLORS = (
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
)
"""Colours that crowd-semantic-segmentation gives the labels, in order, as far as is known."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FILTER_SUB = 1
_BAND_ROWS = 256
_GOLDEN_TURN = 0.618033988749895


def label_colors(labels: Sequence[str]) -> dict[str, str]:
    """Give each label its colour.

    Examples
    --------
    >>> label_colors(["water", "sky"])
    {'water': '#2ca02c', 'sky': '#1f77b4'}
    """
    colors = list(ELEMENT_COLORS[: len(labels)])
    turn = 0
    while len(colors) < len(labels):
        turn += 1
        value = 0.45 + 0.5 * ((turn * 7) % 11) / 10.0
        rgb = colorsys.hsv_to_rgb(turn * _GOLDEN_TURN % 1.0, 0.75, value)
        color = "#" + "".join(f"{round(channel * 255):02x}" for channel in rgb)
        if color not in colors:
            colors.append(color)
    return dict(zip(labels, colors, strict=True))


def canvas_png(mask: NDArray[np.uint8], colors: Sequence[str]) -> bytes:
    """Encode a mask (0 for background, else the class's index + 1) as the page's canvas does."""
    rows, columns = mask.shape
    palette = np.zeros((len(colors) + 1, 4), dtype=np.uint8)
    for place, color in enumerate(colors, start=1):
        palette[place] = (*bytes.fromhex(color.removeprefix("#")), 255)
    header = struct.pack(">2I5B", columns, rows, 8, 6, 0, 0, 0)
    packer = zlib.compressobj(level=3)
    data = b"".join(
        packer.compress(_filtered(palette[mask[start : start + _BAND_ROWS]]))
        for start in range(0, rows, _BAND_ROWS)
    )
    chunks = _chunk(b"IHDR", header), _chunk(b"IDAT", data + packer.flush()), _chunk(b"IEND", b"")
    return _SIGNATURE + b"".join(chunks)


def _filtered(pixels: NDArray[np.uint8]) -> bytes:
    """Rows as a PNG stores them: the filter's number, then each byte less the pixel before."""
    rows, columns, channels = pixels.shape
    stored = np.empty((rows, 1 + columns * channels), dtype=np.uint8)
    stored[:, 0] = _FILTER_SUB
    flat = pixels.reshape(rows, -1)
    stored[:, 1 : 1 + channels] = flat[:, :channels]
    np.subtract(flat[:, channels:], flat[:, :-channels], out=stored[:, 1 + channels :])
    return stored.tobytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
