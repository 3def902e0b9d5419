"""Consolidation of masks by us and by the peers, and one measurement in a process of its own.

    python -m benchmarks.segmentation.methods KIND NAME SIZE FOLDER [--repeat N]

Prints a line of JSON, null if the peer is not installed.

Peers are imported where they are used, so that each process pays for one alone.
"""

import argparse
import io
import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.common.measure import measure
from benchmarks.segmentation.drawings import SIZES, SMALL, Size, class_maps, masks, texts
from groundtruth.aggregation.segmentation.one_coin_em import fuse_by_one_coin
from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.masks.reader import decode_base64_png, read_mask
from groundtruth.masks.runs import RunMask
from groundtruth.masks.writer import write_mask

ClassMaps: TypeAlias = Sequence[NDArray[np.uint8]] | Sequence[NDArray[np.uint16]]
Fuse: TypeAlias = Callable[[ClassMaps, int], NDArray[np.integer]]


def ours(maps: ClassMaps, n_classes: int) -> NDArray[np.integer]:
    """The library's vote."""
    return vote_of_runs([RunMask.from_array(one) for one in maps], n_classes).to_array()


def ours_em(maps: ClassMaps, n_classes: int) -> NDArray[np.integer]:
    """The library's one-coin model, and the vote by it."""
    return em_of_runs([RunMask.from_array(one) for one in maps], n_classes).to_array()


def vote_of_runs(crew: Sequence[RunMask], n_classes: int) -> RunMask:
    """The library's vote alone: runs are what its reader makes of a PNG."""
    return fuse(crew, n_classes).mask


def em_of_runs(crew: Sequence[RunMask], n_classes: int) -> RunMask:
    """The library's one-coin model alone, and the vote by it."""
    return fuse_by_one_coin(crew, n_classes)[0].mask


def numpy_accumulators(maps: ClassMaps, n_classes: int) -> NDArray[np.uint8]:
    """A float per pixel and class."""
    votes = np.zeros((n_classes, *maps[0].shape), np.float32)
    for one in maps:
        for index in range(n_classes):
            votes[index] += one == index
    return votes.argmax(axis=0).astype(np.uint8)


def numpy_comparisons(maps: ClassMaps, n_classes: int) -> NDArray[np.integer]:
    """One class after the other, the best so far being kept."""
    best = np.zeros(maps[0].shape, np.uint8)
    winner = np.zeros(maps[0].shape, maps[0].dtype)
    for index in range(n_classes):
        count = np.zeros(maps[0].shape, np.uint8)
        for one in maps:
            count += one == index
        better = count > best
        np.copyto(best, count, where=better)
        winner[better] = index
    return winner


def _sitk_images(maps: ClassMaps) -> tuple[Any, list[Any]]:
    sitk = import_module("SimpleITK")
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    return sitk, [sitk.GetImageFromArray(one) for one in maps]


def sitk_voting(maps: ClassMaps, n_classes: int) -> NDArray[np.integer]:
    """SimpleITK's LabelVoting; undecided pixels go to BACKGROUND."""
    sitk, images = _sitk_images(maps)
    return np.asarray(sitk.GetArrayFromImage(sitk.LabelVoting(images, 0)))


def sitk_multi_label_staple(maps: ClassMaps, n_classes: int) -> NDArray[np.integer]:
    """SimpleITK's expectation maximisation over all classes."""
    sitk, images = _sitk_images(maps)
    return np.asarray(sitk.GetArrayFromImage(sitk.MultiLabelSTAPLE(images, 0)))


def torch_mode(maps: ClassMaps, n_classes: int) -> NDArray[np.integer]:
    """The most frequent value along the workers by torch; of several the lowest."""
    torch = import_module("torch")
    torch.set_num_threads(1)
    # Its mode does not take two bytes without a sign.
    known = [one.astype(np.int32) if one.dtype == np.uint16 else one for one in maps]
    stacked = torch.stack([torch.from_numpy(one) for one in known])
    return np.asarray(torch.mode(stacked, dim=0).values.numpy())


def _crowd_kit(name: str) -> Fuse:
    """crowd-kit's binary methods, one class against the rest; of several the last class wins."""

    def run(maps: ClassMaps, n_classes: int) -> NDArray[np.integer]:
        pd = import_module("pandas")
        method = getattr(import_module("crowdkit.aggregation.image_segmentation"), name)
        winner = np.zeros(maps[0].shape, np.uint8)
        for index in range(1, n_classes):
            frame = pd.DataFrame(
                {
                    "task": "0",
                    "worker": [str(worker) for worker in range(len(maps))],
                    "segmentation": [one == index for one in maps],
                }
            )
            winner[method().fit_predict(frame).iloc[0]] = index
        return winner

    return run


crowd_kit_majority = _crowd_kit("SegmentationMajorityVote")

VOTES: dict[str, Fuse] = {
    "ours": ours,
    "SimpleITK LabelVoting": sitk_voting,
    "crowd-kit MajorityVote": crowd_kit_majority,
    "torch.mode": torch_mode,
    "numpy, class by class": numpy_comparisons,
    "numpy accumulators": numpy_accumulators,
}
MODELS: dict[str, Fuse] = {
    "ours, one coin": ours_em,
    "SimpleITK MultiLabelSTAPLE": sitk_multi_label_staple,
    "crowd-kit EM": _crowd_kit("SegmentationEM"),
    "crowd-kit RASA": _crowd_kit("SegmentationRASA"),
}
FROM_RUNS: dict[str, Callable[[Sequence[RunMask], int], RunMask]] = {
    "ours": vote_of_runs,
    "ours, one coin": em_of_runs,
}


def consolidate(size: Size, texts: Sequence[str]) -> bytes:
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
    "ours": consolidate,
    "floor: Pillow decode + encode": floor,
    "SimpleITK LabelVoting, best built": _pipeline(_by_table, sitk_voting),
    "SimpleITK LabelVoting, straightforward": _pipeline(_by_comparison, sitk_voting),
    "crowd-kit MajorityVote, best built": _pipeline(_by_table, crowd_kit_majority),
    "numpy, class by class, best built": _pipeline(_by_table, numpy_comparisons),
    "numpy accumulators, best built": _pipeline(_by_table, numpy_accumulators),
    "numpy accumulators, straightforward": _pipeline(_by_comparison, numpy_accumulators),
}


class FileTexts(Sequence[str]):
    """Texts read from their files one at a time, as the library's callers do."""

    def __init__(self, size: Size, folder: Path) -> None:
        """Texts of one data object."""
        self._paths = [folder / size.name / f"{worker}.txt" for worker in range(size.n_workers)]

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> str:  # type: ignore[override]  # no slices
        return self._paths[index].read_text()

    def __iter__(self) -> Iterator[str]:
        return (path.read_text() for path in self._paths)


def prepared(kind: str, name: str, size: Size, folder: Path) -> Callable[[], object]:
    """The call to measure, its inputs being in memory unless it streams them."""
    if kind in ("pipeline", "memory"):
        answers = texts(size, folder) if kind == "pipeline" else FileTexts(size, folder)
        return lambda: PIPELINES[name](size, answers)
    if kind == "runs":
        crew = masks(size, folder)
        return lambda: FROM_RUNS[name](crew, size.n_classes)
    maps = class_maps(size, folder)
    return lambda: {**VOTES, **MODELS}[name](maps, size.n_classes)


def warm_up(kind: str, name: str, folder: Path) -> None:
    """Run a method on `SMALL`: what it imports on first use is no part of what is measured."""
    prepared(kind, name, SMALL, folder)()
    if kind in ("pipeline", "memory"):
        forget()


def main() -> None:
    """Run the call until it has been run often or long enough; report the best CPU time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["pipeline", "memory", "fusion", "runs"])
    parser.add_argument("name")
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=6.0)
    options = parser.parse_args()
    try:
        warm_up(options.kind, options.name, options.folder)
    except ModuleNotFoundError:
        if options.name.startswith("ours"):
            raise
        print("null")
        return
    call = prepared(options.kind, options.name, SIZES[options.size], options.folder)
    most = 1 if options.kind == "memory" else options.repeat
    _, figures = measure(lambda: call, lambda run: run(), enough_seconds=options.seconds, most=most)
    before, peak = (figures[name] * 2**20 / 1e6 for name in ("before_mib", "peak_mib"))
    line = {"cpu_ms": 1000 * figures["cpu_seconds"], "before_mb": before, "peak_mb": peak}
    print(json.dumps(line))


if __name__ == "__main__":
    main()
