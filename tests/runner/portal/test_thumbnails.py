"""Small pictures: what they are made of, and how many are kept."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from labeljob.portal.thumbnails import THUMBNAIL, PictureError, ThumbnailCache, shrink


def encode(pixels, kind="PNG", **options):
    body = io.BytesIO()
    Image.fromarray(pixels).save(body, kind, **options)
    return body.getvalue()


def noise(seed, shape=(300, 400, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def open_image(body):
    return Image.open(io.BytesIO(body))


def test_a_large_image_is_made_small():
    made = open_image(shrink(encode(noise(1, (900, 1800, 3))), THUMBNAIL))
    assert made.size == (THUMBNAIL, THUMBNAIL // 2)
    assert made.format == "JPEG"


def test_pixels_lie_as_they_are_stored_and_tell_no_place():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "where it was taken"
    made = open_image(shrink(encode(noise(2), "JPEG", exif=exif), THUMBNAIL))
    assert made.width > made.height
    assert not made.getexif()


def test_transparent_pixels_are_white():
    made = open_image(shrink(encode(np.zeros((8, 8, 4), np.uint8)), THUMBNAIL))
    assert made.getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(40, 30), (1200, 900)])
def test_16_bits_are_shown_by_their_upper_8(size):
    grey = np.full(size[::-1], 200 * 256 + 255, np.uint16)
    made = open_image(shrink(encode(grey), THUMBNAIL))
    assert made.getpixel((20, 20)) == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"<svg onload='alert(1)'/>", encode(noise(3))[:200], b"\xff\xd8\xff" + bytes(50)],
    ids=["empty", "svg", "cut-off", "no-jpeg"],
)
def test_what_is_no_image_is_refused(body):
    with pytest.raises(PictureError):
        shrink(body, THUMBNAIL)


def test_an_image_with_too_many_pixels_is_refused():
    body = io.BytesIO()
    Image.new("1", (20_000, 6_000)).save(body, "PNG")
    with pytest.raises(PictureError, match="megapixels"):
        shrink(body.getvalue(), THUMBNAIL)


def test_the_same_content_is_made_once(tmp_path):
    cache = ThumbnailCache(tmp_path)
    body = encode(noise(4))
    first = cache.get(body)
    (kept,) = tmp_path.rglob("*.jpg")
    kept.write_bytes(b"kept")
    assert cache.get(body) == b"kept"
    assert first != b"kept"


def test_the_folder_stays_below_its_size(tmp_path):
    cache = ThumbnailCache(tmp_path, most_bytes=150_000)
    bodies = [encode(noise(seed)) for seed in range(12)]
    for at, body in enumerate(bodies):
        cache.get(body)
        for path in tmp_path.rglob("*.jpg"):  # files of one moment have no order
            os.utime(path, (at, min(at, path.stat().st_mtime)))
        assert sum(path.stat().st_size for path in tmp_path.rglob("*.jpg")) <= 150_000
    assert list(tmp_path.rglob("*.jpg"))


def test_a_full_disk_keeps_no_picture_from_being_shown(tmp_path):
    folder = tmp_path / "file"
    folder.write_text("in the way")
    assert open_image(ThumbnailCache(folder).get(encode(noise(5)))).format == "JPEG"


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    kept, left = tmp_path / "ab" / "ab.jpg", tmp_path / "ab" / "ab.1.part"
    kept.parent.mkdir()
    kept.write_bytes(b"whole")
    left.write_bytes(b"half")
    ThumbnailCache(tmp_path)
    assert list(tmp_path.rglob("*.*")) == [kept]
