"""Superpixels and four points in the editor, on a real portal: what is painted is what it said."""

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.runner.portal.browser_people import Person
from tests.runner.portal.onnx_files import brightness_model
from tests.runner.portal.photographs import take_photographs

EDITOR = "crowd-semantic-segmentation"
WIDTH, HEIGHT = 640, 480


@pytest.fixture
def ann(tmp_path, browser, open_portal):
    """Somebody at the first of three photographs, with the editor."""
    take_photographs(tmp_path / "photos", 1, size=(WIDTH, HEIGHT))
    model = tmp_path / "own.onnx"
    model.write_bytes(brightness_model())
    portal = open_portal(
        task="semantic-segmentation", labels=["thing", "ground"], assist_model=model
    )
    (link,) = portal.run("team", "add", "ann@example.org").split()[-1:]
    person = Artist(browser, portal).join(link)
    person.start_working()
    person.open_editor()
    yield person
    person.close()
    assert person.faults == []


class Artist(Person):
    """A person at the editor."""

    def open_editor(self):
        self.faults = []
        self.asked = []  # of the server, by the editor
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.editor = self.frame.locator(EDITOR)
        self.editor.evaluate("(editor) => editor.decoded")
        self.image = self.editor.evaluate("(editor) => new URL(editor.src, document.baseURI).href")

    def says(self, words):
        expect(self.frame.locator(".words")).to_contain_text(words, timeout=30_000)

    def at(self, x, y):
        """Where a point of the image is on the page."""
        look = self.editor.evaluate("""(editor) => {
            const {scale, x, y} = editor.surface.placement;
            const box = editor.surface.view.getBoundingClientRect();
            return {scale, x: x + box.x, y: y + box.y};
        }""")
        frame = self.page.locator("#stage iframe:not(.waiting)").bounding_box()
        return (
            frame["x"] + look["x"] + x * look["scale"],
            frame["y"] + look["y"] + y * look["scale"],
        )

    @property
    def painted(self):
        text = self.editor.evaluate("(editor) => editor.painting.pixels.join('')")
        return np.array(list(text), np.uint8).reshape(HEIGHT, WIDTH)

    def fetch(self, path):
        """What the server says of the image, which needs no session."""
        return self.page.request.get(f"{self.image}/{path}").body()

    def regions(self, count):
        body = self.fetch(f"superpixels/{count}")
        width, height = np.frombuffer(body, "<u4", 2).tolist()
        assert (width, height) == (WIDTH, HEIGHT)
        return np.frombuffer(body, "<u2", offset=8).reshape(height, width)


def test_what_is_painted_is_what_the_server_found(ann, tmp_path):
    mouse, keyboard = ann.page.mouse, ann.page.keyboard
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)

    keyboard.press("s")
    ann.says("superpixels. Click")
    regions = ann.regions(1000)
    mouse.move(*ann.at(100, 100))
    ann.page.screenshot(path=tmp_path / "superpixels.png")
    mouse.click(*ann.at(100, 100))
    expected[regions == regions[100, 100]] = 1
    np.testing.assert_array_equal(ann.painted, expected)

    mouse.move(*ann.at(200.5, 240.5))
    mouse.down()
    mouse.move(*ann.at(400.5, 240.5))
    mouse.up()
    crossed = np.unique(regions[240, 200:401])
    expected[np.isin(regions, crossed)] = 1
    np.testing.assert_array_equal(ann.painted, expected)
    ann.page.screenshot(path=tmp_path / "painted.png")

    before = expected.copy()
    keyboard.down("Shift")
    mouse.click(*ann.at(300.5, 240.5))
    keyboard.up("Shift")
    expected[regions == regions[240, 300]] = 0
    np.testing.assert_array_equal(ann.painted, expected)
    keyboard.press("Control+z")
    np.testing.assert_array_equal(ann.painted, before)
    keyboard.press("Control+z")  # the drag was one step
    assert set(np.unique(ann.painted.ravel()[regions.ravel() != regions[100, 100]])) == {0}

    with ann.page.expect_response(lambda response: "superpixels/500" in response.url):
        keyboard.press("]")
    ann.says("superpixels. Click")
    coarse = ann.regions(500)
    expected[:] = regions == regions[100, 100]
    keyboard.press("2")
    mouse.click(*ann.at(500.5, 400.5))
    expected[coarse == coarse[400, 500]] = 2
    np.testing.assert_array_equal(ann.painted, expected)

    keyboard.press("x")
    ann.says("topmost")
    ann.says("found by color models and the model own.")
    corners = [(320.2, 90.7), (150.4, 230.1), (470.9, 260.3), (330.6, 390.2)]
    mouse.click(*ann.at(10, 10))
    keyboard.press("Escape")
    for corner in corners[:3]:
        mouse.click(*ann.at(*corner))
    mouse.click(*ann.at(600, 450))
    ann.says("Ctrl+Z takes it back")
    keyboard.press("Control+z")
    np.testing.assert_array_equal(ann.painted, expected)
    for corner in corners[:2]:
        mouse.click(*ann.at(*corner))
    mouse.click(*ann.at(50, 50))
    keyboard.press("Backspace")
    mouse.click(*ann.at(*corners[2]))
    ann.page.screenshot(path=tmp_path / "points.png")
    mouse.click(*ann.at(*corners[3]))
    ann.says("Found by color models and the model own")
    ann.page.screenshot(path=tmp_path / "object.png")
    query = urlsplit([url for url in ann.asked if "/object?" in url][-1]).query
    (words,) = parse_qs(query)["points"]
    sent = np.array(words.split(","), float).reshape(4, 2)
    np.testing.assert_allclose(sent, corners, atol=1)
    found = ann.fetch(f"object?points={words}")
    left, top, width, height = np.frombuffer(found, "<u4", 4).tolist()
    pixels = np.frombuffer(found, np.uint8, offset=16).reshape(height, width) == 1
    expected[top : top + height, left : left + width][pixels] = 2
    assert pixels.any()
    np.testing.assert_array_equal(ann.painted, expected)

    ann.editor.evaluate("""async (editor) => {
        const canvas = new OffscreenCanvas(64, 48);
        canvas.getContext("2d").fillRect(0, 0, 9, 9);
        editor.src = URL.createObjectURL(await canvas.convertToBlob());
    }""")
    for name, key in (("Superpixels", "S"), ("Four points", "X")):
        tool = ann.frame.get_by_role("button", name=name)
        expect(tool).to_be_disabled()
        reason = f"Only for images that the labeling portal sends ({key})"
        expect(tool).to_have_attribute("title", reason)
