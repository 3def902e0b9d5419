"""Large photographs in parts: what they show, who gets them, and what is kept of them."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from labeljob.portal import image_parts
from labeljob.portal.image_parts import cut, describe
from labeljob.portal.portal import PORTAL_FOLDER
from labeljob.portal.thumbnails import PictureError
from tests.runner.image_files import ORIENTATION_TAG
from tests.runner.portal.portal_client import Worker, make_app, open_portal

SIDE = 16
SIZE = (75, 42)  # columns and rows


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(image_parts, "PART", SIDE)


@pytest.fixture
def worker(tmp_path, portal_style):
    (portal_style / "elements.js").write_text("")
    (portal_style / "worker.js").write_text("")
    with open_portal(tmp_path / "job", n_images=1, per_object=1) as portal:
        (photo,) = (tmp_path / "job").glob("my photos*/*.png")
        photo.write_bytes(encode(pixels()))
        yield Worker(*make_app(portal), "ann")


def pixels(shape=(42, 75, 3), seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def smooth():
    small = Image.fromarray(pixels((4, 7, 3)))
    return np.asarray(small.resize(SIZE, Image.Resampling.BICUBIC))


def encode(array, kind="PNG", mode=None, **options):
    image = Image.fromarray(array)
    body = io.BytesIO()
    (image.convert(mode) if mode else image).save(body, kind, **options)
    return body.getvalue()


def open_part(content):
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image


def join(archive, level, size):
    """A level as its parts show it; where parts have pixels in common, they have the same."""
    columns, rows = size
    joined = None
    for left in range(0, columns, SIDE):
        for top in range(0, rows, SIDE):
            part = open_part(archive.read(f"{level}/{left // SIDE}/{top // SIDE}"))
            wanted = (min(SIDE + 1, columns - left), min(SIDE + 1, rows - top))
            assert part.size == wanted
            shown = np.asarray(part)
            if joined is None:
                joined = np.zeros((rows, columns, *shown.shape[2:]), np.uint8)
            elif left and part.format == "PNG":
                np.testing.assert_array_equal(joined[top : top + wanted[1], left], shown[:, 0])
            joined[top : top + wanted[1], left : left + wanted[0]] = shown
    return joined


def parts_of(body):
    return zipfile.ZipFile(io.BytesIO(cut(body)))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA"])
def test_parts_show_every_pixel_at_each_level(mode):
    body = encode(pixels(), mode=mode)
    whole = open_part(body)
    whole = whole.convert({"P": "RGB", "LA": "RGBA"}.get(mode, mode))
    archive = parts_of(body)
    described = describe(body)
    assert described == {"size": {"width": 75, "height": 42}, "side": SIDE, "levels": 4}
    for level in range(4):
        np.testing.assert_array_equal(join(archive, level, whole.size), np.asarray(whole))
        whole = whole.reduce(2)
    assert f"{3}/0/0" in archive.namelist()
    assert len(archive.namelist()) == 5 * 3 + 3 * 2 + 2 * 1 + 1


def test_parts_of_a_jpeg_cannot_be_told_from_it():
    body = encode(smooth(), "JPEG", quality=90)
    archive = parts_of(body)
    assert open_part(archive.read("0/0/0")).format == "JPEG"
    error = join(archive, 0, SIZE).astype(int) - np.asarray(open_part(body))
    assert np.abs(error).max() <= 10
    assert np.abs(error).mean() < 1


def test_parts_of_16_bits_have_the_upper_8():
    grey = np.random.default_rng(1).integers(0, 65536, (42, 75), dtype=np.uint16)
    np.testing.assert_array_equal(join(parts_of(encode(grey)), 0, SIZE), grey >> 8)


def test_parts_lie_as_pixels_are_stored_and_tell_colors_but_no_place():
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6  # turned by a quarter
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    body = encode(smooth(), "JPEG", exif=exif, icc_profile=profile, quality=95)
    assert describe(body)["size"] == {"width": 75, "height": 42}
    part = open_part(parts_of(body).read("0/4/2"))
    assert part.size == (75 - 4 * SIDE, 42 - 2 * SIDE)
    assert not part.getexif()
    assert part.info["icc_profile"] == profile


@pytest.mark.parametrize(
    "body",
    [b"", b"<svg onload='alert(1)'/>", encode(pixels())[:300], b"\xff\xd8\xff" + bytes(50)],
    ids=["empty", "svg", "cut-off", "no-jpeg"],
)
def test_what_is_no_image_has_no_parts(body):
    with pytest.raises(PictureError):
        cut(body)


def test_parts_have_the_permission_of_their_image(worker):
    address = worker.next()["task"]["images"][0]
    worker.browser.cookies.clear()
    layout = worker.browser.get(f"{address}/parts")
    assert layout.json() == {"size": {"width": 75, "height": 42}, "side": SIDE, "levels": 4}
    part = worker.browser.get(f"{address}/parts/0/1/2")
    np.testing.assert_array_equal(
        np.asarray(open_part(part.content)), pixels()[2 * SIDE :, SIDE : 2 * SIDE + 1]
    )
    for answer in (layout, part):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"].startswith("private")
    assert part.headers["content-type"] == "image/png"
    assert part.headers["x-content-type-options"] == "nosniff"
    beside = ("0/5/0", "0/0/3", "4/0/0", "0/0", "0/-1/0", "0/x/0", f"0/0/{'9' * 5000}")
    for wrong in beside:
        assert worker.browser.get(f"{address}/parts/{wrong}").status_code == 404
    assert worker.browser.get(f"{address[:-1]}/parts").status_code == 404
    assert worker.browser.get(f"{address[:-1]}/parts/0/0/0").status_code == 404


def test_an_image_is_cut_once_and_again_when_its_file_broke(worker, tmp_path, monkeypatch):
    address = worker.next()["task"]["images"][0]
    cuts = []

    def count(body):
        cuts.append(len(body))
        return cut(body)

    monkeypatch.setattr(image_parts, "cut", count)

    def ask(column):
        return worker.browser.get(f"{address}/parts/0/{column % 5}/0").status_code

    with worker.browser, ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(20))) == {200}
    assert len(cuts) == 1
    (kept,) = tmp_path.rglob(f"{PORTAL_FOLDER}/parts/*/*.zip")
    kept.write_bytes(b"")
    assert ask(0) == 404
    assert ask(0) == 200
    assert len(cuts) == 2


def test_an_image_that_broke_has_no_parts(worker, tmp_path):
    address = worker.next()["task"]["images"][0]
    (photo,) = tmp_path.rglob("my photos*/*.png")
    photo.write_bytes(photo.read_bytes()[:300])
    assert worker.browser.get(f"{address}/parts/0/0/0").status_code == 404
    photo.unlink()
    assert worker.browser.get(f"{address}/parts").status_code == 404
    assert worker.browser.get(f"{address}/parts/0/0/0").status_code == 404
