"""PNG files without their pixels: chunks checked and written, their stream inflated."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zlib_ng import zlib_ng

from groundtruth.errors import UnusableAnswer

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 100_000_000  # the largest image Ground Truth takes
_PIECE = 1 << 16  # of input at a time: what is left of it is copied after each block

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
_BIT_DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8, 16),
    RGBA: (8, 16),
}
# First row, first column, row step and column step of each pass of an interlaced image.
_PASSES = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)


@dataclass(frozen=True)
class PngHeader:
    """What the IHDR chunk says."""

    shape: tuple[int, int]  # (rows, columns), at most `MAX_PIXELS` pixels
    bit_depth: int  # per channel: 1, 2, 4, 8 or 16
    color_type: int  # `GREY`, `RGB`, `PALETTE`, `GREY_ALPHA` or `RGBA`
    interlaced: bool  # whether the rows come in Adam7 passes

    @property
    def row_bytes(self) -> int:
        """How many bytes a row has, without the byte that names its filter."""
        return self._row_bytes(self.shape[1])

    @property
    def inflated_bytes(self) -> int:
        """How many bytes the compressed data must give, no more and no less."""
        rows, columns = self.shape
        if not self.interlaced:
            return rows * (1 + self.row_bytes)
        total = 0
        for first_row, first_column, row_step, column_step in _PASSES:
            pass_rows = len(range(first_row, rows, row_step))
            pass_columns = len(range(first_column, columns, column_step))
            if pass_columns:
                total += pass_rows * (1 + self._row_bytes(pass_columns))
        return total

    def _row_bytes(self, columns: int) -> int:
        return (columns * CHANNELS[self.color_type] * self.bit_depth + 7) // 8


@dataclass(frozen=True)
class PngFile:
    """The chunks of a PNG that say what its pixels are; all others are left out."""

    header: PngHeader
    palette: bytes = b""  # content of PLTE
    transparency: bytes = b""  # content of tRNS
    data: Sequence[memoryview] = field(default=())  # contents of the IDAT chunks, in order


def read_header(png: bytes) -> PngHeader:
    """Header of a PNG; looks at its first 33 bytes alone.

    Raises
    ------
    UnusableAnswer
        ``not-png``, ``truncated-png``, ``bad-png`` or ``too-large``.

    Examples
    --------
    >>> png = SIGNATURE + header_chunk(PngHeader((6, 8), 8, RGBA, interlaced=False))
    >>> read_header(png).shape
    (6, 8)
    """
    if not png.startswith(SIGNATURE):
        raise UnusableAnswer("not-png", "The mask is not a PNG file.")
    if len(png) < 33:
        raise UnusableAnswer("truncated-png", "The PNG ends inside its header.")
    if png[8:16] != b"\x00\x00\x00\x0dIHDR" or zlib.crc32(png[12:29]) != _number(png, 29):
        raise UnusableAnswer("bad-png", "The PNG's header is damaged.")
    columns, rows, depth, color, method, filtering, interlace = struct.unpack_from(
        ">IIBBBBB", png, 16
    )
    if depth not in _BIT_DEPTHS.get(color, ()) or method or filtering or interlace > 1:
        raise UnusableAnswer("bad-png", "The PNG's header names a format that does not exist.")
    if not rows or not columns:
        raise UnusableAnswer("bad-png", "The PNG's header tells a size of zero.")
    if rows * columns > MAX_PIXELS:
        raise UnusableAnswer(
            "too-large", f"The mask claims {columns} x {rows} pixels, over {MAX_PIXELS}."
        )
    return PngHeader((rows, columns), depth, color, bool(interlace))


def read_chunks(png: bytes) -> PngFile:
    """Chunks of a PNG, their checksums compared; nothing is inflated.

    Text, profiles and animation are passed over unread, whatever they hold, so the picture is
    the one a viewer without animation shows. A file that breaks off after its last IDAT is
    accepted: whether its pixels are complete, the compressed stream tells.

    Raises
    ------
    UnusableAnswer
        As `read_header`, and ``bad-png`` for a wrong checksum or order of chunks.
    """
    header = read_header(png)
    view = memoryview(png)
    contents: dict[bytes, bytes] = {}
    data: list[memoryview] = []
    position, previous = 33, b"IHDR"
    while position < len(png):
        name, content = _chunk_at(view, position, complete=not data)
        if name in (b"", b"IEND"):
            break
        if name == b"IDAT":
            if data and previous != b"IDAT":
                raise UnusableAnswer("bad-png", "The PNG's data chunks do not follow each other.")
            data.append(content)
        elif name in (b"PLTE", b"tRNS") and not data:
            if name in contents:
                raise UnusableAnswer("bad-png", "The PNG has a chunk twice that may occur once.")
            contents[name] = bytes(content)
        elif not name[0] & 0x20 and name != b"PLTE":
            raise UnusableAnswer("unsupported-png", "The PNG needs a chunk that is not known.")
        position += 12 + len(content)
        previous = name
    if not data:
        raise UnusableAnswer("truncated-png", "The PNG has no data chunk.")
    palette, transparency = contents.get(b"PLTE", b""), contents.get(b"tRNS", b"")
    if len(palette) % 3 or len(palette) > 768:
        raise UnusableAnswer("bad-png", "The PNG's palette has a length that cannot be.")
    if header.color_type == PALETTE and not palette:
        raise UnusableAnswer("bad-png", "The PNG needs a palette and has none.")
    return PngFile(header, palette, transparency, data)


def _chunk_at(view: memoryview, position: int, *, complete: bool) -> tuple[bytes, memoryview]:
    """Name and content of the chunk at `position`; no name where the file breaks off.

    With `complete` a chunk that breaks off is an error.
    """
    name = bytes(view[position + 4 : position + 8])
    end = position + 8 + (_number(view, position) if len(name) == 4 else 0)
    if len(name) < 4 or end + 4 > len(view):
        if complete or name == b"IDAT":
            raise UnusableAnswer("truncated-png", "The PNG ends inside a chunk.")
        return b"", view[:0]
    if not name.isalpha():
        raise UnusableAnswer("bad-png", "The PNG has a chunk without a name.")
    content = view[position + 8 : end]
    critical = not name[0] & 0x20 or name == b"tRNS"
    if critical and zlib.crc32(view[position + 4 : end]) != _number(view, end):
        raise UnusableAnswer("bad-png", "A checksum inside the PNG is wrong.")
    return name, content


def _number(buffer: bytes | memoryview, position: int) -> int:
    """The four-byte number at `position`."""
    return int.from_bytes(buffer[position : position + 4])


def chunk(name: bytes, content: bytes | memoryview) -> bytes:
    """A chunk as it stands in a file: length, name, content, checksum.

    Examples
    --------
    >>> chunk(b"IEND", b"").hex(" ", 4)
    '00000000 49454e44 ae426082'
    """
    checksum = zlib.crc32(content, zlib.crc32(name))
    return b"".join((struct.pack(">I", len(content)), name, content, struct.pack(">I", checksum)))


def header_chunk(header: PngHeader) -> bytes:
    """The IHDR chunk of a header."""
    rows, columns = header.shape
    numbers = (columns, rows, header.bit_depth, header.color_type, 0, 0, header.interlaced)
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *numbers))


def inflate(data: Sequence[memoryview], total: int, block: int) -> Iterator[bytes]:
    """Inflate a zlib stream that must hold `total` bytes and then end, a block at a time.

    No more are inflated, whatever the stream would give. The end is looked at after the last
    block, so only a caller who goes on until there are no blocks left knows that the stream was
    whole.

    Raises
    ------
    UnusableAnswer
        ``truncated-png``, or ``bad-png`` for damage and for another number of bytes.
    """
    stream = zlib_ng.decompressobj()
    pieces = (
        part[start : start + _PIECE] for part in data for start in range(0, len(part), _PIECE)
    )
    pending: bytes | memoryview | None = b""
    parts: list[bytes] = []
    missing = min(block, total)  # bytes of the block; 0 after the last one
    try:
        while not stream.eof:
            part = stream.decompress(pending, max(missing, 1))
            pending = stream.unconsumed_tail
            if not part and not pending and not stream.eof:
                pending = next(pieces, None)
                if pending is None:
                    raise UnusableAnswer(
                        "truncated-png", "The PNG's compressed data ends too early."
                    )
            if part and not missing:
                raise UnusableAnswer("bad-png", "The PNG holds more data than its header tells.")
            parts.append(part)
            missing -= len(part)
            if part and not missing:
                yield b"".join(parts)
                total -= block
                parts, missing = [], max(min(block, total), 0)
    except zlib_ng.error as error:  # type: ignore[misc]  # its stub calls the class an instance
        raise UnusableAnswer("bad-png", "The PNG's compressed data is damaged.") from error
    if missing:
        raise UnusableAnswer("bad-png", "The PNG holds less data than its header tells.")
