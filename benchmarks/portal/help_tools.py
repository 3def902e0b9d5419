"""What the help tools of the segmentation editor find: overlap with outlines by hand, and CPU time.

    python -m benchmarks.portal.help_tools [--output FILE]

Superpixels are painted with perfect choice: each goes to what the most of it belongs to. Four
points are clicked exactly, and inexactly: off by a share of the object's size. Packages with
photographs are fetched the first time.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.common.record import ROOT, output_option, run_record, table, write_result
from benchmarks.portal.photographs import MODEL, OutlinedObject, download, read_model, read_objects
from labeljob.portal.help_tools.extreme_points import PredictObject, find_object
from labeljob.portal.help_tools.object_model import ObjectModel
from labeljob.portal.help_tools.superpixels import COUNTS, divide

SEED = 0
INEXACT = 0.03
"""How far off the inexact points are: one standard deviation, as a share of the object's size."""

GOOD = 0.85

Mask = NDArray[np.bool_]
Tool = Callable[[OutlinedObject, np.random.Generator], Mask]


def overlap(first: Mask, second: Mask) -> float:
    """Intersection over union."""
    return float((first & second).sum() / (first | second).sum())


def paint_superpixels(count: int) -> Tool:
    """Those of which most belongs to the object."""

    def paint(item: OutlinedObject, rng: np.random.Generator) -> Mask:
        regions = divide(item.image, count).ravel()
        shares = np.bincount(regions, item.mask.ravel()) / np.bincount(regions)
        return (shares > 0.5)[regions].reshape(item.mask.shape)

    return paint


def click_points(*, off: float = 0.0, predict: PredictObject | None = None) -> Tool:
    """Four extreme points, off by a share of the object's size."""

    def paint(item: OutlinedObject, rng: np.random.Generator) -> Mask:
        points = np.array(item.extreme_points)
        points += rng.normal(0, off * np.sqrt(item.mask.sum()), points.shape) if off else 0
        points = np.clip(points, 0, item.image.size)
        found = find_object(item.image, [tuple(point) for point in points], predict=predict)
        mask = np.zeros_like(item.mask)
        height, width = found.pixels.shape
        mask[found.top : found.top + height, found.left : found.left + width] = found.pixels
        return mask

    return paint


def draw_quadrilateral(item: OutlinedObject, rng: np.random.Generator) -> Mask:
    """The four points joined, which needs no computer."""
    top, bottom, left, right = item.extreme_points
    drawn = Image.new("1", item.image.size)
    ImageDraw.Draw(drawn).polygon([top, right, bottom, left], fill=1)
    return np.array(drawn)


def measure(name: str, paint: Tool, objects: Sequence[OutlinedObject]) -> dict[str, Any]:
    """A row of the table."""
    rng = np.random.default_rng(SEED)
    began = time.process_time()
    overlaps = np.array([overlap(paint(item, rng), item.mask) for item in objects])
    seconds = (time.process_time() - began) / len(objects)
    return {
        "tool": name,
        "iou": float(overlaps.mean()),
        "median": float(np.median(overlaps)),
        "good": float((overlaps >= GOOD).mean()),
        "worst": float(overlaps.min()),
        "cpu_seconds": seconds,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    output_option(parser, "help-tools")
    options = parser.parse_args(arguments)
    folder = download(ROOT / ".tools")
    objects = read_objects(folder)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / MODEL
        path.write_bytes(read_model(folder))
        predict = ObjectModel(path).predict
    tools = {
        "four points joined": draw_quadrilateral,
        "four points, color models": click_points(),
        "four points, color models, inexact": click_points(off=INEXACT),
        "four points, color models and U2-Netp": click_points(predict=predict),
    }
    tools |= {f"superpixels, {count}": paint_superpixels(count) for count in COUNTS}
    rows = [measure(name, paint, objects) for name, paint in tools.items()]
    columns = ["tool", "iou", "median", "good", "worst", "cpu_seconds"]
    write_result(
        options.output,
        {
            "run": run_record("benchmarks.portal.help_tools", {}, seed=SEED),
            "photographs": len({item.photograph for item in objects}),
            "objects": len(objects),
            "tools": table(rows, columns),
        },
    )


if __name__ == "__main__":
    main()
