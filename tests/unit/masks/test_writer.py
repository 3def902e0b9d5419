import io
import struct

import numpy as np
import pytest
from PIL import Image

from groundtruth.masks.classify import color_bytes
from groundtruth.masks.runs import RunMask
from groundtruth.masks.writer import write_levels, write_mask

PALETTE = ["#ffffff", "#2ca02c", "#1f77b4", "#ff7f0e"]


def chunks(png):
    position, found = 8, []
    while position < len(png):
        (length,) = struct.unpack_from(">I", png, position)
        found.append((png[position + 4 : position + 8], png[position + 8 : position + 8 + length]))
        position += 12 + length
    return found


def opened(png):
    image = Image.open(io.BytesIO(png), formats=("PNG",))
    image.load()
    return image


def test_the_layout_is_that_of_ground_truths_own_masks():
    grid = np.random.default_rng(1).integers(0, 4, (6, 8))
    png = write_mask(RunMask.from_array(grid), PALETTE)
    names = [name for name, _ in chunks(png)]
    assert names == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    (_, header), (_, palette) = chunks(png)[:2]
    assert struct.unpack(">IIBBBBB", header) == (8, 6, 8, 3, 0, 0, 0)
    assert palette == b"".join(bytes(color_bytes(c)) for c in PALETTE) + b"\xff" * (252 * 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 70_000), (700, 300), (3, 200_001)])
def test_pixel_value_is_class_and_colour_is_that_of_the_class(shape):
    grid = np.random.default_rng(2).integers(0, 4, shape)
    image = opened(write_mask(RunMask.from_array(grid), PALETTE))
    assert image.mode == "P"
    np.testing.assert_array_equal(np.asarray(image), grid)
    colors = np.array([color_bytes(color) for color in PALETTE])
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), colors[grid])


@pytest.mark.parametrize(("n_classes", "mode"), [(256, "P"), (257, "RGB"), (1000, "RGB")])
def test_more_classes_than_a_palette_holds_give_rgb(n_classes, mode):
    palette = [f"#{index:06x}" for index in range(n_classes)]
    grid = np.arange(n_classes).reshape(-1, 1).repeat(3, axis=1)
    image = opened(write_mask(RunMask.from_array(grid), palette))
    assert image.mode == mode
    rgb = np.asarray(image.convert("RGB")).astype(int)
    np.testing.assert_array_equal(rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2], grid)


def test_the_same_mask_gives_the_same_bytes_however_its_runs_are_cut():
    whole = RunMask.from_array(np.zeros((40, 50), int))
    cut = RunMask(np.arange(2000), np.zeros(2000, np.uint16), (40, 50))
    assert write_mask(whole, PALETTE) == write_mask(cut, PALETTE)


def test_levels_are_written_in_grey():
    grid = np.arange(256).reshape(8, 32)
    image = opened(write_levels(RunMask.from_array(grid)))
    assert image.mode == "L"
    np.testing.assert_array_equal(np.asarray(image), grid)
    with pytest.raises(ValueError, match="255"):
        write_levels(RunMask.from_array(grid + 1))


def test_a_class_without_a_colour_is_refused():
    with pytest.raises(ValueError, match="class 4 "):
        write_mask(RunMask.from_array(np.array([[4]])), PALETTE)
