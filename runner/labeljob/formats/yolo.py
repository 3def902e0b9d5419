"""YOLO segmentation: a text file for each image, a polygon a line.

A line is the class's index from 0, then x and y of each corner as shares of width and height.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import yaml

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.target import Target

DIGITS = 6
TRAIN = "train"


def export_yolo(images: Iterable[LabeledImage], target: Target) -> None:
    """Write labels/PART, copies of the images in images/PART, and data.yaml.

    Without parts there is one, train.
    """
    for image in images:
        lines = list(_lines(image))
        split = image.split or TRAIN
        target.write_lines(f"labels/{split}/{image.stem}.txt", lines)
        target.copy_image(image, f"images/{split}")
        target.counts["labeled images"] += 1
        target.counts["polygons"] += len(lines)
    parts = {split: f"images/{split}" for split in target.splits}
    dataset = {  # without a path, so that the folder of data.yaml counts
        **(parts or {TRAIN: f"images/{TRAIN}", "val": f"images/{TRAIN}"}),
        "names": dict(enumerate(target.classes)),
    }
    text = yaml.safe_dump(dataset, sort_keys=False, allow_unicode=True)
    target.write("data.yaml", text.encode())
    if not parts:
        target.notes.append(
            "data.yaml names the same images for train and val; --split divides them"
        )


def _lines(image: LabeledImage) -> Iterator[str]:
    from labeljob.formats.polygons import polygons_of  # scikit-image, which an extra brings

    if image.mask is None:
        return
    for index in np.unique(image.mask[image.mask > 0]).tolist():
        for points in polygons_of(image.mask == index):
            shares = (points / image.mask.shape)[:, ::-1].clip(0, 1)
            numbers = " ".join(f"{share:.{DIGITS}g}" for share in shares.ravel().tolist())
            yield f"{index - 1} {numbers}"
