"""Quality of mask consolidation beside its peers, and how good the confidence is.

    python -m benchmarks.segmentation.quality --data FOLDER [--no-peers] [--only lidc]

Skill is always estimated from the other pictures of a data set. Differences come with what 95 %
of 400 resampled crews show: one of the draws, its pictures drawn anew.
"""

import argparse
import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.record import data_option, output_option, run_record, write_result
from benchmarks.segmentation.crowds import Crowd, Picture, crowds
from benchmarks.segmentation.peers import PEERS, peer_versions, run_peers
from benchmarks.segmentation.scores import (
    Maps,
    Tables,
    boundary_f,
    calibration,
    difference,
    mean_iou,
    mean_scores,
    tables,
)
from groundtruth.aggregation.segmentation.one_coin_em import fuse_by_one_coin
from groundtruth.aggregation.segmentation.skill import disputed_agreement, skill_weights
from groundtruth.aggregation.segmentation.voting import Fusion, fuse
from groundtruth.masks.runs import RunMask

DEFAULT, PLAIN, ORACLE = "weighted", "majority", "careless known"
LEAST = 1 / 16  # what a worker weighs who is known to be careless

type Weights = Callable[[int], NDArray[np.float64] | None]


def skill_of_others(crowd: Crowd) -> Weights:
    """Weights of a picture's crew by what the other pictures say of it."""
    if not all(picture.workers for picture in crowd.pictures):
        return lambda index: None
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
    """Results of our methods; the default one weighs all the same where nobody is known.

    `ORACLE` is what the default could gain at most by finding the careless workers.
    """
    results: dict[str, list[Fusion]] = defaultdict(list)
    skill = skill_of_others(crowd)
    for index, picture in enumerate(crowd.pictures):
        crew = run_masks(picture)
        results[DEFAULT].append(fuse(crew, crowd.n_classes, weights=skill(index)))
        results[PLAIN].append(fuse(crew, crowd.n_classes))
        if crowd.careless:
            trust = [LEAST if who in crowd.careless else 1.0 for who in picture.workers]
            results[ORACLE].append(fuse(crew, crowd.n_classes, weights=np.array(trust)))
        results["one-coin-em"].append(fuse_by_one_coin(crew, crowd.n_classes)[0])
    return results


@dataclass(frozen=True, eq=False)
class Draw:
    """What our methods make of a crowd.

    Attributes
    ----------
    found : dict
        Tables by method.
    confidence : dict
        How good the default's confidence is.
    crowd : Crowd
        What they worked on.
    masks : dict
        Class maps by method.
    """

    found: dict[str, Tables]
    confidence: dict[str, float]
    crowd: Crowd
    masks: dict[str, Maps]


def drawn(crowd: Crowd) -> Draw:
    """Run our methods."""
    fusions = ours(crowd)
    masks = {
        name: [one.mask.to_array().astype(np.uint8) for one in made]
        for name, made in fusions.items()
    }
    return Draw(
        found={name: tables(crowd, found) for name, found in masks.items()},
        confidence=calibration(crowd, fusions[DEFAULT]),
        crowd=crowd,
        masks={name: found for name, found in masks.items() if name != ORACLE},
    )


def scored(draws: Sequence[Draw]) -> dict[str, Any]:
    """What a crowd's draws say of our methods."""
    found = [draw.found for draw in draws]
    return {
        "crowd": draws[0].crowd.name,
        "draws": len(draws),
        "pictures": len(found[0][PLAIN]),
        "mean_iou": mean_scores([{n: mean_iou(t) for n, t in one.items()} for one in found]),
        "differences": {n: difference(found, n, PLAIN) for n in found[0] if n != PLAIN},
        "confidence": mean_scores([draw.confidence for draw in draws]),
    }


def beside_peers(draws: Sequence[Draw]) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Scores of all methods on the same pictures, and the peers' CPU seconds."""
    results = run_peers([draw.crowd for draw in draws])
    lines = defaultdict(list)
    for index, draw in enumerate(draws):
        masks = draw.masks | {name: found[index] for name, (found, _) in results.items()}
        lines[draw.crowd.name].append((draw.crowd, masks))
    seconds = {name: round(spent, 1) for name, (_, spent) in results.items()}
    return [_compared(same) for same in lines.values()], seconds


def _compared(draws: Sequence[tuple[Crowd, dict[str, Maps]]]) -> dict[str, Any]:
    """One crowd's figures, with the difference to the peer that is best on it."""
    found = [{n: tables(crowd, one) for n, one in masks.items()} for crowd, masks in draws]
    scores = mean_scores([{n: mean_iou(table) for n, table in one.items()} for one in found])
    best = max(PEERS, key=lambda peer: scores[peer])
    crowd = draws[0][0]
    line = {
        "crowd": crowd.name,
        "draws": len(draws),
        "pictures": len(crowd.pictures),
        "mean_iou": scores,
        "best_peer": best,
        "difference": difference(found, DEFAULT, best),
    }
    if crowd.outlines:
        edges = [{n: boundary_f(one, m) for n, m in masks.items()} for one, masks in draws]
        line["boundary_f"] = mean_scores(edges)
    return line


def main() -> None:
    """Score all methods on all data sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    output_option(parser, "segmentation-quality")
    parser.add_argument("--data", type=Path, help="folder with the real sets")
    parser.add_argument("--only", help="data sets whose name contains this")
    parser.add_argument("--no-peers", action="store_true", help="leave out the peers (slow)")
    options = parser.parse_args()
    kept: list[Draw] = []
    report = []
    for name, same in itertools.groupby(crowds(options.data), key=lambda crowd: crowd.name):
        if options.only and options.only not in name:
            continue
        draws = [drawn(crowd) for crowd in same]
        kept += draws
        report.append(scored(draws))
        print(report[-1], flush=True)
    command = "benchmarks.segmentation.quality" + (" --no-peers" if options.no_peers else "")
    given = {"data": data_option(options.data), "only": options.only}
    run = run_record(command, given, seed=0)
    run["versions"].pop("peers", None)
    result: dict[str, Any] = {"run": run, "crowds": report}
    if not options.no_peers:
        run["versions"]["peers"] = peer_versions()
        result["peers"], result["peer_cpu_seconds"] = beside_peers(kept)
    write_result(options.output, result)


if __name__ == "__main__":
    main()
