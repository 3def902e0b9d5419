import time

import numpy as np
import pytest

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.color_classes import classify, color_table
from groundtruth.masks.color_runs import ColorRuns
from groundtruth.masks.near_colors import FAR, REACH, NearColors


def numbers(rgb):
    return (rgb.astype(np.uint32) @ np.array([1, 1 << 8, 1 << 16])).astype(np.uint32)


def by_comparing_all(rgb, colors):
    distance = np.abs(rgb[:, None].astype(int) - colors).max(axis=2)
    best = distance.min(axis=1)
    near = best <= REACH
    return np.where(near, distance.argmin(axis=1), -1), np.where(near, best, FAR)


@pytest.mark.parametrize("n_colors", [1, 2, 11, 300])
@pytest.mark.parametrize(("low", "high"), [(0, 256), (0, 20), (90, 110), (240, 256)])
def test_what_is_found_is_what_comparing_with_all_finds(n_colors, low, high):
    draw = np.random.default_rng([n_colors, low])
    colors = draw.integers(low, high, (n_colors, 3)).astype(np.int16)
    off = draw.integers(-REACH - 1, REACH + 2, (2000, 3))
    close = colors[draw.integers(0, n_colors, 2000)] + off
    rgb = np.vstack([draw.integers(0, 256, (2000, 3)), np.clip(close, 0, 255)])
    which, distance = NearColors(colors).nearest(numbers(rgb))
    expected = by_comparing_all(rgb, colors)
    np.testing.assert_array_equal(which, expected[0])
    np.testing.assert_array_equal(distance, expected[1])
    assert NearColors(colors).possible(numbers(rgb))[expected[0] >= 0].all()


def noise(n_labels):
    draw = np.random.default_rng(7)
    shades = draw.choice(1 << 24, n_labels, replace=False).tolist()
    table = color_table({at: f"#{shade:06x}" for at, shade in enumerate(shades, 1)}, str)
    pixels = np.full((200_000, 4), 255, np.uint8)
    pixels[:, :3] = draw.integers(0, 256, (200_000, 3))
    return ColorRuns(np.arange(200_000), pixels, (400, 500)), table


def seconds_to_refuse(runs, table):
    began = time.process_time()
    with pytest.raises(UnusableAnswer, match="colour of no label"):
        classify(runs, table)
    return time.process_time() - began


def test_noise_is_refused_as_soon_with_many_labels_as_with_few():
    few, many = noise(5), noise(500)
    shortest = min(seconds_to_refuse(*few) for _ in range(3))
    assert min(seconds_to_refuse(*many) for _ in range(3)) < 10 * shortest + 0.02
