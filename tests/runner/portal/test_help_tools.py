"""What the portal computes of images for workers who outline: superpixels, and objects."""

import contextlib
import gzip
import io
import select
import signal
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image
from skimage import measure

from labeljob.extras import MissingExtraError
from labeljob.portal.help_tools import routes, superpixels, turns
from labeljob.portal.help_tools.extreme_points import Extremes, PointsError, find_object
from labeljob.portal.help_tools.minimum_cut import CutProcess, cut
from labeljob.portal.help_tools.object_model import ModelError, ObjectModel
from labeljob.portal.help_tools.pictures import shrink_part
from labeljob.portal.thumbnails import PictureError, open_picture
from tests.runner.portal.live_portal import wait_for
from tests.runner.portal.onnx_files import brightness_model
from tests.runner.portal.portal_client import Worker, make_app, open_portal, serve_portal

SIZE = (320, 240)


def encode(image, kind="PNG", **options):
    body = io.BytesIO()
    image.save(body, kind, **options)
    return body.getvalue()


def draw_scene(size=SIZE, *, noise=12):
    """A disk on a ground of another color; the image and the disk's mask."""
    width, height = size
    rows, columns = np.mgrid[:height, :width] + 0.5
    middle = (0.55 * width, 0.45 * height)
    mask = np.hypot(columns - middle[0], rows - middle[1]) < 0.3 * height
    pixels = np.where(mask[..., None], [200, 90, 40], [60, 110, 80]).astype(float)
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), mask


def find_extremes(mask):
    rows, columns = np.nonzero(mask)
    top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
    return [
        (np.median(columns[rows == top]) + 0.5, top + 0.5),
        (np.median(columns[rows == bottom]) + 0.5, bottom + 0.5),
        (left + 0.5, np.median(rows[columns == left]) + 0.5),
        (right + 0.5, np.median(rows[columns == right]) + 0.5),
    ]


def place(found, shape):
    """The object's pixels in the whole image."""
    full = np.zeros(shape, dtype=bool)
    height, width = found.pixels.shape
    full[found.top : found.top + height, found.left : found.left + width] = found.pixels
    return full


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


def read_regions(body):
    content = gzip.decompress(body)
    width, height = np.frombuffer(content, "<u4", 2).tolist()
    return np.frombuffer(content, "<u2", offset=8).reshape(height, width)


class TestSuperpixels:
    @pytest.mark.parametrize("count", [200, 1000])
    def test_regions_are_connected_and_about_as_many_as_wanted(self, count):
        image, _ = draw_scene()
        regions = read_regions(superpixels.make_region_file(encode(image), count))
        numbers = np.unique(regions)
        assert regions.shape == SIZE[::-1]
        assert numbers.tolist() == list(range(len(numbers)))
        assert 0.5 * count < len(numbers) < 1.5 * count
        assert all(measure.label(regions == number).max() == 1 for number in numbers[::9])

    def test_regions_keep_to_the_borders_of_objects(self):
        image, mask = draw_scene()
        regions = read_regions(superpixels.make_region_file(encode(image), 500))
        share = np.bincount(regions.ravel(), mask.ravel()) / np.bincount(regions.ravel())
        assert overlap((share > 0.5)[regions], mask) > 0.97

    def test_a_large_image_is_shrunk_first(self, monkeypatch):
        monkeypatch.setattr(superpixels, "_MOST_PIXELS", 10_000)
        image, mask = draw_scene((640, 480), noise=2)
        regions = read_regions(superpixels.make_region_file(encode(image), 200))
        height, width = regions.shape
        assert 9_000 < regions.size <= 10_000
        assert width / height == pytest.approx(640 / 480, rel=0.02)
        whole = np.asarray(Image.fromarray(regions).resize((640, 480), Image.Resampling.NEAREST))
        share = np.bincount(whole.ravel(), mask.ravel()) / np.bincount(whole.ravel())
        assert overlap((share > 0.5)[whole], mask) > 0.9

    @pytest.mark.parametrize(
        ("size", "expected"),
        [((70_000, 1), (16_384, 1)), ((1, 70_000), (1, 16_384)), ((3, 1_000_000), (2, 16_384))],
    )
    def test_a_long_image_has_a_map_that_browsers_can_show(self, size, expected):
        regions = read_regions(superpixels.make_region_file(encode(Image.new("L", size)), 200))
        assert regions.shape[::-1] == expected


class TestPictures:
    def test_pixels_lie_as_they_are_stored(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by a quarter
        image = Image.new("RGB", (40, 20), "red")
        with open_picture(encode(image, "JPEG", exif=exif)) as opened:
            assert opened.size == (40, 20)
            assert shrink_part(opened, (0, 0, 40, 20), (20, 10)).size == (20, 10)

    def test_transparent_pixels_are_white(self):
        with open_picture(encode(Image.new("RGBA", (8, 8)))) as opened:
            assert shrink_part(opened, (0, 0, 8, 8), (4, 4)).getpixel((1, 1)) == (255, 255, 255)

    def test_a_part_of_a_large_jpeg_is_the_same_part(self):
        image = Image.new("RGB", (1600, 1200), "blue")
        image.paste("yellow", (800, 400, 1200, 800))
        with open_picture(encode(image, "JPEG")) as opened:
            part = np.asarray(shrink_part(opened, (600, 200, 1400, 1000), (80, 80)))
        yellow = part[..., 0] > 128
        assert yellow[22:58, 22:58].all()
        assert yellow.sum() == pytest.approx(40 * 40, rel=0.1)

    @pytest.mark.parametrize("content", [b"", b"<svg/>", encode(draw_scene()[0])[:300]])
    def test_what_is_no_image_is_refused(self, content):
        with pytest.raises(PictureError), open_picture(content) as opened:
            shrink_part(opened, (0, 0, *opened.size), (10, 10))


class TestExtremePoints:
    @pytest.mark.parametrize("scale", [0.25, 1, 4], ids=["small", "usual", "large"])
    def test_an_object_is_found(self, scale):
        size = (round(SIZE[0] * scale), round(SIZE[1] * scale))
        image, mask = draw_scene(size)
        assert overlap(place(find_object(image, find_extremes(mask)), mask.shape), mask) > 0.95

    def test_the_order_of_the_points_does_not_matter(self):
        image, mask = draw_scene()
        points = find_extremes(mask)
        first, second = find_object(image, points), find_object(image, points[::-1])
        np.testing.assert_array_equal(first.pixels, second.pixels)

    def test_an_object_that_reaches_the_border_of_the_image_is_found(self):
        image, mask = draw_scene()
        box = (100, 40, 200, 160)
        cut = mask[box[1] : box[3], box[0] : box[2]]
        found = find_object(image.crop(box), find_extremes(cut))
        assert overlap(place(found, cut.shape), cut) > 0.93

    def test_nothing_is_found_outside_the_box_of_the_points(self):
        rng = np.random.default_rng(3)
        image = Image.fromarray(rng.integers(0, 256, (120, 160, 3), np.uint8))
        found = place(find_object(image, [(80, 30), (70, 90), (40, 60), (120, 50)]), (120, 160))
        found[29:91, 39:121] = False
        assert not found.any()

    def test_an_image_of_one_color_gives_something_inside_the_points(self):
        image = Image.new("RGB", (100, 100), "gray")
        points = [(50, 20), (50, 80), (20, 50), (80, 50)]
        assert place(find_object(image, points), (100, 100))[50, 50]

    @pytest.mark.parametrize(
        "points",
        [
            [(1, 1), (2, 2), (3, 3)],
            [(10, 10), (20, 20), (30, 30), (101, 10)],
            [(10, -1), (20, 20), (30, 30), (10, 10)],
            [(10, 10), (12, 40), (10, 40), (12, 10)],
            [(10, 10), (10, 10), (10, 10), (10, 10)],
        ],
        ids=["three", "beside", "above", "narrow", "one"],
    )
    def test_points_that_mark_nothing_are_refused(self, points):
        with pytest.raises(PointsError):
            Extremes.sort(points, (100, 100))

    def test_a_model_is_believed_about_the_object_that_the_points_mark(self):
        image = Image.new("RGB", (100, 100), "gray")
        points = [(50, 20), (50, 80), (20, 50), (80, 50)]
        seen = []

        def predict_triangle(size):
            def predict(picture):
                seen.append(picture.size)
                chances = np.zeros(picture.size[::-1])
                chances[42 - size // 2 :, 42 - size // 2 :][:size, :size] = np.tri(size)
                return chances

            return predict

        alone = find_object(image, points)
        same = place(find_object(image, points, predict=predict_triangle(60)), (100, 100))
        other = find_object(image, points, predict=predict_triangle(40))
        assert seen == [(84, 84), (84, 84)]
        assert place(alone, (100, 100))[35, 65]
        assert same[65, 35]
        assert not same[35, 65]
        np.testing.assert_array_equal(other.pixels, alone.pixels)


@pytest.mark.slow
class TestCutProcess:
    def test_it_cuts_as_this_process_does_and_is_replaced_when_it_is_killed(self):
        index = np.arange(40 * 30).reshape(30, 40)
        first = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
        second = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
        odds = np.random.default_rng(2).normal(0, 3, index.shape)
        expected = cut(odds, (first, second, np.ones(len(first))))
        assert 0 < expected.sum() < expected.size
        cuts = CutProcess()
        processes = []
        for _ in range(3):
            mask = cuts.cut(odds, (first, second, np.ones(len(first))))
            np.testing.assert_array_equal(mask, expected)
            if cuts._process:
                processes.append(cuts._process)
                cuts._process.kill()
        assert len(processes) == 2
        del cuts
        assert all(process.returncode is not None for process in processes)

    def test_it_ends_when_the_portal_is_killed(self):
        script = """if True:
            import os, signal, numpy as np
            from labeljob.portal.help_tools.minimum_cut import CutProcess
            cuts = CutProcess()
            cuts.cut(np.ones((1, 2)), (np.array([0]), np.array([1]), np.ones(1)))
            assert cuts._process
            os.kill(os.getpid(), signal.SIGKILL)
        """
        # The pipes stay open, and `run` waits, as long as any process has them.
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (-signal.SIGKILL, b"")


class TestObjectModel:
    def test_what_a_file_computes_is_stretched_over_the_picture(self, tmp_path):
        path = tmp_path / "own.onnx"
        path.write_bytes(brightness_model())
        model = ObjectModel(path)
        picture = Image.new("RGB", (90, 30), "black")
        picture.paste("white", (45, 0, 90, 30))
        chances = model.predict(picture)
        assert model.name == "own"
        assert chances.shape == (30, 90)
        assert chances[:, :30].max() < 0.1
        assert chances[:, 60:].min() > 0.9

    def test_without_the_extra_it_is_told_how_to_get_it(self, tmp_path, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(MissingExtraError, match=r"pip install .*\[assist\]"):
            ObjectModel(tmp_path / "own.onnx")

    def test_another_file_is_refused(self, tmp_path):
        path = tmp_path / "other.onnx"
        for content in (b"", b"no model", brightness_model(rank=2)):
            path.write_bytes(content)
            with pytest.raises(ModelError, match=r"other\.onnx is no ONNX model"):
                ObjectModel(path)


@pytest.fixture
def bundles(portal_style):
    (portal_style / "elements.js").write_text("")
    (portal_style / "worker.js").write_text("")


@pytest.fixture
def portal(tmp_path, bundles):
    with open_portal(tmp_path / "photos", n_images=1, per_object=3) as opened:
        image, _ = draw_scene()
        next((tmp_path / "photos").rglob("000.png")).write_bytes(encode(image))
        yield opened


@pytest.fixture
def ann(portal):
    return Worker(*make_app(portal), "ann")


@pytest.mark.slow
def test_whoever_has_an_image_has_its_tools(ann):
    address = ann.next()["task"]["images"][0]
    ann.browser.cookies.clear()
    told = ann.browser.get(f"{address}/tools")
    assert told.headers["access-control-allow-origin"] == "*"
    assert told.json() == {
        "size": {"width": SIZE[0], "height": SIZE[1]},
        "superpixels": [200, 500, 1000, 2000],
        "extremePoints": "color models",
    }

    _, mask = draw_scene()
    words = ",".join(str(number) for point in find_extremes(mask) for number in point)
    sent = ann.browser.get(f"{address}/object?points={words}")
    assert sent.headers["access-control-allow-origin"] == "*"
    left, top, width, height = np.frombuffer(sent.content, "<u4", 4).tolist()
    pixels = np.frombuffer(sent.content, np.uint8, offset=16).reshape(height, width)
    full = np.zeros(mask.shape, dtype=bool)
    full[top : top + height, left : left + width] = pixels
    assert set(np.unique(pixels)) == {0, 1}
    assert overlap(full, mask) > 0.95


def test_regions_are_made_once(ann, monkeypatch):
    address = ann.next()["task"]["images"][0]
    first = ann.browser.get(f"{address}/superpixels/200")
    assert first.headers["access-control-allow-origin"] == "*"
    assert first.headers["content-encoding"] == "gzip"
    width, height = np.frombuffer(first.content, "<u4", 2).tolist()
    assert (width, height) == SIZE
    assert len(first.content) == 8 + 2 * width * height

    def fail(content, count):
        raise AssertionError("made again")

    monkeypatch.setattr(superpixels, "make_region_file", fail)
    assert ann.browser.get(f"{address}/superpixels/200").content == first.content
    tag = first.headers["etag"]
    again = ann.browser.get(f"{address}/superpixels/200", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_what_cannot_be_asked_is_refused_in_words(tmp_path, ann):
    address = ann.next()["task"]["images"][0]

    def refuse(path, status, says):
        refused = ann.browser.get(path)
        assert refused.headers["access-control-allow-origin"] == "*"
        assert (refused.status_code, says in refused.text) == (status, True), refused.text

    for count in ("201", "0200", "-200", "many", "9" * 5000):
        refuse(f"{address}/superpixels/{count}", 404, "not divided into so many")
    for query, says in [
        ("", "no numbers"),
        ("?points=1,2,3", "four extreme points"),
        ("?points=1,2,3,4,5,6,7,nan", "four extreme points"),
        ("?points=1,2,3,4,5,6,7,x", "no numbers"),
        ("?points=10,10,20,20,30,30,999,10", "not in the image"),
    ]:
        refuse(f"{address}/object{query}", 400, says)
    tools = ("tools", "superpixels/200", "object?points=1,2,9,9,1,5,9,5")
    for tool in tools:
        refuse(f"{address[:-1]}/{tool}", 404, "no such image")
    next((tmp_path / "photos").rglob("000.png")).write_bytes(b"secret")
    for tool in tools:
        refuse(f"{address}/{tool}", 415, "cannot be read as an image")


def test_more_than_can_wait_are_sent_away(ann, monkeypatch):
    address = ann.next()["task"]["images"][0]
    monkeypatch.setattr(turns, "MOST", 0)
    refused = ann.browser.get(f"{address}/superpixels/200")
    assert refused.status_code == 503
    assert "Try again" in refused.text
    assert ann.browser.get(f"{address}/tools").status_code == 200


@pytest.mark.slow
def test_one_page_cannot_keep_the_others_waiting(tmp_path, bundles, monkeypatch):
    """Nor does anybody wait for answers to those who left."""
    found = []
    may_go_on = threading.Event()

    def find(image, points, **options):
        found.append(points[0][0])
        may_go_on.wait()
        return find_object(image, points, **options)

    monkeypatch.setattr(routes, "find_object", find)
    with open_portal(tmp_path / "photos", n_images=2) as portal, contextlib.ExitStack() as sockets:
        ann = Worker(*make_app(portal), "ann")
        task = ann.next()["task"]
        images = [*task["images"], *ann.answer(task["id"]).json()["task"]["images"]]
        scene = encode(draw_scene()[0])
        for path in (tmp_path / "photos").rglob("00?.png"):
            path.write_bytes(scene)

        with serve_portal(portal) as (address, _):
            server = urlsplit(address)

            def ask(image, column):
                connection = socket.create_connection((server.hostname, server.port), timeout=60)
                sockets.enter_context(connection)
                path = f"{image}/object?points={column},50,60,80,45,60,80,60"
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {server.netloc}\r\n\r\n".encode())
                return connection

            def read_status(connection):
                return int(connection.recv(4096).split()[1])

            def find_answered(connections):
                return select.select(connections, [], [], 0)[0]

            try:
                asked = {ask(images[0], column): column for column in range(50, 59)}
                wait_for(lambda: len(find_answered(asked)) == 4, seconds=20)
                refused = find_answered(asked)
                assert {read_status(connection) for connection in refused} == {503}
                waiting = {key: asked[key] for key in asked if key not in refused}
                wait_for(lambda: found, seconds=20)
                gone = [key for key in waiting if waiting[key] not in found][1:3]
                for connection in gone:
                    del waiting[connection]
                    connection.close()

                httpx.get(f"{address}/healthz")  # the server has seen that they left
                waiting[ask(images[0], 59)] = 59
                waiting[ask(images[1], 60)] = 60
            finally:
                may_go_on.set()
            assert {read_status(connection) for connection in waiting} == {200}
            assert sorted(found) == sorted(waiting.values())
