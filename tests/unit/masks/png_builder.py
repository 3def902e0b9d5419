"""PNG files of every kind, built from arrays: what the tests feed to the readers."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
NONE, SUB, UP, AVERAGE, PAETH = range(5)
PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))


def chunk(name: bytes, content: bytes = b"") -> bytes:
    """A chunk with its checksum."""
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def header(
    rows: int, columns: int, *, depth: int = 8, color_type: int = RGBA, interlace: int = 0
) -> bytes:
    """Signature and IHDR."""
    fields = struct.pack(">IIBBBBB", columns, rows, depth, color_type, 0, 0, interlace)
    return SIGNATURE + chunk(b"IHDR", fields)


def packed_rows(pixels: NDArray[np.integer], depth: int) -> NDArray[np.uint8]:
    """Bytes of each row, shape (rows, row bytes), of pixels shaped (rows, columns, channels)."""
    flat = pixels.reshape(len(pixels), -1)
    if depth == 16:
        return flat.astype(">u2").view(np.uint8)
    if depth == 8:
        return flat.astype(np.uint8)
    bits = (flat[:, :, None] >> np.arange(depth)[::-1]) & 1
    return np.packbits(bits.reshape(len(flat), -1).astype(np.uint8), axis=1)


def filtered(lines: NDArray[np.uint8], step: int, filters: Sequence[int]) -> bytes:
    """Rows with their filters applied; filters are repeated as needed."""
    now = lines.astype(np.int32)
    left = np.zeros_like(now)
    left[:, step:] = now[:, :-step]
    above = np.vstack([np.zeros_like(now[:1]), now[:-1]])
    corner = np.zeros_like(now)
    corner[:, step:] = above[:, :-step]
    guess = left + above - corner
    to_left, to_above, to_corner = (abs(guess - other) for other in (left, above, corner))
    paeth = np.where(
        (to_left <= to_above) & (to_left <= to_corner),
        left,
        np.where(to_above <= to_corner, above, corner),
    )
    predictions = (np.zeros_like(now), left, above, (left + above) // 2, paeth)
    out = []
    for row in range(len(now)):
        kind = filters[row % len(filters)]
        out.append(
            bytes([kind]) + ((now[row] - predictions[kind][row]) % 256).astype(np.uint8).tobytes()
        )
    return b"".join(out)


def scanlines(
    pixels: NDArray[np.integer], *, depth: int, filters: Sequence[int], interlace: bool
) -> bytes:
    """What the compressed stream of a PNG holds."""
    channels = pixels.shape[2]
    step = max(1, channels * depth // 8)
    if not interlace:
        return filtered(packed_rows(pixels, depth), step, filters)
    parts = []
    for first_row, first_column, row_step, column_step in (*PASSES, (1, 0, 2, 1)):
        part = pixels[first_row::row_step, first_column::column_step]
        if part.size:
            parts.append(filtered(packed_rows(part, depth), step, filters))
    return b"".join(parts)


def build_png(
    pixels: NDArray[np.integer],
    *,
    color_type: int = RGBA,
    depth: int = 8,
    filters: Sequence[int] = (SUB,),
    interlace: bool = False,
    palette: bytes = b"",
    transparency: bytes = b"",
    before: bytes = b"",
    idat_size: int = 8192,
    level: int = 3,
) -> bytes:
    """A PNG of pixels shaped (rows, columns, channels), as a browser's canvas would write it.

    `before` is put, as it is, in front of the data chunks.
    """
    data = zlib.compress(
        scanlines(pixels, depth=depth, filters=filters, interlace=interlace), level
    )
    parts = [
        header(*pixels.shape[:2], depth=depth, color_type=color_type, interlace=int(interlace))
    ]
    if palette:
        parts.append(chunk(b"PLTE", palette))
    if transparency:
        parts.append(chunk(b"tRNS", transparency))
    parts.append(before)
    parts.extend(
        chunk(b"IDAT", data[start : start + idat_size]) for start in range(0, len(data), idat_size)
    )
    parts.append(chunk(b"IEND"))
    return b"".join(parts)


def painted(classes: NDArray[np.integer], colors: Sequence[Sequence[int]]) -> NDArray[np.uint8]:
    """Pixels of a class map, given the channels of each class."""
    return np.array(colors, np.uint8)[classes]
