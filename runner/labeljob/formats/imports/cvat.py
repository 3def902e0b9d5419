"""CVAT's XML "CVAT for images 1.1", of jobs, tasks or projects [1]_.

CVAT's shapes do not tell who drew them; its jobs and tasks tell to whom they were assigned. So
the files of all annotators' jobs are given together, or that of a project with a task for each.

References
----------
.. [1] CVAT documentation, "XML annotation format".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from labeljob.formats.imports.foreign import (
    Choice,
    ForeignAnswer,
    ForeignImages,
    ImportProblem,
    Region,
    fill_polygon,
    parse_time,
)
from labeljob.jobs.images import MAX_PIXELS

VERSION = "1.1"
TAG, REGIONS = "tag", ("polygon", "mask")


def read_cvat(paths: Sequence[Path]) -> ForeignImages:
    """Read XML exports of CVAT; raises `ImportProblem`.

    An annotator is the assignee of a job or a task. Without one, each file is an annotator of its
    own, called as the file, and so is each task of a project.
    """
    found = ForeignImages(origin={"tool": "cvat"})
    stems = Counter(path.stem for path in paths)
    for path in paths:
        root = _read_root(path)
        alone = stems[path.stem] == 1
        workers = _find_workers(root, path.stem if alone else str(path.with_suffix("")))
        for label in root.iterfind("meta/*/labels/label"):
            kind = label.findtext("type") or "any"
            if kind in ("any", TAG):
                found.choice_labels.append(label.findtext("name", ""))
            if kind in ("any", *REGIONS):
                found.region_labels.append(label.findtext("name", ""))
        found.made_at = parse_time(root.findtext("meta/dumped")) or found.made_at
        for image in root.iterfind("image"):
            name = image.get("name")
            if not name:
                raise ImportProblem("an image has no name", where=path)
            task = image.get("task_id") if len(workers) > 1 else next(iter(workers))
            if task not in workers:
                raise ImportProblem(
                    "does not tell of which task each image is; export each task by itself",
                    where=path,
                )
            given = found.answers.setdefault(name, [])
            try:
                given.append(_read_answer(image, workers[task], f"{path}, image {name}", found))
            except ImportProblem as error:
                found.skipped.append(str(error))
    return found


def _read_root(path: Path) -> ET.Element:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise ImportProblem(f"cannot be read ({error.strerror})", where=path) from error
    if body.startswith(b"PK"):
        raise ImportProblem("is a ZIP archive; give the annotations.xml in it", where=path)
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise ImportProblem("has a document type, which CVAT's exports do not have", where=path)
    try:
        root = ET.fromstring(body)
    except ET.ParseError as error:
        raise ImportProblem(f"is not XML ({error})", where=path) from error
    if root.tag != "annotations" or root.findtext("version") != VERSION:
        raise ImportProblem(f"is no CVAT XML of version {VERSION}", where=path)
    if root.find("track") is not None:
        raise ImportProblem("is CVAT for video; export as CVAT for images", where=path)
    return root


def _find_workers(root: ET.Element, default: str) -> dict[str | None, str]:
    """Who annotated the images of each task of a project, or of the only job or task."""
    tasks = root.findall("meta/project/tasks/task")
    if not tasks:
        assigned = (root.findtext(f"meta/{kind}/assignee/username") for kind in ("job", "task"))
        return {None: next(filter(None, assigned), default)}
    return {
        task.findtext("id"): task.findtext("assignee/username") or f"task-{task.findtext('id')}"
        for task in tasks
    }


def _read_answer(image: ET.Element, worker: str, where: str, found: ForeignImages) -> ForeignAnswer:
    try:
        size = (int(image.get("height", "")), int(image.get("width", "")))
    except ValueError as error:
        raise ImportProblem("has no width and height", where=where) from error
    choices: list[Choice] = []
    regions: list[Region] = []
    others: list[str] = []
    for shape in sorted(image, key=_read_level):
        label = shape.get("label")
        if label and shape.tag == TAG:
            choices.append(Choice(label, (TAG, "")))
        elif label and shape.tag in REGIONS:
            draw = partial(_draw, shape, size, where, found)
            regions.append(Region(label, (shape.tag, ""), draw))
        else:
            others.append(shape.tag)
    return ForeignAnswer(
        worker=worker,
        where=where,
        choices=tuple(choices),
        regions=tuple(regions),
        others=tuple(others),
        size=size,
    )


def _read_level(shape: ET.Element) -> int:
    """What lies under what; shapes of one level stay in their order."""
    text = shape.get("z_order", "0")
    return int(text) if text.lstrip("-").isdecimal() else 0


def _draw(shape: ET.Element, size: tuple[int, int], where: str, found: ForeignImages) -> Any:
    try:
        if shape.tag == "polygon":
            pairs = [pair.split(",") for pair in shape.get("points", "").split(";") if pair.strip()]
            corners = [(float(x), float(y)) for x, y in pairs]
            if len(corners) < 3:
                raise ValueError("has fewer than three points")
            return fill_polygon(corners, size)
        pixels, is_cut = _draw_mask(shape, size)
    except (ValueError, OverflowError) as error:
        raise ImportProblem(f"{shape.tag}: {error}", where=where) from error
    if is_cut:
        found.leave_out("the part of a mask outside the image", where)
    return pixels


def _draw_mask(shape: ET.Element, size: tuple[int, int]) -> tuple[Any, bool]:
    """Runs within a box, row by row; the first is of pixels outside. And whether it was cut."""
    left, top, width, height = (
        int(float(shape.get(key, ""))) for key in ("left", "top", "width", "height")
    )
    runs = np.array([int(part) for part in shape.get("rle", "").split(",")], dtype=np.int64)
    if runs.min() < 0 or min(width, height) < 1:
        raise ValueError("a run or the box is negative")
    if width * height > MAX_PIXELS:
        raise ValueError(f"its box of {width} x {height} pixels is too large")
    if int(runs.sum()) != width * height:
        raise ValueError(f"its runs have {int(runs.sum())} pixels, and its box {width * height}")
    inside = np.repeat(np.arange(runs.size) % 2 == 1, runs).reshape(height, width)
    rows = slice(max(0, -top), max(0, size[0] - top))
    columns = slice(max(0, -left), max(0, size[1] - left))
    seen = inside[rows, columns]
    pixels = np.zeros(size, dtype=bool)
    row, column = max(0, top), max(0, left)
    pixels[row : row + seen.shape[0], column : column + seen.shape[1]] = seen
    return pixels, bool(seen.sum() < inside.sum())
