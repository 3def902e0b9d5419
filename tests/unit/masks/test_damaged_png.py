"""Files that are broken, hostile, or no PNG at all."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from groundtruth.errors import UnusableAnswer
from groundtruth.masks import reader
from groundtruth.masks.reader import read_mask
from tests.unit.masks.png_builder import (
    NONE,
    PAETH,
    SIGNATURE,
    SUB,
    build_png,
    chunk,
    header,
    painted,
)

SHAPE = (60, 80)
CLASSES = np.random.default_rng(5).integers(0, 2, SHAPE)
PIXELS = painted(CLASSES, [(0, 0, 0, 0), (44, 160, 44, 255)])
FILTERS = [
    pytest.param(kind, id=name) for kind, name in ((NONE, "none"), (SUB, "sub"), (PAETH, "paeth"))
]


def read(png, shape=SHAPE):
    return read_mask(png, colors={1: "#2ca02c"}, shape=shape, name_of=["BACKGROUND", "water"])


def reason(png, shape=SHAPE):
    with pytest.raises(UnusableAnswer) as caught:
        read(png, shape)
    return caught.value.reason


def with_data(data, *, shape=SHAPE, end=True):
    return header(*shape) + chunk(b"IDAT", data) + (chunk(b"IEND") if end else b"")


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_a_file_cut_short_is_refused(kind, share):
    png = build_png(PIXELS, filters=[kind], idat_size=512)
    assert reason(png[: int(len(png) * share)]) == "truncated-png"


def test_a_file_cut_anywhere_is_either_whole_or_refused():
    pixels = PIXELS[:4, :5]
    png = build_png(pixels, idat_size=16)
    for length in range(len(png) - 12):
        assert reason(png[:length], (4, 5)) in ("truncated-png", "not-png"), length
    for length in range(len(png) - 12, len(png)):
        np.testing.assert_array_equal(read(png[:length], (4, 5))[0].to_array(), CLASSES[:4, :5])


@pytest.mark.parametrize("kind", FILTERS)
def test_only_the_last_chunk_may_be_missing(kind):
    png = build_png(PIXELS, filters=[kind])
    np.testing.assert_array_equal(read(png[:-12])[0].to_array(), CLASSES)
    np.testing.assert_array_equal(read(png[:-5])[0].to_array(), CLASSES)
    np.testing.assert_array_equal(read(png + b"more")[0].to_array(), CLASSES)


@pytest.mark.parametrize("kind", FILTERS)
def test_a_flipped_bit_is_seen_by_a_checksum(kind):
    png = bytearray(build_png(PIXELS, filters=[kind]))
    for position in (20, 29, len(png) // 2, len(png) - 17):
        png[position] ^= 4
        assert reason(bytes(png)) == "bad-png"
        png[position] ^= 4


@pytest.mark.parametrize("kind", FILTERS)
def test_data_that_does_not_inflate_is_refused(kind):
    good = zlib.compress(bytes([kind]) * (SHAPE[0] * (1 + 4 * SHAPE[1])))
    assert reason(with_data(b"not zlib")) == "bad-png"
    assert reason(with_data(good[:-4] + b"\0\0\0\0")) == "bad-png"
    assert reason(with_data(good[:-3])) == "truncated-png"
    assert reason(with_data(good[: len(good) // 2])) == "truncated-png"
    assert reason(with_data(b"")) == "truncated-png"


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("rows", [SHAPE[0] - 1, SHAPE[0] + 1])
def test_data_for_another_number_of_rows_is_refused(kind, rows):
    line = bytes([kind]) + bytes(4 * SHAPE[1])
    assert reason(with_data(zlib.compress(line * rows))) == "bad-png"


@pytest.mark.parametrize("kind", [5, 255])
def test_a_filter_that_does_not_exist_is_refused(kind):
    line = bytes([kind]) + bytes(4 * SHAPE[1])
    assert reason(with_data(zlib.compress(line * SHAPE[0]))) == "bad-png"


def test_other_files_are_refused():
    jpeg = io.BytesIO()
    Image.new("RGB", (80, 60)).save(jpeg, "JPEG")
    assert reason(jpeg.getvalue()) == "not-png"
    assert reason(b"") == "not-png"
    assert reason(b"<svg/>") == "not-png"
    assert reason(SIGNATURE) == "truncated-png"


@pytest.mark.parametrize(
    "ihdr",
    [
        pytest.param((0, 60, 8, 6, 0, 0, 0), id="no-column"),
        pytest.param((80, 0, 8, 6, 0, 0, 0), id="no-row"),
        pytest.param((80, 60, 4, 6, 0, 0, 0), id="depth"),
        pytest.param((80, 60, 8, 5, 0, 0, 0), id="colour-type"),
        pytest.param((80, 60, 8, 6, 1, 0, 0), id="compression"),
        pytest.param((80, 60, 8, 6, 0, 1, 0), id="filter"),
        pytest.param((80, 60, 8, 6, 0, 0, 2), id="interlace"),
    ],
)
def test_a_header_of_a_format_that_does_not_exist_is_refused(ihdr):
    png = SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", *ihdr)) + chunk(b"IDAT", b"")
    assert reason(png) == "bad-png"


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([], "truncated-png", id="no-data"),
        pytest.param([chunk(b"IEND")], "truncated-png", id="end-at-once"),
        pytest.param([chunk(b"ABCD"), chunk(b"IDAT")], "unsupported-png", id="unknown-critical"),
        pytest.param([chunk(b"a\0cd"), chunk(b"IDAT")], "bad-png", id="no-name"),
        pytest.param([chunk(b"tRNS", b"1")] * 2, "bad-png", id="twice"),
        pytest.param(
            [chunk(b"IDAT", b"x"), chunk(b"tEXt"), chunk(b"IDAT")], "bad-png", id="data-apart"
        ),
        pytest.param([struct.pack(">I", 1 << 31) + b"IDATxxxx"], "truncated-png", id="long-data"),
        pytest.param([struct.pack(">I", 1 << 31) + b"tEXtxxxx"], "truncated-png", id="long-text"),
    ],
)
def test_chunks_in_disorder_are_refused(chunks, expected):
    assert reason(header(*SHAPE) + b"".join(chunks)) == expected


@pytest.mark.parametrize("palette", [b"", b"1234", bytes(3 * 257)])
def test_a_palette_that_cannot_be_is_refused(palette):
    png = header(*SHAPE, color_type=3) + chunk(b"PLTE", palette) + chunk(b"IDAT", b"x")
    assert reason(png) == "bad-png"


def test_text_profiles_and_animation_are_passed_over():
    bomb = zlib.compress(bytes(50_000_000), 9)
    before = b"".join(
        (
            chunk(b"zTXt", b"Comment\0\0" + bomb),
            chunk(b"iTXt", b"Comment\0\1\0\0\0" + bomb),
            chunk(b"iCCP", b"p\0\0" + bomb),
            chunk(b"acTL", struct.pack(">II", 2, 0)),
            chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 80, 60, 0, 0, 1, 1, 0, 0)),
            chunk(b"fdAT", struct.pack(">I", 1) + bomb),
        )
    )
    for kind in (SUB, PAETH):
        png = build_png(PIXELS, filters=[kind], before=before)
        mask, peak = traced(png)
        np.testing.assert_array_equal(mask.to_array(), CLASSES)
        assert peak < 5_000_000


def traced(png):
    tracemalloc.start()
    try:
        mask, _ = read(png)
        return mask, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param((60_000, 60_000), "too-large", id="over-the-limit"),
        pytest.param((6900, 6900), "wrong-size", id="under-the-limit"),
        pytest.param((6000, 8000), "wrong-size", id="in-proportion"),
    ],
)
def test_a_size_that_cannot_be_is_refused_before_anything_is_inflated(size, expected):
    # The data is no zlib stream: inflating it would be another error.
    assert reason(with_data(b"never read", shape=size)) == expected


@pytest.mark.parametrize("kind", FILTERS)
def test_noise_that_would_fill_the_memory_is_refused(kind, monkeypatch):
    png = build_png(PIXELS, filters=[kind])
    changes = int((CLASSES[:, 1:] != CLASSES[:, :-1]).sum()) + len(CLASSES)
    monkeypatch.setattr(reader, "MAX_RUNS", changes)
    assert read(png)[0].shape == SHAPE
    monkeypatch.setattr(reader, "MAX_RUNS", changes - 1)
    assert reason(png) == "too-complex"


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("limit", [16_000, 19_000])
def test_noise_counts_by_its_runs_and_not_by_its_pixels(kind, limit, monkeypatch):
    rows, columns = shape = (128, 160)
    at_random = np.random.default_rng(3).random(shape) < 0.85  # 20,480 pixels, 85 % are runs
    classes = np.cumsum(at_random, axis=1) % 2
    changes = int((classes[:, 1:] != classes[:, :-1]).sum()) + rows
    assert 16_000 < changes < 19_000 < rows * columns
    png = build_png(painted(classes, [(0, 0, 0, 0), (44, 160, 44, 255)]), filters=[kind])
    monkeypatch.setattr(reader, "MAX_RUNS", limit)
    if limit < changes:
        assert reason(png, shape) == "too-complex"
    else:
        np.testing.assert_array_equal(read(png, shape)[0].to_array(), classes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILTERS)
def test_data_past_the_picture_is_not_inflated(kind):
    line = bytes([kind]) + bytes(4 * SHAPE[1])
    bomb = zlib.compress(line * SHAPE[0] + bytes(200_000_000), 9)
    tracemalloc.start()
    try:
        assert reason(with_data(bomb)) == "bad-png"
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_large_picture_gives_no_warning_and_little_memory():
    line = bytes([SUB]) + bytes(4 * 10_000)
    stream = zlib.compressobj(1)
    data = b"".join([*(stream.compress(line) for _ in range(10_000)), stream.flush()])
    mask, _ = read(with_data(data, shape=(10_000, 10_000)), (10_000, 10_000))
    assert mask.classes.tolist() == [0]
