"""How long a worker waits: from the key that answers to the next photograph on the screen.

    python -m benchmarks.portal.latency [--tasks N] [--megapixels M] [--output FILE]

The whole of it is run: a portal as its command starts it, the worker's page in headless Chromium,
photographs of a camera's size. Each has one of a few colors in its middle. A screen cast of the
page tells when the next color is seen: the moment at which the compositor made the picture,
against the moment of the key event, both by this machine's clock. The key is pressed when the next
photograph has been loaded ahead.
"""

import argparse
import base64
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.common.record import output_option, run_record, write_result

COLORS = [(220, 30, 30), (30, 200, 30), (40, 60, 230)]
SEED = 0
SECONDS_TO_WAIT = 20.0
SECONDS_OF_THOUGHT = 0.7
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
NEXT = "#stage iframe.waiting[data-ready]"
LAST = "#stage:not(:has(iframe.waiting))"
SHOWN = "#stage iframe:not(.waiting)"
# Every frame tells the outermost one when a key was pressed, by the clock of the machine.
LISTEN = """
addEventListener("keydown", (event) =>
  top.postMessage({ pressed: performance.timeOrigin + event.timeStamp }, "*"), true);
if (top === window) addEventListener("message", ({ data }) => {
  if (data.pressed) window.pressed = data.pressed;
});
"""


def make_photographs(folder: Path, number: int, megapixels: float) -> None:
    """Photographs of smooth noise, each with one color in its middle."""
    rng = np.random.default_rng(SEED)
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = round(width * 3 / 4)
    small = rng.integers(0, 256, (height // 40, width // 40, 3), dtype=np.uint8)
    noise = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    grain = rng.integers(-12, 13, (height, width, 1), dtype=np.int16)
    pixels = np.clip(np.asarray(noise).astype(np.int16) + grain, 0, 255).astype(np.uint8)
    folder.mkdir()
    for index in range(number):
        photograph = pixels.copy()
        top, left = height // 4, width // 4
        photograph[top:-top, left:-left] = COLORS[index % len(COLORS)]
        Image.fromarray(photograph).save(folder / f"{index:04d}.jpg", quality=85)


@contextlib.contextmanager
def serve(folder: Path, *, task: str = "image-multi-class") -> Iterator[tuple[str, int]]:
    """A portal with one job of a folder's photographs; the link for a worker, and its process."""
    command = [str(Path(sys.executable).with_name("labeljob")), "portal", str(folder / "photos")]
    command += ["--task", task, "--labels", "cat,dog", "--port", "0"]
    command += ["--output", str(folder / "store")]
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
    try:
        while len(links := re.findall(r"http://\S+/join/\S+", log.read_text())) < 2:
            if server.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.1)
        yield links[1], server.pid
    finally:
        server.terminate()
        server.wait()


class ScreenCast:
    """What the page showed in its middle, and when."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self.seen: list[tuple[float, int]] = []  # milliseconds since 1970, index of the color
        self._session.on("Page.screencastFrame", self._look)
        box = page.locator(SHOWN).bounding_box()
        size = page.viewport_size
        if box is None or size is None:
            raise SystemExit("the page shows no task")
        # The middle of the photograph is left of the labels and right of the instructions.
        self._middle = (0.49, (box["y"] + box["height"] * 0.4) / size["height"])
        self._session.send(
            "Page.startScreencast",
            {"format": "jpeg", "quality": 60, "maxWidth": 320, "maxHeight": 240},
        )

    def stop(self) -> None:
        """Look no more."""
        self._session.remove_listener("Page.screencastFrame", self._look)
        self._session.send("Page.stopScreencast")

    def _look(self, event: dict) -> None:
        with Image.open(io.BytesIO(base64.b64decode(event["data"]))) as image:
            x, y = (int(share * side) for share, side in zip(self._middle, image.size, strict=True))
            pixel = np.array(image.convert("RGB").getpixel((x, y)), dtype=float)
        distances = [float(np.abs(pixel - color).sum()) for color in COLORS]
        if min(distances) < 120:
            moment = event["metadata"]["timestamp"] * 1000
            self.seen.append((moment, int(np.argmin(distances))))
        self._session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})


def measure(link: str, number: int) -> list[float]:
    """Milliseconds from each key to the next photograph."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    waits: list[float] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=OPTIONS)
        page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
        page.add_init_script(LISTEN)
        page.goto(link)
        if "/join/" in page.url:
            page.get_by_role("button").last.click()
        page.get_by_role("link", name="Start working").click()
        page.locator(SHOWN).wait_for()
        page.wait_for_timeout(1000)
        cast = ScreenCast(page)
        page.wait_for_timeout(500)
        for index in range(1, number):
            page.wait_for_timeout(SECONDS_OF_THOUGHT * 1000)
            page.locator(NEXT).or_(page.locator(LAST)).wait_for(state="attached")
            before = len(cast.seen)
            page.keyboard.press("1")
            end = time.monotonic() + SECONDS_TO_WAIT
            expected = index % len(COLORS)
            while not (shown := [at for at, color in cast.seen[before:] if color == expected]):
                if time.monotonic() > end:
                    sys.exit(f"photograph {index} was not seen within {SECONDS_TO_WAIT} s")
                page.wait_for_timeout(10)
            waits.append(shown[0] - page.evaluate("window.pressed"))
        cast.stop()
        browser.close()
    return waits


def main() -> None:
    """Measure, and print or write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--megapixels", type=float, default=12.0)
    output_option(parser, "portal-latency")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photographs(folder / "photos", options.tasks, options.megapixels)
        with serve(folder) as (link, _):
            waits = measure(link, options.tasks)
    p50, p95 = (float(value) for value in np.percentile(waits, [50, 95]))
    given = {"tasks": options.tasks, "megapixels": options.megapixels}
    result = {
        "run": run_record("benchmarks.portal.latency", given, seed=SEED),
        "answers": len(waits),
        "load_average": os.getloadavg()[0],
        "key_to_photograph_ms": {"p50": p50, "p95": p95, "most": max(waits)},
    }
    print(result["key_to_photograph_ms"], result["load_average"])
    write_result(options.output, result)


if __name__ == "__main__":
    main()
