import base64

import pytest

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.answers import decode_base64_png

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
