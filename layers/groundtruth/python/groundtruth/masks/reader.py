"""One worker's mask to classes: base64 to PNG, PNG to runs of colours, these to classes.

The PNG files that browsers write to runs of colours, without ever holding the picture.

A row with filter Sub stores each pixel's difference from its left neighbour: a pixel of zeros
continues a run, and the colours of runs are running sums of the few other pixels. So no pixel
has to be restored to find the runs, and no more than a strip of rows is in memory.
"""

import binascii
import io
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.classify import check_blank, classify, color_table
from groundtruth.masks.colors import color_bytes, normalize_color
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
from groundtruth.masks.runs import (
    ColorRuns,
    RunMask,
    Starts,
    check_complexity,
    offset_type,
    run_starts,
    runs_of_strip,
)

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


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
        png = _decoded_base64(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise UnusableAnswer("bad-base64", "The mask's text is not base64.") from error
    if not png:
        raise UnusableAnswer("bad-base64", "The mask's text is empty.")
    return png


def _decoded_base64(text: bytes) -> bytes:
    """Bytes that base64 text stands for, as it is or made regular."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        regular = text.translate(_TO_STANDARD, delete=b" \t\r\n")
        if not any(b" " in line.strip() for line in text.splitlines()):
            regular = regular.rstrip(b"=")
            regular += b"=" * (-len(regular) % 4)
        return binascii.a2b_base64(regular, strict_mode=True)


def palette_colors(file: PngFile, numbers: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours that palette numbers stand for.

    Parameters
    ----------
    file : PngFile
        With a palette.
    numbers : ndarray of uint8, shape (n_pixels,)
        Numbers of palette entries.

    Returns
    -------
    ndarray of uint8, shape (n_pixels, 4)
        Red, green, blue and alpha. Entries are opaque unless the file says otherwise.

    Raises
    ------
    UnusableAnswer
        ``bad-png``, if a number is past the palette's end.
    """
    rgb = np.frombuffer(file.palette, np.uint8).reshape(-1, 3)
    if int(numbers.max()) >= len(rgb):
        raise UnusableAnswer("bad-png", "A pixel names a colour that the palette lacks.")
    rgba = np.full((len(rgb), 4), 255, np.uint8)
    rgba[:, :3] = rgb
    alpha = np.frombuffer(file.transparency[: len(rgb)], np.uint8)
    rgba[: alpha.size, 3] = alpha
    return rgba[numbers]


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
        runs = _runs_of_strip(lines, channels, above)
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
    """Red, green, blue and alpha of pixels as `_packed_bytes` has them."""
    if file.header.color_type == PALETTE:
        return palette_colors(file, values[:, 0])
    if file.header.color_type == RGB:
        values[:, 3] = 255
    return values


def _runs_of_strip(
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
        stored = _packed_bytes(lines[:, 1:], channels)
        begins = stored != 0
        begins[:, 0] = True
        starts, n_runs = run_starts(begins)
        steps = _bytes_of(_chosen(stored, starts))
        return starts, n_runs, steps, _summed(lines[-1, 1:], channels)
    if kinds.max() > _UP:
        return None
    rows = _restored(lines, channels, above) if kinds.any() else lines[:, 1:]
    packed = _packed_bytes(rows, channels)
    starts, n_runs = runs_of_strip(packed)
    values = _bytes_of(_chosen(packed, starts))
    begins = _row_begins(starts, packed.shape)
    steps = np.diff(values, axis=0, prepend=values[:1])
    steps[begins] = values[begins]
    return starts, n_runs, steps, rows[-1]


def _packed_bytes(rows: NDArray[np.uint8], channels: int) -> NDArray[np.uint8] | NDArray[np.uint32]:
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


_CROP_PIXELS = 1 << 16
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
    for strip in _picture_strips(file):
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


def _picture_strips(file: PngFile) -> Iterator[NDArray[np.uint8] | NDArray[np.uint32]]:
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
    strip_rows = max(1, _CROP_PIXELS // columns)
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


_MAX_ASPECT_ERROR = 0.01
_MAX_SCALE = 16  # a mask may have at most this many times more or fewer pixels than its image
_STRIP_PIXELS = 1 << 18


@dataclass(frozen=True, kw_only=True)
class MaskNotes:
    """What was needed to read a mask.

    Attributes
    ----------
    near_pixels : int
        Pixels whose colour was only near that of a label.
    snapped_pixels : int
        Pixels whose colour was unknown; they took the class of a pixel beside or above them.
    rescaled : bool
        Whether the mask had another size than the image, in the same proportions.
    """

    near_pixels: int = 0
    snapped_pixels: int = 0
    rescaled: bool = False


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
        In the image's size, with no two equal runs side by side; only in noise each pixel
        may be a run.
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
    # In a grey file the greys are likely numbers of classes, which no tolerance may touch.
    grey = header.color_type in (GREY, GREY_ALPHA)
    result = classify(runs, table, exact=grey and not table.has_grey_label)
    if not result.mask.classes.any():
        own = color_bytes(normalize_color(colors[0], label="BACKGROUND")) if 0 in colors else None
        check_blank(runs, table.colors, own=own, grey=grey)
    rescaled = shape is not None and shape != header.shape
    notes = MaskNotes(
        near_pixels=result.near_pixels, snapped_pixels=result.snapped_pixels, rescaled=rescaled
    )
    return _rescaled(result.mask, shape) if shape and rescaled else result.mask, notes


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


def _rescaled(mask: RunMask, shape: tuple[int, int]) -> RunMask:
    """The mask in another size: each pixel takes the class under its centre."""
    rows, columns = (
        (2 * np.arange(new, dtype=np.int64) + 1) * old // (2 * new)
        for new, old in zip(shape, mask.shape, strict=True)
    )
    starts, classes, first = [], [], 0
    strip_rows = max(1, _STRIP_PIXELS // shape[1])
    for top in range(0, shape[0], strip_rows):
        at = rows[top : top + strip_rows, None] * mask.shape[1] + columns
        run = np.searchsorted(mask.starts, at.ravel(), side="right") - 1
        strip = RunMask.from_array(mask.classes[run].reshape(at.shape))
        starts.append((strip.starts + first).astype(offset_type(shape[0] * shape[1])))
        classes.append(strip.classes)
        first += at.size
    offsets = np.concatenate(starts)
    return RunMask(offsets, np.concatenate(classes), shape).merged()
