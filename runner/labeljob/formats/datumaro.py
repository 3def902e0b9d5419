"""Datumaro's own format, which `datumaro.Dataset.import_from` and CVAT read [1]_.

It is written without the package, which demands older versions of NumPy and Pillow than we have.

References
----------
.. [1] Datumaro documentation, "Datumaro Format".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.masks import encode_regions
from labeljob.formats.target import Target

VERSION = "1.0"
IMAGE = 2
"""Datumaro's number for a dataset of images."""
SUBSET = "default"


def export_datumaro(images: Iterable[LabeledImage], target: Target) -> None:
    """Write annotations/SUBSET.json and copies of the images in images/SUBSET/."""
    labels = [{"name": name, "parent": "", "attributes": []} for name in target.classes]
    number = 0
    for split, some in groupby(images, lambda image: image.split or SUBSET):
        items = []
        for image in some:
            annotations = []
            for annotation in _annotations(image):
                annotations.append({"id": number, "group": 0, **annotation})
                number += 1
            about: dict[str, Any] = {"path": image.name}
            if image.size:
                about["size"] = list(image.size)
            items.append(
                {
                    "id": image.stem,
                    "attr": {"object_id": image.object_id, "source": image.source},
                    "image": about,
                    "annotations": annotations,
                }
            )
            target.copy_image(image, f"images/{split}")
            target.counts["labeled images"] += 1
        content = {
            "dm_format_version": VERSION,
            "media_type": IMAGE,
            "infos": {},
            "categories": {"label": {"labels": labels, "label_groups": [], "attributes": []}},
            "items": items,
        }
        target.write_json(f"annotations/{split}.json", content)
    target.counts["annotations"] = number


def _annotations(image: LabeledImage) -> Iterator[dict[str, Any]]:
    label = image.label
    if image.mask is None:
        for index, one in zip(image.indices, label.classes, strict=True):
            attributes = {"confidence": one.confidence}
            yield {"type": "label", "label_id": index, "attributes": attributes}
        return
    for index, region in encode_regions(image.mask):
        yield {
            "type": "mask",
            "label_id": index - 1,
            "attributes": {"confidence": label.confidence},
            "rle": region,
            "z_order": 0,
        }
