"""A whole segmentation job by three people at browsers, its masks, and their correction."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.runner.portal.browser_people import SHOWN, Person
from tests.runner.portal.live_portal import LivePortal
from tests.runner.portal.photographs import take_photographs

ELEMENT = "crowd-semantic-segmentation"
LABELS = ("cat", "coffee cup", "moss")
COLORS = ("#2ca02c", "#1f77b4", "#ff7f0e")
WIDTH, HEIGHT = 320, 240
MANIFEST = "labeljob-store/labeljob/jobs/photos/manifests/output/output.manifest"

# By person: rectangles of the first photograph, and of the second, as class and corners. One
# person alone paints moss, and there is no pixel on which three people say three things.
PAINTED = {
    "ann@example.org": (((1, 20, 30, 160, 150), (2, 200, 40, 280, 200)), ((2, 50, 50, 250, 90),)),
    "bob@example.org": (((1, 30, 20, 170, 140), (2, 190, 60, 300, 190)), ((2, 60, 40, 240, 100),)),
    "cleo@example.org": (((1, 40, 40, 150, 170), (3, 0, 180, 100, 239)), ((2, 40, 60, 90, 200),)),
}


class Painter(Person):
    """Somebody who paints with the pointer."""

    def paint(self, cls, left, top, right, bottom):
        """Paint a rectangle, whose corners are points of the photograph; gives its pixels."""
        self.page.keyboard.press(str(cls))
        self.page.keyboard.press("r")
        editor = self.frame.locator(ELEMENT)
        editor.evaluate("(editor) => editor.decoded")
        look = editor.evaluate("""({surface}) => {
            const {scale, x, y} = surface.placement;
            const box = surface.view.getBoundingClientRect();
            return {scale, x: x + box.x, y: y + box.y};
        }""")
        frame = self.page.locator(SHOWN).bounding_box()
        points = [
            (round(frame["x"] + look["x"] + x * look["scale"]),
             round(frame["y"] + look["y"] + y * look["scale"]))
            for x, y in ((left, top), (right, bottom))
        ]  # fmt: skip
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        self.page.mouse.move(*points[1], steps=4)
        self.page.mouse.up()
        (x0, y0), (x1, y1) = (
            ((x - frame["x"] - look["x"]) / look["scale"],
             (y - frame["y"] - look["y"]) / look["scale"])
            for x, y in points
        )  # fmt: skip
        y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
        return (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)

    def send(self):
        """Submit, and wait for what comes then."""
        task = self.task
        self.submit()
        self.page.wait_for_function(
            "([shown, before]) => document.querySelector(shown)?.getAttribute('src') !== before",
            arg=[SHOWN, task],
        )


def read_png(body):
    with Image.open(io.BytesIO(body)) as image:
        assert (image.mode, image.size) == ("P", (WIDTH, HEIGHT))
        return np.array(image)


def read_answer(answer):
    """The mask of an answer, by its colors, which are to the letter what Ground Truth writes."""
    said = answer["answerContent"][ELEMENT]
    assert said["inputImageProperties"] == {"height": HEIGHT, "width": WIDTH}
    mappings = {name: {"color": color} for name, color in zip(LABELS, COLORS, strict=True)}
    assert said["labelMappings"] == mappings
    return read_png(base64.b64decode(said["labeledImage"]["pngImageData"]))


def start(folder, *arguments):
    portal = LivePortal(folder, *arguments, "--settle", "0.3")
    portal.start()
    return portal


def test_three_people_paint_and_one_corrects(tmp_path, browser):
    take_photographs(tmp_path / "photos", 2, size=(WIDTH, HEIGHT))
    portal = start(
        tmp_path, "photos", "--task", "semantic-segmentation", "--labels", *LABELS,
        "--workers-per-object", "3", "--algorithm", "majority",
    )  # fmt: skip
    try:
        links = portal.invite(*PAINTED)
        masks = {}
        for email, rectangles in PAINTED.items():
            person = Painter(browser, portal).join(links[email])
            person.start_working()
            for _ in range(2):
                number = int(person.photograph[4:8]) - 1
                mask = np.zeros((HEIGHT, WIDTH), np.uint8)
                for cls, *corners in rectangles[number]:
                    mask[person.paint(cls, *corners)] = cls
                masks[email, number] = mask
                person.send()
            assert not person.has_task
            assert person.alerts == []
            person.close()
        lines = portal.output_manifest("photos")
        with portal.database.read() as connection:
            rows = connection.execute("SELECT worker_id, email FROM members").fetchall()
        workers = dict(map(tuple, rows))
        for number, answers in portal.worker_responses("photos").items():
            assert len(answers) == 3
            for answer in answers:
                painted = masks[workers[answer["workerId"]], int(number)]
                np.testing.assert_array_equal(read_answer(answer), painted)
        for number, line in enumerate(lines):
            stack = np.stack([masks[email, number] for email in PAINTED])
            votes = np.stack([(stack == cls).sum(axis=0) for cls in range(len(LABELS) + 1)])
            assert (votes.max(axis=0) >= 2).all()
            color_map = line["mask-ref"]["internal-color-map"]
            assert [(entry["class-name"], entry["hex-color"]) for entry in color_map.values()] == [
                ("BACKGROUND", "#ffffff"), *zip(LABELS, COLORS, strict=True),
            ]  # fmt: skip
            mask = read_mask(portal, line["mask-ref"]["mask-ref"])
            np.testing.assert_array_equal(mask, votes.argmax(axis=0))
        assert read_mask(portal, lines[0]["mask-ref"]["mask-ref"]).max() == 2  # moss is outvoted
    finally:
        portal.stop()
    correct(tmp_path, browser, lines)


def correct(folder, browser, lines):
    """One of them corrects the first mask, and finds the second one right."""
    portal = start(folder, "--manifest", MANIFEST, "--adjust", "mask-ref")
    try:
        earlier = [read_mask(portal, line["mask-ref"]["mask-ref"]) for line in lines]
        ann = Painter(browser, portal)
        ann.sign_in("ann@example.org")
        ann.start_working()
        expected = {}
        for _ in range(2):
            number = int(ann.photograph[4:8]) - 1
            expected[number] = earlier[number].copy()
            if number == 0:
                expected[0][ann.paint(3, 10, 200, 300, 230)] = 3
            else:
                expect(ann.frame.get_by_role("button", name="Undo")).to_be_disabled()
            ann.send()
        ann.close()
        corrected = portal.output_manifest("photos-adjust")
        for number, line in enumerate(corrected):
            mask = read_mask(portal, line["adjusted-mask-ref"]["mask-ref"])
            np.testing.assert_array_equal(mask, expected[number])
            assert line["mask-ref"] == lines[number]["mask-ref"]
        statuses = [line["adjusted-mask-ref"]["adjustment-status"] for line in corrected]
        assert statuses == ["adjusted", "unadjusted"]
        modified = {
            number: answer["answerContent"][ELEMENT]["initialValueModified"]
            for number, (answer,) in portal.worker_responses("photos-adjust").items()
        }
        assert modified == {"0": True, "1": False}
    finally:
        portal.stop()


def read_mask(portal, uri):
    return read_png((portal.store / Path(uri.removeprefix("s3://"))).read_bytes())
