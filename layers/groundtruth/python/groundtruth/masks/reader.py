"""One worker's mask to classes: base64 to PNG, PNG to runs of colours, these to classes.

What browsers write is read without ever holding the picture: a row with filter Sub stores each
pixel's difference from its left neighbour, so a pixel of zeros continues a run, and the colours
of runs are running sums of the few other pixels. Pillow reads all other PNGs.
"""

import binascii
import io
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.classify import classify, color_table
from groundtruth.masks.png import (
    CHANNELS,
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    SIGNATURE,
    PngFile,
    chunk,
    header_chunk,
    inflate,
    read_chunks,
    read_header,
)
from groundtruth.masks.runs import ColorRuns, RunMask, Starts, offset_type

MAX_RUNS = 1 << 22

_MAX_ASPECT_ERROR = 0.01
_MAX_SCALE = 16  # a mask may have at most this many times more or fewer pixels than its image
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_SUB, _UP = 1, 2  # filters of rows
_STRIP_BYTES = 1 << 18
_CROP_PIXELS = 1 << 16
# Pillow keeps the high byte of 16 bits. These are its names for reading the low byte instead.
_LOW_BYTE = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}

_Packed: TypeAlias = NDArray[np.uint8] | NDArray[np.uint32]  # one number per pixel


@dataclass(frozen=True, kw_only=True)
class MaskNotes:
    """What was needed to read a mask."""

    near_pixels: int = 0  # whose colour was only near that of a label
    snapped_pixels: int = 0  # whose colour was unknown; they took the class beside or above them
    rescaled: bool = False  # whether it had another size than the image, in the same proportions


def read_mask(
    png: bytes,
    *,
    colors: Mapping[int, str],
    shape: tuple[int, int] | None,
    name_of: Callable[[int], str] | Sequence[str],
) -> tuple[RunMask, MaskNotes]:
    """Class of every pixel of one worker's mask.

    The size is compared before anything is inflated, and no more is inflated than the size
    allows. A mask in the proportions of its image (within 1 %) is rescaled to it by nearest
    neighbour; other sizes are refused.

    Parameters
    ----------
    png : bytes
        The file.
    colors : mapping of int to str
        ``#rrggbb`` of each class that this worker's answer lists.
    shape : tuple of int, optional
        (rows, columns) of the image. Any size is taken when it is None.
    name_of : callable or sequence of str
        Name of a class, for messages.

    Returns
    -------
    mask : RunMask
        In the image's size, with no two equal runs side by side.
    notes : MaskNotes
        What leniency it took.

    Raises
    ------
    UnusableAnswer
        ``not-png``, ``truncated-png``, ``bad-png``, ``unsupported-png``, ``too-large``,
        ``too-complex``, ``wrong-size``, ``bad-color``, ``ambiguous-color`` or
        ``unreadable-colors``, which a picture also is that shows something but no label.
    """
    table = color_table(colors, name_of if callable(name_of) else name_of.__getitem__)
    header = read_header(png)
    if shape is not None:
        _check_size(header.shape, shape)
    file = read_chunks(png)
    runs = read_fast(file) or read_with_pillow(file)
    result = classify(runs, table, grey=header.color_type in (GREY, GREY_ALPHA))
    rescaled = shape is not None and shape != header.shape
    notes = MaskNotes(
        near_pixels=result.near_pixels, snapped_pixels=result.snapped_pixels, rescaled=rescaled
    )
    return result.mask.rescale(shape) if shape and rescaled else result.mask, notes


def mask_size(png: bytes) -> tuple[int, int]:
    """Size that a PNG's header tells, as (rows, columns).

    Raises
    ------
    UnusableAnswer
        As `groundtruth.masks.png.read_header`.
    """
    return read_header(png).shape


def majority_size(sizes: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    """The most frequent size, for answers that do not tell their image's size.

    Of sizes met equally often the one with the most pixels is taken, then the tallest.

    Examples
    --------
    >>> majority_size([(6, 8), (3, 4), (6, 8)])
    (6, 8)
    """
    counts = Counter(sizes)
    if not counts:
        return None
    return max(counts, key=lambda size: (counts[size], size[0] * size[1], size[0]))


def _check_size(actual: tuple[int, int], expected: tuple[int, int]) -> None:
    """Refuse a size that is not the expected one, nor in its proportions."""
    rows, columns = actual
    across, down = rows * expected[1], columns * expected[0]
    scale = rows * columns / (expected[0] * expected[1])
    alike = abs(across - down) <= _MAX_ASPECT_ERROR * max(across, down)
    if not alike or not 1 / _MAX_SCALE <= scale <= _MAX_SCALE:
        raise UnusableAnswer(
            "wrong-size",
            f"The mask has {columns} x {rows} pixels, its image {expected[1]} x {expected[0]}.",
        )


def decode_base64_png(text: str) -> bytes:
    r"""Bytes of the PNG that an answer holds as base64.

    A ``data:`` prefix and white space are dropped, the URL-safe alphabet and missing padding
    are accepted. Nothing else is: a lenient decoder turns such text into wrong bytes. Nor are
    both blanks and missing padding: what is missing may be a ``+`` that became a blank.

    Parameters
    ----------
    text : str
        The answer's ``pngImageData``.

    Returns
    -------
    bytes
        Not looked at any further.

    Raises
    ------
    UnusableAnswer
        ``bad-base64``, if the text is not base64 or is empty.

    Examples
    --------
    >>> decode_base64_png("data:image/png;base64,iVBO Rw==")
    b'\x89PNG'
    """
    if text[:5].lower() == "data:":
        header, comma, text = text.partition(",")
        if not comma or not header.lower().endswith(";base64"):
            raise UnusableAnswer("bad-base64", "The data: prefix does not announce base64.")
    try:
        png = _decode_base64(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise UnusableAnswer("bad-base64", "The mask's text is not base64.") from error
    if not png:
        raise UnusableAnswer("bad-base64", "The mask's text is empty.")
    return png


def _decode_base64(text: bytes) -> bytes:
    """Bytes that base64 text stands for, as it is or made regular."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        regular = text.translate(_TO_STANDARD, delete=b" \t\r\n")
        if not any(b" " in line.strip() for line in text.splitlines()):
            regular = regular.rstrip(b"=")
            regular += b"=" * (-len(regular) % 4)
        return binascii.a2b_base64(regular, strict_mode=True)


def read_fast(file: PngFile) -> ColorRuns | None:
    """Runs of colours of a PNG such as browsers write; None if it is of another kind.

    These are 8-bit RGB, RGBA and palette pictures, not interlaced, whose rows have the filters
    None, Sub and Up. Raises `UnusableAnswer` as `read_mask`.
    """
    header = file.header
    opaque = header.color_type == RGB and not file.transparency
    if (
        header.bit_depth != 8
        or header.interlaced
        or not (opaque or header.color_type in (RGBA, PALETTE))
    ):
        return None
    try:
        starts, steps = _collect_runs(_strips_of_stream(file), header.shape)
    except _OtherFilterError:
        return None
    colors = _sum_by_row(steps, _find_row_begins(starts, header.shape))
    if header.color_type == RGB:
        colors[:, 3] = 255
    return ColorRuns(starts, _look_up_palette(file, colors), header.shape)


class _OtherFilterError(Exception):
    """A row has a filter that browsers do not use."""


def _collect_runs(
    strips: Iterable[tuple[NDArray[np.int64], NDArray[np.uint8], int]], shape: tuple[int, int]
) -> tuple[Starts, NDArray[np.uint8]]:
    """Runs of strips that follow each other: each has starts, colours and a number of pixels."""
    all_starts, all_colors, first, n_runs = [], [], 0, 0
    for starts, colors, n_pixels in strips:
        n_runs += starts.size
        if n_runs > MAX_RUNS:
            raise UnusableAnswer(
                "too-complex",
                f"The mask has over {MAX_RUNS} runs of colour; drawn ones have thousands.",
            )
        all_starts.append((starts + first).astype(offset_type(shape[0] * shape[1])))
        all_colors.append(colors)
        first += n_pixels
    return np.concatenate(all_starts), np.concatenate(all_colors)


def _find_run_starts(pixels: _Packed) -> NDArray[np.int64]:
    """Offsets, in a strip of rows, where the pixel differs from the one before or begins a row."""
    changes = np.empty(pixels.shape, np.bool_)
    changes[:, 0] = True
    np.not_equal(pixels[:, 1:], pixels[:, :-1], out=changes[:, 1:])
    return np.flatnonzero(changes)


def _look_up_palette(file: PngFile, colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Red to alpha of runs: their own bytes, or those of the palette entries they name."""
    if file.header.color_type != PALETTE:
        return colors
    rgb = np.frombuffer(file.palette, np.uint8).reshape(-1, 3)
    if int(colors.max()) >= len(rgb):
        raise UnusableAnswer("bad-png", "A pixel names a colour that the palette lacks.")
    rgba = np.full((len(rgb), 4), 255, np.uint8)
    rgba[:, :3] = rgb
    alpha = np.frombuffer(file.transparency[: len(rgb)], np.uint8)
    rgba[: alpha.size, 3] = alpha
    return rgba[colors[:, 0]]


def _strips_of_stream(
    file: PngFile,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8], int]]:
    """Runs strip by strip: starts, and by what a colour differs from the one before in its row."""
    header = file.header
    channels, line = CHANNELS[header.color_type], 1 + header.row_bytes
    strip_bytes = max(1, _STRIP_BYTES // line) * line
    above = np.zeros(header.row_bytes, np.uint8)
    for block in inflate(file.data, header.inflated_bytes, strip_bytes):
        lines = np.frombuffer(block, np.uint8).reshape(-1, line)
        filters = lines[:, 0]
        if filters.max() > _UP:
            raise _OtherFilterError
        if (filters == _SUB).all():
            pixels = _pack(lines[:, 1:], channels)
            begins = pixels != 0
            begins[:, 0] = True
            starts = np.flatnonzero(begins)
            steps = _to_bytes(pixels.ravel()[starts])
            above = _sum_pixels(lines[-1, 1:], channels)
        else:
            rows = _restore(lines, channels, above) if filters.any() else lines[:, 1:]
            pixels = _pack(rows, channels)
            starts = _find_run_starts(pixels)
            colors = _to_bytes(pixels.ravel()[starts])
            steps = np.diff(colors, axis=0, prepend=colors[:1])
            row_begins = _find_row_begins(starts, pixels.shape)
            steps[row_begins] = colors[row_begins]
            above = rows[-1]
        yield starts, steps, len(lines) * header.shape[1]


def _pack(rows: NDArray[np.uint8], channels: int) -> _Packed:
    """One number per pixel: the byte itself, or up to four bytes in their order."""
    if channels == 1:
        return rows
    if channels == 4:
        return np.ascontiguousarray(rows).view("<u4")
    pixels = rows.reshape(len(rows), -1, channels)
    padded = np.zeros((*pixels.shape[:2], 4), np.uint8)
    for channel in range(channels):  # several times faster than all channels at once
        padded[..., channel] = pixels[..., channel]
    return padded.view("<u4")[..., 0]


def _to_bytes(numbers: _Packed) -> NDArray[np.uint8]:
    """Bytes of packed pixels, shape (n_pixels, 1 or 4)."""
    return numbers.view(np.uint8).reshape(numbers.size, -1)


def _find_row_begins(starts: Starts, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Which of the runs begin a row; each row begins a run."""
    rows = np.arange(0, shape[0] * shape[1], shape[1], dtype=starts.dtype)
    return np.searchsorted(starts, rows)


def _sum_by_row(steps: NDArray[np.uint8], row_begins: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Sums of the steps since the row's begin, modulo 256."""
    sums = np.cumsum(steps, axis=0, dtype=np.uint8)
    before = sums[row_begins] - steps[row_begins]
    sums -= np.repeat(before, np.diff(row_begins, append=len(steps)), axis=0)
    return sums


def _restore(
    lines: NDArray[np.uint8], channels: int, above: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Pixels of rows that are stored with any of the three filters."""
    rows = lines[:, 1:].copy()
    for kind, row in zip(lines[:, 0], rows, strict=True):
        if kind == _SUB:
            row[:] = _sum_pixels(row, channels)
        elif kind == _UP:
            row += above
        above = row
    return rows


def _sum_pixels(row: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """A row stored with filter Sub, restored: sums of the pixels so far, modulo 256."""
    return np.cumsum(row.reshape(-1, channels), axis=0, dtype=np.uint8).ravel()


def read_with_pillow(file: PngFile) -> ColorRuns:
    """Runs of colours of a PNG of any kind; raises `UnusableAnswer` as `read_mask`.

    Pillow is given the chunks of `file` alone, so that it meets no text, profile or animation.
    """
    # Pillow is content with a stream that breaks off behind the last pixel, or goes on.
    for _ in inflate(file.data, file.header.inflated_bytes, _CROP_PIXELS):
        pass
    strips = ((_find_run_starts(strip), strip) for strip in _decode_strips(file))
    runs = ((starts, _to_bytes(strip.ravel()[starts]), strip.size) for starts, strip in strips)
    starts, colors = _collect_runs(runs, file.header.shape)
    return ColorRuns(starts, _look_up_palette(file, colors), file.header.shape)


def _decode_strips(file: PngFile) -> Iterator[_Packed]:
    """The picture in strips of rows: palette indices, or red to alpha as one number each."""
    color_type, deep = file.header.color_type, file.header.bit_depth == 16
    if deep and (color_type == GREY_ALPHA or file.transparency):
        raise UnusableAnswer("unsupported-png", "16 bits with this transparency are not read.")
    image = _open(file)
    if color_type == PALETTE:
        yield from _crop(image)
    elif not deep:
        yield from (_pack_rgba(strip) for strip in _crop(image, "RGBA"))
    elif color_type == GREY:
        for strip in _crop(image):
            _require_equal(strip & 0xFF, strip >> 8)
            yield (strip & 0xFF).astype(np.uint32) * np.uint32(0x010101) | np.uint32(0xFF000000)
    else:
        low_bytes = _crop(_open(file, low_byte=True), "RGBA")
        for high, low in zip(_crop(image, "RGBA"), low_bytes, strict=True):
            _require_equal(high, low)
            yield _pack_rgba(high)


def _crop(image: Image.Image, mode: str | None = None) -> Iterator[NDArray[np.uint8]]:
    """Strips of a decoded picture, small enough to stay in the processor's cache."""
    columns, rows = image.size
    strip_rows = max(1, _CROP_PIXELS // columns)
    for first in range(0, rows, strip_rows):
        strip = image.crop((0, first, columns, min(rows, first + strip_rows)))
        yield np.asarray(strip if mode in (None, strip.mode) else strip.convert(mode))


def _pack_rgba(rgba: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Four channels as one little-endian number, whose bytes are red, green, blue, alpha."""
    return np.ascontiguousarray(rgba).view("<u4")[..., 0]


def _require_equal(high: NDArray[np.integer], low: NDArray[np.integer]) -> None:
    """Let pass 16-bit channels that are 8-bit ones written twice."""
    if not np.array_equal(high, low):
        raise UnusableAnswer("unsupported-png", "The PNG's 16-bit colours do not fit in 8 bits.")


def _open(file: PngFile, *, low_byte: bool = False) -> PngImagePlugin.PngImageFile:
    """Pillow's picture of the file."""
    try:
        image = PngImagePlugin.PngImageFile(io.BytesIO(_rebuild(file)))
        if low_byte:
            image.tile = [tile._replace(args=_LOW_BYTE[str(tile.args)]) for tile in image.tile]
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise UnusableAnswer("bad-png", "The PNG's pixels cannot be decoded.") from error
    return image


def _rebuild(file: PngFile) -> bytes:
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
