"""COCO: one JSON file with images, annotations and categories [1]_.

A class of a mask is one annotation, with the region as RLE; a label of a whole image is one
whose box is the image.

References
----------
.. [1] T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014.
   doi:10.1007/978-3-319-10602-1_48
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, groupby
from typing import Any

import numpy as np

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.masks import encode_regions
from labeljob.formats.target import Target

FILE = "annotations.json"


def export_coco(images: Iterable[LabeledImage], target: Target) -> None:
    """Write a COCO file, or one for each part, and copies of the images that can be read."""
    categories = [
        {"id": at, "name": name, "supercategory": ""} for at, name in enumerate(target.classes, 1)
    ]
    numbers, ids = count(1), count(1)
    sizes_known = True
    for split, some in groupby(images, lambda image: image.split):
        content: dict[str, list[dict[str, Any]]] = {
            "images": [],
            "annotations": [],
            "categories": categories,
        }
        for image, number in zip(some, numbers, strict=False):
            about = _image(image, number)
            sizes_known = sizes_known and "width" in about
            content["images"].append(about)
            target.copy_image(image, "images")
            for annotation in _regions(image) if image.mask is not None else _whole(image):
                of_image = {"id": next(ids), "image_id": number}
                content["annotations"].append({**of_image, **annotation})
            target.counts["labeled images"] += 1
        target.counts["annotations"] += len(content["annotations"])
        target.write_json(f"{split}.json" if split else FILE, content)
    if not sizes_known:
        target.notes.append(
            "width and height, and boxes of whole images, are left out where the image cannot be "
            "read; give --images"
        )


def _image(image: LabeledImage, number: int) -> dict[str, Any]:
    size = {"height": image.size[0], "width": image.size[1]} if image.size else {}
    values = {"id": number, "file_name": image.name, **size}
    return {**values, "coco_url": image.source, "object_id": image.object_id}


def _regions(image: LabeledImage) -> Iterator[dict[str, Any]]:
    from pycocotools import mask as coder  # type: ignore[import-untyped]

    mask = image.mask if image.mask is not None else np.zeros((0, 0), np.uint8)
    for index, region in encode_regions(mask):
        yield {
            "category_id": index,
            "segmentation": region,
            "area": int(coder.area(region)),
            "bbox": [float(edge) for edge in coder.toBbox(region)],
            "iscrowd": 0,
            "confidence": image.label.confidence,
        }


def _whole(image: LabeledImage) -> Iterator[dict[str, Any]]:
    for index, one in zip(image.indices, image.label.classes, strict=True):
        rows, columns = image.size or (0, 0)
        box = {"bbox": [0, 0, columns, rows]} if image.size else {}
        yield {
            "category_id": index + 1,
            "segmentation": [],
            "area": rows * columns,
            **box,
            "iscrowd": 0,
            "confidence": one.confidence,
        }
