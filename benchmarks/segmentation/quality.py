"""Quality of mask consolidation beside its peers, and how good the confidence is.

    python -m benchmarks.segmentation.quality --data FOLDER [--no-peers] [--only lidc]

Skill is always estimated from the other pictures of a data set. Differences come with what 95 %
of 400 resampled crews show: one of the draws, its pictures drawn anew.
"""

import argparse
import itertools
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.stats import spearmanr

from benchmarks.common.record import (
    MASK_REQUIREMENTS,
    ROOT,
    data_option,
    output_option,
    peers_python,
    run_module,
    run_record,
    versions_in,
    write_result,
)
from benchmarks.common.scores import spread
from benchmarks.segmentation.drawings import POOLS, TRUTH, annotate, make_scene
from groundtruth.aggregation.segmentation.one_coin_em import fuse_by_one_coin
from groundtruth.aggregation.segmentation.voting import Fusion, fuse
from groundtruth.masks.runs import RunMask
from groundtruth.tasks.segmentation.algorithms import (
    SKILL_CELLS,
    count_updates,
    known_weights,
    leave_out,
)

DRAWS = 10  # crews of sffg for each size


@dataclass(frozen=True, eq=False)
class Picture:
    """What a crew made of a picture, and what it should have made."""

    truth: NDArray[np.uint8]  # class of each pixel
    maps: list[NDArray[np.uint8]]  # what each worker drew
    workers: list[str]  # who they are; empty where that is not known


@dataclass(frozen=True)
class Crowd:
    """A data set with crews of one size."""

    name: str  # the same for all draws of crews from one data set
    n_classes: int  # with BACKGROUND
    pictures: list[Picture]  # at least one
    outlines: bool = True  # whether workers drew outlines, so that boundaries mean something
    careless: frozenset[str] = frozenset()  # the workers who did not try, where that is known


def synthetic(pool: str, n_classes: int, n_workers: int, n_pictures: int = 40) -> Crowd:
    """Crews drawn from one pool of workers, who stay the same from picture to picture."""
    random = np.random.default_rng([len(pool), n_classes, n_workers])
    kinds = POOLS[pool]
    pictures: list[Picture] = []
    for _ in range(n_pictures):
        scene = make_scene((180, 320), n_classes, random, 14)
        crew = random.choice(len(kinds), n_workers, replace=False)
        maps = [annotate(scene, kinds[worker], random) for worker in crew]
        pictures.append(Picture(annotate(scene, TRUTH, random), maps, [str(w) for w in crew]))
    careless = frozenset(str(index) for index, kind in enumerate(kinds) if kind.spam)
    return Crowd(f"{pool} k{n_classes} n{n_workers}", n_classes, pictures, careless=careless)


def lidc(folder: Path, *, with_line: bool = False) -> Crowd:
    """Nodules that four radiologists outlined; each in turn is the truth for the others.

    The files leave out the line of the outline itself; `with_line` puts it back, by a pixel all
    round.
    """
    pictures: list[Picture] = []
    for item in json.loads((folder / "lidc" / "index.json").read_text()):
        planes = np.asarray(Image.open(folder / "lidc" / "masks" / f"{item['id']}.png"))
        maps = [(planes >> reader & 1).astype(np.uint8) for reader in range(4)]
        pictures.extend(_leave_one_out([_widened(one) for one in maps] if with_line else maps))
    return Crowd("lidc n3 with the line" if with_line else "lidc n3", 2, pictures)


def bsds(folder: Path, n_pictures: int = 120) -> Crowd:
    """Photographs that several people cut into segments; each in turn is the truth."""
    pictures: list[Picture] = []
    for item in json.loads((folder / "bsds" / "index.json").read_text())[:n_pictures]:
        stacked = np.asarray(Image.open(folder / "bsds" / "masks" / f"{item['id']}.png"))
        pictures.extend(_leave_one_out(list(stacked.reshape(item["raters"], item["height"], -1))))
    return Crowd("bsds n3..7", 11, pictures)


def sffg(
    folder: Path, n_workers: int, draw: int, *, careless: bool = False, scale: int = 7
) -> Crowd:
    """Clouds that volunteers boxed; the truth is the vote of other volunteers.

    There is one crew per picture; another `draw` has other crews. With `careless` one worker
    of each crew, always the same one, draws one class everywhere.
    """
    random = np.random.default_rng([n_workers, careless, draw])
    content = json.loads((folder / "sffg" / "annotations.json").read_text())
    pictures: list[Picture] = []
    for item in content["images"]:
        truth = np.asarray(Image.open(folder / "sffg" / "gold" / f"{item['id']}.png"))
        crew = [str(w) for w in random.choice(sorted(item["voters"]), n_workers, replace=False)]
        maps = [_boxes(item["voters"][w], truth.shape)[::scale, ::scale].copy() for w in crew]
        if careless:
            crew[0], maps[0] = "careless", np.full_like(maps[0], random.integers(1, 5))
        pictures.append(Picture(truth[::scale, ::scale].copy(), maps, crew))
    name = f"sffg n{n_workers}" + (" careless" if careless else "")
    known = frozenset({"careless"} if careless else ())
    return Crowd(name, 5, pictures, outlines=False, careless=known)


def crowds(data: Path | None) -> Iterator[Crowd]:
    """The made-up pools, and the data sets of a folder that are there."""
    for pool in POOLS:
        for n_classes in (2, 5, 11):
            for n_workers in (3, 5):
                yield synthetic(pool, n_classes, n_workers)
    folder = data / "segmentation" if data is not None else None
    if folder is None or not folder.is_dir():
        print(f"the real sets are left out: there is no {folder}", file=sys.stderr)
        return
    yield lidc(folder)
    yield lidc(folder, with_line=True)
    yield bsds(folder)
    for n_workers in (3, 5, 9):
        for careless in (False, True):
            for draw in range(DRAWS):
                yield sffg(folder, n_workers, draw, careless=careless)


def _leave_one_out(maps: list[NDArray[np.uint8]]) -> Iterator[Picture]:
    for index, truth in enumerate(maps):
        if truth.any():  # who skipped a picture is no judge of it
            yield Picture(truth, maps[:index] + maps[index + 1 :], [])


def _widened(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask of 0 and 1 with the pixels that touch it, by a side or a corner."""
    around = np.pad(mask, 2)
    rows, columns = mask.shape[0] + 2, mask.shape[1] + 2
    parts = (around[i : i + rows, j : j + columns] for i in range(3) for j in range(3))
    return np.maximum.reduce(list(parts))


def _boxes(boxes: list[list[int]], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    classes = np.zeros(shape, np.uint8)
    for index, left, top, right, bottom in boxes:
        classes[top:bottom, left:right] = index
    return classes


RESAMPLED = 400
TOLERANCE = 0.0075  # of the picture's diagonal

Tables: TypeAlias = NDArray[np.int64]
Maps: TypeAlias = Sequence[NDArray[np.integer]]


def tables(crowd: Crowd, results: Maps) -> Tables:
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


def boundary_f(crowd: Crowd, results: Maps) -> float:
    """Harmonic mean of how much of the found and of the true boundaries is near the other [1]_.

    Near is 0.75 % of the picture's diagonal. Pixels are added up over the pictures.

    References
    ----------
    .. [1] D. R. Martin, C. C. Fowlkes and J. Malik, "Learning to detect natural image boundaries
       using local brightness, color, and texture cues", IEEE TPAMI 26(5), 2004.
       doi:10.1109/TPAMI.2004.1273918
    """
    near, there = np.zeros(2), np.zeros(2)
    for picture, result in zip(crowd.pictures, results, strict=True):
        lines = [_boundary(result), _boundary(picture.truth)]
        reach = TOLERANCE * np.hypot(*picture.truth.shape)
        for side, (line, other) in enumerate((lines, lines[::-1])):
            near[side] += int((line & _around(other, reach)).sum())
            there[side] += int(line.sum())
    if not there.all():
        return float(not there.any())
    precision, recall = near / there
    return float(2 * precision * recall / max(precision + recall, 1e-12))


def _boundary(classes: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Pixels whose right or lower neighbour has another class."""
    line = np.zeros(classes.shape, np.bool_)
    line[:, :-1] |= classes[:, 1:] != classes[:, :-1]
    line[:-1] |= classes[1:] != classes[:-1]
    return line


def _around(line: NDArray[np.bool_], reach: float) -> NDArray[np.bool_]:
    """Pixels at most so far from the line."""
    return np.asarray(distance_transform_edt(~line) <= reach) if line.any() else line


def difference(draws: Sequence[dict[str, Tables]], first: str, second: str) -> dict[str, float]:
    """Mean IoU of one method less that of another, with what 95 % of resampled crews show."""
    random = np.random.default_rng(len(draws))
    plain = [mean_iou(draw[first]) - mean_iou(draw[second]) for draw in draws]
    drawn = []
    for _ in range(RESAMPLED):
        draw = draws[random.integers(len(draws))]
        at = random.integers(0, len(draw[first]), len(draw[first]))
        drawn.append(mean_iou(draw[first][at]) - mean_iou(draw[second][at]))
    values = spread("gain", np.array([np.mean(plain), *drawn]))
    return {name: round(value, 5) for name, value in values.items()}


def calibration(crowd: Crowd, results: Sequence[Fusion]) -> dict[str, float]:
    """Expected IoU of each class in each picture beside the true one.

    Those that begin with `object_` are of the classes but BACKGROUND, and left out where no
    picture has one.
    """
    expected: list[float] = []
    true: list[float] = []
    objects: list[bool] = []
    for picture, result in zip(crowd.pictures, results, strict=True):
        classes = result.mask.to_array()
        for index in range(crowd.n_classes):
            if result.class_pixels[index]:
                found, there = classes == index, picture.truth == index
                expected.append(result.class_confidence[index])
                true.append((found & there).sum() / (found | there).sum())
                objects.append(index > 0)
    pairs, alone = np.column_stack((expected, true)), np.array(objects)
    figures = _away(pairs)
    if alone.any():
        of_objects = _away(pairs[alone])
        figures |= {f"object_{name}": of_objects[name] for name in ("error", "spearman")}
    return figures


def _away(pairs: NDArray[np.float64]) -> dict[str, float]:
    """How far expected values, the first column, are from true ones."""
    away = pairs[:, 0] - pairs[:, 1]
    return {
        "error": round(float(np.abs(away).mean()), 4),
        "bias": round(float(away.mean()), 4),
        "spearman": round(_rank_correlation(pairs[:, 0], pairs[:, 1]), 4),
    }


def _rank_correlation(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Spearman's; 0 where one side has no order."""
    return float(spearmanr(left, right).statistic) if np.ptp(left) and np.ptp(right) else 0.0


def mean_scores(entries: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Mean of each figure that all entries have, with as many digits as mean something."""
    return {
        name: round(float(np.mean([entry[name] for entry in entries])), 5)
        for name in entries[0]
        if all(name in entry for entry in entries)
    }


PEERS = (
    "SimpleITK LabelVoting",
    "SimpleITK MultiLabelSTAPLE",
    "crowd-kit MajorityVote",
    "crowd-kit EM",
    "crowd-kit RASA",
)
_PACKAGES = ("SimpleITK", "crowd-kit", "numpy", "pandas")

Masks: TypeAlias = list[NDArray[np.integer]]


def run_peers(crowds: Sequence[Crowd]) -> dict[str, tuple[list[Masks], float]]:
    """Masks and CPU seconds of each peer."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        names = [f"crowd{index}" for index in range(len(crowds))]
        for name, crowd in zip(names, crowds, strict=True):
            maps = {f"p{at}": np.stack(one.maps) for at, one in enumerate(crowd.pictures)}
            np.savez(folder / f"{name}.npz", n_classes=np.array(crowd.n_classes), **maps)
        return {peer: _run(peer, folder, names) for peer in PEERS}


def _run(peer: str, folder: Path, names: Sequence[str]) -> tuple[list[Masks], float]:
    """One peer on all crowds, in one process."""
    print(f"{peer} …", file=sys.stderr, flush=True)
    python = peers_python(ROOT / ".tools", MASK_REQUIREMENTS)
    said = run_module("peers", "masks", peer, folder, *names, python=python)
    seconds = sum(json.loads(line)["cpu_seconds"] for line in said.splitlines())
    results = []
    for name in names:
        with np.load(folder / f"{name}.out.npz") as stored:
            results.append([stored[f"p{at}"] for at in range(len(stored.files))])
    return results, seconds


DEFAULT, PLAIN, ORACLE = "weighted", "majority", "careless known"
LEAST = 1 / 16  # what a worker weighs who is known to be careless

Weights: TypeAlias = Callable[[int], NDArray[np.float64] | None]


def skill_of_others(crowd: Crowd) -> Weights:
    """Weights of a picture's crew by what the other pictures say of it.

    So a replay of a whole job weighs: its first pass judges, the second leaves the picture's own
    part out.
    """
    if not all(picture.workers for picture in crowd.pictures):
        return lambda index: None
    lessons = [
        count_updates(
            dict(zip(picture.workers, run_masks(picture), strict=True)), crowd.n_classes, None
        )
        for picture in crowd.pictures
    ]
    history: dict[str, dict[str, float]] = {}
    for lesson in lessons:
        for worker, amounts in lesson.items():
            known = history.setdefault(worker, dict.fromkeys(SKILL_CELLS, 0.0))
            for cell, amount in amounts.items():
                known[cell] += amount

    def weights(index: int) -> NDArray[np.float64]:
        trust = known_weights(leave_out(lessons[index], history))
        return np.array([trust.get(worker, 1.0) for worker in crowd.pictures[index].workers])

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
    """What our methods make of a crowd."""

    found: dict[str, Tables]  # tables by method
    confidence: dict[str, float]  # how good the default's confidence is
    crowd: Crowd  # what they worked on
    masks: dict[str, Maps]  # class maps by method


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
        python = peers_python(ROOT / ".tools", MASK_REQUIREMENTS)
        run["versions"]["peers"] = versions_in(python, _PACKAGES)
        del run["versions"]["peers"]["python"]
        result["peers"], result["peer_cpu_seconds"] = beside_peers(kept)
    write_result(options.output, result)


if __name__ == "__main__":
    main()
