"""PNG files byte for byte as the canvas of a browser lays them out."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHUNK_SIZE = 8192


def canvas_png(rgba: NDArray[np.uint8], *, level: int = 3) -> bytes:
    """8-bit RGBA, filter Sub on every row, zlib level 3, data chunks of 8 KiB.

    Parameters
    ----------
    rgba : ndarray of uint8, shape (rows, columns, 4)
        The picture.
    level : int, optional
        Of compression.

    Returns
    -------
    bytes
    """
    rows, columns, _ = rgba.shape
    lines = np.empty((rows, 1 + 4 * columns), np.uint8)
    lines[:, 0] = 1
    lines[:, 1:5] = rgba[:, 0]
    lines[:, 5:] = (rgba[:, 1:] - rgba[:, :-1]).reshape(rows, -1)
    data = zlib.compress(lines, level)
    parts = [SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0))]
    parts.extend(
        _chunk(b"IDAT", data[start : start + CHUNK_SIZE])
        for start in range(0, len(data), CHUNK_SIZE)
    )
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
