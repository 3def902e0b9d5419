"""The brush of the segmentation editor: what a move of the pointer costs, and what it costs others.

    python -m benchmarks.portal.brush [--moves N] [--long N] [--output FILE]

A photograph of 12 megapixels in headless Chromium without a GPU, in a view of about 1200 x 800
pixels; a brush 80 pixels of the image across; real pointer input, 60 moves a second. Ours is the
element of worker pages, in its sandboxed frame. The others are what annotation tools are made
with: Konva with the stroke on a layer of its own, a canvas that photograph and mask are drawn into
at each move, and Fabric as CVAT uses it. `npm ci` in benchmarks/portal/pages installs them.

Handler: the time in which the page's thread handles the pointer's events and the frame after them.
CPU: the time of all the browser's processes, the drawing of pixels and the sending of the moves
included; an empty page tells how much of it the moves alone are. Submit: from the key that submits,
just after a stroke, to the page's message with the answer, for a mask of three strokes and one that
is noise, the worst there is.
"""

import argparse
import base64
import http.server
import io
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Frame, Page

from benchmarks.common.record import output_option, run_record, table, write_result
from benchmarks.portal.chromium import Chromium, Pointer, launch, wander
from benchmarks.portal.latency import make_photographs
from labeljob.portal.templating import STATIC

PAGES = Path(__file__).parent / "pages"
MEGAPIXELS = 12
SIZE = (4000, 3000)
LABELS = {"cat": "#2ca02c", "dog": "#1f77b4", "sky": "#ff7f0e"}
SEED = 0
ROOM = (760, 560)
"""The part of the view that is painted on."""

WAYS = {
    "ours": "the portal's element",
    "konva": "Konva, own layer",
    "redraw": "redraw of photograph + mask",
    "fabric": "Fabric as CVAT does it",
    "empty": "an empty page",
}
_GROWING = {"fabric"}  # too slow for a long stroke
_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".jpg": "image/jpeg"}
_SHELL = """<!doctype html><style>body, iframe { margin: 0; border: 0; width: 100%; height: 100vh;
display: block }</style><script>
window.answers = [];
addEventListener("message", ({ data, source }) => {
  if (data.labeljob === "ready") {
    source.postMessage({ labeljob: "show", advance: false, answer: null, theme: "light" }, "*");
    window.isReady = true;
  }
  if (data.labeljob === "answer") {
    answers.push({ at: performance.timeOrigin + performance.now(), answer: data.answer });
  }
});
</script><iframe sandbox="allow-scripts allow-forms" src="/ours.html"></iframe>"""
_WATCH = """
window.spent = [];
const add = (milliseconds) => {
  if (spent.length) spent[spent.length - 1] += milliseconds;
};
let start = 0;
for (const kind of ["pointermove", "mousemove"]) {
  addEventListener(kind, ({ buttons }) => {
    start = performance.now();
    if (buttons && kind === "pointermove") spent.push(0);
  }, true);
  addEventListener(kind, () => add(performance.now() - start));
}
const request = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (callback) => request((time) => {
  const start = performance.now();
  callback(time);
  add(performance.now() - start);
});
"""
_SET_MASK = """async ([pngImageData, labelMappings]) => {
  const element = document.querySelector("crowd-semantic-segmentation");
  element.value = { labelMappings, labeledImage: { pngImageData } };
  await element.decoded;
}"""
_VIEW = """() => {
  const find = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.matches(".view")) return element;
      const inside = element.shadowRoot && find(element.shadowRoot);
      if (inside) return inside;
    }
  };
  const { x, y, width, height } = find(document).getBoundingClientRect();
  return { x: x + width / 2, y: y + height / 2, width, height };
}"""


@contextmanager
def serve(photo: Path) -> Iterator[str]:
    """Serve pages, photograph and the element; the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/shell.html":
                body = _SHELL.encode()
            elif path.startswith("/static/"):
                body = (STATIC / Path(path).name).read_bytes()
            elif path == "/photo.jpg":
                body = photo.read_bytes()
            elif (file := PAGES / path[1:]).is_file():
                body = file.read_bytes()
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", _TYPES[Path(path).suffix])
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def open_way(chromium: Chromium, address: str, way: str, zoom: str) -> Iterator[tuple[Page, Frame]]:
    """Show a way to paint; its page, and the frame in which it paints."""
    # Ours has bars around its view.
    size = {"width": 1820, "height": 1060} if way == "ours" else {"width": 1200, "height": 800}
    page = chromium.browser.new_page(viewport=size)
    page.add_init_script(_WATCH)
    page.goto(f"{address}/{'shell' if way == 'ours' else way}.html?zoom={zoom}")
    page.wait_for_function("window.isReady")
    frame = page.frames[-1]
    if way == "ours" and zoom == "1":
        page.keyboard.press("z")
    page.wait_for_timeout(1500)
    try:
        yield page, frame
    finally:
        page.close()


def measure_moves(
    chromium: Chromium, address: str, way: str, zoom: str, moves: int
) -> dict[str, Any]:
    """A row: what each move of one stroke costs."""
    with open_way(chromium, address, way, zoom) as (page, frame):
        view = frame.evaluate(_VIEW)
        points = wander(moves + 20, (view["x"], view["y"]), ROOM)
        pointer = Pointer(page.context.new_cdp_session(page))
        pointer.press(*next(points))
        pointer.move(point for point, _ in zip(points, range(19), strict=False))
        frame.evaluate("spent.length = 0")
        before = chromium.cpu_seconds()
        pointer.move(points)
        cpu = chromium.cpu_seconds() - before
        pointer.release()
        spent = np.array(frame.evaluate("spent"))
        tenth = max(len(spent) // 10, 1)
        return {
            "way": WAYS[way],
            "scale": "1:1" if zoom == "1" else "fit",
            "moves": len(spent),
            "p50_ms": float(np.percentile(spent, 50)),
            "p95_ms": float(np.percentile(spent, 95)),
            "first_tenth_ms": float(spent[:tenth].mean()),
            "last_tenth_ms": float(spent[-tenth:].mean()),
            "cpu_ms": 1000 * cpu / len(spent),
        }


def measure_submit(chromium: Chromium, address: str, *, noisy: bool) -> dict[str, Any]:
    """A row: from the key that submits, just after a stroke, to the answer."""
    with open_way(chromium, address, "ours", "fit") as (page, frame):
        view = frame.evaluate(_VIEW)
        if noisy:
            mappings = {label: {"color": color} for label, color in LABELS.items()}
            frame.evaluate(_SET_MASK, [make_noise(), mappings])
        frame.evaluate(
            "addEventListener('keydown', (event) => { pressed = event.timeStamp }, true)"
        )
        pointer = Pointer(page.context.new_cdp_session(page))
        for key in "123":
            page.keyboard.press(key)
            points = wander(100, (view["x"], view["y"] - 60 + 60 * int(key)), ROOM)
            pointer.press(*next(points))
            pointer.move(points)
            pointer.release()
        page.keyboard.press("Control+Enter")
        page.wait_for_function("answers.length", timeout=120_000)
        pressed = frame.evaluate("performance.timeOrigin + pressed")
        took, length = page.evaluate(
            "(pressed) => [answers[0].at - pressed, JSON.stringify(answers[0].answer).length]",
            pressed,
        )
        return {
            "mask": "noise of 4 classes" if noisy else "strokes of 3 classes",
            "ms": took,
            "answer_kb": length / 1000,
        }


def make_noise() -> str:
    """A mask of all classes, by chance at each pixel: the worst that there is to compress."""
    colors = ["#ffffff", *LABELS.values()]
    classes = np.random.default_rng(SEED).integers(0, len(colors), SIZE[::-1], dtype=np.uint8)
    image = Image.fromarray(classes, mode="P")
    image.putpalette(b"".join(bytes.fromhex(color[1:]) for color in colors))
    target = io.BytesIO()
    image.save(target, "PNG", compress_level=1)
    return base64.b64encode(target.getvalue()).decode()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=150)
    parser.add_argument("--long", type=int, default=2_000)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    output_option(parser, "portal-brush")
    options = parser.parse_args(arguments)
    if not (PAGES / "node_modules").is_dir():
        sys.exit(f"run `npm ci` in {PAGES} first")
    others = os.getloadavg()[0]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        make_photographs(Path(name) / "photos", 1, MEGAPIXELS)
        with serve(Path(name) / "photos" / "0000.jpg") as address, launch() as chromium:
            version = chromium.browser.version
            for way in options.ways:
                for zoom in ("fit", "1"):
                    lengths = [options.moves] if way in _GROWING else [options.moves, options.long]
                    for moves in lengths:
                        rows.append(measure_moves(chromium, address, way, zoom, moves))
                        print(rows[-1], file=sys.stderr)
            submits = [measure_submit(chromium, address, noisy=noisy) for noisy in (False, True)]
    given = {"moves": options.moves, "long": options.long, "ways": options.ways}
    lock = json.loads((PAGES / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    write_result(
        options.output,
        {
            "run": run_record("benchmarks.portal.brush", given, seed=SEED),
            "chromium": version,
            "packages": {
                name: lock[f"node_modules/{name}"]["version"] for name in ("konva", "fabric")
            },
            "load_average_before": others,
            "moves": table(rows, list(rows[0])),
            "submit": table(submits, list(submits[0])),
        },
    )


if __name__ == "__main__":
    main()
