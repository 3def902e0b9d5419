"""One CSV file with a row for each image."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import numpy as np
from PIL import Image

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.target import Target

FILE = "labels.csv"
COLUMNS = ("file", "labels", "confidence", "status", "split", "mask", "object_id", "source")


def export_csv(images: Iterable[LabeledImage], target: Target) -> None:
    """Write labels.csv, copies of the images in images/, and masks as PNGs in masks/.

    Several labels of an image are separated by semicolons. A mask's pixel is 0 for the background,
    else the number of its line in classes.txt.
    """
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    rows.writeheader()
    for image in images:
        copied = target.copy_image(image, "images")
        mask = ""
        if image.mask is not None:
            mask = f"masks/{image.stem}.png"
            target.write(mask, png_of(image))
        rows.writerow(
            {
                "file": f"images/{image.name}" if copied else "",
                "labels": ";".join(target.classes[index] for index in image.indices),
                "confidence": image.label.confidence,
                "status": image.label.status,
                "split": image.split,
                "mask": mask,
                "object_id": image.object_id,
                "source": image.source,
            }
        )
        target.counts["labeled images"] += 1
    target.write(FILE, text.getvalue().encode())
    target.write_lines("classes.txt", list(target.classes))


def png_of(image: LabeledImage) -> bytes:
    """A PNG of the mask, whose pixels are the classes' indices + 1."""
    mask = image.mask if image.mask is not None else np.zeros((0, 0), np.uint8)
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return file.getvalue()
