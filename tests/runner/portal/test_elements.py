"""The elements of worker pages in a browser: keys, the image, what the portal says, and looks."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from labeljob import portal
from tests.runner.portal.page_server import PageServer, Shown

STOCK = Path(__file__).resolve().parents[3] / "worker_templates"
PAGES = Path(__file__).parent / "pages"
AXE = Path(portal.__file__).parent / "pages/node_modules/axe-core/axe.min.js"
PHOTO = "s3://photos/a.jpg"
SINGLE = (STOCK / "image_multi_class.liquid.html").read_text(encoding="utf-8")
SEVERAL = (STOCK / "image_multi_class_multi_label.liquid.html").read_text(encoding="utf-8")
FORM = """<crowd-form>
  <crowd-input name="word" label="Word"></crowd-input>
  <crowd-text-area name="text" label="Text"></crowd-text-area>
  <crowd-checkbox name="faults" value="dark">Dark</crowd-checkbox>
  <crowd-checkbox name="faults" value="blurred">Blurred</crowd-checkbox>
  <crowd-radio-group>
    <crowd-radio-button name="yes" value="1">Yes</crowd-radio-button>
    <crowd-radio-button name="no" value="1">No</crowd-radio-button>
  </crowd-radio-group>
  <crowd-slider name="much" min="1" max="9"></crowd-slider>
  <label>Kind <select name="kind"><option>a</option><option>b</option></select></label>
  <label>Plain <input name="plain"></label>
  <label><input type="checkbox" name="box" value="x"> Box</label>
</crowd-form>"""
FORM_ANSWER = {
    "word": "moss", "text": "on\nstone", "faults": {"dark": False, "blurred": True},
    "yes": {"1": False}, "no": {"1": True}, "much": 7, "kind": "b", "plain": "p",
    "box": {"x": True},
}  # fmt: skip
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
def window(browser):
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(5000)
    faults = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    opened.close()
    assert faults == []


@pytest.fixture
def show(server, window):
    """Show a page; gives its frame."""

    def show_page(template, labels=("cat", "dog", "neither"), photo=PHOTO, **said):
        task_input = {"taskObject": photo, "labels": list(labels)}
        server.shown = Shown(template, task_input, said)
        window.goto(server.url)
        window.wait_for_function("received.some((message) => message.labeljob === 'ready')")
        frame = window.frames[1]
        frame.wait_for_function("document.hasFocus()")
        return frame

    return show_page


def answer(window):
    window.wait_for_function("received.some((message) => message.labeljob === 'answer')")
    (said,) = [m for m in window.evaluate("received") if m["labeljob"] == "answer"]
    return said["answer"]


def tell(window, message):
    window.evaluate(
        "(message) => document.querySelector('iframe').contentWindow.postMessage(message, '*')",
        message,
    )


def viewer(frame, script):
    return frame.locator("labeljob-viewer").evaluate(script)


def scale(frame):
    return viewer(frame, "(viewer) => viewer.placement.scale")


@pytest.mark.parametrize(
    ("template", "labels"),
    [
        pytest.param(SINGLE, ["cat", "dog", "neither"], id="single"),
        pytest.param(SEVERAL, [f"part {at}" for at in range(40)], id="several"),
        pytest.param(FORM, [], id="form"),
        pytest.param((PAGES / "absent-keypoint.liquid.html").read_text(), [], id="absent"),
    ],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(template, labels, theme, show, window):
    frame = show(template, labels, theme=theme)
    frame.add_script_tag(path=AXE)
    for width in (1280, 768, 390):
        window.set_viewport_size({"width": width, "height": 800})
        frame.wait_for_function(f"innerWidth === {width}")
        assert frame.evaluate(VIOLATIONS) == [], width
        assert frame.evaluate(SIDEWAYS) == 0, width


def test_an_earlier_answer_is_there_again(show, window):
    frame = show(FORM, answer=FORM_ANSWER)
    expect(frame.locator("crowd-input input")).to_have_value("moss")
    frame.get_by_role("button", name="Submit").click()
    assert answer(window) == FORM_ANSWER


def test_an_earlier_choice_is_there_again_and_what_is_changed_stays(show, window):
    earlier = {"crowd-image-classifier-multi-select": {"labels": ["dog"]}, "workerComment": "so"}
    frame = show(SEVERAL, answer=earlier)
    expect(frame.get_by_role("checkbox", name="dog")).to_be_checked()
    frame.get_by_role("checkbox", name="cat").check()
    tell(window, {"labeljob": "show", "advance": False, "theme": "dark", "answer": earlier})
    scheme = "getComputedStyle(document.documentElement).colorScheme === 'dark'"
    frame.wait_for_function(scheme)
    frame.get_by_role("button", name="Submit").click()
    assert answer(window)["crowd-image-classifier-multi-select"] == {"labels": ["cat", "dog"]}


def test_a_refused_answer_says_why_and_can_be_submitted_again(show, window):
    frame = show(SINGLE)
    window.keyboard.press("1")
    window.keyboard.press("Enter")
    answer(window)
    expect(frame.get_by_role("button", name="Submit")).to_be_disabled()
    tell(window, {"labeljob": "refused", "text": "This job was paused."})
    expect(frame.get_by_role("alert")).to_have_text("This job was paused.")
    window.evaluate("received.length = 0")
    window.keyboard.press("2")
    window.keyboard.press("Enter")
    assert answer(window) == {"crowd-image-classifier": {"label": "dog"}}


def test_two_quick_presses_are_one_answer(show, window):
    show(SINGLE, advance=True)
    window.keyboard.press("1")
    window.keyboard.press("2")
    assert answer(window) == {"crowd-image-classifier": {"label": "cat"}}


def test_a_picture_that_did_not_come_is_loaded_again(show, window):
    refused = []

    def refuse(route):
        if len(refused) < 3:
            refused.append(route.request.url)
            route.abort("connectionrefused")
        else:
            route.continue_()

    window.route("**/files/**", refuse)
    frame = show(SINGLE, advance=True)
    expect(frame.get_by_role("alert")).to_have_count(0, timeout=20_000)
    expect(frame.locator("img.photo")).to_be_visible()
    assert len(refused) == 3
    window.keyboard.press("1")
    assert answer(window) == {"crowd-image-classifier": {"label": "cat"}}


def test_a_number_key_does_not_submit_what_nobody_can_see(show, window):
    unseen = "data:image/png;base64,AAAA"
    frame = show(
        SINGLE.replace("{{ task.input.taskObject | grant_read_access }}", unseen), advance=True
    )
    expect(frame.get_by_role("alert")).to_contain_text("cannot be shown")
    window.keyboard.press("1")
    expect(frame.get_by_role("radio", name="cat")).to_be_checked()
    expect(frame.get_by_role("button", name="Submit")).to_be_enabled()
    window.keyboard.press("Enter")
    assert answer(window) == {"crowd-image-classifier": {"label": "cat"}}


def test_a_number_key_does_not_submit_a_page_that_asks_for_more(show, window):
    template = SINGLE.replace(
        "</crowd-image-classifier>", "</crowd-image-classifier><crowd-input name=why></crowd-input>"
    )
    frame = show(template, advance=True)
    window.keyboard.press("2")
    expect(frame.get_by_role("radio", name="dog")).to_be_checked()
    frame.locator("crowd-input input").fill("1 reason")
    window.keyboard.press("Enter")
    assert answer(window) == {"crowd-image-classifier": {"label": "dog"}, "why": "1 reason"}


def test_the_filter_finds_one_of_a_hundred_labels_by_keyboard(show, window):
    show(SINGLE, [f"part {at}" for at in range(100)])
    window.keyboard.press("/")
    window.keyboard.type("T 73")
    window.keyboard.press("Enter")
    window.keyboard.press("Escape")
    window.keyboard.press("Enter")
    assert answer(window) == {"crowd-image-classifier": {"label": "part 73"}}


def test_the_image_is_zoomed_at_the_pointer_and_fitted_again(show, window):
    frame = show(SINGLE)
    fitted = scale(frame)
    box = frame.locator("labeljob-viewer .view").bounding_box()
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    under_pointer = (
        "(viewer) => { const {scale, x, y} = viewer.placement;"
        f"return [({x - box['x'] - 1} - x) / scale, ({y - box['y'] - 1} - y) / scale]; }}"
    )
    before = viewer(frame, under_pointer)
    window.mouse.move(x, y)
    window.mouse.wheel(0, -800)
    expect(frame.locator("labeljob-viewer .view")).to_have_class("view zoomed ")
    assert scale(frame) > 2 * fitted
    assert viewer(frame, under_pointer) == pytest.approx(before, abs=1)
    window.keyboard.press("f")
    assert scale(frame) == fitted
    window.keyboard.press("+")
    assert scale(frame) > fitted
    window.keyboard.press("-")
    assert scale(frame) == pytest.approx(fitted)


def test_the_image_is_moved_by_mouse_and_arrow_keys_and_stays_in_view(show, window):
    frame = show(SINGLE)
    window.keyboard.press("+")
    window.keyboard.press("+")
    left = "(viewer) => viewer.placement.x"
    before = viewer(frame, left)
    box = frame.locator("labeljob-viewer .view").bounding_box()
    window.mouse.move(box["x"] + 300, box["y"] + 200)
    window.mouse.down()
    window.mouse.move(box["x"] + 260, box["y"] + 200)
    window.mouse.up()
    assert viewer(frame, left) == pytest.approx(before - 40)
    frame.get_by_role("button", name="Move").click()
    window.keyboard.press("ArrowRight")
    assert viewer(frame, left) == pytest.approx(before - 100)
    for _ in range(50):
        window.keyboard.press("ArrowLeft")
    assert viewer(frame, left) == 0


def test_photographs_are_shown_as_their_pixels_lie(show):
    frame = show(SINGLE, photo="s3://photos/turned.jpg")
    size = "(image) => [image.offsetWidth, image.offsetHeight]"
    assert frame.locator("labeljob-viewer img.photo").evaluate(size) == [320, 240]
    assert viewer(frame, "({ size }) => [size.width, size.height]") == [320, 240]


def test_the_portal_gets_the_keys_and_is_asked_for_help(show, window):
    show(SINGLE)
    (ready,) = [m for m in window.evaluate("received") if m["labeljob"] == "ready"]
    assert ["Enter", "Submit"] in ready["keys"]
    window.keyboard.press("?")
    window.wait_for_function("received.some((message) => message.labeljob === 'help')")


def test_full_instructions_open_and_keys_rest_meanwhile(show, window):
    frame = show(SINGLE, advance=True)
    frame.get_by_role("button", name="View full instructions").click()
    expect(frame.get_by_role("dialog", name="How to choose the label")).to_be_visible()
    window.keyboard.press("1")
    window.keyboard.press("Escape")
    expect(frame.get_by_role("dialog")).to_have_count(0)
    expect(frame.get_by_role("radio", name="cat")).not_to_be_checked()


@pytest.mark.parametrize(
    ("style", "scheme"), [("", "dark"), ("<style>.mine { color: black }</style>", "light")]
)
def test_a_page_with_colors_of_its_own_stays_light(style, scheme, show):
    frame = show(style + SINGLE, theme="dark")
    assert frame.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme


def test_a_page_opened_by_itself_shows_what_it_would_submit(server, window):
    server.shown = Shown(SINGLE, {"taskObject": PHOTO, "labels": ["cat", "dog"]}, {})
    window.goto(f"{server.url}frame")
    window.get_by_role("radio", name="dog").check()
    window.get_by_role("button", name="Submit").click()
    expect(window.get_by_role("dialog")).to_contain_text('"label": "dog"')
    window.get_by_role("button", name="Close").click()
    expect(window.get_by_role("button", name="Submit")).to_be_enabled()


def test_categories_that_cannot_be_read_are_told(show, window):
    frame = show(
        '<crowd-form><crowd-classifier name=a categories="[\'x"></crowd-classifier></crowd-form>'
    )
    expect(frame.get_by_text("This page names no labels")).to_be_visible()
    errors = [m["text"] for m in window.evaluate("received") if m["labeljob"] == "error"]
    assert "categories is not a list" in errors[0]


def test_a_form_submitted_in_its_own_listener_is_one_answer(show, window):
    frame = show(
        "<crowd-form><input type=hidden name=a value=1></crowd-form><script>"
        "const form = document.querySelector('crowd-form');"
        "form.onsubmit = (event) => { event.preventDefault(); form.submit(); }</script>"
    )
    frame.get_by_role("button", name="Submit").click()
    assert answer(window) == {"a": "1"}


def test_an_answer_that_takes_long_to_make_is_waited_for(show, window):
    frame = show(
        "<crowd-form><crowd-input name=a></crowd-input></crowd-form><script>"
        "const form = document.querySelector('crowd-form');"
        "const field = document.querySelector('crowd-input'); let count = 0;"
        "field.prepare = async () => { await new Promise((done) => setTimeout(done, 200));"
        "  if (++count === 1) throw 'no memory'; field.value = 'made'; };"
        "form.onsubmit = () => { field.value += ', read'; }</script>"
    )
    button = frame.get_by_role("button", name="Submit")
    button.click()
    expect(frame.get_by_role("alert")).to_contain_text("could not be put together: no memory")
    button.click()
    button.click()
    assert answer(window) == {"a": "made, read"}
    assert sum(m["labeljob"] == "answer" for m in window.evaluate("received")) == 1


def test_a_number_key_does_not_submit_a_page_that_then_asks_more(show, window):
    frame = show(
        SINGLE.replace("</crowd-image-classifier>", "</crowd-image-classifier><p id=more></p>")
        + """<script>document.querySelector('crowd-image-classifier').onchange = () => {
            more.innerHTML = '<label><input type="checkbox" name="more" value="a"> More</label>';
        }</script>""",
        advance=True,
    )
    window.keyboard.press("1")
    frame.get_by_label("More").check()
    frame.get_by_role("button", name="Submit").click()
    assert answer(window) == {"crowd-image-classifier": {"label": "cat"}, "more": {"a": True}}


def test_two_fingers_zoom_and_one_moves_the_image_on_a_tablet(server, browser):
    server.shown = Shown(SINGLE, {"taskObject": PHOTO, "labels": ["cat", "dog"]}, {})
    tablet = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True)
    window = tablet.new_page()
    window.goto(server.url)
    window.wait_for_function("received.some((message) => message.labeljob === 'ready')")
    frame = window.frames[1]
    box = frame.locator("labeljob-viewer .view").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fitted = scale(frame)
    touch(tablet, window, [[(x - 40, y), (x + 40, y)], [(x - 120, y), (x + 120, y)]])
    assert scale(frame) == pytest.approx(3 * fitted, rel=0.02)
    before = viewer(frame, "(viewer) => viewer.placement.x")
    touch(tablet, window, [[(x, y)], [(x - 50, y)]])
    assert viewer(frame, "(viewer) => viewer.placement.x") == pytest.approx(before - 50, abs=1)
    tablet.close()


def touch(tablet, window, steps):
    device = tablet.new_cdp_session(window)
    for number, points in enumerate(steps):
        said = {
            "type": "touchMove" if number else "touchStart",
            "touchPoints": [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)],
        }
        device.send("Input.dispatchTouchEvent", said)
    device.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_the_documentation_names_every_element():
    source = Path(portal.__file__).parent / "pages/src"
    here = set(
        re.findall(
            r'@customElement\("(\S+)"\)', "".join(f.read_text() for f in source.rglob("*.ts"))
        )
    )
    page = Path(__file__).resolve().parents[3] / "docs/reference/worker-pages.md"
    told = page.read_text("utf-8")
    assert {name for name in here if f"`{name}`" not in told} == {
        "labeljob-viewer",
        "labeljob-surface",
    }
