"""CVAT's XML "CVAT for images 1.1", one file for each annotator [1]_.

CVAT's shapes do not tell who drew them; its jobs and tasks tell to whom they were assigned. So
each annotator's job is exported by itself, and all files are given together.

References
----------
.. [1] CVAT documentation, "XML annotation format".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from labeljob.formats.imports.foreign import (
    ForeignAnswer,
    ForeignImages,
    ImportProblem,
    Region,
    moment_of,
    polygon_pixels,
)

VERSION = "1.1"
UNDERSTOOD = ("tag", "polygon", "mask")
_ASSIGNED = ("meta/job/assignee", "meta/task/assignee")
_LABELS = ("meta/job/labels/label", "meta/task/labels/label", "meta/project/labels/label")


def read_cvat(
    paths: Sequence[Path], *, advance: Callable[[], object] = lambda: None
) -> ForeignImages:
    """Read XML exports of CVAT, one for each annotator; raises `ImportProblem`.

    What an annotator said of an image is skipped if anything in it is neither tag, polygon nor
    mask. An annotator without an assignee is called as the file.
    """
    found = ForeignImages()
    workers: dict[str, Path] = {}
    for path in paths:
        root = _root(path)
        worker = _worker(root, path)
        if worker in workers:
            raise ImportProblem(f"is of {worker}, as {workers[worker]} is", path=path)
        workers[worker] = path
        labels = [label.findtext("name", "") for top in _LABELS for label in root.iterfind(top)]
        found.labels = tuple(dict.fromkeys([*found.labels, *filter(None, labels)]))
        found.made_at = moment_of(root.findtext("meta/dumped")) or found.made_at
        for image in root.iterfind("image"):
            name = image.get("name")
            if not name:
                raise ImportProblem("an image has no name", path=path)
            given = found.answers.setdefault(name, [])
            try:
                given.append(_answer(image, worker, path))
            except ImportProblem as error:
                found.skipped.append(str(error))
            advance()
    return found


def _root(path: Path) -> ET.Element:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise ImportProblem(f"cannot be read ({error.strerror})", path=path) from error
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise ImportProblem("has a document type, which CVAT's exports do not have", path=path)
    try:
        root = ET.fromstring(body)
    except ET.ParseError as error:
        raise ImportProblem(f"is not XML ({error})", path=path) from error
    if root.tag != "annotations" or root.findtext("version") != VERSION:
        raise ImportProblem(f"is no CVAT XML of version {VERSION}", path=path)
    if root.find("track") is not None:
        raise ImportProblem("is CVAT for video; export as CVAT for images", path=path)
    return root


def _worker(root: ET.Element, path: Path) -> str:
    names = (root.findtext(f"{place}/username") for place in _ASSIGNED)
    return next((name for name in names if name), path.stem)


def _answer(image: ET.Element, worker: str, path: Path) -> ForeignAnswer:
    where = f"image {image.get('name')}"
    try:
        size = (int(image.get("height", "")), int(image.get("width", "")))
    except ValueError as error:
        raise ImportProblem("has no width and height", path=path, where=where) from error
    choices, regions = [], []
    for shape in sorted(image, key=_order):
        label = shape.get("label")
        if shape.tag not in UNDERSTOOD or not label:
            raise ImportProblem(
                f"{shape.tag!r} is none of {', '.join(UNDERSTOOD)} with a label",
                path=path,
                where=where,
            )
        if shape.tag == "tag":
            choices.append(label)
            continue
        regions.append(Region(label, partial(_pixels, shape, size, path, where)))
    return ForeignAnswer(
        worker=worker,
        choices=tuple(dict.fromkeys(choices)),
        regions=tuple(regions),
        size=size,
    )


def _pixels(shape: ET.Element, size: tuple[int, int], path: Path, where: str) -> Any:
    try:
        return _polygon(shape, size) if shape.tag == "polygon" else _mask(shape, size)
    except ValueError as error:
        raise ImportProblem(f"{shape.tag}: {error}", path=path, where=where) from error


def _order(shape: ET.Element) -> int:
    """What lies under what; shapes of one level stay in their order."""
    text = shape.get("z_order", "0")
    return int(text) if text.lstrip("-").isdecimal() else 0


def _polygon(shape: ET.Element, size: tuple[int, int]) -> Any:
    pairs = [pair.split(",") for pair in shape.get("points", "").split(";") if pair.strip()]
    corners = [(float(x), float(y)) for x, y in pairs]
    if len(corners) < 3:
        raise ValueError("has fewer than three points")
    return polygon_pixels(corners, size)


def _mask(shape: ET.Element, size: tuple[int, int]) -> Any:
    """Runs within a box, row by row; the first is of pixels outside."""
    left, top, width, height = (
        int(float(shape.get(key, ""))) for key in ("left", "top", "width", "height")
    )
    runs = np.array(list(_numbers(shape.get("rle", ""))), dtype=np.int64)
    if int(runs.sum()) != width * height or min(left, top, width, height) < 0:
        raise ValueError(f"its runs have {int(runs.sum())} pixels, and its box {width * height}")
    if left + width > size[1] or top + height > size[0]:
        raise ValueError("its box lies outside the image")
    inside = np.repeat(np.arange(runs.size) % 2 == 1, runs).reshape(height, width)
    pixels = np.zeros(size, dtype=bool)
    pixels[top : top + height, left : left + width] = inside
    return pixels


def _numbers(text: str) -> Iterator[int]:
    for part in text.split(","):
        number = int(part)
        if number < 0:
            raise ValueError("a run is negative")
        yield number
