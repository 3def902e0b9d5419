"""Lay out everything that three demonstration jobs need, from photographs already installed.

The photographs ship inside the scikit-image wheel.  None is copied into this package: it holds
outlines (`regions.json`) and label tables (`scenes.json`), both made by looking at the pictures.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image

from groundtruth.errors import GroundTruthError

BUCKET = "groundtruth-demo"

_TEXTURES = {
    "brick": "brick.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "tissue": "ihc.png",
}
_TILE = 128
_TILES_PER_PHOTOGRAPH = 10
_JPEG_QUALITY = 92


class MaterialError(GroundTruthError):
    """A photograph of the demonstration is not where scikit-image should have put it."""


@dataclass(frozen=True, kw_only=True)
class DemoJob:
    """Everything that one demonstration job needs."""

    name: str  # the labeling job's name
    # ``image-multi-class``, ``image-multi-class-multi-label`` or ``semantic-segmentation``
    task: str
    label_attribute_name: str  # where the label goes in the output manifest
    # manifest, labels, truth: the input manifest, the label category file and the truth file
    manifest: Path
    labels: Path
    truth: Path
    crew: str  # the simulated workers; everyone answers every data object


def lay_out(folder: Path) -> tuple[DemoJob, ...]:
    """Write images, manifests, label category files and truth for the three jobs.

    Images and manifests go to ``<folder>/groundtruth-demo/``, as if to the bucket of that name, the
    truth to ``<folder>/truth/``; what is there is replaced. Raises `MaterialError`.
    """
    return (_textures(folder), _scenes(folder), _regions(folder))


def _textures(folder: Path) -> DemoJob:
    """Tiles of four photographs; the truth is which photograph a tile was cut from."""
    records = []
    for index in range(_TILES_PER_PHOTOGRAPH):
        for name, photo in _TEXTURES.items():
            image = _photograph(photo)
            per_row = image.width // _TILE
            left, top = index % per_row * _TILE, index // per_row * _TILE
            tile = image.crop((left, top, left + _TILE, top + _TILE))
            uri = _save(tile, folder, f"images/textures/{name}-{index:02}.png")
            records.append({"source-ref": uri, "label": name})
    crew = "careful,average:2,careless,confuser=grass/gravel"
    return _job(
        folder, ("textures", "image-multi-class", "texture"), list(_TEXTURES), records, crew
    )


def _scenes(folder: Path) -> DemoJob:
    """Whole photographs and parts of them; the truth was written down by hand."""
    table = _table("scenes.json")
    records = []
    for entry in table["photographs"]:
        image = _photograph(entry["photo"])
        part = image.crop(tuple(entry["box"])) if entry["box"] else image
        uri = _save(part, folder, f"images/scenes/{entry['name']}.jpg")
        records.append({"source-ref": uri, "labels": entry["labels"]})
    names = ("scenes", "image-multi-class-multi-label", "contents")
    crew = "careful:2,average:2,careless"
    return _job(folder, names, table["labels"], records, crew)


def _regions(folder: Path) -> DemoJob:
    """Whole photographs; the truth is outlines drawn by hand."""
    table = _table("regions.json")
    records = []
    for entry in table["photographs"]:
        image = _photograph(entry["photo"])
        uri = _save(image, folder, f"images/regions/{entry['name']}.jpg")
        mask = _mask(entry["regions"], table["labels"], (image.height, image.width))
        mask_file = folder / "truth" / "masks" / f"{entry['name']}.png"
        mask_file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(mask_file)
        records.append({"source-ref": uri, "mask": f"masks/{entry['name']}.png"})
    names = ("regions", "semantic-segmentation", "regions-ref")
    crew = "careful,average:2,careless,confuser=vehicle/sky"
    return _job(folder, names, table["labels"], records, crew)


def _job(
    folder: Path,
    names: tuple[str, str, str],
    labels: list[str],
    records: list[dict[str, Any]],
    crew: str,
) -> DemoJob:
    """Write the three files of a job; `names` are its name, task and label attribute name."""
    name, task, attribute = names
    inputs, truth = folder / BUCKET / "inputs", folder / "truth" / f"{name}.jsonl"
    manifest, categories = inputs / f"{name}.manifest", inputs / f"{name}.labels.json"
    _write_lines(manifest, ({"source-ref": record["source-ref"]} for record in records))
    _write_lines(truth, records)
    named = [{"label": label} for label in labels]
    _write_lines(categories, [{"document-version": "2018-11-28", "labels": named}])
    return DemoJob(
        name=f"demo-{name}",
        task=task,
        label_attribute_name=attribute,
        manifest=manifest,
        labels=categories,
        truth=truth,
        crew=crew,
    )


def _mask(
    regions: Iterable[Mapping[str, Any]], labels: list[str], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Fill outlines in their order; one without a class is background again."""
    mask = np.zeros(shape, dtype=np.uint8)
    for region in regions:
        columns, rows = np.array(region["outline"], dtype=np.float64).T
        inside = skimage.draw.polygon(rows, columns, shape)  # type: ignore[no-untyped-call]
        mask[inside] = 0 if region["class"] is None else labels.index(region["class"]) + 1
    return mask


def _photograph(name: str) -> Image.Image:
    resource = files("skimage") / "data" / name
    if not resource.is_file():
        raise MaterialError(
            f"{name} is not in the installed scikit-image; the wheel of version 0.26.0 has it "
            "(pip install scikit-image==0.26.0)"
        )
    with as_file(resource) as path, Image.open(path) as image:
        return image.convert("RGB")


def _table(name: str) -> Any:
    return json.loads((files("labeljob.demo") / name).read_text(encoding="utf-8"))


def _save(image: Image.Image, folder: Path, key: str) -> str:
    path = folder / BUCKET / key
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jpg":
        image.save(path, quality=_JPEG_QUALITY)
    else:
        image.save(path)
    return f"s3://{BUCKET}/{key}"


def _write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
    path.write_text(text, encoding="utf-8", newline="\n")
