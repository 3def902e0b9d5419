"""Crews that outline made-up objects: answers as PNG files of a canvas, and as class maps."""

import base64
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from groundtruth.masks.reader import decode_base64_png, read_mask
from groundtruth.masks.runs import RunMask

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHUNK_SIZE = 8192


def canvas_png(rgba: NDArray[np.uint8], *, level: int = 3) -> bytes:
    """8-bit RGBA, filter Sub on every row, zlib level 3, data chunks of 8 KiB."""
    rows, columns, _ = rgba.shape
    lines = np.empty((rows, 1 + 4 * columns), np.uint8)
    lines[:, 0] = 1
    lines[:, 1:5] = rgba[:, 0]
    lines[:, 5:] = (rgba[:, 1:] - rgba[:, :-1]).reshape(rows, -1)
    data = zlib.compress(lines, level)
    parts = [SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0))]
    parts.extend(
        _chunk(b"IDAT", data[start : start + CHUNK_SIZE])
        for start in range(0, len(data), CHUNK_SIZE)
    )
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


COLORS = [
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
]


@dataclass(frozen=True)
class Kind:
    """How a worker works."""

    # Standard deviation of the smooth displacement, in pixels of an image 1080 rows high:
    shift: float = 0.0
    jitter: float = 0.0  # the same for each corner on its own
    miss: float = 0.0  # probability to leave an object out
    swap: float = 0.0  # probability to give an object the next class
    spam: str = ""  # "empty", "flood" (one class everywhere) or "shapes" (not there), if at all


TRUTH = Kind()
GOOD = Kind(shift=2, jitter=0.7, miss=0.02, swap=0.02)
AVERAGE = Kind(shift=4, jitter=1.2, miss=0.06, swap=0.05)
SLOPPY = Kind(shift=9, jitter=3.0, miss=0.15, swap=0.10)
SPAMMERS = (Kind(spam="empty"), Kind(spam="flood"), Kind(spam="shapes"))

# Workers of each pool; a crew is drawn from it without repetition.
POOLS: dict[str, tuple[Kind, ...]] = {
    "even": (AVERAGE,) * 20,
    "mixed": (GOOD,) * 8 + (AVERAGE,) * 14 + (SLOPPY,) * 5 + SPAMMERS,
    "bad": (GOOD,) * 6 + (AVERAGE,) * 12 + (SLOPPY,) * 6 + SPAMMERS * 2,
}


@dataclass(frozen=True, eq=False)
class Scene:
    """Objects of one picture."""

    shape: tuple[int, int]  # (rows, columns)
    outlines: Sequence[NDArray[np.float64]]  # corners of each object, as (column, row)
    classes: NDArray[np.int64]  # class of each object, from 1
    n_classes: int  # with BACKGROUND


def make_scene(
    shape: tuple[int, int], n_classes: int, random: np.random.Generator, n_objects: int = 40
) -> Scene:
    """Star-shaped objects of several sizes anywhere in a picture."""
    size = min(shape)
    outlines = []
    for _ in range(n_objects):
        radius = size * random.uniform(0.03, 0.16)
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        waves = sum(
            random.normal(0, 0.12) * np.cos(k * angle + random.uniform(0, 6)) for k in range(2, 6)
        )
        at = random.uniform((0, 0), (shape[1], shape[0]))
        reach = (radius * np.maximum(1 + waves, 0.2))[:, None]
        outlines.append(at + reach * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    classes = random.integers(1, n_classes, n_objects)
    return Scene(shape, outlines, classes, n_classes)


def annotate(scene: Scene, kind: Kind, random: np.random.Generator) -> NDArray[np.uint8]:
    """Class map that a worker makes of a scene."""
    if kind.spam == "empty":
        return np.zeros(scene.shape, np.uint8)
    if kind.spam == "flood":
        return np.full(scene.shape, random.integers(1, scene.n_classes), np.uint8)
    if kind.spam == "shapes":
        scene = make_scene(scene.shape, scene.n_classes, random, len(scene.outlines))
    scale = min(scene.shape) / 1080
    field = random.normal(0, kind.shift * scale, (6, 6, 2))
    image = Image.new("L" if scene.n_classes <= 256 else "I", scene.shape[::-1])
    draw = ImageDraw.Draw(image)
    for outline, true_class in zip(scene.outlines, scene.classes, strict=True):
        missed, swapped = random.random(2) < (kind.miss, kind.swap)
        noise = random.normal(0, kind.jitter * scale, outline.shape)
        corners = outline + _displacement(outline, field, scene.shape) + noise
        given = int(true_class) % (scene.n_classes - 1) + 1 if swapped else int(true_class)
        if not missed:
            draw.polygon([(float(x), float(y)) for x, y in corners], fill=given)
    return np.asarray(image)


def _displacement(
    points: NDArray[np.float64], field: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Displacement of points, a smooth field being known on a coarse grid."""
    last = np.array(field.shape[:2]) - 1
    at = np.clip(points[:, ::-1] / shape, 0, 1) * last
    low = np.minimum(at.astype(int), last - 1)
    part = at - low
    part = (part * part * (3 - 2 * part))[:, :, None]
    row, column = low.T
    top = field[row, column] * (1 - part[:, 1]) + field[row, column + 1] * part[:, 1]
    below = field[row + 1, column] * (1 - part[:, 1]) + field[row + 1, column + 1] * part[:, 1]
    return np.asarray(top * (1 - part[:, 0]) + below * part[:, 0])


def colors_of(n_classes: int) -> list[str]:
    """``#rrggbb`` of each class but BACKGROUND."""
    extra = (f"#{0x101010 + index * 4099:06x}" for index in range(n_classes))
    return [*COLORS[: n_classes - 1], *extra][: n_classes - 1]


def painted(classes: NDArray[np.uint8], n_classes: int) -> NDArray[np.uint8]:
    """A class map as a browser's canvas holds it: labels in their colours, the rest transparent."""
    table = np.zeros((n_classes, 4), np.uint8)
    for index, color in enumerate(colors_of(n_classes), start=1):
        table[index] = [*bytes.fromhex(color[1:]), 255]
    return table[classes]


KINDS = (GOOD, AVERAGE, AVERAGE, SLOPPY)


@dataclass(frozen=True)
class Size:
    """One data object of a benchmark."""

    name: str  # also the name of its folder
    shape: tuple[int, int]  # (rows, columns)
    n_classes: int  # with BACKGROUND
    n_workers: int
    n_objects: int = 18  # in the picture
    noise: float = 0.0  # share of the pixels that are replaced by random classes

    @property
    def colors(self) -> dict[int, str]:
        """Colour of each class but BACKGROUND."""
        return dict(enumerate(colors_of(self.n_classes), start=1))


SMALL = Size("small", (64, 64), 11, 5)
"""What a method is run on before it is measured."""

SIZES = {
    size.name: size
    for size in (
        Size("512px-k11-n3", (512, 512), 11, 3),
        Size("512px-k50-n9", (512, 512), 50, 9, 50),
        Size("1080p-k2-n5", (1080, 1920), 2, 5),
        Size("1080p-k11-n3", (1080, 1920), 11, 3),
        Size("1080p-k11-n5", (1080, 1920), 11, 5),
        Size("1080p-k11-n9", (1080, 1920), 11, 9),
        Size("1080p-k50-n9", (1080, 1920), 50, 9),
        Size("1080p-k300-n5", (1080, 1920), 300, 5, 300),
        Size("12mp-k11-n5", (3000, 4000), 11, 5, 40),
        Size("12mp-k11-n9", (3000, 4000), 11, 9, 40),
        Size("100mp-k11-n5", (10_000, 10_000), 11, 5, 100),
        Size("1080p-k11-n5-noise-1", (1080, 1920), 11, 5, noise=0.01),
        Size("1080p-k11-n5-noise-10", (1080, 1920), 11, 5, noise=0.1),
        Size("1080p-k11-n5-noise-100", (1080, 1920), 11, 5, noise=1.0),
    )
}


def write_inputs(size: Size, folder: Path) -> None:
    """Make the answers of a data object, unless they are there."""
    target = folder / size.name
    if (target / "size.json").exists():
        return
    target.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    scene = make_scene(size.shape, size.n_classes, random, size.n_objects)
    for worker in range(size.n_workers):
        classes = annotate(scene, KINDS[worker % len(KINDS)], random)
        if size.noise:
            replaced = random.random(size.shape) < size.noise
            other = random.integers(0, size.n_classes, size.shape)
            classes = np.where(replaced, other, classes).astype(classes.dtype)
        png = canvas_png(painted(classes, size.n_classes))
        (target / f"{worker}.txt").write_bytes(base64.b64encode(png))
    (target / "size.json").write_text(json.dumps({"workers": size.n_workers}))


def texts(size: Size, folder: Path) -> list[str]:
    """The answers' base64 texts."""
    return [(folder / size.name / f"{worker}.txt").read_text() for worker in range(size.n_workers)]


def masks(size: Size, folder: Path) -> list[RunMask]:
    """The answers as runs of classes."""
    return [
        read_mask(decode_base64_png(text), colors=size.colors, shape=size.shape, name_of=str)[0]
        for text in texts(size, folder)
    ]


def class_maps(size: Size, folder: Path) -> list[NDArray[np.uint8]] | list[NDArray[np.uint16]]:
    """The answers as class maps of one byte per pixel, or two for more than 256 classes."""
    if size.n_classes > 256:
        return [mask.to_array() for mask in masks(size, folder)]
    return [mask.to_array().astype(np.uint8) for mask in masks(size, folder)]
