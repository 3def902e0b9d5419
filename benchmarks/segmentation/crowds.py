"""Crews with known truth for the quality benchmark: made-up pools and real data sets.

The real data sets are not part of this project; those that are absent are left out.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.segmentation.drawings import POOLS, TRUTH, annotate, make_scene

DRAWS = 10  # crews of sffg for each size


@dataclass(frozen=True, eq=False)
class Picture:
    """What a crew made of a picture, and what it should have made."""

    truth: NDArray[np.uint8]  # class of each pixel
    maps: list[NDArray[np.uint8]]  # what each worker drew
    workers: list[str]  # who they are; empty where that is not known


@dataclass(frozen=True)
class Crowd:
    """A data set with crews of one size."""

    name: str  # the same for all draws of crews from one data set
    n_classes: int  # with BACKGROUND
    pictures: list[Picture]  # at least one
    outlines: bool = True  # whether workers drew outlines, so that boundaries mean something
    careless: frozenset[str] = frozenset()  # the workers who did not try, where that is known


def synthetic(pool: str, n_classes: int, n_workers: int, n_pictures: int = 40) -> Crowd:
    """Crews drawn from one pool of workers, who stay the same from picture to picture."""
    random = np.random.default_rng([len(pool), n_classes, n_workers])
    kinds = POOLS[pool]
    pictures: list[Picture] = []
    for _ in range(n_pictures):
        scene = make_scene((180, 320), n_classes, random, 14)
        crew = random.choice(len(kinds), n_workers, replace=False)
        maps = [annotate(scene, kinds[worker], random) for worker in crew]
        pictures.append(Picture(annotate(scene, TRUTH, random), maps, [str(w) for w in crew]))
    careless = frozenset(str(index) for index, kind in enumerate(kinds) if kind.spam)
    return Crowd(f"{pool} k{n_classes} n{n_workers}", n_classes, pictures, careless=careless)


def lidc(folder: Path, *, with_line: bool = False) -> Crowd:
    """Nodules that four radiologists outlined; each in turn is the truth for the others.

    The files leave out the line of the outline itself; `with_line` puts it back, by a pixel all
    round.
    """
    pictures: list[Picture] = []
    for item in json.loads((folder / "lidc" / "index.json").read_text()):
        planes = np.asarray(Image.open(folder / "lidc" / "masks" / f"{item['id']}.png"))
        maps = [(planes >> reader & 1).astype(np.uint8) for reader in range(4)]
        pictures.extend(_leave_one_out([_widened(one) for one in maps] if with_line else maps))
    return Crowd("lidc n3 with the line" if with_line else "lidc n3", 2, pictures)


def bsds(folder: Path, n_pictures: int = 120) -> Crowd:
    """Photographs that several people cut into segments; each in turn is the truth."""
    pictures: list[Picture] = []
    for item in json.loads((folder / "bsds" / "index.json").read_text())[:n_pictures]:
        stacked = np.asarray(Image.open(folder / "bsds" / "masks" / f"{item['id']}.png"))
        pictures.extend(_leave_one_out(list(stacked.reshape(item["raters"], item["height"], -1))))
    return Crowd("bsds n3..7", 11, pictures)


def sffg(
    folder: Path, n_workers: int, draw: int, *, careless: bool = False, scale: int = 7
) -> Crowd:
    """Clouds that volunteers boxed; the truth is the vote of other volunteers.

    There is one crew per picture; another `draw` has other crews. With `careless` one worker
    of each crew, always the same one, draws one class everywhere.
    """
    random = np.random.default_rng([n_workers, careless, draw])
    content = json.loads((folder / "sffg" / "annotations.json").read_text())
    pictures: list[Picture] = []
    for item in content["images"]:
        truth = np.asarray(Image.open(folder / "sffg" / "gold" / f"{item['id']}.png"))
        crew = [str(w) for w in random.choice(sorted(item["voters"]), n_workers, replace=False)]
        maps = [_boxes(item["voters"][w], truth.shape)[::scale, ::scale].copy() for w in crew]
        if careless:
            crew[0], maps[0] = "careless", np.full_like(maps[0], random.integers(1, 5))
        pictures.append(Picture(truth[::scale, ::scale].copy(), maps, crew))
    name = f"sffg n{n_workers}" + (" careless" if careless else "")
    known = frozenset({"careless"} if careless else ())
    return Crowd(name, 5, pictures, outlines=False, careless=known)


def crowds(data: Path | None) -> Iterator[Crowd]:
    """The made-up pools, and the data sets of a folder that are there."""
    for pool in POOLS:
        for n_classes in (2, 5, 11):
            for n_workers in (3, 5):
                yield synthetic(pool, n_classes, n_workers)
    folder = data / "segmentation" if data is not None else None
    if folder is None or not folder.is_dir():
        print(f"the real sets are left out: there is no {folder}", file=sys.stderr)
        return
    yield lidc(folder)
    yield lidc(folder, with_line=True)
    yield bsds(folder)
    for n_workers in (3, 5, 9):
        for careless in (False, True):
            for draw in range(DRAWS):
                yield sffg(folder, n_workers, draw, careless=careless)


def _leave_one_out(maps: list[NDArray[np.uint8]]) -> Iterator[Picture]:
    for index, truth in enumerate(maps):
        if truth.any():  # who skipped a picture is no judge of it
            yield Picture(truth, maps[:index] + maps[index + 1 :], [])


def _widened(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask of 0 and 1 with the pixels that touch it, by a side or a corner."""
    around = np.pad(mask, 2)
    rows, columns = mask.shape[0] + 2, mask.shape[1] + 2
    parts = (around[i : i + rows, j : j + columns] for i in range(3) for j in range(3))
    return np.maximum.reduce(list(parts))


def _boxes(boxes: list[list[int]], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    classes = np.zeros(shape, np.uint8)
    for index, left, top, right, bottom in boxes:
        classes[top:bottom, left:right] = index
    return classes
