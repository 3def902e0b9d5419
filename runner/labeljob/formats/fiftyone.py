"""A dataset for FiftyOne, which `fiftyone.Dataset.from_dir` reads as its own format [1]_.

It is written without the package, which is larger than all else here and starts a database.

References
----------
.. [1] FiftyOne documentation, "Importing data into FiftyOne", `FiftyOneDataset`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.table import png_of
from labeljob.formats.target import Target

FIELD = "ground_truth"


def export_fiftyone(images: Iterable[LabeledImage], target: Target) -> None:
    """Write metadata.json, samples.json, copies of the images in data/ and masks in fields/.

    The label is the field `ground_truth`. The part of a split is a sample's tag, and samples have
    `confidence`, `status`, `object_id` and `source` besides.
    """
    samples = []
    for image in images:
        if not target.copy_image(image, "data"):
            target.left_out.add("the image cannot be read", image.object_id)
            continue
        target.counts["labeled images"] += 1
        samples.append(
            {
                "filepath": f"data/{image.name}",
                "tags": [image.split] if image.split else [],
                FIELD: _label(image, target),
                "confidence": image.label.confidence,
                "status": image.label.status,
                "object_id": image.object_id,
                "source": image.source,
            }
        )
    target.require_images()
    targets = {str(number): name for number, name in enumerate(target.classes, 1)}
    info = {
        "default_classes": list(target.classes),
        **({"mask_targets": {FIELD: targets}} if target.task.label_is_mask else {}),
    }
    target.write_json("metadata.json", {"name": target.folder.name, "info": info})
    target.write_json("samples.json", {"samples": samples})


def _label(image: LabeledImage, target: Target) -> dict[str, Any]:
    if image.mask is not None:
        path = f"fields/{FIELD}/{image.stem}.png"
        target.write(path, png_of(image))
        return {"_cls": "Segmentation", "mask_path": path}
    made = [
        {"_cls": "Classification", "label": target.classes[index], "confidence": one.confidence}
        for index, one in zip(image.indices, image.label.classes, strict=True)
    ]
    if target.task.single_choice:
        return made[0]
    return {"_cls": "Classifications", "classifications": made}
