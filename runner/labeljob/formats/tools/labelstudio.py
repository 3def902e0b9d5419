"""Label Studio's JSON of tasks, with labels as predictions [1]_.

References
----------
.. [1] Label Studio documentation, "Import pre-annotated data into Label Studio" and "BrushLabels".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.target import Target

FILE, CONFIG = "tasks.json", "label_config.xml"
TOOL = "labelstudio"
LOCAL_FILES = "/data/local-files/?d="
SCHEMES = ("http://", "https://", "s3://", "gs://", "azure-blob://")
"""Beginnings of addresses that Label Studio reads itself."""

CHOICES, BRUSH = "choices", "brushlabels"
CHANNELS = 4
LENGTH_BITS = (3, 4, 8, 16)
"""Of a run's length less one, in an encoded mask; each run has the shortest that it fits into."""


def export_labelstudio(images: Iterable[LabeledImage], target: Target) -> None:
    """Write tasks.json, label_config.xml and copies of the images in images/.

    Of a job that was imported from Label Studio, tasks have the addresses of its images and the
    names of its controls. Else an image is what `--prefix` and its name make, or where it is on
    the network, or its copy as Label Studio serves files of its own machine.
    """
    kind = BRUSH if target.task.label_is_mask else CHOICES
    origin = target.origin if target.origin.get("tool") == TOOL else {}
    names = {
        "from_name": origin.get(kind, "label"),
        "to_name": origin.get("to_name") or "image",
        "type": kind,
    }
    key = origin.get("image-key", "image")
    tasks: list[dict[str, Any]] = []
    for image in images:
        target.copy_image(image, "images")
        label = image.label
        address = _address(image, target, is_own=bool(origin))
        data = {key: address, "object_id": image.object_id, "confidence": label.confidence}
        result = list(_result(image, target, names))
        version = " ".join(["labeljob", *(label.algorithm or ())[:1]])
        prediction = {"model_version": version, "score": label.confidence, "result": result}
        tasks.append({"data": data, "predictions": [prediction] if result else []})
        target.counts["tasks"] += 1
    target.write_json(FILE, tasks)
    target.write_xml(CONFIG, _config(target, names, key))
    if any(task["data"][key].startswith(f"{LOCAL_FILES}images/") for task in tasks):
        target.notes.append(
            "the tasks name the copies in images/: start Label Studio with "
            "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
            f"LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={target.folder.resolve()}, and add "
            f"{target.folder.resolve() / 'images'} to the project as a local storage; or give "
            "--prefix with the address of a folder that has them"
        )


def _address(image: LabeledImage, target: Target, *, is_own: bool) -> str:
    if target.prefix is not None:
        return target.prefix + quote(image.name)
    if is_own:
        return image.source.removeprefix(target.origin.get("prefix", ""))
    if image.source.startswith(SCHEMES):
        return image.source
    return f"{LOCAL_FILES}images/{quote(image.name)}"


def _result(
    image: LabeledImage, target: Target, names: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    if image.mask is None:
        chosen = [target.classes[index] for index in image.indices]
        if chosen:
            yield {"id": "label", **names, "value": {CHOICES: chosen}}
        return
    rows, columns = image.mask.shape
    for index in np.unique(image.mask[image.mask > 0]).tolist():
        rle = encode_brush(image.mask == index)
        yield {
            "id": f"region-{index}",
            **names,
            "original_width": columns,
            "original_height": rows,
            "image_rotation": 0,
            "value": {"format": "rle", "rle": rle, BRUSH: [target.classes[index - 1]]},
        }


def encode_brush(region: NDArray[np.bool_]) -> list[int]:
    """The bytes by which Label Studio keeps what a brush painted.

    Examples
    --------
    >>> len(encode_brush(np.ones((600, 800), dtype=bool)))
    108
    """
    pixels = region.ravel()
    ends = np.flatnonzero(np.diff(pixels)) + 1
    edges = [0, *ends.tolist(), pixels.size]
    longest = 1 << LENGTH_BITS[-1]
    bits = [f"{pixels.size * CHANNELS:032b}{8 - 1:05b}"]
    bits += [f"{size - 1:04b}" for size in LENGTH_BITS]
    for start, end in pairwise(edges):
        value = 255 if pixels[start] else 0
        left = (end - start) * CHANNELS
        while left:
            length = min(left, longest)
            way = next(at for at, size in enumerate(LENGTH_BITS) if length <= 1 << size)
            bits.append(f"1{way:02b}{length - 1:0{LENGTH_BITS[way]}b}{value:08b}")
            left -= length
    stream = np.frombuffer("".join(bits).encode(), dtype=np.uint8) == ord("1")
    made: list[int] = np.packbits(stream).tolist()
    return made


def _config(target: Target, names: Mapping[str, str], key: str) -> ET.Element:
    """The labeling interface of a project for the tasks."""
    view = ET.Element("View")
    ET.SubElement(view, "Image", name=names["to_name"], value=f"${key}")
    tag, item = ("BrushLabels", "Label") if names["type"] == BRUSH else ("Choices", "Choice")
    about = {"name": names["from_name"], "toName": names["to_name"]}
    if names["type"] == CHOICES:
        about["choice"] = "single" if target.task.single_choice else "multiple"
    control = ET.SubElement(view, tag, about)
    for name in target.classes:
        ET.SubElement(control, item, value=name)
    return view
