"""CVAT's XML "CVAT for images 1.1", to be uploaded as annotations of a task [1]_.

References
----------
.. [1] CVAT documentation, "XML annotation format".
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.target import Target

FILE, LABELS = "annotations.xml", "labels.json"
TOOL = "cvat"


def export_cvat(images: Iterable[LabeledImage], target: Target) -> None:
    """Write annotations.xml, labels.json for a new task, and copies of the images in images/.

    Images are called as the CVAT that the job was imported from calls them, else by file name,
    with `--prefix` before it.
    """
    kind = "mask" if target.task.label_is_mask else "tag"
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    labels = ET.SubElement(ET.SubElement(ET.SubElement(root, "meta"), "task"), "labels")
    for name in target.classes:
        label = ET.SubElement(labels, "label")
        ET.SubElement(label, "name").text = name
        ET.SubElement(label, "type").text = kind
    for number, image in enumerate(images):
        name = _name(image, target)
        target.copy_image(image, "images", name if is_below(name) else None)
        about = {"id": str(number), "name": name}
        if image.size:
            about |= {"width": str(image.size[1]), "height": str(image.size[0])}
        element = ET.SubElement(root, "image", about)
        if image.mask is None:
            for index in image.indices:
                ET.SubElement(element, "tag", label=target.classes[index], source="auto")
        else:
            for index in np.unique(image.mask[image.mask > 0]).tolist():
                shape = {"label": target.classes[index - 1], "source": "auto", "occluded": "0"}
                shape |= encode_mask(image.mask == index)
                ET.SubElement(element, "mask", shape)
        target.counts["labeled images"] += bool(len(element))
    target.write_xml(FILE, root)
    target.write_json(
        LABELS, [{"name": name, "type": kind, "attributes": []} for name in target.classes]
    )


def _name(image: LabeledImage, target: Target) -> str:
    """The image's name in CVAT."""
    if target.prefix is None and target.origin.get("tool") == TOOL:
        return image.source.removeprefix(target.origin.get("prefix", ""))
    return (target.prefix or "") + image.name


def is_below(name: str) -> bool:
    """Whether a name is a path that leads into a folder, not out of it."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not {"/", ".."} & {*parts} and "://" not in name


def encode_mask(region: NDArray[np.bool_]) -> dict[str, str]:
    """A region as its box, and in it runs of pixels row by row, of which the first is outside.

    Examples
    --------
    >>> encode_mask(np.array([[0, 1, 1], [0, 0, 1]], dtype=bool))["rle"]
    '0, 2, 1, 1'
    """
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    inside = region[top : rows[-1] + 1, left : columns[-1] + 1]
    pixels = inside.ravel()
    edges = [0, *(np.flatnonzero(np.diff(pixels)) + 1).tolist(), pixels.size]
    runs = np.diff(edges).tolist()
    return {
        "rle": ", ".join(map(str, [0, *runs] if pixels[0] else runs)),
        "left": str(left),
        "top": str(top),
        "width": str(inside.shape[1]),
        "height": str(inside.shape[0]),
        "z_order": "0",
    }
