"""Large photographs in the segmentation editor: seconds until one is shown, and the tab's memory.

    python -m benchmarks.portal.large_images [--megapixels M ...] [--output FILE]

The whole of it is run: a portal as its command starts it, the worker's page in headless Chromium
without a GPU, one photograph. It is opened, looked at from near and from afar, painted on and
submitted. Memory is that of all the browser's processes with pages in them: the portal's page, the
task's, and one that Chromium keeps ready.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.common.record import output_option, run_record, table, write_result
from benchmarks.portal.chromium import Pointer, launch, read_most_megabytes, wander
from benchmarks.portal.latency import SEED, SHOWN, make_photographs, serve

# The photograph is there when all of its pictures have come, those of its parts too.
_IS_SHOWN = """() => {
  const find = (root) => [...root.querySelectorAll("*")].flatMap((element) =>
    [element, ...(element.shadowRoot ? find(element.shadowRoot) : [])]);
  const view = find(document).find((element) => element.matches(".view"));
  const pictures = view ? [...view.querySelectorAll("img")] : [];
  return pictures.length > 0 && pictures.every((picture) => picture.complete && picture.width > 0);
}"""


def measure(folder: Path, megapixels: float) -> dict[str, Any]:
    """A row: how long a photograph takes, and what it needs."""
    make_photographs(folder / "photos", 1, megapixels)
    (photo,) = (folder / "photos").iterdir()
    row: dict[str, Any] = {"megapixels": megapixels, "file_mb": photo.stat().st_size / 1e6}
    with (
        serve(folder, task="semantic-segmentation") as (link, portal),
        launch() as chromium,
        chromium.watch_memory() as memory,
    ):
        page = chromium.browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(link)
        if "/join/" in page.url:
            page.get_by_role("button").last.click()
        page.wait_for_timeout(1000)
        row["before_mb"] = memory.most()
        page.get_by_role("link", name="Start working").click()
        began = time.perf_counter()
        wait_until_shown(page)
        row["first_s"] = time.perf_counter() - began
        page.reload()
        began = time.perf_counter()
        wait_until_shown(page)
        row["again_s"] = time.perf_counter() - began
        page.wait_for_timeout(2000)
        row["open_mb"] = memory.most()
        look_around(page)
        row["looked_mb"] = memory.most()
        paint(page)
        page.wait_for_timeout(5000)
        row["painted_mb"] = memory.most()
        row["after_mb"] = memory.now()
        began = time.perf_counter()
        page.frame_locator(SHOWN).get_by_role("button", name="Submit").click()
        page.get_by_text("There is no task for you now").wait_for(timeout=120_000)
        row["submit_s"] = time.perf_counter() - began
        row["portal_mb"] = read_most_megabytes(portal)
    return row


def wait_until_shown(page: Page) -> None:
    """Wait for the photograph."""
    page.locator(SHOWN).wait_for(timeout=120_000)
    page.frames[-1].wait_for_function(_IS_SHOWN, timeout=120_000)


def look_around(page: Page) -> None:
    """Zoom in at several places and out again."""
    for x, y in ((500, 300), (900, 600), (700, 450)):
        page.mouse.move(x, y)
        for delta in [-240] * 6 + [240] * 6:
            page.mouse.wheel(0, delta)
            page.wait_for_timeout(150)


def paint(page: Page) -> None:
    """Three classes' strokes, over much of the view."""
    pointer = Pointer(page.context.new_cdp_session(page))
    for key in "12":
        page.keyboard.press(key)
        points = wander(300, (700, 350 + 50 * int(key)), (600, 400))
        pointer.press(*next(points))
        pointer.move(points)
        pointer.release()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[12.0, 24.0, 100.0])
    output_option(parser, "portal-large-images")
    options = parser.parse_args(arguments)
    rows = []
    for megapixels in options.megapixels:
        with tempfile.TemporaryDirectory() as name:
            rows.append(measure(Path(name), megapixels))
        print(rows[-1])
    given = {"megapixels": options.megapixels}
    write_result(
        options.output,
        {
            "run": run_record("benchmarks.portal.large_images", given, seed=SEED),
            "photographs": table(rows, list(rows[0])),
        },
    )


if __name__ == "__main__":
    main()
