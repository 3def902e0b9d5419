"""The photograph under a mask in a browser: the stored pixels, where they belong."""

import io
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from labeljob import portal as package
from labeljob.portal.grants import GrantSigner, find_uris
from tests.runner.image_files import ORIENTATION_TAG
from tests.runner.portal.portal_client import open_portal, serve_portal

VIEW = (600, 400)
SMALL = (300, 200)
LARGE = (6500, 4100)  # more pixels than are shown as a whole
ENTRY = """
import { Photo } from "./src/segmentation/photo";
Object.assign(window, { Photo, view: document.querySelector("div") });
"""
PAGE = f"""<body style="margin: 0"><div style="position: relative; overflow: hidden;
width: {VIEW[0]}px; height: {VIEW[1]}px"></div>{{{{ task.input.taskObject | grant_read_access }}}}
<script>{{% raw %}}SCRIPT{{% endraw %}}</script>"""
OPEN = """async (src) => {
  window.photo?.close();
  window.photo = await Photo.open(src);
  view.prepend(photo.element);
  return photo.size;
}"""
SECONDS = 15


@pytest.fixture(scope="module")
def script(checkout):
    pages = Path(package.__file__).parent / "pages"
    command = [checkout / ".ci/with-node", "node_modules/.bin/esbuild", "--bundle", "--loader=ts"]
    done = subprocess.run(
        command, cwd=pages, input=ENTRY, text=True, capture_output=True, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def photographs():
    """What is shown, as files and as arrays: a JPEG that EXIF says is turned, and a large PNG."""
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (SMALL[1] // 10, SMALL[0] // 10, 3), np.uint8))
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    jpeg, png = io.BytesIO(), io.BytesIO()
    noise.resize(SMALL, Image.Resampling.BICUBIC).save(jpeg, "JPEG", subsampling=0, exif=exif)
    large = np.zeros((LARGE[1], LARGE[0], 3), np.uint8)
    large[:, :, 0] = np.linspace(0, 255, LARGE[0])
    large[:, :, 1] = np.linspace(0, 255, LARGE[1])[:, None]
    large[:, :, 2] = 60 * ((np.arange(LARGE[0]) // 8 + np.arange(LARGE[1])[:, None] // 8) % 2)
    Image.fromarray(large).save(png, "PNG", compress_level=1)
    files = [jpeg.getvalue(), png.getvalue(), b"\x89PNG\r\n\x1a\nbroken"]
    return SimpleNamespace(files=files, small=np.asarray(Image.open(jpeg)), large=large)


@pytest.fixture(scope="module")
def shown(tmp_path_factory, photographs, script, browser):
    """A worker page that may show photographs, and their addresses."""
    place = tmp_path_factory.mktemp("photos")
    template = place / "page.liquid.html"
    template.write_text(PAGE.replace("SCRIPT", script))
    with (
        open_portal(place, n_images=3, template=str(template)) as portal,
        serve_portal(portal) as (address, _),
    ):
        (folder,) = place.glob("my photos*")
        for path, content in zip(sorted(folder.iterdir()), photographs.files, strict=True):
            path.write_bytes(content)
        signer = GrantSigner(portal.database.get_meta("secret"))
        job = portal.jobs["zoo"]
        uris = [next(find_uris(job.task_input(str(at)))) for at in range(3)]
        urls = [signer.sign_file("zoo", str(at), uri) for at, uri in enumerate(uris)]
        page = browser.new_page(viewport={"width": VIEW[0], "height": VIEW[1]})
        page.goto(address + signer.sign_frame("zoo", "0"))
        page.wait_for_function("() => Boolean(window.Photo)")
        yield SimpleNamespace(page=page, urls=urls)
        page.close()


def look(shown):
    with Image.open(io.BytesIO(shown.page.screenshot())) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def expect_at(photograph, scale, x, y):
    """What a view shows of a photograph that is enlarged so much, or shrunk by a power of two."""
    image = Image.fromarray(photograph)
    kind = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX
    box = (-x / scale, -y / scale, (VIEW[0] - x) / scale, (VIEW[1] - y) / scale)
    return np.asarray(image.resize(VIEW, kind, box=box)).astype(int)


def place_and_compare(shown, photograph, scale, x, y, *, tolerance):
    """Wait until a placement shows what it should, to a number of grey levels in each pixel."""
    shown.page.evaluate("(placement) => photo.place(placement)", {"scale": scale, "x": x, "y": y})
    wanted = expect_at(photograph, scale, x, y)
    end = time.monotonic() + SECONDS
    while (error := np.abs(look(shown) - wanted)).max() > tolerance and time.monotonic() < end:
        time.sleep(0.1)
    assert error.max() <= tolerance, (scale, x, y, np.argwhere(error > tolerance)[:3])


def test_stored_pixels_are_shown_whatever_exif_says(shown, photographs):
    assert shown.page.evaluate(OPEN, shown.urls[0]) == {"width": SMALL[0], "height": SMALL[1]}
    for scale, x, y in [(8, -801, -399), (5.3, -88.37, -77.37)]:
        place_and_compare(shown, photographs.small, scale, x, y, tolerance=2)
    before = look(shown)
    shown.page.evaluate("photo.adjust(0.5, 1)")
    assert np.abs(look(shown) - before / 2).max() <= 2
    shown.page.evaluate("photo.adjust(1, 1)")
    assert (look(shown) == before).all()


def test_a_large_photograph_is_shown_in_parts_without_gaps(shown, photographs):
    asked = []
    shown.page.on("request", lambda request: asked.append(request.url.partition("/parts/")[2]))
    failed = []

    def fail_once(route):
        if failed:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.abort()

    shown.page.route("**/parts/0/1/0", fail_once)
    assert shown.page.evaluate(OPEN, shown.urls[1]) == {"width": LARGE[0], "height": LARGE[1]}
    assert shown.page.evaluate("view.querySelectorAll('img').length") == 1
    large = photographs.large
    place_and_compare(shown, large, 1, -800, -800, tolerance=0)  # four parts meet
    assert failed
    place_and_compare(shown, large, 8, -1024 * 8 + 301, -2048 * 8 + 203, tolerance=0)
    place_and_compare(shown, large, 0.5, 600 - 3250, 400 - 2050, tolerance=1)  # the last corner
    place_and_compare(shown, large, 0.25, -400, -300, tolerance=1)
    # Between two levels the browser makes pixels smaller by itself; the checks get blurred.
    shown.page.evaluate("photo.place({ scale: 0.37, x: -37, y: -41 })")
    shown.page.wait_for_timeout(1000)
    assert np.abs(np.diff(look(shown)[:, :, :2], axis=0)).max() <= 3
    assert np.abs(np.diff(look(shown)[:, :, :2], axis=1)).max() <= 3
    assert shown.page.evaluate("view.querySelectorAll('img').length") < 20
    assert len(set(asked)) < 60


def test_a_large_photograph_is_shown_as_a_whole_where_nobody_cuts_it(shown, photographs):
    shown.page.route("**/parts", lambda route: route.fulfill(status=404))
    assert shown.page.evaluate(OPEN, shown.urls[1]) == {"width": LARGE[0], "height": LARGE[1]}
    place_and_compare(shown, photographs.large, 1, -800, -800, tolerance=0)
    shown.page.unroute("**/parts")


def test_what_cannot_be_shown_is_said_and_what_says_nothing_is_shown(shown, photographs):
    say = "(src) => Photo.open(src).then(() => null, (error) => error.message)"
    assert "say that it cannot be labelled" in shown.page.evaluate(say, shown.urls[2])
    assert "say that it cannot be labelled" in shown.page.evaluate(say, "/files/nothing")
    body = io.BytesIO()
    Image.fromarray(photographs.small).save(body, "PNG")
    elsewhere = "https://photos.example/photo.png"  # which does not say that all may read it

    def send(route):
        if route.request.headers.get("sec-fetch-mode") == "cors":
            route.abort()
        else:
            route.fulfill(content_type="image/png", body=body.getvalue())

    shown.page.route(elsewhere, send)
    assert shown.page.evaluate(OPEN, elsewhere) == {"width": SMALL[0], "height": SMALL[1]}
    place_and_compare(shown, photographs.small, 8, -800, -400, tolerance=0)
