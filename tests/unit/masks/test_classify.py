import numpy as np
import pytest

from groundtruth.errors import UnusableAnswer
from groundtruth.masks import classify as module
from groundtruth.masks.classify import classify, color_table
from groundtruth.masks.reader import read_mask
from groundtruth.masks.runs import ColorRuns
from tests.unit.masks.png_builder import RGB, build_png, painted

GREEN, BLUE = (44, 160, 44), (31, 119, 180)
CLASSES = np.array([[0, 0, 1, 1, 1], [0, 2, 2, 1, 1], [2, 2, 2, 2, 0]])


def read(png, shape=CLASSES.shape):
    return read_mask(png, colors={1: "#2ca02c", 2: "#1f77b4"}, shape=shape, name_of=["", "a", "b"])


def reason(png, shape=CLASSES.shape):
    with pytest.raises(UnusableAnswer) as caught:
        read(png, shape)
    return caught.value.reason


@pytest.mark.parametrize(
    ("alpha", "off"), [(255, 2), (102, 2), (51, 3), (32, 4), (26, 5), (13, 5), (1, 5)]
)
def test_colours_a_browser_blurred_by_storing_alpha_are_recognised(alpha, off):
    colors = [(0, 0, 0, 0), (44 - off, 160 + off, 44, alpha), (31, 119, 180 - off, alpha)]
    mask, notes = read(build_png(painted(CLASSES, colors)))
    np.testing.assert_array_equal(mask.to_array(), CLASSES)
    assert notes.near_pixels == (CLASSES > 0).sum()


@pytest.mark.parametrize(("alpha", "off"), [(255, 3), (102, 3), (51, 4), (26, 6), (1, 6)])
def test_colours_further_off_are_not(alpha, off):
    colors = [(0, 0, 0, 0), (44, 160 + off, 44, alpha), (*BLUE, 255)]
    assert reason(build_png(painted(CLASSES, colors))) == "unreadable-colors"


def test_pixels_of_a_smoothed_edge_take_the_side_they_look_like():
    pixels = np.tile(np.array([*GREEN, 255], np.uint8), (20, 30, 1))
    pixels[:, 15:] = [*BLUE, 255]
    pixels[4, 14:17] = [(41, 150, 70, 255), (38, 140, 112, 255), (34, 127, 152, 255)]
    mask, notes = read(build_png(pixels), shape=(20, 30))
    row = mask.to_array()[4]
    assert row[13:18].tolist() == [1, 1, 1, 2, 2] or row[13:18].tolist() == [1, 1, 2, 2, 2]
    assert notes.snapped_pixels == 3


def test_a_smoothed_edge_against_transparency_belongs_to_the_label():
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[:, 15:] = [*BLUE, 255]
    pixels[4, 14] = [50, 100, 150, 60]
    mask, notes = read(build_png(pixels), shape=(20, 30))
    assert mask.to_array()[4, 13:16].tolist() == [0, 2, 2]
    assert notes.snapped_pixels == 1


@pytest.mark.parametrize(("unknown", "accepted"), [(12, True), (13, False)])
def test_more_than_two_percent_of_unknown_pixels_are_too_many(unknown, accepted):
    pixels = np.tile(np.array([*GREEN, 255], np.uint8), (20, 30, 1))
    pixels[:unknown, 5] = (200, 10, 100, 255)
    png = build_png(pixels)
    if accepted:
        mask, notes = read(png, shape=(20, 30))
        assert notes.snapped_pixels == unknown
        assert (mask.to_array() == 1).all()
    else:
        assert reason(png, shape=(20, 30)) == "unreadable-colors"


def striped(unknown_rows, shape=(200, 8)):
    """Green on the left and blue on the right, above blue alone; some rows are unknown."""
    pixels = np.tile(np.array([*GREEN, 255], np.uint8), (*shape, 1))
    pixels[:, 5:] = pixels[100:] = [*BLUE, 255]
    pixels[unknown_rows] = (200, 10, 100, 255)
    expected = np.where((pixels == [*GREEN, 255]).all(axis=-1), 1, 2)
    return pixels, expected


@pytest.mark.parametrize(
    ("rows", "source"),
    [
        pytest.param([50], 49, id="the-row-above"),
        pytest.param([98, 99, 100], 97, id="the-next-known-row-above"),
        pytest.param([0, 1], 2, id="below-if-there-is-none-above"),
        pytest.param([199], 198, id="the-last-row"),
    ],
)
def test_a_row_of_unknown_pixels_takes_after_another_pixel_by_pixel(rows, source):
    pixels, expected = striped(rows)
    expected[rows] = expected[source]
    mask, notes = read(build_png(pixels), shape=(200, 8))
    np.testing.assert_array_equal(mask.to_array(), expected)
    assert notes.snapped_pixels == 8 * len(rows)


def test_rows_take_after_others_once_their_neighbours_are_filled():
    pixels, expected = striped([50])
    pixels[49, 4] = (40, 150, 60, 255)
    expected[50] = expected[49]
    mask, notes = read(build_png(pixels), shape=(200, 8))
    np.testing.assert_array_equal(mask.to_array(), expected)
    assert notes.snapped_pixels == 9


@pytest.mark.parametrize("rows", [[10, 60, 110, 150, 199], range(200)], ids=["some", "all"])
def test_unknown_rows_count_as_unknown_pixels(rows):
    pixels, _ = striped(list(rows))
    assert reason(build_png(pixels), shape=(200, 8)) == "unreadable-colors"


def test_in_noise_a_row_takes_after_another_too():
    painted_as = np.random.default_rng(3).integers(0, 3, (300, 400))
    pixels = painted(painted_as, [(0, 0, 0, 0), (*GREEN, 255), (*BLUE, 255)])
    pixels[120] = (200, 10, 100, 255)
    painted_as[120] = painted_as[119]
    mask, _ = read(build_png(pixels), shape=(300, 400))
    np.testing.assert_array_equal(mask.to_array(), painted_as)


def test_many_labels_are_kept_apart():
    random = np.random.default_rng(8)
    shades = random.choice(1 << 24, 4000, replace=False)
    names = {index: f"#{shade:06x}" for index, shade in enumerate(shades.tolist(), start=1)}
    rgba = np.full((4000, 4), 255, np.uint8)
    rgba[:, :3] = [list(bytes.fromhex(name[1:])) for name in names.values()]
    runs = ColorRuns(np.arange(4000), rgba, (40, 100))
    result = classify(runs, color_table(names, str))
    np.testing.assert_array_equal(result.mask.to_array().ravel(), np.arange(1, 4001))
    assert (result.near_pixels, result.snapped_pixels) == (0, 0)


@pytest.mark.parametrize("channels", [3, 4], ids=["rgb", "rgba"])
@pytest.mark.parametrize("filters", [[0], [1], [2], [4]], ids=["none", "sub", "up", "paeth"])
@pytest.mark.parametrize("noisy", [slice(None), slice(100, 200)], ids=["all", "in-the-middle"])
def test_noise_is_read_pixel_by_pixel(channels, filters, noisy):
    painted_as = np.zeros((300, 400), np.int64)
    painted_as[noisy] = np.random.default_rng(9).integers(0, 5, (300, 400))[noisy]
    colors = [(255, 255, 255, 255), (*GREEN, 255), (*BLUE, 255), (0, 0, 0, 255), (44, 161, 44, 255)]
    pixels = painted(painted_as, np.array(colors)[:, :channels])
    options = {"color_type": RGB} if channels == 3 else {}
    png = build_png(pixels, filters=filters, **options)
    mask, notes = read(png, shape=painted_as.shape)
    np.testing.assert_array_equal(mask.to_array(), np.array([0, 1, 2, 0, 1])[painted_as])
    assert (notes.near_pixels, notes.snapped_pixels) == ((painted_as == 4).sum(), 0)


def noise(n_labels):
    draw = np.random.default_rng(7)
    shades = draw.choice(1 << 24, n_labels, replace=False).tolist()
    table = color_table({at: f"#{shade:06x}" for at, shade in enumerate(shades, 1)}, str)
    pixels = np.full((200_000, 4), 255, np.uint8)
    pixels[:, :3] = draw.integers(0, 256, (200_000, 3))
    return ColorRuns(np.arange(200_000), pixels, (400, 500)), table


@pytest.mark.parametrize("n_labels", [5, 500])
def test_noise_is_refused_before_its_colours_are_compared_with_labels(n_labels, monkeypatch):
    runs, table = noise(n_labels)
    monkeypatch.setattr(module, "_find_nearest", lambda *_: pytest.fail("colours are compared"))
    with pytest.raises(UnusableAnswer, match="colour of no label"):
        classify(runs, table)


@pytest.mark.parametrize("n_colors", [1, 2, 11, 300])
@pytest.mark.parametrize(("low", "high"), [(0, 256), (0, 20), (90, 110), (240, 256)])
@pytest.mark.parametrize("alpha", [255, 60, 1])
def test_the_nearest_label_counts_if_it_is_near_enough(n_colors, low, high, alpha):
    reach = {255: 2, 60: 3, 1: 5}[alpha]
    draw = np.random.default_rng([n_colors, low])
    colors = np.unique(draw.integers(low, high, (n_colors, 3)), axis=0)
    off = draw.integers(-6, 7, (2000, 3))
    rgb = np.clip(colors[draw.integers(0, len(colors), 2000)] + off, 0, 255)
    every = np.vstack([colors, [[255, 255, 255], [0, 0, 0]]])
    distance = np.abs(rgb[:, None] - every).max(axis=2)
    rgb, distance = (values[distance.min(axis=1) <= reach] for values in (rgb, distance))
    pixels = np.full((len(rgb), 4), alpha, np.uint8)
    pixels[:, :3] = rgb
    names = {at: f"#{bytes(color).hex()}" for at, color in enumerate(colors.tolist(), 1)}
    result = classify(
        ColorRuns(np.arange(len(rgb)), pixels, (1, len(rgb))), color_table(names, str)
    )
    owners = np.append(np.arange(1, len(colors) + 1), [0, 0])
    for index, color in enumerate(colors.tolist(), 1):
        for value, at in (([255] * 3, -2), ([0] * 3, -1)):
            owners[at] = index if color == value else owners[at]
    np.testing.assert_array_equal(result.mask.to_array().ravel(), owners[distance.argmin(axis=1)])
    assert result.near_pixels == (distance.min(axis=1) > 0).sum()
