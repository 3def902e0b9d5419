"""From base64 texts to the consolidated PNG: ours, the peers' and the floor of all."""

import io
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.segmentation.fusion import (
    Fuse,
    crowd_kit_majority,
    numpy_accumulators,
    numpy_comparisons,
    sitk_voting,
)
from benchmarks.segmentation.inputs import Size
from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.masks.reader import decode_base64_png, read_mask
from groundtruth.masks.writer import write_mask

type ClassMaps = Sequence[NDArray[np.uint8]]


def ours(size: Size, texts: Sequence[str]) -> bytes:
    """What the library does."""
    crew = [
        read_mask(decode_base64_png(text), colors=size.colors, shape=size.shape, name_of=str)[0]
        for text in texts
    ]
    return write_mask(fuse(crew, size.n_classes).mask, ["#ffffff", *size.colors.values()])


def floor(size: Size, texts: Sequence[str]) -> bytes:
    """Pillow decodes all masks and encodes one; nothing is consolidated."""
    for text in texts:
        _opened(text).load()
    return _encoded(_example(size, texts[0]), size)


@cache
def _example(size: Size, text: str) -> NDArray[np.uint8]:
    """A class map to encode; the first run, which is not counted, makes it."""
    return _by_table(size, [text])[0]


def forget() -> None:
    """Drop what is kept from run to run of one data object."""
    _example.cache_clear()
    _table.cache_clear()


def _opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(decode_base64_png(text)), formats=("PNG",))


def _encoded(classes: NDArray[np.uint8], size: Size) -> bytes:
    """An indexed PNG by Pillow, with its default settings."""
    image = Image.fromarray(classes)
    palette = bytes.fromhex("ffffff" + "".join(color[1:] for color in size.colors.values()))
    image.putpalette(palette)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@cache
def _table(size: Size) -> NDArray[np.uint8]:
    """Class of each of all colours: the fastest way from a picture to a class map in numpy."""
    table = np.zeros(1 << 24, np.uint8)
    for index, color in size.colors.items():
        red, green, blue = bytes.fromhex(color[1:])
        table[red | green << 8 | blue << 16] = index
    return table


def _by_table(size: Size, texts: Sequence[str]) -> ClassMaps:
    table = _table(size)
    return [
        np.take(table, np.asarray(_opened(text)).view("<u4")[..., 0] & 0xFFFFFF) for text in texts
    ]


def _by_comparison(size: Size, texts: Sequence[str]) -> ClassMaps:
    """Class maps as one writes them down first."""
    maps: list[NDArray[np.uint8]] = []
    for text in texts:
        pixels = np.asarray(_opened(text))[..., :3]
        classes = np.zeros(size.shape, np.uint8)
        for index, color in size.colors.items():
            classes[np.all(pixels == list(bytes.fromhex(color[1:])), axis=-1)] = index
        maps.append(classes)
    return maps


def _pipeline(
    read: Callable[[Size, Sequence[str]], ClassMaps],
    vote: Fuse,
) -> Callable[[Size, Sequence[str]], bytes]:
    def run(size: Size, texts: Sequence[str]) -> bytes:
        return _encoded(vote(read(size, texts), size.n_classes).astype(np.uint8), size)

    return run


PIPELINES: dict[str, Callable[[Size, Sequence[str]], bytes]] = {
    "ours": ours,
    "floor: Pillow decode + encode": floor,
    "SimpleITK LabelVoting, best built": _pipeline(_by_table, sitk_voting),
    "SimpleITK LabelVoting, straightforward": _pipeline(_by_comparison, sitk_voting),
    "crowd-kit MajorityVote, best built": _pipeline(_by_table, crowd_kit_majority),
    "numpy, class by class, best built": _pipeline(_by_table, numpy_comparisons),
    "numpy accumulators, best built": _pipeline(_by_table, numpy_accumulators),
    "numpy accumulators, straightforward": _pipeline(_by_comparison, numpy_accumulators),
}
