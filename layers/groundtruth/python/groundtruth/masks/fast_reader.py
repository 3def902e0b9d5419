"""The PNG files that browsers write to runs of colours, without ever holding the picture.

A row with filter Sub stores each pixel's difference from its left neighbour: a pixel of zeros
continues a run, and the colours of runs are running sums of the few other pixels. So no pixel
has to be restored to find the runs, and no more than a strip of rows is in memory.
"""

import numpy as np
from numpy.typing import NDArray

from groundtruth.masks.color_runs import ColorRuns, check_complexity, run_starts, runs_of_strip
from groundtruth.masks.inflating import inflate
from groundtruth.masks.palettes import palette_colors
from groundtruth.masks.png import CHANNELS, PALETTE, RGB, RGBA, PngFile
from groundtruth.masks.runs import Starts, offset_type

_SUB, _UP = 1, 2
_STRIP_BYTES = 1 << 18


def read_fast(file: PngFile) -> ColorRuns | None:
    """Runs of colours of a PNG such as browsers write.

    These are 8-bit RGB, RGBA and palette pictures, not interlaced, whose rows have the filters
    None, Sub and Up.

    Parameters
    ----------
    file : PngFile
        From `read_chunks`.

    Returns
    -------
    ColorRuns or None
        None if the PNG is of another kind, which is no judgement on it.

    Raises
    ------
    UnusableAnswer
        ``truncated-png``, ``bad-png`` or ``too-complex``.
    """
    header = file.header
    plain = header.color_type in (RGBA, PALETTE) or (
        header.color_type == RGB and not file.transparency
    )
    if header.bit_depth != 8 or header.interlaced or not plain:
        return None
    columns, channels = header.shape[1], CHANNELS[header.color_type]
    line = 1 + header.row_bytes
    strip_rows = max(1, _STRIP_BYTES // line)
    starts, steps, first, n_runs = [], [], 0, 0
    above = np.zeros(header.row_bytes, np.uint8)
    for block in inflate(file.data, header.inflated_bytes, strip_rows * line):
        lines = np.frombuffer(block, np.uint8).reshape(-1, line)
        runs = _runs(lines, channels, above)
        if runs is None:
            return None
        at, found, step, above = runs
        starts.append((at + first).astype(offset_type(header.shape[0] * columns)))
        steps.append(step)
        n_runs += found
        check_complexity(n_runs)
        first += len(lines) * columns
    offsets = np.concatenate(starts)
    values = _sums_of_rows(np.concatenate(steps), _row_begins(offsets, header.shape))
    return ColorRuns(offsets, _colors(values, file), header.shape)


def _colors(values: NDArray[np.uint8], file: PngFile) -> NDArray[np.uint8]:
    """Red, green, blue and alpha of pixels as `_packed` has them."""
    if file.header.color_type == PALETTE:
        return palette_colors(file, values[:, 0])
    if file.header.color_type == RGB:
        values[:, 3] = 255
    return values


def _runs(
    lines: NDArray[np.uint8], channels: int, above: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], int, NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Runs of a strip, or None if a row has another filter than None, Sub and Up.

    Parameters
    ----------
    lines : ndarray of uint8, shape (rows, 1 + row bytes)
        Rows as they are stored: the number of the filter, then the pixels.
    channels : int
        Bytes per pixel.
    above : ndarray of uint8, shape (row bytes,)
        The row before the strip, restored.

    Returns
    -------
    starts, n_runs
        Pixels at which runs begin, counted from the strip's first: see `run_starts`.
    steps : ndarray of uint8, shape (n_starts, 1 or 4)
        By what the bytes of each run differ from those of the run before it in its row.
    last : ndarray of uint8, shape (row bytes,)
        The strip's last row, restored.
    """
    kinds = lines[:, 0]
    if (kinds == _SUB).all():
        stored = _packed(lines[:, 1:], channels)
        begins = stored != 0
        begins[:, 0] = True
        starts, n_runs = run_starts(begins)
        steps = _bytes_of(_chosen(stored, starts))
        return starts, n_runs, steps, _summed(lines[-1, 1:], channels)
    if kinds.max() > _UP:
        return None
    rows = _restored(lines, channels, above) if kinds.any() else lines[:, 1:]
    packed = _packed(rows, channels)
    starts, n_runs = runs_of_strip(packed)
    values = _bytes_of(_chosen(packed, starts))
    begins = _row_begins(starts, packed.shape)
    steps = np.diff(values, axis=0, prepend=values[:1])
    steps[begins] = values[begins]
    return starts, n_runs, steps, rows[-1]


def _packed(rows: NDArray[np.uint8], channels: int) -> NDArray[np.uint8] | NDArray[np.uint32]:
    """One number per pixel: the byte itself, or up to four bytes in their order."""
    if channels == 1:
        return rows
    if channels == 4:
        return np.ascontiguousarray(rows).view("<u4")
    pixels = rows.reshape(len(rows), -1, channels)
    padded = np.zeros((*pixels.shape[:2], 4), np.uint8)
    for channel in range(channels):
        padded[..., channel] = pixels[..., channel]
    return padded.view("<u4")[..., 0]


def _chosen(
    pixels: NDArray[np.uint8] | NDArray[np.uint32], at: NDArray[np.int64]
) -> NDArray[np.uint8] | NDArray[np.uint32]:
    """Pixels at offsets that rise, which may be all of them."""
    return pixels.ravel() if at.size == pixels.size else pixels.ravel()[at]


def _row_begins(starts: Starts, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Which of the runs begin a row; each row begins a run."""
    rows = np.arange(0, shape[0] * shape[1], shape[1], dtype=starts.dtype)
    return np.asarray(np.searchsorted(starts, rows))


def _sums_of_rows(steps: NDArray[np.uint8], begins: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Sums of the steps since the row's begin, modulo 256."""
    sums = np.cumsum(steps, axis=0, dtype=np.uint8)
    before = sums[begins] - steps[begins]
    sums -= np.repeat(before, np.diff(begins, append=len(steps)), axis=0)
    return sums


def _restored(
    lines: NDArray[np.uint8], channels: int, above: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Pixels of rows that are stored with any of the three filters."""
    rows = lines[:, 1:].copy()
    for kind, row in zip(lines[:, 0], rows, strict=True):
        if kind == _SUB:
            row[:] = _summed(row, channels)
        elif kind == _UP:
            row += above
        above = row
    return rows


def _summed(row: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """A row stored with filter Sub, restored: sums of the pixels so far, modulo 256."""
    return np.cumsum(row.reshape(-1, channels), axis=0, dtype=np.uint8).ravel()


def _bytes_of(numbers: NDArray[np.uint8] | NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Bytes of packed pixels, shape (n_pixels, 1 or 4)."""
    return numbers.view(np.uint8).reshape(numbers.size, -1)
