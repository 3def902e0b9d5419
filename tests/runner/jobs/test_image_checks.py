"""Which files workers could label."""

import io
import struct
import zlib

import pytest
from PIL import Image

from labeljob.jobs.images import MAX_BYTES, examine, name_problem, size_problem
from tests.runner.image_files import image_bytes


def png_header(width, height):
    """Start of a PNG that claims to be this large."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 9) + b"IDAT" + bytes(40)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        pytest.param(image_bytes("PNG"), "a.png", id="png"),
        pytest.param(image_bytes("JPEG"), "a.jpg", id="jpeg"),
        pytest.param(image_bytes("JPEG", mode="L"), "a.JPEG", id="grey-jpeg"),
        pytest.param(image_bytes("JPEG", mode="CMYK"), "a.jpg", id="cmyk-jpeg"),
        pytest.param(image_bytes("PNG", mode="P"), "a.png", id="palette-png"),
        pytest.param(image_bytes("PNG", mode="RGBA"), "a.png", id="png-with-alpha"),
        pytest.param(image_bytes("PNG", size=(1, 1)), "a.png", id="one-pixel"),
        pytest.param(image_bytes("JPEG", orientation=1), "a.jpg", id="upright"),
    ],
)
def test_a_good_image_has_nothing_to_be_said(body, name):
    findings = examine(body, name=name)
    assert findings.problem is None
    assert findings.warnings == ()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"hello", id="text"),
        pytest.param(image_bytes("JPEG")[:400], id="truncated-header"),
        pytest.param(image_bytes("JPEG", size=(400, 300))[:-9000], id="truncated-jpeg"),
        pytest.param(image_bytes("PNG", size=(400, 300))[:-9000], id="truncated-png"),
        pytest.param(image_bytes("GIF"), id="gif"),
        pytest.param(image_bytes("WEBP"), id="webp"),
        pytest.param(png_header(10_001, 10_000), id="more-than-100-megapixels"),
        pytest.param(png_header(60_000, 60_000), id="image-bomb"),
        pytest.param(png_header(0, 5), id="no-width"),
    ],
)
def test_an_unusable_image_is_a_problem(body):
    assert examine(body, name="a.png").problem is not None


def test_100_megapixels_are_allowed():
    buffer = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(buffer, "PNG")
    assert examine(buffer.getvalue(), name="a.png").problem is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_a_rotation_in_the_exif_data_is_a_warning(kind, orientation):
    findings = examine(image_bytes(kind, orientation=orientation), name="a.jpg")
    assert findings.problem is None
    assert "rotated" in findings.warnings[0]


def test_a_name_that_contradicts_the_content_is_a_warning():
    findings = examine(image_bytes("PNG"), name="a.jpg")
    assert findings.problem is None
    assert len(findings.warnings) == 1


@pytest.mark.parametrize(
    ("name", "usable"),
    [("a.jpg", True), ("A.JPEG", True), ("b.Png", True), ("a.gif", False), ("jpg", False)],
)
def test_names_of_images(name, usable):
    assert (name_problem(name) is None) is usable


@pytest.mark.parametrize(
    ("n_bytes", "usable"), [(0, False), (1, True), (MAX_BYTES, True), (MAX_BYTES + 1, False)]
)
def test_sizes_of_images(n_bytes, usable):
    assert (size_problem(n_bytes) is None) is usable
