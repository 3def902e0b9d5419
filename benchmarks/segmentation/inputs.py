"""Inputs of the segmentation benchmarks: answers as text files, and class maps in memory."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.segmentation.canvas_png import canvas_png
from benchmarks.segmentation.drawings import (
    AVERAGE,
    GOOD,
    SLOPPY,
    annotate,
    colors_of,
    make_scene,
    painted,
)
from groundtruth.masks.reader import decode_base64_png, read_mask
from groundtruth.masks.runs import RunMask

KINDS = (GOOD, AVERAGE, AVERAGE, SLOPPY)


@dataclass(frozen=True)
class Size:
    """One data object of a benchmark.

    Attributes
    ----------
    name : str
        Also the name of its folder.
    shape : tuple of int
        (rows, columns).
    n_classes, n_workers, n_objects : int
        Classes with BACKGROUND, workers, and objects in the picture.
    noise : float
        Share of the pixels that are replaced by random classes.
    """

    name: str
    shape: tuple[int, int]
    n_classes: int
    n_workers: int
    n_objects: int = 18
    noise: float = 0.0

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
