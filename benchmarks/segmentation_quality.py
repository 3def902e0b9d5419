"""Quality of mask consolidation: mean IoU with the truth, and how good the confidence is.

    python -m benchmarks.segmentation_quality [--peers] [--only lidc]

Skill is always estimated from the other pictures of a data set. Differences to the majority
come with what 95 % of 400 resampled crews show: one of the draws, its pictures drawn anew.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.run_record import output_option, run_record, write_result
from benchmarks.segmentation import versions
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

RESAMPLED = 400

type Tables = NDArray[np.int64]
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


def tables(crowd: Crowd, results: Sequence[NDArray[np.integer]]) -> Tables:
    """Pixels by true and found class, shape (n_pictures, n_classes, n_classes)."""
    found = np.zeros((len(results), crowd.n_classes, crowd.n_classes), np.int64)
    for table, picture, result in zip(found, crowd.pictures, results, strict=True):
        pairs = picture.truth.astype(np.int64) * crowd.n_classes + result
        table += np.bincount(pairs.ravel(), minlength=table.size).reshape(table.shape)
    return found


def mean_iou(found: Tables) -> float:
    """Mean over the classes of the intersection over union, added up over the pictures."""
    table = found.sum(axis=0)
    inside = table.diagonal()
    union = table.sum(axis=0) + table.sum(axis=1) - inside
    return float((inside[union > 0] / union[union > 0]).mean())


def differences(name: str, draws: Sequence[dict[str, Tables]]) -> Iterator[dict[str, Any]]:
    """Mean IoU less that of the majority for each of our methods, over the draws of a crowd."""
    random = np.random.default_rng(len(draws))
    picks = []
    for _ in range(RESAMPLED):
        draw = draws[random.integers(len(draws))]
        n_pictures = len(draw["majority"])
        picks.append((draw, random.integers(0, n_pictures, n_pictures)))
    for method in draws[0]:
        if method == "majority":
            continue
        plain = [mean_iou(draw[method]) - mean_iou(draw["majority"]) for draw in draws]
        spread = [mean_iou(draw[method][at]) - mean_iou(draw["majority"][at]) for draw, at in picks]
        low, high = np.percentile(spread, [2.5, 97.5])
        yield {
            "crowd": name,
            "method": method,
            "draws": len(draws),
            "gain": round(float(np.mean(plain)), 5),
            "gain_low": round(float(low), 5),
            "gain_high": round(float(high), 5),
        }


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
        "error": round(float(np.abs(np.subtract(expected, true)).mean()), 4),
        "spearman": round(float(np.corrcoef(ranks[0], ranks[1])[0, 1]), 4),
    }


def main() -> None:
    """Score all methods on all data sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    output_option(parser, "segmentation-quality")
    parser.add_argument("--only", default="", help="data sets whose name contains this")
    parser.add_argument("--peers", action="store_true", help="score the peers, too (slow)")
    options = parser.parse_args()
    report: list[dict[str, Any]] = []
    draws: dict[str, list[dict[str, Tables]]] = defaultdict(list)
    for crowd in crowds():
        if options.only not in crowd.name:
            continue
        fusions = ours(crowd)
        found = {
            name: tables(crowd, [result.mask.to_array() for result in results])
            for name, results in fusions.items()
        }
        draws[crowd.name].append(found)
        sure = calibration(crowd, fusions["weighted" if "weighted" in fusions else "majority"])
        if options.peers:
            found = found | {name: tables(crowd, maps) for name, maps in peers(crowd).items()}
        scores = {name: round(mean_iou(table), 5) for name, table in found.items()}
        print(f"{crowd.name:18}", *(f"{name} {value:.4f}" for name, value in scores.items()), sure)
        report.append({"crowd": crowd.name, "mean_iou": scores, "confidence": sure})
    gains = [gain for name, found in draws.items() for gain in differences(name, found)]
    for gain in gains:
        print(
            "{crowd:18} {method:12} {gain:+.4f} [{gain_low:+.4f}, {gain_high:+.4f}]".format(**gain)
        )
    given = {"only": options.only or None}
    run = run_record("benchmarks.segmentation_quality", given, seed=0) | {"versions": versions()}
    write_result(options.output, {"run": run, "crowds": report, "differences": gains})


if __name__ == "__main__":
    main()
