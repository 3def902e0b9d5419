"""Small masks as workers send them: PNG files drawn from a grid of letters."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from tests.examples import consolidate, labels_of, payload_of
from tests.memory_store import MemoryStore

GRID = "....wwww ..bbwwww ..bbwwww qqqqqqqq"
GRID_CLASSES = [
    [0, 0, 0, 0, 1, 1, 1, 1],
    [0, 0, 2, 2, 1, 1, 1, 1],
    [0, 0, 2, 2, 1, 1, 1, 1],
    [3, 3, 3, 3, 3, 3, 3, 3],
]

COLORS = {"water": "#2ca02c", "boat": "#1f77b4", "quay": "#ff7f0e"}
_LETTERS = {".": None, "w": "water", "b": "boat", "q": "quay"}


def drawn(
    grid: str, *, mode: str = "RGBA", colors: Mapping[str, str] = COLORS, scale: int = 1
) -> bytes:
    """A PNG of a grid: w water, b boat, q quay, a dot background (see-through or white)."""
    rows = [row.strip() for row in grid.split()]
    pixels = np.zeros((len(rows), len(rows[0]), 4), np.uint8)
    if mode != "RGBA":
        pixels[:] = 255
    for at, row in enumerate(rows):
        for column, letter in enumerate(row):
            label = _LETTERS[letter]
            if label is not None:
                pixels[at, column] = (*bytes.fromhex(colors[label][1:]), 255)
    pixels = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    image = Image.fromarray(pixels)
    if mode != "RGBA":
        image = image.convert("RGB")
    return encoded(image.quantize(8) if mode == "P" else image)


def encoded(image: Image.Image) -> bytes:
    """The PNG file of an image."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def answer(
    png: bytes,
    *,
    colors: Mapping[str, str] = COLORS,
    size: Sequence[int] | None = None,
) -> dict[str, Any]:
    """A worker's answer with a mask; its image's (rows, columns) are the mask's if left out."""
    if size is None:
        with Image.open(io.BytesIO(png)) as image:
            size = (image.height, image.width)
    return {
        "crowd-semantic-segmentation": {
            "inputImageProperties": {"height": size[0], "width": size[1]},
            "labelMappings": {name: {"color": color} for name, color in colors.items()},
            "labeledImage": {"pngImageData": base64.b64encode(png).decode()},
        }
    }


def indices(png: bytes) -> list[list[int]]:
    """Class of each pixel of a consolidated mask, row by row."""
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "P"
        return np.asarray(image).tolist()


def consolidated(
    answers: Sequence[Any], *, object_id: str = "0", **options: Any
) -> tuple[dict[str, Any], list[list[int]] | None]:
    """Label and mask (rows of classes, or None) of one data object."""
    store = MemoryStore()
    outcome = consolidate(
        "acs_semantic_segmentation", payload_of({object_id: answers}), store=store, **options
    )
    (label,) = labels_of(outcome, "surface").values()
    masks = [indices(written.body) for written in store.written.values()]
    assert list(store.written) == ([label["mask-ref"]] if label["mask-ref"] else [])
    return label, masks[0] if masks else None
