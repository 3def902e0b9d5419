"""Made-up crews that outline made-up objects: data for the segmentation benchmarks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

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
    """How a worker works.

    Attributes
    ----------
    shift : float
        Standard deviation, in pixels of an image 1080 rows high, of the smooth displacement.
    jitter : float
        The same for each corner on its own.
    miss, swap : float
        Probability to leave an object out, and to give it the next class.
    spam : str
        ``"empty"``, ``"flood"`` (one class everywhere) or ``"shapes"`` (objects that are not
        there); empty for a worker who tries.
    """

    shift: float = 0.0
    jitter: float = 0.0
    miss: float = 0.0
    swap: float = 0.0
    spam: str = ""


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
    """Objects of one picture.

    Attributes
    ----------
    shape : tuple of int
        (rows, columns).
    outlines : sequence of ndarray, shape (n_corners, 2)
        Corners of each object, as (column, row).
    classes : ndarray of int, shape (n_objects,)
        Class of each object, from 1.
    n_classes : int
        With BACKGROUND.
    """

    shape: tuple[int, int]
    outlines: Sequence[NDArray[np.float64]]
    classes: NDArray[np.int64]
    n_classes: int


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
    """Class map that a worker makes of a scene.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        Of int32 for more than 256 classes.
    """
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
    """A class map as a browser's canvas holds it: labels in their colours, the rest transparent.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 4)
    """
    table = np.zeros((n_classes, 4), np.uint8)
    for index, color in enumerate(colors_of(n_classes), start=1):
        table[index] = [*bytes.fromhex(color[1:]), 255]
    return table[classes]
