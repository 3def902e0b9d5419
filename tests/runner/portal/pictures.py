"""Take the pictures of docs/portal.md: `.venv/bin/python -m tests.runner.portal.pictures`."""

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.runner.conftest import CHROMIUM_NAMES, CHROMIUM_OPTIONS, find_program
from tests.runner.portal.browser_people import Person
from tests.runner.portal.live_portal import LivePortal
from tests.runner.portal.photographs import SUBJECTS, take_photographs

FOLDER = Path(__file__).resolve().parents[3] / "docs/images"
MOST_BYTES = 150_000
WIDTH = 960  # pixels
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


def main() -> None:
    """Start the browser."""
    program = find_program()
    if program is None:
        sys.exit(f"no browser: none of {', '.join(CHROMIUM_NAMES)}")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        take_pictures(browser)
        browser.close()


if __name__ == "__main__":
    main()
