"""A consolidated mask as the PNG that Ground Truth's own consolidation writes."""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from groundtruth.masks.colors import BACKGROUND_COLOR, color_bytes
from groundtruth.masks.png import PALETTE, RGB, SIGNATURE, PngHeader, chunk, header_chunk
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
    pixels = mask.classes.astype(np.uint8)[:, None] if indexed else colors[mask.classes]
    chunks.append(chunk(b"IDAT", _deflated(_scanlines(mask, pixels))))
    chunks.append(chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunks)


def _scanlines(mask: RunMask, pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Rows of the image in strips, a zero (filter None) before each row."""
    rows, columns = mask.shape
    strip_rows = max(1, _STRIP_PIXELS // columns)
    for first in range(0, rows, strip_rows):
        count = min(strip_rows, rows - first)
        begin, end = first * columns, (first + count) * columns
        low = int(np.searchsorted(mask.starts, begin, side="right")) - 1
        high = int(np.searchsorted(mask.starts, end, side="left"))
        edges = np.concatenate(([begin], mask.starts[low + 1 : high], [end]))
        lines = np.zeros((count, 1 + columns * pixels.shape[1]), np.uint8)
        strip = np.repeat(pixels[low:high], np.diff(edges), axis=0)
        lines[:, 1:] = strip.reshape(count, -1)
        yield lines


def _deflated(strips: Iterator[NDArray[np.uint8]]) -> bytes:
    """One zlib stream. Class maps are runs, so matching runs alone is fast and small enough."""
    stream = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return b"".join([*(stream.compress(strip) for strip in strips), stream.flush()])
