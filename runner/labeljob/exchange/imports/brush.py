"""The brush masks of Label Studio: runs of bytes in a stream of bits.

The stream begins with the number of values (32 bits), the bits of a value less 1 (5 bits), and
four sizes less 1 (4 bits each). Then come runs: one bit whether the run repeats a single value,
two bits that choose the size of the number that follows, the run's length less 1, and the value,
or as many values as the run is long. The values are red, green, blue and alpha of the pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CHANNELS = 4


def brush_pixels(rle: Sequence[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels that a brush painted.

    Parameters
    ----------
    rle : sequence of int
        The stream, byte by byte, each 0 to 255.
    size : tuple of int
        (rows, columns) of the image.

    Returns
    -------
    ndarray of bool, shape (rows, columns)
        Where alpha is not 0.

    Raises
    ------
    ValueError
        If the stream ends too soon, or holds another number of pixels.
    """
    bits = np.unpackbits(np.array(rle, dtype=np.uint8))
    reader = _Bits(bits)
    n_values, width = reader.number(32), reader.number(5) + 1
    sizes = [reader.number(4) + 1 for _ in range(4)]
    if n_values != size[0] * size[1] * CHANNELS:
        raise ValueError(f"holds {n_values // CHANNELS} pixels, not {size[0]} x {size[1]}")
    values = np.zeros(n_values, dtype=np.int64)
    at = 0
    while at < n_values:
        repeats = reader.number(1)
        length = reader.number(sizes[reader.number(2)]) + 1
        end = min(at + length, n_values)
        if repeats:
            values[at:end] = reader.number(width)
        else:
            values[at:end] = reader.numbers(width, length)[: end - at]
        at = end
    return values.reshape(*size, CHANNELS)[:, :, 3] > 0


class _Bits:
    """Numbers from a stream of bits, the highest bit first."""

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        self._bits = bits
        self._at = 0

    def number(self, width: int) -> int:
        """The next number of so many bits."""
        return int(self.numbers(width, 1)[0])

    def numbers(self, width: int, count: int) -> NDArray[np.int64]:
        """The next numbers of so many bits each."""
        end = self._at + width * count
        if end > self._bits.size:
            raise ValueError("ends too soon")
        taken = self._bits[self._at : end].reshape(count, width).astype(np.int64)
        self._at = end
        return np.asarray(taken @ (1 << np.arange(width - 1, -1, -1)))
