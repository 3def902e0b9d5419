"""What a simulated worker paints on the segmentation page, and the PNG that the page makes of it.

A browser's canvas is 8 bits red, green, blue, alpha; its encoder uses the filter Sub on every
row (W3C, "Portable Network Graphics Specification (Second Edition)", 2003, section 9).
"""

import colorsys
import math
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeljob.simulation.workers import SimulatedWorker

_VERTICES = 24


def star_shapes(
    shape: tuple[int, int], n_classes: int, count: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Paint random star-shaped polygons (class index + 1), later ones over earlier ones."""
    from skimage.draw import polygon

    mask = np.zeros(shape, dtype=np.uint8)
    extent = float(min(shape))
    angles = np.linspace(0.0, 2.0 * np.pi, _VERTICES, endpoint=False)
    for _ in range(count):
        radius = rng.uniform(0.08, 0.25) * extent
        wobble = rng.normal(0.0, 0.15, size=3) @ np.cos(
            np.outer([2, 3, 5], angles) + rng.uniform(0.0, 2.0 * np.pi, size=(3, 1))
        )
        radii = radius * np.clip(1.0 + wobble, 0.3, 1.7)
        row, column = rng.uniform(0.0, shape[0]), rng.uniform(0.0, shape[1])
        rows, columns = row + radii * np.sin(angles), column + radii * np.cos(angles)
        inside = polygon(rows, columns, shape)  # type: ignore[no-untyped-call]
        mask[inside] = rng.integers(1, n_classes + 1)
    return mask


_WAVE = 0.03  # length over which boundaries wander, as a share of the diagonal


def paint(
    worker: SimulatedWorker,
    truth: NDArray[np.uint8],
    n_classes: int,
    pair: tuple[int, int] | None,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Paint a mask as the worker would.

    Objects, that is connected regions of one class, are missed or painted as another class;
    then all boundaries are shifted by a smooth random field.
    """
    rows, columns = truth.shape
    if worker.kind == "spammer":
        if rng.random() < 0.5:
            return np.full((rows, columns), rng.integers(1, n_classes + 1), dtype=np.uint8)
        return star_shapes((rows, columns), n_classes, int(rng.integers(1, 6)), rng)
    seen = _seen_objects(worker, truth, n_classes, pair, rng)
    return _displaced(seen, worker.skill.boundary_shift * math.hypot(rows, columns), rng)


def _seen_objects(
    worker: SimulatedWorker,
    truth: NDArray[np.uint8],
    n_classes: int,
    pair: tuple[int, int] | None,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Leave objects out and give objects another class, each on its own."""
    from skimage.measure import label

    regions = label(truth, background=0)  # type: ignore[no-untyped-call]
    classes = np.zeros(int(regions.max()) + 1, dtype=np.uint8)
    classes[regions.ravel()] = truth.ravel()
    if pair is not None:
        first, second = pair[0] + 1, pair[1] + 1
        taken = rng.random(classes.size) < worker.skill.confusion
        classes = np.select(
            [taken & (classes == first), taken & (classes == second)],
            [np.uint8(second), np.uint8(first)],
            classes,
        )
    swapped = (rng.random(classes.size) < worker.skill.swap_rate) & (classes > 0)
    step = rng.integers(1, max(n_classes, 2), size=classes.size)
    others = ((classes.astype(np.int64) - 1 + step) % n_classes + 1).astype(np.uint8)
    classes = np.where(swapped, others, classes)
    classes[rng.random(classes.size) < worker.skill.miss_rate] = 0
    seen: NDArray[np.uint8] = classes[regions]
    return seen


def _displaced(
    mask: NDArray[np.uint8], sigma: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Move every boundary by a smooth field of standard deviation `sigma` pixels.

    The field is white noise on a coarse grid, filtered with a Gaussian as wide as the grid's
    spacing and evaluated at each pixel, once for rows and once for columns.  It is computed in
    bands, so that memory grows with the image's width and not with its area.
    """
    rows, columns = mask.shape
    spacing = max(_WAVE * math.hypot(rows, columns), 2.0)
    down, across = _gaussian_rows(rows, spacing), _gaussian_rows(columns, spacing).T
    noise = rng.normal(0.0, sigma, size=(2, down.shape[1], across.shape[0])).astype(np.float32)
    # Not `@`: for matrices this small the threads of a BLAS cost more than they save.
    along = np.einsum("kij,jc->kic", noise, across)
    result = np.empty_like(mask)
    column_numbers = np.arange(columns, dtype=np.float32)
    for start in range(0, rows, _BAND_ROWS):
        band = slice(start, min(start + _BAND_ROWS, rows))
        row_numbers = np.arange(band.start, band.stop, dtype=np.float32)[:, np.newaxis]
        from_row = np.rint(np.einsum("ri,ic->rc", down[band], along[0]) + row_numbers).astype(
            np.intp
        )
        from_column = np.rint(np.einsum("ri,ic->rc", down[band], along[1]) + column_numbers).astype(
            np.intp
        )
        np.clip(from_row, 0, rows - 1, out=from_row)
        np.clip(from_column, 0, columns - 1, out=from_column)
        result[band] = mask[from_row, from_column]
    return result


def _gaussian_rows(length: int, spacing: float) -> NDArray[np.float32]:
    """Weights of the coarse grid at each pixel, scaled so that unit noise stays unit noise."""
    grid = np.arange(-2.0, length / spacing + 3.0) * spacing
    weights = np.exp(-0.5 * ((np.arange(length)[:, np.newaxis] - grid) / spacing) ** 2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return weights.astype(np.float32)


ELEMENT_COLORS = (
    "#2ca02c",
    "#1f77b4",
    "#ff7f0e",
    "#d62728",
    "#9467bd",
    "#8c564b",
    "#e377c2",
    "#7f7f7f",
    "#bcbd22",
    "#17becf",
)
"""Colours that crowd-semantic-segmentation gives the labels, in order, as far as is known."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FILTER_SUB = 1
_BAND_ROWS = 256
_GOLDEN_TURN = 0.618033988749895


def label_colors(labels: Sequence[str]) -> dict[str, str]:
    """Give each label its colour.

    Examples
    --------
    >>> label_colors(["water", "sky"])
    {'water': '#2ca02c', 'sky': '#1f77b4'}
    """
    colors = list(ELEMENT_COLORS[: len(labels)])
    turn = 0
    while len(colors) < len(labels):
        turn += 1
        value = 0.45 + 0.5 * ((turn * 7) % 11) / 10.0
        rgb = colorsys.hsv_to_rgb(turn * _GOLDEN_TURN % 1.0, 0.75, value)
        color = "#" + "".join(f"{round(channel * 255):02x}" for channel in rgb)
        if color not in colors:
            colors.append(color)
    return dict(zip(labels, colors, strict=True))


def canvas_png(mask: NDArray[np.uint8], colors: Sequence[str]) -> bytes:
    """Encode a mask (0 for background, else the class's index + 1) as the page's canvas does."""
    rows, columns = mask.shape
    palette = np.zeros((len(colors) + 1, 4), dtype=np.uint8)
    for place, color in enumerate(colors, start=1):
        palette[place] = (*bytes.fromhex(color.removeprefix("#")), 255)
    header = struct.pack(">2I5B", columns, rows, 8, 6, 0, 0, 0)
    packer = zlib.compressobj(level=3)
    data = b"".join(
        packer.compress(_filtered(palette[mask[start : start + _BAND_ROWS]]))
        for start in range(0, rows, _BAND_ROWS)
    )
    chunks = _chunk(b"IHDR", header), _chunk(b"IDAT", data + packer.flush()), _chunk(b"IEND", b"")
    return _SIGNATURE + b"".join(chunks)


def _filtered(pixels: NDArray[np.uint8]) -> bytes:
    """Rows as a PNG stores them: the filter's number, then each byte less the pixel before."""
    rows, columns, channels = pixels.shape
    stored = np.empty((rows, 1 + columns * channels), dtype=np.uint8)
    stored[:, 0] = _FILTER_SUB
    flat = pixels.reshape(rows, -1)
    stored[:, 1 : 1 + channels] = flat[:, :channels]
    np.subtract(flat[:, channels:], flat[:, :-channels], out=stored[:, 1 + channels :])
    return stored.tobytes()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
