"""Take the pictures of the portal: `.venv/bin/python -m tests.runner.portal.pictures`."""

import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import skimage
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.runner.conftest import CHROMIUM_NAMES, CHROMIUM_OPTIONS, find_program
from tests.runner.portal.browser_people import SHOWN, Person
from tests.runner.portal.live_portal import LivePortal
from tests.runner.portal.photographs import SUBJECTS, take_photographs

FOLDER = Path(__file__).resolve().parents[3] / "docs/images"
MOST_BYTES = 150_000
WIDTH = 960  # pixels
Point: TypeAlias = tuple[float, float]
CUP: tuple[Point, ...] = (
    (370, 220), (430, 90), (580, 50), (720, 100), (790, 220), (740, 340), (580, 390), (430, 350),
    (400, 250), (500, 300), (580, 230), (680, 300), (600, 350), (440, 440), (580, 450), (700, 420),
)  # fmt: skip
ROCKET: tuple[Point, ...] = ((518, 238), (518, 758), (492, 520), (546, 520))
EMAILS = ("ann@example.org", "bob@example.org", "cleo@example.org")


def keep(page: Page, name: str, *, height: int = 860) -> None:
    """Write a picture of a page's top, with so few colours that the file stays small."""
    clip = {"x": 0, "y": 0, "width": 1280, "height": height}
    with Image.open(io.BytesIO(page.screenshot(clip=clip))) as shot:
        size = (WIDTH, round(shot.height * WIDTH / shot.width))
        small = shot.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    for colors in (256, 128, 64, 32):
        buffer = io.BytesIO()
        small.quantize(colors, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= MOST_BYTES:
            break
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.png").write_bytes(buffer.getvalue())


@contextmanager
def portal_at_work(folder: Path) -> Iterator[tuple[LivePortal, dict[str, str]]]:
    """A portal in which two people have answered some photographs, not always alike."""
    shown = take_photographs(folder / "photos", 20)
    names = sorted(shown)
    options = ("--workers-per-object", "3", "--settle", "0.5")
    portal = LivePortal(
        folder, "photos", "--task", "image-multi-class", "--labels", *SUBJECTS, *options
    )
    portal.start()
    try:
        links = portal.invite(*EMAILS)
        for at, email in enumerate(EMAILS[1:]):
            worker = portal.let_in(links[email])
            task = worker.next("photos")["task"]
            for _ in range(14 - 2 * at):
                number = int(task["id"])
                label = "coffee" if (number + at) % 5 == 0 else shown[names[number]]
                answer = {"crowd-image-classifier": {"label": label}}
                task = worker.answer("photos", task["id"], answer)["task"]
        yield portal, links
    finally:
        portal.stop()


def take_pictures(browser: Browser) -> None:
    """Go through the portal as a worker and as its owner."""
    with tempfile.TemporaryDirectory() as name, portal_at_work(Path(name)) as (portal, links):
        ann = Person(browser, portal).join(links[EMAILS[0]])
        keep(ann.page, "portal-jobs", height=340)
        ann.start_working()
        for _ in range(10):
            task = ann.task
            ann.key(str(1 + int(ann.photograph[4:8]) % 3))
            ann.wait_for_task(other_than=task)
        ann.page.wait_for_timeout(1000)
        keep(ann.page, "portal-work")
        owner = Person(browser, portal)
        for path, picture in (
            ("/owner/jobs/photos", "portal-owner"),
            ("/owner/jobs/photos/gallery", "portal-gallery"),
        ):
            if picture == "portal-owner":
                owner.page.goto(portal.links[0])
            owner.page.goto(f"{portal.url}{path}")
            owner.page.wait_for_timeout(4000)  # numbers and thumbnails come after the page
            keep(owner.page, picture)
        ann.close()
        owner.close()


def take_pictures_of_masks(browser: Browser) -> None:
    """Paint a cup with superpixels, and a rocket by four points; then see the owner's gallery."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scenes(folder / "photos")
        portal = LivePortal(
            folder, "photos", "--task", "semantic-segmentation", "--labels", "cup", "spoon",
            "rocket", "tower", "--workers-per-object", "1", "--settle", "0.5",
        )  # fmt: skip
        portal.start()
        try:
            ann = Person(browser, portal).join(portal.invite(EMAILS[0])[EMAILS[0]])
            ann.start_working()
            ann.key("1")
            ann.key("s")
            drag(ann, CUP)
            ann.page.wait_for_timeout(1000)
            keep(ann.page, "portal-superpixels")
            send(ann)
            ann.key("3")
            ann.key("x")
            for point in ROCKET:
                click(ann, point)
            expect(ann.frame.get_by_role("button", name="Undo").first).to_be_enabled(timeout=60_000)
            ann.page.wait_for_timeout(1000)
            keep(ann.page, "portal-four-points")
            send(ann)
            owner = Person(browser, portal)
            owner.page.goto(portal.links[0])
            owner.page.goto(f"{portal.url}/owner/jobs/photos/gallery?order=manifest")
            owner.page.wait_for_timeout(4000)  # masks are made, and shown, after the page
            owner.page.reload()
            owner.page.wait_for_timeout(4000)
            keep(owner.page, "portal-mask-gallery", height=800)
            ann.close()
            owner.close()
        finally:
            portal.stop()


def write_scenes(folder: Path) -> None:
    """The two photographs that are painted on."""
    folder.mkdir()
    for name, source, box in (
        ("IMG_0001.jpg", "coffee.png", (0, 0, 600, 400)),
        ("IMG_0002.jpg", "rocket.jpg", (80, 0, 640, 427)),
    ):
        with Image.open(Path(skimage.__file__).parent / "data" / source) as image:
            image.convert("RGB").crop(box).resize((1200, 800)).save(folder / name, quality=90)


def find_in_window(person: Person, point: Point) -> Point:
    """Where in the window a point of the image is, which is in pixels of the image."""
    editor = person.frame.locator("crowd-semantic-segmentation")
    editor.evaluate("(editor) => editor.decoded")
    view = editor.evaluate("""({surface}) => {
        const {scale, x, y} = surface.placement;
        const box = surface.view.getBoundingClientRect();
        return {scale, x: x + box.x, y: y + box.y};
    }""")
    frame = person.page.locator(SHOWN).bounding_box()
    assert frame is not None
    return (
        frame["x"] + view["x"] + point[0] * view["scale"],
        frame["y"] + view["y"] + point[1] * view["scale"],
    )


def click(person: Person, point: Point) -> None:
    """Click at a point of the image."""
    person.page.mouse.click(*find_in_window(person, point))


def drag(person: Person, points: Sequence[Point]) -> None:
    """Drag from point to point of the image."""
    mouse = person.page.mouse
    mouse.move(*find_in_window(person, points[0]))
    regions = person.frame.get_by_text("superpixels. Click").locator("visible=true")
    expect(regions.first).to_be_visible(timeout=60_000)
    mouse.down()
    for point in points[1:]:
        mouse.move(*find_in_window(person, point), steps=8)
    mouse.up()


def send(person: Person) -> None:
    """Submit, and wait for what comes then."""
    task = person.task
    person.submit()
    person.page.wait_for_function(
        "([shown, before]) => document.querySelector(shown)?.getAttribute('src') !== before",
        arg=[SHOWN, task],
    )


def main() -> None:
    """Start the browser."""
    program = find_program()
    if program is None:
        sys.exit(f"no browser: none of {', '.join(CHROMIUM_NAMES)}")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        take_pictures(browser)
        take_pictures_of_masks(browser)
        browser.close()


if __name__ == "__main__":
    main()
