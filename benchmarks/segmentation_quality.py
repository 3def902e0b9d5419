"""Quality of mask consolidation: mean IoU with the truth, and how good the confidence is.

    python -m benchmarks.segmentation_quality --output quality.json [--peers] [--only lidc]

Skill is always estimated from the other pictures of a data set.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.segmentation_crowds import Crowd, Picture, crowds
from benchmarks.segmentation_fusion import MODELS, VOTES
from groundtruth.aggregation.mask_em import one_coin
from groundtruth.aggregation.mask_fusion import Fusion, fuse
from groundtruth.aggregation.mask_skill import disputed_agreement, skill_weights
from groundtruth.masks.runs import RunMask

PEERS = (
    "SimpleITK LabelVoting",
    "SimpleITK MultiLabelSTAPLE",
    "crowd-kit MajorityVote",
    "crowd-kit EM",
    "crowd-kit RASA",
)

type Weights = Callable[[int], NDArray[np.float64] | None]


def skill_of_others(crowd: Crowd) -> Weights | None:
    """Weights of a picture's crew by what the other pictures say of it."""
    if not all(picture.workers for picture in crowd.pictures):
        return None
    names = sorted({worker for picture in crowd.pictures for worker in picture.workers})
    number = {name: index for index, name in enumerate(names)}
    scores = np.zeros((len(crowd.pictures), 3, len(names)))
    for index, picture in enumerate(crowd.pictures):
        agreement = disputed_agreement(run_masks(picture), crowd.n_classes)
        for worker, score in zip(picture.workers, agreement, strict=True):
            if not np.isnan(score):
                scores[index, :, number[worker]] = 1, score, score**2
    total = scores.sum(axis=0)

    def weights(index: int) -> NDArray[np.float64]:
        pool = skill_weights(*(total - scores[index]))
        return pool[[number[worker] for worker in crowd.pictures[index].workers]]

    return weights


def run_masks(picture: Picture) -> list[RunMask]:
    """A crew's masks as runs."""
    return [RunMask.from_array(one) for one in picture.maps]


def ours(crowd: Crowd) -> dict[str, list[Fusion]]:
    """Results of our methods."""
    results: dict[str, list[Fusion]] = defaultdict(list)
    skill = skill_of_others(crowd)
    for index, picture in enumerate(crowd.pictures):
        crew = run_masks(picture)
        results["majority"].append(fuse(crew, crowd.n_classes))
        em = one_coin(crew, crowd.n_classes).weights
        results["one-coin-em"].append(fuse(crew, crowd.n_classes, weights=em))
        if skill is not None:
            results["weighted"].append(fuse(crew, crowd.n_classes, weights=skill(index)))
    return results


def peers(crowd: Crowd) -> dict[str, list[NDArray[np.integer]]]:
    """Results of the peers that are installed."""
    results = {}
    for name in PEERS:
        call = {**VOTES, **MODELS}[name]
        try:
            results[name] = [call(one.maps, crowd.n_classes) for one in crowd.pictures]
        except ModuleNotFoundError as error:
            print(f"{name} left out: {error}")
    return results


def mean_iou(crowd: Crowd, results: Sequence[NDArray[np.integer]]) -> float:
    """Mean over the classes of the intersection over union, added up over the pictures."""
    table = np.zeros((crowd.n_classes, crowd.n_classes), np.int64)
    for picture, result in zip(crowd.pictures, results, strict=True):
        pairs = picture.truth.astype(np.int64) * crowd.n_classes + result
        table += np.bincount(pairs.ravel(), minlength=table.size).reshape(table.shape)
    inside = table.diagonal()
    union = table.sum(axis=0) + table.sum(axis=1) - inside
    return float((inside[union > 0] / union[union > 0]).mean())


def calibration(crowd: Crowd, results: list[Fusion]) -> dict[str, float]:
    """Expected IoU of each class in each picture beside the true one."""
    expected, true = [], []
    for picture, result in zip(crowd.pictures, results, strict=True):
        classes = result.mask.to_array()
        for index in range(crowd.n_classes):
            if result.class_pixels[index]:
                found, there = classes == index, picture.truth == index
                expected.append(result.class_confidence[index])
                true.append((found & there).sum() / (found | there).sum())
    ranks = [np.argsort(np.argsort(values)).astype(np.float64) for values in (expected, true)]
    return {
        "error": float(np.abs(np.subtract(expected, true)).mean()),
        "spearman": float(np.corrcoef(ranks[0], ranks[1])[0, 1]),
    }


def main() -> None:
    """Score all methods on all data sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--only", default="", help="data sets whose name contains this")
    parser.add_argument("--peers", action="store_true", help="score the peers, too (slow)")
    options = parser.parse_args()
    report = []
    for crowd in crowds():
        if options.only not in crowd.name:
            continue
        fusions = ours(crowd)
        scores = {
            name: mean_iou(crowd, [result.mask.to_array() for result in results])
            for name, results in fusions.items()
        }
        best = "weighted" if "weighted" in fusions else "majority"
        sure = calibration(crowd, fusions[best])
        if options.peers:
            scores |= {name: mean_iou(crowd, maps) for name, maps in peers(crowd).items()}
        print(f"{crowd.name:18}", *(f"{name} {value:.4f}" for name, value in scores.items()), sure)
        report.append({"crowd": crowd.name, "mean_iou": scores, "confidence": sure})
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
