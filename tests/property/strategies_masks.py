"""Strategies for masks and for the PNG files that hold them."""

import zlib

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from groundtruth.masks.runs import RunMask
from tests.unit.masks.png_builder import GREY, GREY_ALPHA, PALETTE, RGB, RGBA, build_png, chunk

N_CLASSES = 5

shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))


@st.composite
def crews(draw, max_workers=9, n_classes=N_CLASSES):
    """Masks of one shape, one per worker, as an array (workers, rows, columns)."""
    shape = draw(shapes)
    n_workers = draw(st.integers(1, max_workers))
    return draw(
        npst.arrays(
            np.int64,
            (n_workers, *shape),
            elements=st.integers(0, n_classes - 1),
            fill=st.integers(0, n_classes - 1),
        )
    )


def run_masks(grids):
    """Each worker's class map as runs."""
    return [RunMask.from_array(grid) for grid in grids]


def weights_for(n_workers):
    """Weights of which at least one counts."""
    weight = st.one_of(st.integers(0, 8).map(lambda n: n / 4), st.floats(0, 4))
    return (
        st.lists(weight, min_size=n_workers, max_size=n_workers)
        .map(np.array)
        .filter(lambda weights: weights.max() > 0.001)
    )


CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
DEPTHS = {GREY: (1, 2, 4, 8), RGB: (8,), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8,), RGBA: (8,)}


@st.composite
def pngs(draw, filters=range(5), depths=(1, 2, 4, 8), interlace=None, transparency=None):
    """PNG files of few colours, of any kind that 8 bits hold."""
    colorful = st.sampled_from([RGB, PALETTE, RGBA])
    color_type = draw(colorful if min(depths) == 8 else st.sampled_from(list(CHANNELS)))
    depth = draw(st.sampled_from([depth for depth in DEPTHS[color_type] if depth in depths]))
    entries = 2**depth if color_type == PALETTE else 0
    used = draw(st.integers(1, entries)) if entries else 2**depth
    values = st.sampled_from(draw(st.lists(st.integers(0, used - 1), min_size=1, max_size=5)))
    shape = (*draw(shapes), CHANNELS[color_type])
    key = b""
    if (draw(st.booleans()) if transparency is None else transparency) and color_type in (
        GREY,
        RGB,
    ):
        key = bytes(2 * shape[2] - 1) + bytes([draw(values)])
    elif entries:
        key = draw(st.binary(max_size=used))
    return build_png(
        draw(npst.arrays(np.int64, shape, elements=values, fill=values)),
        color_type=color_type,
        depth=depth,
        filters=draw(st.lists(st.sampled_from(list(filters)), min_size=1, max_size=4)),
        interlace=draw(st.booleans()) if interlace is None else interlace,
        palette=draw(st.binary(min_size=3 * used, max_size=3 * used)) if entries else b"",
        transparency=key,
        idat_size=draw(st.sampled_from([1, 7, 8192])),
    )


@st.composite
def damaged(draw, files):
    """Files with a few bytes of the compressed data changed, cut, added or taken away."""
    png = draw(files)
    begin = png.index(b"IDAT") + 4
    data = bytearray(b"".join(_data_chunks(png)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        if draw(st.booleans()):
            data[at : at + 1] = draw(st.binary(max_size=2))
        else:
            del data[at:]
    if draw(st.booleans()):
        data = bytearray(zlib.compress(draw(st.binary(max_size=300))))
    return png[: begin - 8] + chunk(b"IDAT", bytes(data)) + chunk(b"IEND")


def _data_chunks(png):
    position = 8
    while position < len(png):
        length = int.from_bytes(png[position : position + 4])
        if png[position + 4 : position + 8] == b"IDAT":
            yield png[position + 8 : position + 8 + length]
        position += 12 + length
