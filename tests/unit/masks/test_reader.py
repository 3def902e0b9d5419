import numpy as np
import pytest

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.reader import majority_size, mask_size, read_mask
from tests.unit.masks.png_builder import (
    GREY,
    GREY_ALPHA,
    PAETH,
    PALETTE,
    RGB,
    RGBA,
    build_png,
    painted,
)

NAMES = ["BACKGROUND", "water", "sky"]
COLORS = {1: "#2ca02c", 2: "#1f77b4"}
GREEN, BLUE, WHITE, BLACK = (44, 160, 44), (31, 119, 180), (255, 255, 255), (0, 0, 0)
CLASSES = np.array([[0, 0, 1, 1, 1], [0, 2, 2, 1, 1], [2, 2, 2, 2, 0]])
OPAQUE = [(*WHITE, 255), (*GREEN, 255), (*BLUE, 255)]


def read(png, *, colors=COLORS, shape=CLASSES.shape):
    return read_mask(png, colors=colors, shape=shape, name_of=NAMES)


def reason(png, **options):
    with pytest.raises(UnusableAnswer) as caught:
        read(png, **options)
    return caught.value.reason


def rgba(colors=OPAQUE, classes=CLASSES, **options):
    return build_png(painted(classes, colors), **options)


@pytest.mark.parametrize(
    "background",
    [
        pytest.param((0, 0, 0, 0), id="transparent"),
        pytest.param((44, 160, 44, 0), id="transparent-in-a-label's-colour"),
        pytest.param((255, 255, 255, 255), id="white"),
        pytest.param((0, 0, 0, 255), id="black"),
        pytest.param((255, 255, 255, 7), id="nearly-transparent-white"),
    ],
)
def test_what_no_label_owns_is_background(background):
    mask, notes = read(rgba([background, *OPAQUE[1:]]))
    np.testing.assert_array_equal(mask.to_array(), CLASSES)
    assert (notes.near_pixels, notes.snapped_pixels, notes.rescaled) == (0, 0, False)


def test_white_and_black_belong_to_the_label_that_owns_them():
    colors = {1: "#ffffff", 2: "#000000"}
    mask, _ = read(rgba([(9, 9, 9, 0), (*WHITE, 255), (*BLACK, 255)]), colors=colors)
    np.testing.assert_array_equal(mask.to_array(), CLASSES)


def test_the_background_class_may_have_a_colour_of_its_own():
    mask, _ = read(rgba([(1, 50, 90, 255), *OPAQUE[1:]]), colors={0: "#01325a", **COLORS})
    np.testing.assert_array_equal(mask.to_array(), CLASSES)


@pytest.mark.parametrize(
    ("color_type", "depth", "extra"),
    [
        pytest.param(RGB, 8, {}, id="rgb"),
        pytest.param(RGBA, 8, {}, id="rgba"),
        pytest.param(RGBA, 8, {"filters": range(5)}, id="all-filters"),
        pytest.param(RGBA, 8, {"interlace": True}, id="interlaced"),
        pytest.param(RGBA, 8, {"idat_size": 1}, id="one-byte-chunks"),
    ],
)
def test_kinds_of_true_colour(color_type, depth, extra):
    channels = 3 if color_type == RGB else 4
    pixels = painted(CLASSES, OPAQUE)[..., :channels]
    mask, _ = read(build_png(pixels, color_type=color_type, depth=depth, **extra))
    np.testing.assert_array_equal(mask.to_array(), CLASSES)


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("depth", [2, 4, 8])
def test_a_palette_is_read_by_its_colours_not_its_numbers(depth, interlace):
    order = np.array([2, 0, 1])  # entry of each class
    palette = bytes([*GREEN, *BLUE, *WHITE])
    png = build_png(
        order[CLASSES][..., None],
        color_type=PALETTE,
        depth=depth,
        palette=palette,
        interlace=interlace,
    )
    np.testing.assert_array_equal(read(png)[0].to_array(), CLASSES)


def test_a_palette_entry_may_be_transparent():
    png = build_png(
        CLASSES[..., None],
        color_type=PALETTE,
        palette=bytes([*BLUE, *GREEN, *BLUE]),
        transparency=b"\x00",
    )
    np.testing.assert_array_equal(read(png)[0].to_array(), CLASSES)


def test_one_bit_palette():
    classes = np.array([[1, 1, 0], [0, 1, 0]])
    png = build_png(
        classes[..., None], color_type=PALETTE, depth=1, palette=bytes([*WHITE, *GREEN])
    )
    np.testing.assert_array_equal(read(png, shape=(2, 3))[0].to_array(), classes)


def test_a_pixel_outside_the_palette_is_damage():
    png = build_png(CLASSES[..., None], color_type=PALETTE, palette=bytes([*WHITE, *GREEN]))
    assert reason(png) == "bad-png"


def test_a_colour_that_rgb_declares_transparent_is_background():
    pixels = painted(CLASSES, [(1, 2, 3), GREEN, BLUE])
    png = build_png(pixels, color_type=RGB, transparency=bytes([0, 1, 0, 2, 0, 3]))
    np.testing.assert_array_equal(read(png)[0].to_array(), CLASSES)


@pytest.mark.parametrize(
    ("color_type", "depth", "pixels"),
    [
        pytest.param(GREY, 8, CLASSES[..., None], id="grey"),
        pytest.param(GREY, 2, CLASSES[..., None], id="grey-2-bits"),
        pytest.param(GREY, 16, CLASSES[..., None] * 257, id="grey-16-bits"),
        pytest.param(GREY_ALPHA, 8, np.stack([CLASSES, 255 + 0 * CLASSES], -1), id="grey-alpha"),
    ],
)
def test_greys_that_are_no_label_are_refused_even_near_black(color_type, depth, pixels):
    assert reason(build_png(pixels, color_type=color_type, depth=depth)) == "unreadable-colors"


@pytest.mark.parametrize(
    ("depth", "scale"), [pytest.param(8, 1, id="8-bits"), pytest.param(16, 257, id="16-bits")]
)
def test_grey_is_read_where_labels_are_grey(depth, scale):
    greys = np.array([255, 128, 64])[CLASSES][..., None] * scale
    png = build_png(greys, color_type=GREY, depth=depth)
    mask, _ = read(png, colors={1: "#808080", 2: "#404040"})
    np.testing.assert_array_equal(mask.to_array(), CLASSES)


def test_grey_with_a_transparent_grey():
    png = build_png(CLASSES[..., None], color_type=GREY, depth=2, transparency=b"\x00\x00")
    mask, _ = read(png, colors={1: "#555555", 2: "#aaaaaa"})
    np.testing.assert_array_equal(mask.to_array(), CLASSES)


@pytest.mark.parametrize(("color_type", "channels"), [(RGB, 3), (RGBA, 4)])
def test_16_bits_are_read_where_8_hold_them(color_type, channels):
    pixels = painted(CLASSES, OPAQUE)[..., :channels].astype(int) * 257
    mask, _ = read(build_png(pixels, color_type=color_type, depth=16, filters=[PAETH]))
    np.testing.assert_array_equal(mask.to_array(), CLASSES)
    pixels[1, 2, 0] += 1
    assert reason(build_png(pixels, color_type=color_type, depth=16)) == "unsupported-png"


def test_16_bits_that_8_do_not_hold_are_refused_in_grey():
    pixels = CLASSES[..., None] * 256
    assert reason(build_png(pixels, color_type=GREY, depth=16)) == "unsupported-png"
    pairs = np.zeros((*CLASSES.shape, 2), int)
    assert reason(build_png(pairs, color_type=GREY_ALPHA, depth=16)) == "unsupported-png"


def test_an_empty_mask_is_an_answer():
    mask, _ = read(rgba(classes=np.zeros((40, 50), int)), shape=(40, 50))
    assert mask.starts.tolist() == [0]
    assert mask.classes.tolist() == [0]


def test_two_labels_of_one_colour_are_named():
    with pytest.raises(UnusableAnswer, match=r"'water'.*'sky'") as caught:
        read(rgba(), colors={1: "#2ca02c", 2: "#2ca02c"})
    assert caught.value.reason == "ambiguous-color"


def test_a_colour_that_cannot_be_read_is_refused_and_other_spellings_are_not():
    assert reason(rgba(), colors={1: "green", 2: "#1f77b4"}) == "bad-color"
    mask, _ = read(rgba(), colors={1: " #2CA02C", 2: "#1F77B4"})
    np.testing.assert_array_equal(mask.to_array(), CLASSES)


def test_names_may_come_from_a_function():
    with pytest.raises(UnusableAnswer, match=r"'class 1'.*'class 2'"):
        read_mask(
            rgba(),
            colors={1: "#2ca02c", 2: "#2ca02c"},
            shape=None,
            name_of=lambda index: f"class {index}",
        )


def test_more_labels_than_a_byte_counts():
    colors = {index: f"#{index * 5000:06x}" for index in range(1, 1001)}
    classes = np.arange(1001).reshape(7, 143)
    values = np.array([0xFFFFFF] + [index * 5000 for index in range(1, 1001)])[classes]
    pixels = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=-1)
    png = build_png(pixels, color_type=RGB)
    mask, _ = read_mask(png, colors=colors, shape=(7, 143), name_of=str)
    np.testing.assert_array_equal(mask.to_array(), classes)


@pytest.mark.parametrize("scale", [(2, 2), (4, 4), (3, 3)])
def test_a_mask_in_its_images_proportions_is_rescaled(scale):
    large = np.kron(CLASSES, np.ones(scale, int))
    mask, notes = read(rgba(classes=large))
    np.testing.assert_array_equal(mask.to_array(), CLASSES)
    assert notes.rescaled
    mask, notes = read(rgba(), shape=large.shape)
    np.testing.assert_array_equal(mask.to_array(), large)
    assert notes.rescaled


@pytest.mark.parametrize(
    "shape", [(5, 3), (3, 6), (300, 501 * 2), (15, 15), (1, 1), (13, 25), (3 * 5, 5 * 5)]
)
def test_other_sizes_are_refused(shape):
    assert reason(rgba(), shape=shape) == "wrong-size"


@pytest.mark.parametrize(
    ("columns", "accepted"),
    [(1010, True), (1011, False), (991, True), (989, False)],
)
def test_proportions_may_be_off_by_one_percent(columns, accepted):
    png = rgba(classes=np.ones((1000, columns), int))
    if accepted:
        mask, notes = read(png, shape=(1000, 1000))
        assert mask.shape == (1000, 1000)
        assert notes.rescaled
    else:
        assert reason(png, shape=(1000, 1000)) == "wrong-size"


@pytest.mark.parametrize(("side", "accepted"), [(40, True), (41, False)])
def test_a_mask_may_have_sixteen_times_the_pixels_of_its_image(side, accepted):
    png = rgba(classes=np.ones((side, side), int))
    if accepted:
        assert read(png, shape=(10, 10))[0].shape == (10, 10)
    else:
        assert reason(png, shape=(10, 10)) == "wrong-size"


def test_any_size_is_taken_where_none_is_known():
    assert read(rgba(), shape=None)[0].shape == CLASSES.shape


def test_size_of_a_mask_and_of_most_masks():
    assert mask_size(rgba()) == (3, 5)
    assert majority_size([]) is None
    assert majority_size([(2, 3), (4, 6), (2, 3)]) == (2, 3)
    assert majority_size([(2, 3), (4, 6)]) == (4, 6)
