import base64

import numpy as np
import pytest

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.png import read_chunks
from groundtruth.masks.reader import decode_base64_png
from tests.unit.masks.png_builder import build_png


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (6 + seed % 3, 6, 4))


def encoded(pixels):
    return base64.b64encode(build_png(pixels)).decode()


BYTES = bytes(range(256)) + b"\xfb\xff\xfe"
TEXT = base64.b64encode(BYTES).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TEXT, id="plain"),
        pytest.param("data:image/png;base64," + TEXT, id="data-prefix"),
        pytest.param("DATA:image/png;charset=utf-8;BASE64," + TEXT, id="long-data-prefix"),
        pytest.param("\r\n".join(TEXT[i : i + 76] for i in range(0, len(TEXT), 76)), id="lines"),
        pytest.param(base64.urlsafe_b64encode(BYTES).decode(), id="url-safe"),
        pytest.param(TEXT.rstrip("="), id="no-padding"),
        pytest.param(" \t" + TEXT + "\n", id="blanks-around"),
        pytest.param(" ".join(TEXT[i : i + 76] for i in range(0, len(TEXT), 76)), id="blanks"),
        pytest.param(TEXT.rstrip("=")[:40] + "\n" + TEXT.rstrip("=")[40:], id="lines-no-padding"),
    ],
)
def test_the_usual_ways_of_writing_base64_are_read(text):
    assert decode_base64_png(text) == BYTES


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("  \n", id="blank"),
        pytest.param("data:image/png,abcd", id="data-prefix-without-base64"),
        pytest.param("data:image/png;base64", id="data-prefix-alone"),
        pytest.param("iVBO*Rw=", id="foreign-character"),
        pytest.param("iVBOé", id="not-ascii"),
        pytest.param("iVBO=iVBO", id="padding-inside"),
        pytest.param("iVBOR", id="impossible-length"),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(UnusableAnswer) as caught:
        decode_base64_png(text)
    assert caught.value.reason == "bad-base64"


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("pluses", range(1, 9))
def test_a_blank_in_place_of_a_plus_gives_no_wrong_picture(pluses, padding):
    mapped = next(
        text
        for seed in range(10_000)
        if (text := encoded(noise(seed))).count("+") == pluses and text.count("=") == padding
    )
    assert read_chunks(decode_base64_png(mapped))
    with pytest.raises(UnusableAnswer) as caught:
        read_chunks(decode_base64_png(mapped.replace("+", " ")))
    if pluses % 4:
        assert caught.value.reason == "bad-base64"


@pytest.mark.parametrize(
    "text", [" {} ", "{}\n  ", "\n    {}\n", "data:image/png;base64, {}"], ids=repr
)
def test_blanks_around_text_without_padding_are_no_lost_plus(text):
    content = b"hello world, 12" + bytes(2)
    bare = base64.b64encode(content).decode().rstrip("=")
    assert decode_base64_png(text.format(bare)) == content
