"""What the segmentation editor paints with, in a browser, against independent references.

Positions are whole multiples of 1/16 pixel, so that the references decide in whole numbers which
centers are inside: each pixel must be right, those on a border too.
"""

import base64
import io
import random
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage.segmentation import flood

from labeljob import portal

PAGES = Path(portal.__file__).parent / "pages"
WITH_NODE = Path(__file__).resolve().parents[3] / ".ci/with-node"
COLORS = ["#2ca02c", "#1f77b4", "#ff7f0e", "#d62728"]
WIDTH, HEIGHT = 200, 140  # two tiles by two
UNIT = 32  # positions are counted in thirty-seconds of a pixel; centers are odd multiples of 16

pytestmark = pytest.mark.browser

HELPERS = """
const {Painting, encodeMask, encodeMaskNow, decodePng, toClasses, toBase64, fromBase64} = engine;
const same = (a, b) => a.length === b.length && a.every((value, at) => value === b[at]);
const count = (pixels) => {
  const counts = new Uint32Array(256);
  for (const cls of pixels) counts[cls]++;
  return counts;
};
const act = (painting, {method, args, onlyBackground}) => {
  painting.onlyBackground = onlyBackground ?? false;
  return painting[method](...(method === "replace" ? args.map(fromBase64) : args));
};
// The pixels after each action, and the rectangle that it gave.
function paintAll(width, height, actions) {
  const painting = new Painting(width, height);
  return actions.map((action) => {
    const rect = act(painting, action);
    return {rect, pixels: toBase64(painting.pixels)};
  });
}
"""


@pytest.fixture(scope="module")
def page(browser):
    """A page with the engine's modules as globals."""
    bundle = subprocess.run(
        [WITH_NODE, PAGES / "node_modules/.bin/esbuild", "--bundle", "--format=iife",
         "--global-name=engine", "--log-level=warning"],
        input='export * from "./painting"; export * from "./png"; export * from "./region_map";',
        cwd=PAGES / "src/segmentation", capture_output=True, check=True, text=True,
    )  # fmt: skip
    opened = browser.new_page()
    opened.add_script_tag(content=bundle.stdout + HELPERS)
    yield opened
    opened.close()


def text_of(data):
    return base64.b64encode(bytes(data)).decode()


def pixels_of(text, shape=(HEIGHT, WIDTH)):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)


def centers(shape=(HEIGHT, WIDTH)):
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.int64)
    return columns * UNIT + UNIT // 2, rows * UNIT + UNIT // 2


def units(value):
    assert value * UNIT == int(value * UNIT)
    return int(value * UNIT)


def point(x, y):
    return {"x": x, "y": y}


def of_stroke(start, end, radius):
    """Whether each center is at most `radius` from a segment, decided in whole numbers."""
    x, y = centers()
    ax, ay, bx, by = (units(v) for v in (start["x"], start["y"], end["x"], end["y"]))
    r = units(radius)
    dx, dy = bx - ax, by - ay
    dot = (x - ax) * dx + (y - ay) * dy
    length = dx * dx + dy * dy
    beside = (dot >= 0) & (dot <= length)
    cross = (x - ax) * dy - (y - ay) * dx
    near_start = (x - ax) ** 2 + (y - ay) ** 2 <= r * r
    near_end = (x - bx) ** 2 + (y - by) ** 2 <= r * r
    # Of a point alone, which has no length, every center is "beside".
    between = beside & (cross**2 <= r * r * length) if length else np.zeros(x.shape, bool)
    return near_start | near_end | between


def of_polygon(points):
    """Whether each center is inside by even-odd: one on an edge belongs to what is right of it."""
    x, y = centers()
    inside = np.zeros(x.shape, bool)
    corners = [(units(p["x"]), units(p["y"])) for p in points]
    for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
        (ux, uy), (lx, ly) = sorted([a, b], key=lambda corner: corner[1])
        crosses = (uy <= y) & (y < ly)
        inside ^= crosses & ((x - ux) * (ly - uy) >= (y - uy) * (lx - ux))
    return inside


def of_runs(runs):
    inside = np.zeros((HEIGHT, WIDTH), bool)
    for y, start, end in runs:
        if 0 <= y < HEIGHT:
            inside[y, max(0, start) : max(0, end)] = True
    return inside


def paint(pixels, action):
    """What an action makes of a mask, by the references."""
    *arguments, cls = action["args"]
    method = action["method"]
    if method == "replace":
        return pixels_of(action["args"][0]).copy()
    if method == "fill":
        x, y = (int(np.floor(arguments[0][axis])) for axis in "xy")
        if not (0 <= x < WIDTH and 0 <= y < HEIGHT):
            return pixels
        inside = flood(pixels, (y, x), connectivity=1)
    elif method == "rectangle":
        a, b = arguments
        x, y = centers()
        left, right = sorted((units(a["x"]), units(b["x"])))
        top, bottom = sorted((units(a["y"]), units(b["y"])))
        inside = (left <= x) & (x < right) & (top <= y) & (y < bottom)
    else:
        shape = {"stroke": of_stroke, "polygon": of_polygon, "runs": of_runs}[method]
        inside = shape(*arguments)
    if action.get("onlyBackground") and cls != 0:
        inside = inside & (pixels == 0)
    return np.where(inside, np.uint8(cls), pixels)


def rectangle_of(changed):
    """The smallest rectangle around what changed."""
    if not changed.any():
        return None
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    return {
        "x": int(columns[0]),
        "y": int(rows[0]),
        "width": int(columns[-1] - columns[0] + 1),
        "height": int(rows[-1] - rows[0] + 1),
    }


def check(page, actions):
    """Paint in the browser; after each action every pixel and the rectangle must be right."""
    results = page.evaluate(f"(actions) => paintAll({WIDTH}, {HEIGHT}, actions)", actions)
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    for action, result in zip(actions, results, strict=True):
        before, expected = expected, paint(expected, action)
        wrong = np.argwhere(pixels_of(result["pixels"]) != expected)
        assert not len(wrong), (action, wrong[:5])
        assert result["rect"] == rectangle_of(before != expected), action
    return expected


def sixteenths(rng, low, high):
    return rng.randrange(int(low * 16), int(high * 16) + 1) / 16


def test_strokes_of_all_radii_angles_and_positions(page):
    rng = random.Random(1)
    actions = []
    for radius in (0, 0.5, 1, 1.5, 5, 10.0625, 30, 400):
        for step in (1 / 16, 0.5, 1, 70):
            start = point(sixteenths(rng, -20, WIDTH + 20), sixteenths(rng, -20, HEIGHT + 20))
            if step >= 0.5:  # corners and centers of pixels, where circles meet centers
                start = point(*(round(2 * start[axis]) / 2 for axis in "xy"))
            for x, y in (
                (1, 0),
                (0, 1),
                (-1, 0),
                (0, -1),
                (1, 1),
                (-1, 1),
                (3, 4),
                (-2, 1),
                (0, 0),
            ):
                end = point(start["x"] + x * step, start["y"] + y * step)
                cls = 1 + len(actions) % 250
                actions.append({"method": "stroke", "args": [start, end, radius, cls]})
    check(page, actions)


def test_strokes_that_meet_centers_exactly(page):
    # Along (3, 4) a radius of five reaches centers exactly, at the ends and beside the line.
    start, end = point(50.5, 40.5), point(80.5, 80.5)
    drawn = check(page, [{"method": "stroke", "args": [start, end, 5, 3]}])
    assert drawn[43, 54] == 3  # 5 from the start, at its side
    assert drawn[37, 54] == 3
    assert drawn[36, 54] == 0
    far = point(3000, 40.5), point(-3000, 40.5)
    beyond = point(-500, -500), point(-400, 900)
    drawn = check(page, [{"method": "stroke", "args": [*ends, 1.5, 2]} for ends in (far, beyond)])
    assert set(np.flatnonzero(drawn.any(axis=1))) == {39, 40, 41}


def test_what_is_no_number_paints_nothing(page):
    assert (
        page.evaluate("""() => {
        const painting = new Painting(20, 10);
        const at = {x: 5, y: 5}, [nowhere, far] = [{x: NaN, y: 5}, {x: 5, y: Infinity}];
        return [painting.stroke(at, nowhere, 3, 1), painting.stroke(far, at, 3, 1),
            painting.stroke(at, at, NaN, 1), painting.stroke(at, at, -1, 1),
            painting.polygon([], 1), painting.polygon([at, far, nowhere], 1),
            painting.rectangle(at, nowhere, 1), painting.fill(nowhere, 1),
            painting.fill({x: 20, y: 5}, 1), painting.runs([], 1),
            painting.undo(), painting.redo(), painting.cancel(), painting.end() || null,
            painting.classAt(nowhere) || null, painting.classAt({x: -1, y: 2}) || null,
            painting.revision || null];
    }""")
        == [None] * 17
    )


def test_polygons_and_rectangles(page):
    rng = random.Random(2)
    actions = []
    for number in range(60):
        corners = rng.choice((2, 3, 4, 5, 12, 40))
        whole = rng.choice((True, False))  # corners on corners of pixels put edges on centers
        points = []
        for _ in range(corners):
            x, y = sixteenths(rng, -60, WIDTH + 60), sixteenths(rng, -60, HEIGHT + 60)
            points.append(point(round(x), round(y)) if whole else point(x, y))
        actions.append({"method": "polygon", "args": [points, number % 4]})
        a, b = (
            point(sixteenths(rng, -20, WIDTH + 20), round(rng.uniform(-20, HEIGHT + 20)) + 0.5)
            for _ in "ab"
        )
        actions.append({"method": "rectangle", "args": [a, b, (number + 1) % 4]})
    star = [point(100 + 80 * np.sin(a), 70 + 60 * np.cos(a)) for a in np.arange(5) * 0.8 * np.pi]
    star = [point(round(p["x"] * 16) / 16, round(p["y"] * 16) / 16) for p in star]
    drawn = check(page, [*actions, {"method": "polygon", "args": [star, 200]}])
    assert drawn[70, 100] != 200  # even-odd: the star's middle is not inside
    # Two polygons that share an edge leave no pixel between them, and none is of both.
    left = [point(0, 0), point(103, 0), point(196, HEIGHT), point(0, HEIGHT)]
    right = [point(103, 0), point(WIDTH, 0), point(WIDTH, HEIGHT), point(196, HEIGHT)]
    drawn = check(
        page,
        [
            {"method": "polygon", "args": [left, 1]},
            {"method": "polygon", "args": [right, 2], "onlyBackground": True},
        ],
    )
    assert drawn.all()
    assert int((drawn == 1).sum()) == int(of_polygon(left).sum())


def test_fills_reach_what_hangs_together_and_no_more(page):
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 2, (HEIGHT, WIDTH), dtype=np.uint8)
    spiral = np.zeros((HEIGHT, WIDTH), np.uint8)
    for ring in range(0, HEIGHT // 2 - 4, 4):
        spiral[ring : HEIGHT - ring, ring : WIDTH - ring] = 1
        spiral[ring + 2 : HEIGHT - ring - 2, ring + 2 : WIDTH - ring - 2] = 0
        spiral[ring + 2, ring - 2 : ring + 2] = 1
    actions = []
    for picture in (noise, spiral, noise * 3):
        actions.append({"method": "replace", "args": [text_of(picture.tobytes())]})
        for cls in (4, 4, 5, 0):
            x, y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
            for place in (point(x, y), point(0, 0), point(WIDTH - 0.01, HEIGHT - 0.01)):
                actions.append({"method": "fill", "args": [place, cls]})
                actions.append({"method": "fill", "args": [place, 7], "onlyBackground": True})
        actions.append({"method": "fill", "args": [point(-0.01, 3), 9]})
    check(page, actions)


def random_actions(rng, number):
    actions = []
    for _ in range(number):
        start = point(sixteenths(rng, -10, WIDTH + 10), sixteenths(rng, -10, HEIGHT + 10))
        end = point(sixteenths(rng, -10, WIDTH + 10), sixteenths(rng, -10, HEIGHT + 10))
        cls = rng.choice((0, 1, 1, 2, 3, 255))
        method = rng.choice(("stroke", "stroke", "polygon", "rectangle", "fill", "runs"))
        arguments = {
            "stroke": [start, end, rng.choice((0.5, 3, 8, 20))],
            "polygon": [[start, end, point(sixteenths(rng, 0, WIDTH), 50)]],
            "rectangle": [start, end],
            "fill": [start],
            "runs": [
                [[rng.randrange(-2, HEIGHT + 2), x, x + rng.randrange(40)]
                 for x in range(-20, WIDTH, 30)]
            ],
        }[method]  # fmt: skip
        only = rng.random() < 0.3
        actions.append({"method": method, "args": [*arguments, cls], "onlyBackground": only})
    return actions


def test_500_random_steps_are_undone_and_redone_one_by_one(page):
    actions = random_actions(random.Random(4), 500)
    drawn = check(page, actions)
    said = page.evaluate(
        """([width, height, actions]) => {
        const painting = new Painting(width, height);
        const states = [painting.pixels.slice()];
        const faults = [];
        const outside = {x: width, y: height, width: 0, height: 0};
        const changed = (rect, before) => {  // nothing changed outside the rectangle
            const {x, y, width: across, height: down} = rect ?? outside;
            for (let row = 0; row < height; row++) {
                const isBeside = row < y || row >= y + down;
                for (let column = 0; column < width; column++) {
                    if (!isBeside && column >= x && column < x + across) continue;
                    const at = row * width + column;
                    if (before[at] !== painting.pixels[at]) return false;
                }
            }
            return true;
        };
        for (const action of actions) {
            const {revision} = painting;
            const rect = act(painting, action);
            if (rect) states.push(painting.pixels.slice());
            if ((painting.revision > revision) !== (rect !== null)) faults.push("revision");
        }
        const steps = states.length - 1;
        const walk = (method, at) => {
            const before = painting.pixels.slice();
            const rect = painting[method]();
            if (!rect || !changed(rect, before)) faults.push(`${method} ${at}: rectangle`);
            if (!same(painting.pixels, states[at])) faults.push(`${method} ${at}: pixels`);
            const counts = count(painting.pixels);
            if (!same(painting.countByClass(), counts)) faults.push(`${method} ${at}: counts`);
        };
        for (let at = steps - 1; at >= 0; at--) walk("undo", at);
        if (painting.canUndo || painting.undo()) faults.push("more to undo");
        for (let at = 1; at <= steps; at++) walk("redo", at);
        if (painting.canRedo || painting.redo()) faults.push("more to redo");
        // A step that follows on an undone one takes its place.
        for (let at = steps - 1; at >= steps - 10; at--) walk("undo", at);
        painting.onlyBackground = false;
        painting.polygon([{x: 0, y: 0}, {x: 90, y: 0}, {x: 50, y: 90}], 9);
        if (painting.canRedo) faults.push("redo after a new step");
        walk("undo", steps - 10);
        walk("undo", steps - 11);
        return {faults, steps, last: toBase64(states.at(-1))};
    }""",
        [WIDTH, HEIGHT, actions],
    )
    assert said["faults"] == []
    assert said["steps"] > 400
    assert (pixels_of(said["last"]) == drawn).all()


def test_a_step_in_pieces(page):
    assert page.evaluate("""() => {
        const painting = new Painting(300, 170);
        const dot = (x, cls) => painting.stroke({x, y: 50}, {x, y: 50}, 4, cls);
        dot(20, 1);
        const first = painting.pixels.slice();
        const said = {};
        painting.begin();
        dot(20, 2); dot(140, 2);
        said.underWay = [painting.canUndo, painting.canRedo, painting.undo()];
        dot(260, 3);
        said.ended = painting.end();
        const second = painting.pixels.slice();
        said.undone = painting.undo();
        said.first = same(painting.pixels, first);
        painting.redo();
        said.second = same(painting.pixels, second);
        painting.begin();
        dot(140, 0); dot(200, 5);
        said.cancelled = painting.cancel();
        said.again = [same(painting.pixels, second), painting.end(), painting.canRedo];
        painting.begin();
        dot(100, 6); dot(100, 0);  // which changes nothing in the end
        said.nothing = [painting.end(), painting.cancel()];
        painting.undo();
        said.onlySecond = same(painting.pixels, first);
        painting.begin();
        dot(200, 7);
        painting.begin();  // which ends the step before
        dot(250, 7);
        painting.end();
        painting.undo();
        said.one = [painting.classAt({x: 200, y: 50}), painting.classAt({x: 250, y: 50})];
        painting.onlyBackground = true;  // which does not concern a whole mask
        painting.replace(second);
        said.replaced = same(painting.pixels, second) && painting.onlyBackground;
        painting.undo();
        said.back = painting.classAt({x: 200, y: 50});
        said.counts = same(painting.countByClass(), count(painting.pixels));
        const sizes = [[1, 1], [2, 1], [1, 3], [4, 2], [129, 1], [1, 130]];
        said.tiny = sizes.every(([width, height]) => {
            const tiny = new Painting(width, height);
            tiny.fill({x: 0, y: 0}, 5);
            tiny.stroke({x: width, y: height}, {x: width, y: height}, 1, 6);
            const painted = tiny.pixels.slice();
            tiny.undo();
            const isFilled = tiny.countByClass()[5] === width * height;
            tiny.undo();
            const isEmpty = tiny.countByClass()[0] === width * height;
            tiny.redo();
            tiny.redo();
            return isFilled && isEmpty && same(tiny.pixels, painted);
        });
        const given = new Uint8Array(12).fill(3);
        const taken = new Painting(4, 3, given);
        said.taken = [taken.pixels === given, taken.countByClass()[3], taken.canUndo];
        for (const wrong of [() => new Painting(4, 4, given), () => painting.replace(given)]) {
            try { wrong(); said.wrong = true; } catch {}
        }
        return said;
    }""") == {
        "underWay": [False, False, None], "ended": True,
        "undone": {"x": 16, "y": 46, "width": 248, "height": 8}, "first": True, "second": True,
        "cancelled": {"x": 136, "y": 46, "width": 68, "height": 8}, "again": [True, False, False],
        "nothing": [False, None], "onlySecond": True, "one": [7, 0], "replaced": True, "back": 7,
        "counts": True, "tiny": True, "taken": [True, 12, False],
    }  # fmt: skip


def test_the_history_of_a_large_picture_is_bounded(page):
    said = page.evaluate("""() => {
        const walkBack = (painting) => {
            let steps = 0;
            while (painting.undo()) steps++;
            return steps;
        };
        // 500 strokes on 12 megapixels, none of which is forgotten.
        const large = new Painting(4000, 3000);
        let at = {x: 2000, y: 1500};
        for (let step = 0; step < 500; step++) {
            const to = {x: (at.x + 97) % 4000, y: (at.y + 61) % 3000};
            large.stroke(at, to, 25, 1 + (step % 4));
            at = to;
        }
        const steps = walkBack(large);
        const isEmpty = large.countByClass()[0] === 12e6;
        // Of noise, which cannot be made smaller, the oldest steps are forgotten.
        const noisy = new Painting(500, 500, undefined, 1.25e6);
        let value = 1;
        const next = () => (value = (value * 48271) % 2147483647) >> 7;
        const noise = () => new Uint8Array(25e4).map(next);
        const masks = Array.from({length: 12}, noise);
        for (const mask of masks) noisy.replace(mask);
        const kept = walkBack(noisy);
        const oldest = same(noisy.pixels, masks[masks.length - 1 - kept]);
        for (const mask of masks.slice(0, 4)) noisy.replace(mask);  // in place of those undone
        const again = walkBack(noisy);
        const tight = new Painting(500, 500, undefined, 10);
        tight.replace(masks[0]);
        tight.replace(masks[1]);
        const last = walkBack(tight);
        return {steps, isEmpty, kept, oldest, again, last, first: same(tight.pixels, masks[0])};
    }""")
    assert said == {
        "steps": 500, "isEmpty": True, "kept": 4, "oldest": True, "again": 4, "last": 1,
        "first": True,
    }  # fmt: skip


def masks_to_write():
    """Masks by name, each with its number of labels."""
    rng = np.random.default_rng(5)
    rows = np.repeat(rng.integers(0, 5, 200), rng.integers(1, 700, 200)).astype(np.uint8)
    blobs = np.kron(rng.integers(0, 5, (9, 7)), np.ones((13, 31))).astype(np.uint8)
    return {
        "one pixel": (np.array([[1]], np.uint8), 1),
        "nothing painted": (np.zeros((300, 500), np.uint8), 2),
        "a column": (rng.integers(0, 3, (77, 1), dtype=np.uint8), 2),
        "a row": (rng.integers(0, 3, (1, 77), dtype=np.uint8), 2),
        "runs of all lengths": (rows[None], 4),
        "rows of all lengths": (np.repeat(rows[:6000, None], 3, axis=1), 4),
        "blobs": (blobs, 4),
        "all labels": (np.arange(256, dtype=np.uint8).reshape(16, 16), 255),
        "noise": (rng.integers(0, 256, (200, 400), dtype=np.uint8), 255),
    }


def test_masks_as_png_files(page):
    masks = masks_to_write()
    rng = np.random.default_rng(6)
    colors = [f"#{value:06x}" for value in rng.permutation(0xFFFFFF)[:255]]
    given = [
        [text_of(mask.tobytes()), mask.shape[1], mask.shape[0], colors[:labels]]
        for mask, labels in masks.values()
    ]
    files = page.evaluate(
        """async (masks) => Promise.all(masks.map(async ([text, ...rest]) => {
        const pixels = fromBase64(text);
        const encoding = encodeMask(pixels, ...rest);
        const now = encodeMaskNow(pixels, ...rest);
        pixels.fill(99);  // what is painted meanwhile is not in the file
        const file = await encoding;
        const [width, height, colors] = rest;
        const classes = new Map(colors.map((color, at) => [color, at + 1]));
        const decoded = await decodePng(file);
        return [toBase64(file), toBase64(now), toBase64(decoded.indices),
            toBase64(toClasses(decoded, classes))];
    }))""",
        given,
    )
    for name, (mask, labels), texts in zip(masks, masks.values(), files, strict=True):
        file, now, indices, classes = (base64.b64decode(text) for text in texts)
        for written in (file, now):
            assert chunks_of(written) == ["IHDR", "PLTE", "IDAT", "IEND"], name
            assert written[24:29] == bytes([8, 3, 0, 0, 0]), (
                name
            )  # depth, color type, not interlaced
            picture = Image.open(io.BytesIO(written))
            picture.load()
            assert picture.mode == "P"
            assert (np.asarray(picture) == mask).all(), name
            palette = bytes.fromhex("ffffff" + "".join(color[1:] for color in colors[:labels]))
            assert bytes(picture.getpalette())[: len(palette)] == palette, name
            assert written.count(palette) == 1
        assert indices == mask.tobytes(), name
        assert classes == mask.tobytes(), name
        if name == "nothing painted":
            assert len(now) < 2000  # 150,000 pixels


def chunks_of(png):
    """Names of a PNG's chunks; each check sum must be right."""
    names, at = [], 8
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(png):
        length = int.from_bytes(png[at : at + 4])
        body = png[at + 4 : at + 8 + length]
        assert zlib.crc32(body) == int.from_bytes(png[at + 8 + length : at + 12 + length])
        names.append(body[:4].decode())
        at += 12 + length
    return names


def png(header, rows, **chunks):
    """A PNG of stored rows, each with its filter's number before it."""
    parts = {"IHDR": header} | chunks | {"IDAT": zlib.compress(rows), "IEND": b""}
    file = b"\x89PNG\r\n\x1a\n"
    for name, body in parts.items():
        data = name.encode() + body
        file += len(body).to_bytes(4) + data + zlib.crc32(data).to_bytes(4)
    return file


def filtered(pixels, kind):
    """Rows of bytes with one of PNG's filters, by its definition."""
    height, width, channels = pixels.shape
    padded = np.zeros((height + 1, width + 1, channels), int)
    padded[1:, 1:] = pixels
    left, up, corner = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    guess = left + up - corner
    near = np.stack([abs(guess - left), abs(guess - up), abs(guess - corner)])
    paeth = np.choose(near.argmin(axis=0), [left, up, corner])
    predicted = [0, left, up, (left + up) // 2, paeth][kind]
    rows = ((pixels.astype(int) - predicted) % 256).astype(np.uint8).reshape(height, -1)
    return np.insert(rows, 0, kind, axis=1).tobytes()


def saved(picture, **options):
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file.getvalue()


def files_to_read():
    """PNG files by name, each with its red, green, blue and alpha."""
    rng = np.random.default_rng(7)
    smooth = np.cumsum(rng.integers(0, 7, (61, 83, 4)), axis=1).astype(np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    grey, red = Image.fromarray(smooth[..., 0]), Image.fromarray(smooth[..., :3])
    files = {}
    for mode in ("1", "L", "LA", "RGB", "RGBA"):
        picture = Image.fromarray(smooth).convert(mode)
        files[mode] = saved(picture), picture
    for bits in (1, 2, 4, 8):
        indices = Image.fromarray(smooth[..., 1] >> (8 - bits))
        indices.putpalette(rng.integers(0, 256, 3 * 2**bits, dtype=np.uint8).tobytes())
        files[f"palette {bits}"] = saved(indices, bits=bits), indices
        alpha = rng.integers(0, 256, 2**bits, dtype=np.uint8).tobytes()
        file = saved(indices, bits=bits, transparency=alpha)
        files[f"palette {bits} with alpha"] = file, Image.open(io.BytesIO(file))
    files["profile"] = saved(red, icc_profile=profile), red
    file = saved(grey, transparency=int(smooth[30, 40, 0]))
    files["transparent grey"] = file, Image.open(io.BytesIO(file))
    file = saved(red, transparency=tuple(int(v) for v in smooth[30, 40, :3]))
    files["transparent color"] = file, Image.open(io.BytesIO(file))
    beside = np.array([[(10, 20, 30), (11, 20, 30), (10, 21, 30), (10, 20, 31)]], np.uint8)
    file = saved(Image.fromarray(beside), transparency=(10, 20, 30))
    files["transparent color beside others"] = file, Image.open(io.BytesIO(file))
    for depth in (2, 4):  # which Pillow does not write
        levels = smooth[..., 2] >> (8 - depth)
        packed = np.zeros((61, -(-83 * depth // 8)), np.uint8)
        for x in range(83):
            packed[:, x * depth // 8] |= levels[:, x] << (8 - depth - x * depth % 8)
        header = (83).to_bytes(4) + (61).to_bytes(4) + bytes([depth, 0, 0, 0, 0])
        scale = 255 // (2**depth - 1)
        shown = Image.fromarray(levels * np.uint8(scale))
        files[f"grey {depth}"] = png(header, filtered(packed[..., None], 0)), shown
    for kind in range(5):
        for channels, color_type in ((1, 0), (2, 4), (3, 2), (4, 6)):
            pixels = smooth[..., :channels]
            header = (83).to_bytes(4) + (61).to_bytes(4) + bytes([8, color_type, 0, 0, 0])
            shown = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
            gamma = {"gAMA": (30000).to_bytes(4)}
            files[f"filter {kind}, {channels} channels"] = (
                png(header, filtered(pixels, kind), **gamma), shown,
            )  # fmt: skip
    return {
        name: (file, np.asarray(shown.convert("RGBA"))) for name, (file, shown) in files.items()
    }


def test_png_files_of_all_kinds_are_read_exactly(page):
    files = files_to_read()
    read = page.evaluate(
        """(files) => Promise.all(files.map(async (text) => {
        const {width, height, rgba, indices, palette} = await decodePng(fromBase64(text));
        return [width, height, [rgba, indices, palette].map((bytes) => bytes && toBase64(bytes))];
    }))""",
        [text_of(file) for file, _ in files.values()],
    )
    for name, (_, expected), (width, height, texts) in zip(
        files, files.values(), read, strict=True
    ):
        assert (height, width) == expected.shape[:2], name
        rgba, indices, palette = (t and np.frombuffer(base64.b64decode(t), np.uint8) for t in texts)
        assert (rgba is None) == (
            name in ("1", "L")
            or name.startswith(("pal", "grey", "transparent g"))
            or name.endswith(" 1 channels")
        ), name
        if rgba is None:
            rgba = palette.reshape(-1, 4)[indices]
        wrong = np.argwhere(rgba.reshape(expected.shape) != expected)
        assert not len(wrong), (name, wrong[:5])


def test_colors_become_classes_by_their_very_value(page):
    green, blue, near = (44, 160, 44, 255), (31, 119, 180, 255), (44, 160, 45, 255)
    clear, half, white = (44, 160, 44, 0), (31, 119, 180, 1), (255, 255, 255, 255)
    row = np.array([[green, blue, near, clear, half, white, green]], np.uint8)
    picture = Image.fromarray(row)
    indexed = saved(Image.fromarray(row[..., :3]).quantize(8))
    read = page.evaluate(
        """(files) => Promise.all(files.map(async (text) => {
        const classes = new Map([["#2ca02c", 1], ["#1f77b4", 255]]);
        const strange = new Map();
        return [[...toClasses(await decodePng(fromBase64(text)), classes, strange)], [...strange]];
    }))""",
        [text_of(saved(picture)), text_of(indexed)],
    )
    strange = [[0x2CA02D, 1]]  # it has no class
    assert read == [[[1, 255, 0, 0, 255, 0, 1], strange], [[1, 255, 0, 1, 255, 0, 1], strange]]


def test_files_that_cannot_be_read_say_why(page):
    good = saved(Image.new("RGB", (90, 40), "red"))
    header = (9).to_bytes(4) + (9).to_bytes(4)
    rows = filtered(np.zeros((9, 9, 1), int), 0)
    files = {
        "This is not a PNG.": b"GIF89a" + bytes(50),
        "The PNG has no header.": good[:20],
        "Interlaced PNG files cannot be read.": good[:28] + b"\1" + good[29:],
        "PNG files of color type 2 with 16 bits cannot be read.": good[:24] + b"\x10" + good[25:],
        "PNG files of color type 5 with 8 bits cannot be read.": good[:25] + b"\5" + good[26:],
        "The PNG has 0 x 40 pixels.": good[:16] + bytes(4) + good[20:],
        "The PNG has 65536 x 65536 pixels.": good[:16] + bytes([0, 1, 0, 0] * 2) + good[24:],
        "The PNG has no palette.": png(header + bytes([8, 3, 0, 0, 0]), rows),
        "The PNG ends before its last row.": png(header + bytes([8, 0, 0, 0, 0]), rows[:-1]),
        "The PNG has a row of the unknown filter 5.": png(
            header + bytes([8, 0, 0, 0, 0]), b"\5" + rows[1:]
        ),
        "The PNG's pixels cannot be decompressed.": good[:45] + bytes(8) + good[53:],
    }
    said = page.evaluate("""(files) => Promise.all(files.map((text) =>
        decodePng(fromBase64(text)).then(() => "", (error) => error.message)))""",
        [text_of(file) for file in files.values()])  # fmt: skip
    assert said == list(files)


def test_the_page_has_its_turn_while_a_large_mask_is_written(page):
    said = page.evaluate("""async () => {
        const painting = new Painting(4000, 3000);
        for (let x = 0; x < 4000; x += 100) {
            painting.stroke({x, y: 0}, {x: 4000 - x, y: 3000}, 30, 1 + (x % 3));
        }
        const {pixels} = painting;
        const before = pixels.slice();
        let turns = 0;
        const timer = setInterval(() => {
            turns++;
            pixels.fill(0);  // which is not in the file
        });
        const file = await encodeMask(pixels, 4000, 3000, ["#2ca02c", "#1f77b4", "#ff7f0e"]);
        clearInterval(timer);
        const {indices} = await decodePng(file);
        return {turns, right: same(indices, before)};
    }""")
    assert said["right"]
    assert said["turns"] > 3


@pytest.mark.parametrize(
    ("size", "map_size"),
    [
        ((40, 30), (40, 30)),
        ((123, 77), (40, 30)),
        ((81, 200), (40, 30)),
        ((70_000, 10), (70_000, 10)),
        ((70_000, 10), (16_384, 10)),
    ],
)
def test_a_map_of_regions_divides_a_larger_picture(page, size, map_size):
    width, height = size
    map_width, map_height = map_size
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:map_height, :map_width]
    some = rng.integers(0, 12, (10, 10), np.uint16)
    numbers = some[rows * 10 // map_height, columns * 10 // map_width]
    divided, boxes, seen = page.evaluate(
        """({map, size, text}) => {
            const header = new Uint32Array([map.width, map.height]);
            const bytes = new Uint8Array([...new Uint8Array(header.buffer), ...fromBase64(text)]);
            const regions = engine.RegionMap.read(bytes.buffer, size);
            const divided = new Uint8Array(size.width * size.height).fill(255);
            const boxes = new Uint8Array(size.width * size.height).fill(255);
            for (let region = 0; region < regions.count; region++) {
                for (const [y, start, end] of regions.runsOf(region)) {
                    divided.fill(region, y * size.width + start, y * size.width + end);
                }
                const {rect, bits} = regions.pixelsOf(region);
                bits.forEach((bit, at) => {
                    const y = rect.y + Math.floor(at / rect.width);
                    if (bit) boxes[y * size.width + rect.x + (at % rect.width)] = region;
                });
            }
            const seen = divided.map((_, at) => regions.at(
                {x: (at % size.width) + 0.3, y: Math.floor(at / size.width) + 0.9}));
            return [toBase64(divided), toBase64(boxes), toBase64(seen)];
        }""",
        {
            "map": {"width": map_width, "height": map_height},
            "size": {"width": width, "height": height},
            "text": text_of(numbers.astype("<u2").tobytes()),
        },
    )
    rows = (2 * np.arange(height) + 1) * map_height // (2 * height)
    columns = (2 * np.arange(width) + 1) * map_width // (2 * width)
    expected = numbers[rows[:, None], columns]
    for pixels in (divided, boxes, seen):
        np.testing.assert_array_equal(pixels_of(pixels, (height, width)), expected)
