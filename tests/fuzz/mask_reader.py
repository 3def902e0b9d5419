"""What the fuzzer does with its bytes: read them as a mask, in both ways.

Whatever the bytes are, reading them ends in a mask or in `UnusableAnswer`, and the fast reader
sees what Pillow sees.
"""

import struct
import zlib

import numpy as np

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.png import read_chunks, read_header
from groundtruth.masks.reader import read_fast, read_mask, read_with_pillow
from tests.unit.masks.png_builder import SIGNATURE, chunk

COLORS = {1: "#000001", 2: "#01ff80", 3: "#ffffff"}
MAX_SIDE = 24


def outcome(reader, png):
    """The pixels, the reason of a refusal, or None from a reader that passes the file on."""
    try:
        runs = reader(read_chunks(png))
    except UnusableAnswer as error:
        return error.reason
    if runs is None:
        return None
    lengths = np.diff(runs.starts, append=runs.shape[0] * runs.shape[1])
    return runs.shape, np.repeat(runs.colors, lengths, axis=0).tobytes()


def header(provider):
    """An IHDR chunk of a small picture, nearly always of a kind that exists."""
    shape = provider.ConsumeIntInRange(1, MAX_SIDE), provider.ConsumeIntInRange(1, MAX_SIDE)
    depth, color_type = provider.PickValueInList(
        [(8, 6), (8, 2), (8, 3), (8, 0), (8, 4), (4, 3), (1, 0), (16, 6), (16, 2), (16, 0), (3, 1)]
    )
    interlaced = provider.ConsumeIntInRange(0, 15) == 15
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *shape, depth, color_type, 0, 0, interlaced))


def scanlines(begin, content):
    """The fuzzer's bytes as rows, mostly with filters that exist and as many as there must be."""
    try:
        image = read_header(begin)
    except UnusableAnswer:
        return content
    step = 1 + image.row_bytes
    lines = bytearray(content[: image.inflated_bytes].ljust(image.inflated_bytes, b"\0"))
    if not image.interlaced:
        lines[::step] = bytes(kind % 3 if kind < 250 else kind % 6 for kind in lines[::step])
    return bytes(lines) + content[image.inflated_bytes :][:3]


def built(provider):
    """A PNG whose chunks are sound and whose contents are the fuzzer's."""
    parts = [SIGNATURE, header(provider)]
    if provider.ConsumeBool():
        parts.append(chunk(b"PLTE", provider.ConsumeBytes(provider.ConsumeIntInRange(0, 24))))
    if provider.ConsumeBool():
        parts.append(chunk(b"tRNS", provider.ConsumeBytes(provider.ConsumeIntInRange(0, 8))))
    size = provider.ConsumeIntInRange(1, 64)
    kind = provider.ConsumeIntInRange(0, 9)
    cut = provider.ConsumeIntInRange(0, 8) if kind == 1 else 0
    content = provider.ConsumeBytes(1 << 16)
    data = content if kind == 0 else zlib.compress(scanlines(b"".join(parts), content))
    data = data[: len(data) - cut]
    parts.extend(chunk(b"IDAT", data[at : at + size]) for at in range(0, len(data), size))
    return b"".join(parts)


def read_both_ways(provider):
    """Read what the fuzzer made; `provider` is an atheris.FuzzedDataProvider."""
    png = built(provider) if provider.ConsumeBool() else SIGNATURE + provider.ConsumeBytes(1 << 16)
    fast = outcome(read_fast, png)
    if fast is not None and fast != outcome(read_with_pillow, png):
        raise AssertionError(f"the readers differ on {png.hex()}")
    for shape in (None, (12, 12)):
        try:
            mask, _ = read_mask(png, colors=COLORS, shape=shape, name_of=str)
        except UnusableAnswer:
            continue
        if shape not in (None, mask.shape):
            raise AssertionError("a mask is not of the size that was asked for")
