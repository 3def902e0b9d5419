"""Any PNG to runs of colours, by way of Pillow."""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.color_runs import ColorRuns, check_complexity, runs_of_strip
from groundtruth.masks.inflating import inflate
from groundtruth.masks.palettes import palette_colors
from groundtruth.masks.png import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    SIGNATURE,
    PngFile,
    chunk,
    header_chunk,
)
from groundtruth.masks.runs import offset_type

_STRIP_PIXELS = 1 << 16
_BLOCK = 1 << 16
# Pillow keeps the high byte of 16 bits. These are its names for reading the low byte instead.
_LOW_BYTE = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}


def read_with_pillow(file: PngFile) -> ColorRuns:
    """Runs of colours of a PNG of any kind.

    Pillow is given the chunks of `file` alone, so that it meets no text, profile or animation.

    Parameters
    ----------
    file : PngFile
        From `read_chunks`.

    Returns
    -------
    ColorRuns

    Raises
    ------
    UnusableAnswer
        ``truncated-png``, ``bad-png``, ``too-complex``, or ``unsupported-png`` for 16 bits that
        8 cannot hold.
    """
    # Pillow is content with a stream that breaks off behind the last pixel, or goes on.
    for _ in inflate(file.data, file.header.inflated_bytes, _BLOCK):
        pass
    rows, columns = file.header.shape
    starts, colors, first, n_runs = [], [], 0, 0
    for strip in _strips(file):
        at, found = runs_of_strip(strip)
        starts.append((at + first).astype(offset_type(rows * columns)))
        colors.append(strip.ravel()[at])
        n_runs += found
        check_complexity(n_runs)
        first += strip.size
    values = np.concatenate(colors)
    if file.header.color_type == PALETTE:
        pixels = palette_colors(file, values.astype(np.uint8))
    else:
        pixels = values.view(np.uint8).reshape(-1, 4)
    return ColorRuns(np.concatenate(starts), pixels, (rows, columns))


def _strips(file: PngFile) -> Iterator[NDArray[np.uint8] | NDArray[np.uint32]]:
    """The picture in strips of rows: palette indices, or red to alpha as one number each."""
    color_type, deep = file.header.color_type, file.header.bit_depth == 16
    if deep and (color_type == GREY_ALPHA or file.transparency):
        raise UnusableAnswer("unsupported-png", "16 bits with this transparency are not read.")
    image = _decoded(file)
    if color_type == PALETTE:
        yield from _crops(image)
    elif not deep:
        yield from map(_packed, _crops(image, "RGBA"))
    elif color_type == GREY:
        for strip in _crops(image):
            _require_equal(strip & 0xFF, strip >> 8)
            yield (strip & 0xFF).astype(np.uint32) * np.uint32(0x010101) | np.uint32(0xFF000000)
    else:
        pairs = zip(
            _crops(image, "RGBA"), _crops(_decoded(file, low_byte=True), "RGBA"), strict=True
        )
        for high, low in pairs:
            _require_equal(high, low)
            yield _packed(high)


def _crops(image: Image.Image, mode: str | None = None) -> Iterator[NDArray[np.uint8]]:
    """Strips of a decoded picture, small enough to stay in the processor's cache."""
    columns, rows = image.size
    strip_rows = max(1, _STRIP_PIXELS // columns)
    for first in range(0, rows, strip_rows):
        strip = image.crop((0, first, columns, min(rows, first + strip_rows)))
        yield np.asarray(strip if mode in (None, strip.mode) else strip.convert(mode))


def _packed(rgba: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Four channels as one little-endian number, whose bytes are red, green, blue, alpha."""
    return np.ascontiguousarray(rgba).view("<u4")[..., 0]


def _require_equal(high: NDArray[np.integer], low: NDArray[np.integer]) -> None:
    """Let pass 16-bit channels that are 8-bit ones written twice."""
    if not np.array_equal(high, low):
        raise UnusableAnswer("unsupported-png", "The PNG's 16-bit colours do not fit in 8 bits.")


def _decoded(file: PngFile, *, low_byte: bool = False) -> PngImagePlugin.PngImageFile:
    """Pillow's picture of the file."""
    try:
        image = PngImagePlugin.PngImageFile(io.BytesIO(_rebuilt(file)))
        if low_byte:
            image.tile = [tile._replace(args=_LOW_BYTE[str(tile.args)]) for tile in image.tile]
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise UnusableAnswer("bad-png", "The PNG's pixels cannot be decoded.") from error
    return image


def _rebuilt(file: PngFile) -> bytes:
    """A PNG of the chunks that matter."""
    header, transparency = file.header, file.transparency
    if header.color_type == GREY and header.bit_depth in (2, 4) and len(transparency) == 2:
        # Pillow compares the transparent grey with greys that it has scaled to 8 bits.
        scale = 255 // (2**header.bit_depth - 1)
        transparency = (int.from_bytes(transparency) * scale % 65536).to_bytes(2)
    parts = [SIGNATURE, header_chunk(header)]
    if header.color_type == PALETTE:
        parts.append(chunk(b"PLTE", file.palette))
    elif transparency and header.color_type in (GREY, RGB):
        parts.append(chunk(b"tRNS", transparency))
    parts.extend(chunk(b"IDAT", data) for data in file.data)
    parts.append(chunk(b"IEND", b""))
    return b"".join(parts)
