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
from typing import Any

import numpy as np

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.target import Target

FILE = "annotations.json"


def export_coco(images: Iterable[LabeledImage], target: Target) -> None:
    """Write a COCO file, and copies of the images that can be read."""
    from pycocotools import mask as coder  # type: ignore[import-untyped]

    content: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": [], "categories": []}
    content["categories"] = [
        {"id": at, "name": name, "supercategory": ""} for at, name in enumerate(target.classes, 1)
    ]
    for number, image in enumerate(images, start=1):
        content["images"].append(_image(image, number))
        target.copy_image(image, "images")
        made = _regions(image, coder) if image.mask is not None else _whole(image)
        for annotation in made:
            of_image = {"id": len(content["annotations"]) + 1, "image_id": number}
            content["annotations"].append({**of_image, **annotation})
        target.counts["labeled images"] += 1
    target.counts["annotations"] = len(content["annotations"])
    target.write_json(FILE, content)
    if any("width" not in image for image in content["images"]):
        target.notes.append(
            "width and height, and boxes of whole images, are left out where the image cannot be "
            "read; give --images"
        )


def _image(image: LabeledImage, number: int) -> dict[str, Any]:
    size = {"height": image.size[0], "width": image.size[1]} if image.size else {}
    values = {"id": number, "file_name": image.name, **size}
    return {**values, "coco_url": image.source, "object_id": image.object_id}


def _regions(image: LabeledImage, coder: Any) -> Iterator[dict[str, Any]]:
    mask = image.mask if image.mask is not None else np.zeros((0, 0), np.uint8)
    for index in np.unique(mask[mask > 0]).tolist():
        region = coder.encode(np.asfortranarray(mask == index, dtype=np.uint8))
        yield {
            "category_id": index,
            "segmentation": {"size": region["size"], "counts": region["counts"].decode("ascii")},
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
