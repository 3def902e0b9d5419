"""A consolidated mask as the PNG that Ground Truth's own consolidation writes."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng as zlib

from groundtruth.masks.classify import BACKGROUND_COLOR, color_bytes
from groundtruth.masks.png import GREY, PALETTE, RGB, SIGNATURE, PngHeader, chunk, header_chunk
from groundtruth.masks.runs import RunMask

_PALETTE_SIZE = 256
_STRIP_PIXELS = 1 << 17


def write_mask(mask: RunMask, palette: Sequence[str]) -> bytes:
    """PNG of a mask: indexed, pixel value = class.

    The layout is that of the masks Ground Truth writes: 8 bits, colour type 3, not interlaced,
    chunks IHDR, PLTE, IDAT and IEND only, 256 palette entries of which the unused are white.
    More than 256 classes do not fit in that; then the PNG is RGB [1]_.

    Parameters
    ----------
    mask : RunMask
        Classes below ``len(palette)``.
    palette : sequence of str
        ``#rrggbb`` of each class, BACKGROUND first.

    Returns
    -------
    bytes
        The same for the same mask, however its runs are cut.

    Raises
    ------
    ValueError
        If a class of the mask has no colour.

    References
    ----------
    .. [1] W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 2025.

    Examples
    --------
    >>> png = write_mask(RunMask.from_array(np.eye(2, dtype=int)), ["#ffffff", "#2ca02c"])
    >>> png[12:16], png[24], png[25]
    (b'IHDR', 8, 3)
    """
    if int(mask.classes.max()) >= len(palette):
        raise ValueError(f"class {mask.classes.max()} has none of the {len(palette)} colours")
    colors = np.array([color_bytes(color) for color in palette], np.uint8)
    indexed = len(palette) <= _PALETTE_SIZE
    chunks = [header_chunk(PngHeader(mask.shape, 8, PALETTE if indexed else RGB, False))]
    if indexed:
        padding = bytes(color_bytes(BACKGROUND_COLOR)) * (_PALETTE_SIZE - len(palette))
        chunks.append(chunk(b"PLTE", colors.tobytes() + padding))
    data = _deflate(_scanlines(mask, None if indexed else colors))
    chunks.append(chunk(b"IDAT", data))
    chunks.append(chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunks)


def write_levels(levels: RunMask) -> bytes:
    """PNG in grey of a map of levels, such as that of the workers' disagreement.

    Parameters
    ----------
    levels : RunMask
        0 (black) to 255 (white).

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If a level is above 255.
    """
    if int(levels.classes.max()) > 255:
        raise ValueError("a level of grey is at most 255")
    header = header_chunk(PngHeader(levels.shape, 8, GREY, interlaced=False))
    data = _deflate(_scanlines(levels, None))
    return b"".join((SIGNATURE, header, chunk(b"IDAT", data), chunk(b"IEND", b"")))


def _scanlines(mask: RunMask, colors: NDArray[np.uint8] | None) -> Iterator[NDArray[np.uint8]]:
    """Rows of the image in strips, a zero (filter None) before each row.

    A pixel is its class, or the colour of its class if there are colours.
    """
    rows, columns = mask.shape
    strip_rows = max(1, _STRIP_PIXELS // columns)
    for first in range(0, rows, strip_rows):
        count = min(strip_rows, rows - first)
        lines = np.zeros((count, 1 + columns * (1 if colors is None else 3)), np.uint8)
        classes = mask.rows(first, first + count)
        lines[:, 1:] = classes if colors is None else colors[classes].reshape(count, -1)
        yield lines


def _deflate(strips: Iterator[NDArray[np.uint8]]) -> bytes:
    """One zlib stream. Class maps are runs, so matching runs alone is fast and small enough."""
    stream = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return b"".join([*(stream.compress(strip) for strip in strips), stream.flush()])
