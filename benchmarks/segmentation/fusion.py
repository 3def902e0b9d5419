"""Class maps in memory to one class map: ours and the peers'.

Peers are imported where they are used, so that each process pays for one alone.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.one_coin_em import fuse_by_one_coin
from groundtruth.aggregation.segmentation.voting import fuse
from groundtruth.masks.runs import RunMask

type ClassMaps = Sequence[NDArray[np.uint8]] | Sequence[NDArray[np.uint16]]
type Fuse = Callable[[ClassMaps, int], NDArray[np.integer]]


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
