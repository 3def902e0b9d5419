import numpy as np
import pytest

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.reader import read_mask
from tests.unit.masks.png_builder import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    build_png,
    painted,
)

DRAWN = np.array([[0, 0, 1, 1, 1], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]])
COLORS = {1: "#2ca02c", 2: "#1f77b4"}
GREEN, WHITE, BLACK = (44, 160, 44), (255, 255, 255), (0, 0, 0)


def read(png, colors=COLORS):
    return read_mask(png, colors=colors, shape=DRAWN.shape, name_of=str)


def picture(values, color_type, depth=8, **options):
    """A PNG of the values of what is ground and what is drawn."""
    return build_png(painted(DRAWN, values), color_type=color_type, depth=depth, **options)


def empty(png, colors=COLORS):
    mask, notes = read(png, colors)
    return not mask.to_array().any() and (notes.near_pixels, notes.snapped_pixels) == (0, 0)


def refused(png, colors=COLORS):
    with pytest.raises(UnusableAnswer) as caught:
        read(png, colors)
    return caught.value.reason == "unreadable-colors"


BINARY = [
    pytest.param(picture([[0], [255]], GREY), id="grey"),
    pytest.param(picture([[255], [0]], GREY), id="grey-black-on-white"),
    pytest.param(picture([[0], [1]], GREY, 1), id="1-bit"),
    pytest.param(picture([[0], [3]], GREY, 2), id="2-bits"),
    pytest.param(build_png(DRAWN[..., None] * 65535, color_type=GREY, depth=16), id="16-bits"),
    pytest.param(picture([[0, 255], [255, 255]], GREY_ALPHA), id="grey-alpha"),
    pytest.param(picture([[0, 0], [255, 255]], GREY_ALPHA), id="white-on-transparent"),
    pytest.param(picture([[0, 0], [0, 255]], GREY_ALPHA), id="black-on-transparent"),
    pytest.param(picture([[0], [255]], GREY, transparency=b"\0\0"), id="a-transparent-grey"),
    pytest.param(picture([BLACK, WHITE], RGB), id="rgb"),
    pytest.param(picture([(*BLACK, 255), (*WHITE, 255)], RGBA), id="rgba"),
    pytest.param(
        picture([[0], [1]], PALETTE, 1, palette=bytes([*BLACK, *WHITE])), id="1-bit-palette"
    ),
]


@pytest.mark.parametrize("png", BINARY)
@pytest.mark.parametrize(
    "colors", [COLORS, {**COLORS, 3: "#808080"}, {}], ids=["labels", "grey-label", "no-labels"]
)
def test_a_drawing_in_black_and_white_is_no_vote_for_background(png, colors):
    assert refused(png, colors)


@pytest.mark.parametrize("png", [each for each in BINARY if "transparen" not in each.id])
def test_black_and_white_are_read_where_a_label_owns_one_of_them(png):
    white, _ = read(png, {1: "#ffffff"})
    black, _ = read(png, {1: "#000000"})
    assert white.to_array().any()
    np.testing.assert_array_equal(white.to_array() + black.to_array(), np.ones(DRAWN.shape))


@pytest.mark.parametrize(
    ("value", "color_type"),
    [
        pytest.param([255], GREY, id="white-grey"),
        pytest.param([0], GREY, id="black-grey"),
        pytest.param([0, 0], GREY_ALPHA, id="transparent-grey"),
        pytest.param([255, 0], GREY_ALPHA, id="transparent-white-grey"),
        pytest.param(WHITE, RGB, id="white"),
        pytest.param(BLACK, RGB, id="black"),
        pytest.param((*BLACK, 0), RGBA, id="transparent"),
    ],
)
def test_a_canvas_on_which_nothing_was_drawn_is_an_answer(value, color_type):
    assert empty(picture([value, value], color_type))


def test_transparent_pixels_of_a_grey_file_are_alike_whatever_their_grey():
    assert empty(picture([[0, 0], [200, 0]], GREY_ALPHA))


@pytest.mark.parametrize(
    ("ground", "numbers"),
    [
        pytest.param(BLACK, (1, 1, 1), id="class-1"),
        pytest.param(BLACK, (2, 0, 0), id="class-2-in-red"),
        pytest.param((1, 1, 1), (2, 2, 2), id="classes-1-and-2"),
        pytest.param((1, 1, 1), (1, 1, 1), id="class-1-throughout"),
        pytest.param(WHITE, (2, 2, 2), id="on-white"),
    ],
)
def test_numbers_of_classes_are_not_taken_for_black(ground, numbers):
    assert refused(picture([ground, numbers], RGB))
    assert refused(picture([(*ground, 255), (*numbers, 255)], RGBA))
    assert refused(picture([(*BLACK, 0), (*numbers, 255)], RGBA))


def test_numbers_of_classes_are_refused_in_grey_though_a_label_is_grey():
    assert refused(picture([[0], [1]], GREY), {1: "#808080"})


@pytest.mark.parametrize("alpha", [1, 26, 254])
def test_what_erasing_leaves_behind_is_background(alpha):
    mask, _ = read(picture([(*BLACK, 0), (2, 1, 0, alpha)], RGBA))
    assert not mask.to_array().any()


def test_nearly_black_edges_of_a_label_are_background():
    pixels = painted(DRAWN, [(*BLACK, 255), (*GREEN, 255)])
    pixels[2, 0] = (0, 2, 0, 255)
    mask, notes = read(build_png(pixels))
    np.testing.assert_array_equal(mask.to_array(), DRAWN)
    assert notes.near_pixels == 1


def test_a_nearly_black_colour_of_background_is_its_own():
    colors = {0: "#010101", **COLORS}
    assert empty(picture([(*BLACK, 0), (1, 1, 1, 255)], RGBA), colors)


@pytest.mark.parametrize(
    ("own", "values", "color_type"),
    [
        pytest.param("#ffffff", [BLACK, WHITE], RGB, id="white-on-black"),
        pytest.param("#000000", [WHITE, BLACK], RGB, id="black-on-white"),
        pytest.param("#808080", [[0], [128]], GREY, id="grey"),
        pytest.param("#ffffff", [(*BLACK, 0), (*WHITE, 255)], RGBA, id="on-transparent"),
    ],
)
def test_what_is_painted_in_the_colour_of_background_is_background(own, values, color_type):
    assert empty(picture(values, color_type), {0: own, **COLORS})
