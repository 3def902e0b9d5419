"""A photograph of 100 megapixels, as many as Ground Truth takes: seen, painted on and submitted."""

import base64
import io
import math

import numpy as np
import pytest
from PIL import Image

from benchmarks.portal.chromium import Chromium
from tests.runner.portal.browser_people import Person
from tests.runner.portal.live_portal import wait_for

WIDTH, HEIGHT = 12_500, 8_000
RED, BLUE = (200, 40, 40), (40, 60, 200)
MOST_MEGABYTES = 600  # while it is opened, the portal's own page included
RADIUS = 125  # of the brush that the editor begins with
LENGTH = 100  # of the stroke
SIZES = """(surface) => [...surface.renderRoot.querySelectorAll("img")].map(
  (picture) => picture.naturalWidth * picture.naturalHeight)"""

pytestmark = pytest.mark.slow


@pytest.fixture
def portal(open_portal, tmp_path):
    """A portal with a photograph that is red on the left and blue on the right."""
    photo = Image.new("RGB", (WIDTH, HEIGHT), RED)
    photo.paste(BLUE, (WIDTH // 2, 0, WIDTH, HEIGHT))
    (tmp_path / "photos").mkdir()
    photo.save(tmp_path / "photos" / "large.jpg", quality=80)
    return open_portal(task="semantic-segmentation", labels=["sky", "sea"])


def sees(page, x, y, color):
    """Whether a pixel of the window has a color, nearly."""
    with Image.open(io.BytesIO(page.screenshot())) as image:
        return np.abs(np.subtract(image.convert("RGB").getpixel((x, y)), color)).max() < 8


def test_its_parts_are_seen_and_its_mask_is_right(portal, browser, monkeypatch):
    ann = Person(browser, portal).join(portal.invite("ann@example.org")["ann@example.org"])
    page = ann.page
    with Chromium(browser).watch_memory() as memory:
        ann.start_working()
        surface = ann.frame.locator("labeljob-surface")
        box = surface.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for at in (-200, 200):
            wait_for(lambda at=at: sees(page, x + at, y, RED if at < 0 else BLUE))
        assert memory.most() < MOST_MEGABYTES
    page.mouse.move(x, y)
    page.keyboard.press("z")  # one to one, about the middle
    for at in (-300, 300):
        wait_for(lambda at=at: sees(page, x + at, y, RED if at < 0 else BLUE))
    assert max(surface.evaluate(SIZES)) < 1100**2

    page.mouse.down()
    page.mouse.move(x + LENGTH, y, steps=5)
    page.mouse.up()
    ann.frame.get_by_role("button", name="Submit").click()
    ((response,),) = wait_for(lambda: portal.worker_responses("photos")).values()
    ann.close()
    (mask,) = response["answerContent"].values()
    assert mask["inputImageProperties"] == {"height": HEIGHT, "width": WIDTH}
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with Image.open(io.BytesIO(base64.b64decode(mask["labeledImage"]["pngImageData"]))) as image:
        rows, columns = np.nonzero(np.asarray(image))
    assert abs(len(rows) - (math.pi * RADIUS**2 + 2 * RADIUS * LENGTH)) < 500
    np.testing.assert_allclose(
        [columns.min(), columns.max(), rows.min(), rows.max()],
        [
            WIDTH / 2 - RADIUS,
            WIDTH / 2 + LENGTH + RADIUS,
            HEIGHT / 2 - RADIUS,
            HEIGHT / 2 + RADIUS,
        ],
        atol=9,  # a pixel of the page is so large before it is enlarged
    )
