"""The compressed stream of a PNG, inflated in blocks and no further than it may go.

zlib-ng inflates a mask several times faster than the zlib of Python itself.
"""

from collections.abc import Iterator, Sequence

from zlib_ng import zlib_ng as zlib

from groundtruth.errors import UnusableAnswer

_PIECE = 1 << 16  # of input at a time: what is left of it is copied after each block


def inflate(data: Sequence[memoryview], total: int, block: int) -> Iterator[bytes]:
    """Inflate a zlib stream that must hold so many bytes and then end.

    Parameters
    ----------
    data : sequence of buffers
        The stream, in parts.
    total : int
        How many bytes it holds. No more are inflated, whatever the stream would give.
    block : int
        How many bytes to yield at a time; the last block is what is left.

    Yields
    ------
    bytes

    Raises
    ------
    UnusableAnswer
        ``truncated-png``, or ``bad-png`` for damage and for another number of bytes. The end
        is looked at after the last block, so only a caller who goes on until there are no
        blocks left knows that the stream was whole.
    """
    source = _Source(data)
    try:
        for left in range(total, 0, -block):
            yield source.read(min(block, left))
        source.finish()
    except zlib.error as error:  # type: ignore[misc]  # its stub calls the class an instance
        raise UnusableAnswer("bad-png", "The PNG's compressed data is damaged.") from error


class _Source:
    """A stream that is being inflated."""

    def __init__(self, data: Sequence[memoryview]) -> None:
        self._stream = zlib.decompressobj()
        self._pieces = (
            part[start : start + _PIECE] for part in data for start in range(0, len(part), _PIECE)
        )
        self._pending: bytes | memoryview = b""

    def read(self, size: int) -> bytes:
        """The next `size` bytes."""
        parts = []
        while size:
            if self._stream.eof:
                raise UnusableAnswer("bad-png", "The PNG holds less data than its header tells.")
            parts.append(self._step(size))
            size -= len(parts[-1])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self) -> None:
        """See that the stream ends here, its checksum included."""
        while not self._stream.eof:
            if self._step(1):
                raise UnusableAnswer("bad-png", "The PNG holds more data than its header tells.")

    def _step(self, size: int) -> bytes:
        """Some of the next bytes; none if that only used up input."""
        part = self._stream.decompress(self._pending, size)
        self._pending = self._stream.unconsumed_tail
        if not part and not self._pending and not self._stream.eof:
            piece = next(self._pieces, None)
            if piece is None:
                raise UnusableAnswer("truncated-png", "The PNG's compressed data ends too early.")
            self._pending = piece
        return part
