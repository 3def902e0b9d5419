"""The segmentation editor in a browser: what a pointer paints, pixel by pixel, and what is sent."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage.draw import polygon2mask
from skimage.measure import label as connect

from labeljob import portal
from tests.runner.portal.browser_people import Person
from tests.runner.portal.page_server import PageServer, Shown
from tests.runner.portal.photographs import take_photographs

STOCK = Path(__file__).resolve().parents[3] / "worker_templates"
TEMPLATE = (STOCK / "semantic_segmentation.liquid.html").read_text(encoding="utf-8")
NAME = "crowd-semantic-segmentation"
AXE = Path(portal.__file__).parent / "pages/node_modules/axe-core/axe.min.js"
WIDTH, HEIGHT = 320, 240  # of the photograph
LABELS = ["tree", "stone", "moss"]
COLORS = ["#2ca02c", "#1f77b4", "#ff7f0e"]
PALETTE = [(255, 255, 255), (44, 160, 44), (31, 119, 180), (255, 127, 14)]
VIOLATIONS = """async () => {
    const found = await axe.run(document, {resultTypes: ["violations"]});
    return found.violations.map((rule) => rule.id + ": "
        + rule.nodes.map((node) => node.target.join(" ")).join(", "));
}"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def server():
    started = PageServer()
    yield started
    started.close()


@pytest.fixture
def edit(server, browser):
    """Show the editor; gives a `Worker` at it."""
    workers = []

    def show(template=TEMPLATE, *, labels=LABELS, ratio=1, touch=False, width=1280, **said):
        server.shown = Shown(template, {"taskObject": "s3://photos/a.jpg", "labels": labels}, said)
        context = browser.new_context(
            viewport={"width": width, "height": 800}, device_scale_factor=ratio, has_touch=touch
        )
        worker = Worker(context.new_page())
        workers.append(worker)
        worker.open(server.url)
        return worker

    yield show
    for worker in workers:
        worker.window.context.close()
        assert worker.faults == []


class Worker:
    """Somebody at the editor, and what they must have painted."""

    def __init__(self, window):
        self.window = window
        self.faults = []
        self.mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        window.set_default_timeout(5000)
        window.on("pageerror", lambda error: self.faults.append(str(error)))

    def open(self, url):
        self.window.goto(url)
        self.window.wait_for_function("received.some(({labeljob}) => labeljob === 'ready')")
        self.frame = self.window.frames[1]
        self.frame.wait_for_function("document.hasFocus()")
        self.editor = self.frame.locator(NAME)
        self.editor.evaluate("(editor) => editor.decoded")

    def look(self):
        """Scale and offset of the image, and the view's box, in pixels of the page."""
        return self.editor.evaluate("""(editor) => {
            const {scale, x, y} = editor.surface.placement;
            const box = editor.surface.view.getBoundingClientRect();
            return {scale, x: x + box.x, y: y + box.y, box: box.toJSON()};
        }""")

    def at(self, x, y):
        """Where a point of the image is on the page."""
        look = self.look()
        return look["x"] + x * look["scale"], look["y"] + y * look["scale"]

    def to_image(self, points):
        look = self.look()
        return (np.asarray(points, float) - (look["x"], look["y"])) / look["scale"]

    def drag(self, *points):
        """Press at the first point of the page, move to each of the others, and let go."""
        mouse = self.window.mouse
        mouse.move(*points[0])
        mouse.down()
        for point in points[1:]:
            mouse.move(*point)
        mouse.up()

    def click(self, *points):
        for point in points:
            self.window.mouse.click(*point)

    def keys(self, *keys):
        for key in keys:
            self.window.keyboard.press(key)

    @property
    def painted(self):
        """The class of each pixel, as the editor has it."""
        text = self.editor.evaluate("(editor) => editor.painting.pixels.join('')")
        return np.array(list(text), np.uint8).reshape(HEIGHT, WIDTH)

    def check(self, what=""):
        painted = self.painted
        assert (painted != self.mask).sum() == 0, what

    def check_view(self):
        """Each pixel of the view shows the class of the image's pixel under its center."""
        url, ratio, look = self.editor.evaluate("""({surface}) => {
            const {scale, x, y} = surface.placement;
            const {mask: {canvas}, view} = surface;
            const ratio = [canvas.width / view.clientWidth, canvas.height / view.clientHeight];
            return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(
                () => resolve([canvas.toDataURL(), ratio, {scale, x, y}]))));
        }""")
        with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as png:
            view = np.asarray(png.convert("RGBA")).astype(int)
        x = np.floor(((np.arange(view.shape[1]) + 0.5) / ratio[0] - look["x"]) / look["scale"])
        y = np.floor(((np.arange(view.shape[0]) + 0.5) / ratio[1] - look["y"]) / look["scale"])
        inside = ((y >= 0) & (y < HEIGHT))[:, None] & ((x >= 0) & (x < WIDTH))
        classes = self.mask[
            np.clip(y, 0, HEIGHT - 1).astype(int)[:, None], np.clip(x, 0, WIDTH - 1).astype(int)
        ]
        classes = np.where(inside, classes, 0)
        assert ((view[..., 3] > 0) == (classes > 0)).all()
        colors = np.array(PALETTE)[classes]
        assert np.abs(view[..., :3] - colors)[classes > 0].max(initial=0) <= 3

    def submit(self):
        self.window.evaluate("received.length = 0")
        self.keys("Control+Enter")
        self.window.wait_for_function("received.some(({labeljob}) => labeljob === 'answer')")
        (said,) = self.told("answer")
        return said["answer"]

    def told(self, kind):
        """What the page told the window around it, of one kind."""
        return [m for m in self.window.evaluate("received") if m["labeljob"] == kind]


def distance(points):
    """Of each pixel's center to a line through points, in pixels."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    nearest = np.full((HEIGHT, WIDTH), np.inf)
    for start, end in zip(points, [*points[1:], points[-1]], strict=True):
        along = np.subtract(end, start)
        share = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / max(along @ along, 1e-9)
        share = np.clip(share, 0, 1)
        gap = np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1])
        nearest = np.minimum(nearest, gap)
    return nearest


def size(worker):
    return int(worker.editor.locator("output").inner_text().removesuffix(" px"))


@pytest.mark.parametrize("ratio", [1, 1.5, 2])
def test_the_brush_paints_what_the_pointer_passes_at_every_zoom(ratio, edit):
    worker = edit(ratio=ratio)
    mouse = worker.window.mouse
    box = worker.look()["box"]
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    rng = np.random.default_rng(int(10 * ratio))
    sizes = set()

    def one_to_one():
        worker.keys("z")

    zooms = [
        lambda: None,
        lambda: mouse.wheel(0, -400),
        one_to_one,
        lambda: mouse.wheel(0, -1100),
        lambda: worker.keys("f"),
    ]
    for number, zoom in enumerate(zooms):
        mouse.move(*middle)
        zoom()
        if number == zooms.index(one_to_one):
            assert worker.look()["scale"] == 1
        cls = number % len(LABELS) + 1
        worker.keys(str(cls), *(["]"] * number))
        sizes.add(size(worker))
        spread = (0.45 * box["width"], 0.45 * box["height"])
        line = [tuple(np.round(middle + rng.uniform(-1, 1, 2) * spread, 2)) for _ in range(5)]
        worker.drag(*line)
        worker.mask[distance(worker.to_image(line)) <= size(worker) / 2] = cls
        worker.check(f"zoom {number}")
        worker.check_view()
    assert len(sizes) >= 4
    shown = worker.look()["scale"]
    answer = worker.submit()[NAME]["labeledImage"]["pngImageData"]
    with Image.open(io.BytesIO(base64.b64decode(answer))) as png:
        assert (np.asarray(png) == worker.mask).all()
    assert shown == pytest.approx(min(box["width"] / WIDTH, box["height"] / HEIGHT))


def test_each_tool_and_each_step_of_undo(edit):
    worker = edit()
    mouse, keyboard = worker.window.mouse, worker.window.keyboard
    states = [worker.mask.copy()]
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)

    def step(what):
        worker.check(what)
        states.append(worker.mask.copy())

    # A polygon: clicks, one corner taken back, one moved, then Enter.
    worker.keys("p", "2")
    corners = np.array([[20.3, 30.2], [150.6, 20.4], [170.2, 120.7], [60.4, 170.3]])
    worker.click(*(worker.at(*corner) for corner in corners[:3]))
    worker.click(worker.at(300, 200))
    worker.keys("Backspace")
    worker.click(worker.at(80, 200))
    worker.drag(worker.at(80, 200), worker.at(70, 190), worker.at(*corners[3]))
    worker.check("not painted yet")
    worker.keys("Enter")
    worker.mask[
        polygon2mask(
            (HEIGHT, WIDTH),
            worker.to_image([worker.at(*corner) for corner in corners])[:, ::-1] - 0.5,
        )
    ] = 2
    step("polygon")

    # A rectangle over it, on background only.
    worker.keys("r", "3", "o")
    worker.drag(worker.at(100.4, 100.6), worker.at(150, 180), worker.at(200.7, 210.2))
    inside = (x > 100.4) & (x < 200.7) & (y > 100.6) & (y < 210.2)
    worker.mask[inside & (worker.mask == 0)] = 3
    step("rectangle on background only")

    # Fill what is left around them; it ends where another class begins.
    worker.keys("o", "g", "1")
    areas = connect(worker.mask == 0, connectivity=1)
    worker.click(worker.at(5.5, 5.5))
    worker.mask[areas == areas[5, 5]] = 1
    step("fill")

    # The eraser on a held key, then the tool before.
    worker.keys("b", "3")
    keyboard.down("e")
    line = [worker.at(40.2, 60.3), worker.at(200.1, 90.7)]
    worker.drag(*line)
    worker.mask[distance(worker.to_image(line)) <= size(worker) / 2] = 0
    step("eraser")
    keyboard.up("e")
    brush = worker.editor.get_by_role("button", name="Brush")
    expect(brush).to_have_attribute("aria-pressed", "true")

    # So it is where the page does not hear of the key's release.
    keyboard.down("e")
    line = [worker.at(60.2, 150.3), worker.at(180.1, 90.7)]
    worker.drag(*line)
    worker.mask[distance(worker.to_image(line)) <= size(worker) / 2] = 0
    step("eraser again")
    worker.window.evaluate("document.querySelector('iframe').blur()")
    expect(brush).to_have_attribute("aria-pressed", "true")
    keyboard.up("e")
    worker.window.evaluate("document.querySelector('iframe').focus()")

    # A brush made smaller with the wheel; the image is moved by the space bar on the way.
    before = size(worker)
    worker.keys("+", "+", "+")
    mouse.move(*worker.at(150, 100))
    keyboard.down("Shift")
    mouse.wheel(0, 100)
    keyboard.up("Shift")
    expect(worker.editor.locator("output")).not_to_have_text(f"{before} px")
    assert size(worker) < before
    for fits in (False, True):  # then the image cannot be moved, and nothing joins both parts
        worker.keys(*(["f"] if fits else []), "123"[fits])
        start, turn = worker.at(140.3, 100.2), worker.at(160.2, 110.4)
        moved, end = (turn[0] - 90, turn[1] - 60), (turn[0] - 57, turn[1] - 110)
        drawn = worker.to_image([start, turn])
        mouse.move(*start)
        mouse.down()
        mouse.move(*turn)
        keyboard.down(" ")
        mouse.move(*moved)
        keyboard.up(" ")
        mouse.move(*end)
        mouse.up()
        rest = worker.to_image([moved, end])
        inside = np.minimum(distance(drawn), distance(rest)) <= size(worker) / 2
        worker.mask[inside] = 1 + fits
        step("brush while the image moves")

    # A brush of one pixel paints the one that the pointer is on, at its very corner too.
    worker.keys("b", "2", *["["] * size(worker))
    assert size(worker) == 1
    worker.click(worker.at(250.95, 60.95))
    worker.mask[60, 250] = 2
    step("brush of one pixel")

    # Nothing that changes nothing is a step; the key under the pointer chooses its label.
    worker.keys("g", "0")
    mouse.move(*worker.at(120.5, 101.5))
    under = int(worker.mask[101, 120])
    worker.keys("i")
    worker.click(worker.at(120.5, 101.5))
    assert worker.editor.evaluate("(editor) => editor.bench.cls") == under
    worker.check("fill with its own class")

    for state in states[-2::-1]:
        worker.keys("Control+z")
        worker.mask = state
        worker.check("undo")
    worker.check_view()
    worker.keys("Control+z")
    for number, state in enumerate(states[1:]):
        worker.keys("Control+Shift+z" if number % 2 else "Control+y")
        worker.mask = state
        worker.check("redo")
    worker.check_view()
    worker.editor.get_by_role("button", name="Undo").click()
    worker.mask = states[-2]
    worker.check("the button")

    # A double click ends a polygon; one that waits while another tool is chosen is submitted too.
    def paint(corners, cls):
        points = worker.to_image([worker.at(*corner) for corner in corners])
        worker.mask[polygon2mask((HEIGHT, WIDTH), points[:, ::-1] - 0.5)] = cls

    corners = [(210.3, 15.2), (290.6, 20.4), (250.2, 70.7)]
    worker.keys("f", "p", "1")
    worker.click(*(worker.at(*corner) for corner in corners[:2]))
    mouse.dblclick(*worker.at(*corners[2]))
    paint(corners, 1)
    worker.check("double click")
    corners = [(10.3, 210.2), (90.6, 190.4), (50.2, 230.7)]
    worker.keys("2")
    worker.click(*(worker.at(*corner) for corner in corners))
    worker.keys("b")
    paint(corners, 2)
    worker.submit()
    worker.check("submitted from another tool")


def test_labels_are_hidden_and_dimmed_and_what_is_held_moves_the_image(edit):
    worker = edit()
    mouse, keyboard = worker.window.mouse, worker.window.keyboard
    for key, left in (("1", 20), ("2", 120), ("3", 220)):
        worker.keys("r", key)
        worker.drag(worker.at(left, 50), worker.at(left + 80, 150))

    def opacities():
        return worker.editor.evaluate("""({surface}) => new Promise((resolve) =>
            requestAnimationFrame(() => requestAnimationFrame(() => {
                const {scale, x, y} = surface.placement;
                const context = surface.mask.canvas.getContext("2d");
                resolve([60, 160, 260].map((column) =>
                    context.getImageData(x + column * scale, y + 100 * scale, 1, 1).data[3] / 255));
            })))""")

    assert opacities() == pytest.approx([0.55] * 3, abs=0.01)
    worker.editor.get_by_role("button", name="Show stone").click()
    assert opacities() == pytest.approx([0.55, 0, 0.55], abs=0.01)
    worker.keys("h")
    assert opacities() == [0, 0, 0]
    worker.keys("h")
    assert opacities() == pytest.approx([0.55, 0, 0.55], abs=0.01)
    worker.keys("2")  # what is painted with is shown
    assert opacities() == pytest.approx([0.55] * 3, abs=0.01)
    worker.editor.locator("summary", has_text="shown").click()
    worker.editor.get_by_label("Opacity of stone").fill("40")
    worker.editor.get_by_label("Opacity of all labels").fill("100")
    assert opacities() == pytest.approx([1, 0.4, 1], abs=0.01)
    worker.editor.get_by_label("Contrast of the image").fill("150")
    assert worker.editor.evaluate("(editor) => getComputedStyle(editor.photo.element).filter") == (
        "brightness(1) contrast(1.5)"
    )

    # The middle button moves the image, and so does the space bar; Shift draws a straight line.
    worker.mask = worker.painted
    worker.keys("z", "+", "+", "+", "b", "3")
    for hold, let_go in (
        (lambda: mouse.down(button="middle"), lambda: mouse.up(button="middle")),
        (lambda: (keyboard.down(" "), mouse.down()), lambda: (mouse.up(), keyboard.up(" "))),
    ):
        before = worker.look()
        mouse.move(640, 400)
        hold()
        mouse.move(610, 380)
        let_go()
        assert worker.look() == before | {"x": before["x"] - 30, "y": before["y"] - 20}
    ends = [(620.5, 380.25), (700.25, 420.5)]
    drawn = worker.to_image(ends)
    mouse.click(*ends[0])
    keyboard.down("Shift")
    mouse.click(*ends[1])
    keyboard.up("Shift")
    worker.mask[distance(drawn) <= size(worker) / 2] = 3
    worker.check("a straight line")


def chunks(png):
    names, at = [], 8
    while at < len(png):
        names.append(png[at + 4 : at + 8].decode())
        at += 12 + int.from_bytes(png[at : at + 4])
    return names


def test_the_answer_is_the_documented_one_to_the_letter(edit):
    worker = edit()
    worker.keys("+", "f", "]", "r", "2")
    worker.window.wait_for_timeout(200)
    assert not worker.told("changed")  # only what is painted is
    worker.drag(worker.at(10, 20), worker.at(50, 40))
    worker.mask[20:40, 10:50] = 2
    worker.window.wait_for_function("received.some(({labeljob}) => labeljob === 'draft')")
    worker.keys("Control+z", "Control+Shift+z")
    worker.window.wait_for_timeout(200)
    draft = worker.told("draft")[0]
    assert len(worker.told("changed")) >= 2
    script = worker.editor.evaluate("(editor) => JSON.stringify([editor.value, editor.labels])")
    answer = worker.submit()
    assert draft["answer"] == answer
    png = base64.b64decode(answer[NAME]["labeledImage"]["pngImageData"])
    assert json.dumps(answer) == json.dumps({
        NAME: {
            "inputImageProperties": {"height": HEIGHT, "width": WIDTH},
            "labelMappings": {
                label: {"color": color} for label, color in zip(LABELS, COLORS, strict=True)
            },
            "labeledImage": {"pngImageData": base64.b64encode(png).decode()},
        }
    })  # fmt: skip
    assert set(chunks(png)) == {"IHDR", "PLTE", "IDAT", "IEND"}
    assert png[24:29] == bytes([8, 3, 0, 0, 0])  # bits, palette, deflate, filters, not interlaced
    with Image.open(io.BytesIO(png)) as image:
        assert (np.asarray(image) == worker.mask).all()
        assert (np.asarray(image.convert("RGB")) == np.array(PALETTE)[worker.mask]).all()
    (value, labels) = json.loads(script)
    assert labels == LABELS
    with Image.open(io.BytesIO(base64.b64decode(value["labeledImage"]["pngImageData"]))) as image:
        assert (np.asarray(image) == worker.mask).all()
    assert value | {"labeledImage": None} == answer[NAME] | {"labeledImage": None}


def test_an_earlier_answer_is_there_again(edit):
    before = np.random.default_rng(3).integers(0, 4, (HEIGHT, WIDTH), np.uint8)
    answer = {NAME: answer_of(before)}
    worker = edit(answer=answer)
    worker.mask = before
    worker.frame.wait_for_function(
        f"document.querySelector('{NAME}').painting.countByClass()[1] > 0"
    )
    worker.check()
    worker.keys("Control+z")  # it was there from the beginning
    worker.check()
    assert worker.submit()[NAME] == answer_of(before) | {
        "labeledImage": worker.editor.evaluate("(editor) => editor.value.labeledImage")
    }


def refuse_first(window, count):
    """Let the first requests for images fail as if nobody listened; gives those that did."""
    refused = []

    def refuse(route):
        if len(refused) < count:
            refused.append(route.request.url)
            route.abort("connectionrefused")
        else:
            route.continue_()

    window.route("**/files/**", refuse)
    return refused


def test_an_image_that_did_not_come_is_loaded_again(edit):
    before = np.random.default_rng(5).integers(0, 4, (HEIGHT, WIDTH), np.uint8)
    worker = edit(answer={NAME: answer_of(before)})
    refused = refuse_first(worker.window, 3)
    worker.open(worker.window.url)
    worker.frame.wait_for_function(
        f"document.querySelector('{NAME}').painting?.countByClass()[1] > 0", timeout=20_000
    )
    worker.mask = before
    worker.check("the answer is there again as well")
    assert len(refused) == 3


def test_labels_that_a_script_gives_late_or_in_another_order_keep_what_is_painted(edit):
    before = np.random.default_rng(4).integers(0, 4, (HEIGHT, WIDTH), np.uint8)
    worker = edit(answer={NAME: answer_of(before)}, labels=[])
    worker.check("no label yet")

    def give(labels):
        worker.editor.evaluate(
            "async (editor, labels) => { editor.labels = labels; await editor.updateComplete;"
            " await editor.decoded; }",
            labels,
        )

    give(LABELS)
    worker.mask = before
    worker.check("labels that came late")
    worker.keys("r", "3")
    worker.drag(worker.at(5, 5), worker.at(90, 90))
    worker.mask[5:90, 5:90] = 3
    give([LABELS[2], LABELS[0]])
    worker.mask = np.array([0, 2, 0, 1], np.uint8)[worker.mask]
    worker.check("another order")
    expect(worker.frame.get_by_role("alert")).to_contain_text(f"has taken away {LABELS[1]}")
    answer = worker.submit()[NAME]
    assert answer["labelMappings"] == {
        LABELS[2]: {"color": COLORS[0]},
        LABELS[0]: {"color": COLORS[1]},
    }
    with Image.open(io.BytesIO(base64.b64decode(answer["labeledImage"]["pngImageData"]))) as png:
        assert (np.asarray(png) == worker.mask).all()


def answer_of(mask):
    return {
        "inputImageProperties": {"height": HEIGHT, "width": WIDTH},
        "labelMappings": {
            label: {"color": color} for label, color in zip(LABELS, COLORS, strict=True)
        },
        "labeledImage": {"pngImageData": base64.b64encode(encode(mask, PALETTE)).decode()},
    }


def encode(mask, palette, mode="P"):
    image = Image.fromarray(mask, "P")
    image.putpalette(np.array(palette, np.uint8).tobytes())
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def adjusting(url, mappings):
    """The page with an earlier mask."""
    initial = f"{{'src': '{url}', labelMappings: {{{mappings}}}}}"
    return TEMPLATE.replace("labels=", f'initial-value="{initial}" labels=')


def url_of(mask, colors):
    return f"data:image/png;base64,{base64.b64encode(encode(mask, colors, 'RGB')).decode()}"


def test_an_earlier_mask_is_adjusted_and_keeps_its_colors(edit):
    before = np.zeros((HEIGHT, WIDTH), np.uint8)
    before[50:90, 60:200] = 1
    before[100:150, 20:90] = 2
    colors = [(255, 255, 255), (10, 20, 30), (44, 160, 44)]  # the second is a default color
    kept = "stone: {color: '#0A141E'}, 'tree': {color: '#2ca02c'}, moss: {color: '#FFF'},"
    worker = edit(adjusting(url_of(before, colors), kept))
    expect(worker.frame.get_by_role("alert")).to_have_count(0)
    worker.mask = np.array([0, 2, 1], np.uint8)[before]
    worker.check("as it was")
    assert worker.editor.evaluate("(editor) => editor.value.initialValueModified") is False
    worker.keys("r", "3")
    worker.drag(worker.at(5, 5), worker.at(9, 9))
    assert worker.editor.evaluate("(editor) => editor.value.initialValueModified") is True
    worker.keys("Control+z")
    assert worker.editor.evaluate("(editor) => editor.value.initialValueModified") is False
    worker.keys("Control+y")
    worker.mask[5:9, 5:9] = 3
    answer = worker.submit()[NAME]
    assert answer["initialValueModified"] is True
    assert list(answer)[-1] == "initialValueModified"
    assert answer["labelMappings"] == {
        "tree": {"color": "#2ca02c"}, "stone": {"color": "#0a141e"}, "moss": {"color": "#ff7f0e"}
    }  # fmt: skip
    with Image.open(io.BytesIO(base64.b64decode(answer["labeledImage"]["pngImageData"]))) as png:
        assert (np.asarray(png) == worker.mask).all()


def test_what_is_not_there_of_an_earlier_mask_is_said(edit):
    before = np.zeros((HEIGHT, WIDTH), np.uint8)
    before[50:90, 60:200] = 1
    before[100:120, 20:40] = 2
    before[0, :3] = [3, 3, 4]
    colors = [(255, 255, 255), (44, 160, 44), (10, 20, 30), (1, 2, 3), (4, 5, 6)]
    kept = "tree: {color: '#2ca02c'}, elk: {color: '#0a141e'}"
    worker = edit(adjusting(url_of(before, colors), kept))
    worker.mask = np.array([0, 1, 0, 0, 0], np.uint8)[before]
    worker.check("what has a label")
    expect(worker.frame.get_by_role("alert")).to_have_text(
        "The earlier mask has 403 pixels of colors that no label here has: "
        "elk (#0a141e), #010203, #040506. You see background there."
    )
    assert worker.submit()[NAME]["initialValueModified"] is True

    small = url_of(before[:9, :7], colors)
    for url, problem in (
        ("/files/missing.png", "is missing or cannot be read (404)"),
        (small, "7 x 9 pixels, the image 320"),
    ):
        worker = edit(adjusting(url, kept))
        alerts = worker.frame.get_by_role("alert")
        expect(alerts).to_contain_text("The earlier mask cannot be shown: ")
        expect(alerts).to_contain_text(problem)
        assert worker.editor.evaluate("(editor) => editor.value.initialValueModified") is True
        for _ in range(2):  # nothing painted is not taken for what was there
            worker.keys("Control+Enter")
            expect(alerts.nth(1)).to_contain_text("use “This cannot be labelled”")
        assert worker.told("answer") == []
        worker.keys("r", "3")
        worker.drag(worker.at(5, 5), worker.at(9, 9))
        expect(alerts).to_have_count(1)
        assert worker.submit()[NAME]["initialValueModified"] is True


def test_an_empty_mask_and_a_broken_image_are_not_sent_by_mistake(edit):
    worker = edit()
    worker.keys("Control+Enter")
    expect(worker.frame.get_by_role("alert")).to_contain_text("Nothing is painted")
    answer = worker.submit()[NAME]
    with Image.open(io.BytesIO(base64.b64decode(answer["labeledImage"]["pngImageData"]))) as png:
        assert np.asarray(png).max() == 0
    broken = TEMPLATE.replace("{{ task.input.taskObject | grant_read_access }}", "/files/missing")
    worker = edit(broken)
    worker.keys("Control+Enter")
    expect(worker.frame.get_by_role("alert").first).to_contain_text("cannot be shown")
    assert worker.window.evaluate("received.some(({labeljob}) => labeljob === 'answer')") is False


def test_fingers_and_pens(edit):
    worker = edit(touch=True)
    device = worker.window.context.new_cdp_session(worker.window)

    def touch(*steps):
        for number, points in enumerate(steps):
            kind = "touchMove" if number else "touchStart"
            places = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)]
            device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
        device.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def pen(*points, force=0.5, buttons=1):
        for number, (x, y) in enumerate([*points, points[-1]]):
            kind = "mouseReleased" if number == len(points) else "mouseMoved"
            said = {
                "type": kind if number else "mousePressed", "x": x, "y": y, "button": "left",
                "buttons": buttons, "clickCount": 1, "pointerType": "pen", "force": force,
            }  # fmt: skip
            device.send("Input.dispatchMouseEvent", said)

    one = [worker.at(50.3, 60.2), worker.at(90.2, 100.3)]
    touch([one[0]], [one[1]])
    radius = size(worker) / 2
    worker.mask[distance(worker.to_image(one)) <= radius] = 1
    worker.check("a finger paints")
    fitted = worker.look()["scale"]
    x, y = worker.at(160, 120)
    touch([(x, y)], [(x, y), (x + 80, y)], [(x - 80, y), (x + 160, y)])
    assert worker.look()["scale"] == pytest.approx(3 * fitted, rel=0.05)
    worker.check("two do not")
    worker.keys("f")

    line = [worker.at(200.3, 60.2), worker.at(240.2, 100.3)]
    pen(*line, force=0.2)
    worker.mask[distance(worker.to_image(line)) <= radius] = 1
    worker.check("a pen paints as wide as the brush")
    worker.editor.get_by_label("Pen pressure").check()
    line = [worker.at(200.3, 160.2), worker.at(240.2, 200.3)]
    pen(*line, force=0.25)
    worker.mask[distance(worker.to_image(line)) <= radius / 2] = 1
    worker.check("or as it is pressed, if one wants")
    worker.keys("+", "+")
    before = worker.look()
    touch([worker.at(160, 120)], [worker.at(150, 120)])
    worker.check("beside a pen a finger does not paint")
    assert worker.look()["x"] < before["x"]


def test_everybody_can_use_it(edit):
    for width in (1280, 390):
        worker = edit(width=width, labels=[f"label {at}" for at in range(12)])
        worker.frame.add_script_tag(path=AXE)
        worker.editor.locator("details.looks").evaluate("(details) => (details.open = true)")
        for theme in ("light", "dark"):
            said = {"labeljob": "show", "advance": False, "theme": theme, "answer": None}
            worker.window.evaluate("(said) => frames[0].postMessage(said, '*')", said)
            worker.frame.wait_for_function(
                f"getComputedStyle(document.documentElement).colorScheme === '{theme}'"
            )
            assert worker.frame.evaluate(VIOLATIONS) == [], (width, theme)
            assert worker.frame.evaluate(SIDEWAYS) == 0


def test_the_next_image_is_looked_at_as_the_one_before_and_a_reload_loses_nothing(
    open_portal, tmp_path, browser
):
    take_photographs(tmp_path / "photos", 2, size=(WIDTH, HEIGHT))
    portal = open_portal(task="semantic-segmentation")
    email = "ann@example.org"
    ann = Person(browser, portal).join(portal.invite(email)[email]).start_working()
    task = ann.task

    def memory():
        editor = ann.frame.locator(NAME)
        return editor.evaluate("(editor) => editor.decoded.then(() => editor.bench.memory)")

    at_first = memory()
    for key in ("2", "+", "+", "]", "o", "p"):
        ann.page.keyboard.press(key)
    ann.frame.locator("summary", has_text="shown").click()
    for name in ("Opacity of all labels", "Brightness of the image"):
        ann.frame.get_by_label(name).press("ArrowRight")
    ann.page.mouse.click(640, 400)
    for point in ((700, 420), (660, 480)):
        ann.page.mouse.click(*point)
    kept = memory()
    assert {name for name in kept if kept[name] != at_first[name]} == {
        "tool", "label", "onlyBackground", "opacity", "brightness", "look", "tools"
    }  # fmt: skip
    ann.page.keyboard.press("Control+Enter")  # the polygon is painted, and all submitted
    ann.wait_for_task(other_than=task)
    assert memory() == kept | {"look": pytest.approx(kept["look"])}

    # What is painted is saved by itself, and there again after a reload.
    def painted():
        return ann.frame.locator(NAME).evaluate("""async (editor) => {
            const wait = () => new Promise((resolve) => setTimeout(resolve, 20));
            while (!editor.painting?.countByClass()[2]) await wait();
            return editor.painting.pixels.join("");
        }""")

    with ann.page.expect_response("**/drafts") as saved:
        for point in ((700, 420), (660, 480), (600, 400)):
            ann.page.mouse.click(*point)
        ann.page.keyboard.press("Enter")
    assert saved.value.ok
    before = painted()
    ann.page.reload()
    ann.wait_for_task()
    assert painted() == before
    assert memory() == kept | {"look": pytest.approx(kept["look"])}
    ann.close()
