"""The numbers that read dependence, chosen without the sets and crews that judge the choice.

    python -m benchmarks.classification.selection [--data FOLDER] [--output FILE]

For every setting of a grid: Brier score and ECE of `calibrated` on every real set and on every
synthetic crew. Then each set and each crew, and each family of crews, is left out in turn: the
setting with the best mean of the others is scored on it, and the best of those that cost none of
the others more than a little. FOLDER holds `classification/` and
`birds-job/`.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.classification.methods import votes_of
from benchmarks.common.crowds import SETS, Crowd, real_crowds, subsample
from benchmarks.common.record import data_option, output_option, run_record, table, write_result
from benchmarks.common.scores import equal_width_gap, item_losses, mean_draws, spread, winners
from benchmarks.synthetic.crews import CREWS, SINGLE, draw, job_seed
from benchmarks.synthetic.kinds import KINDS, draw_kind, draw_lured
from groundtruth.aggregation.classification.calibrated import CalibratedSettings, judge_workers
from groundtruth.aggregation.classification.dependence import DependenceSettings

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

GRID: Mapping[str, tuple[float, ...]] = {
    "prior_correlation": (0.05, 0.09, 0.15, 0.25),
    "prior_pairs": (1000.0, 3000.0, 10_000.0),
    "independent": (0.0, 0.02, 0.04),
    "dependent": (0.06, 0.08, 0.12, 0.2, 0.3),
}
"""Values that are tried with one another."""
SHIPPED = DependenceSettings()
FIXED = DependenceSettings(independent=-9.0, dependent=-8.0)
"""Errors of every job are taken to be fully dependent, as before they were looked at."""
FREE = DependenceSettings(independent=8.0, dependent=9.0)
"""Errors of every job are taken to be independent."""
REFERENCES = {"shipped": SHIPPED, "fixed": FIXED, "free": FREE}
LARGEST_LOSS = 0.002
"""Of Brier score against `FIXED`, on any real set, that the careful rule allows."""
TRIED_BY_HAND = 60
"""Variants of statistic, prior and thresholds that were tried before, about; all on 267 jobs."""
REAL, SYNTHETIC = HALVES = ("real", "synthetic")
ANSWERS = (3, 5)  # of each item of a real set, beside all
_CLASSES, _PER_OBJECT, _OBJECTS = (2, 4, 10), (3, 5, 9), 450  # of crews
MEASURES = ("brier", "ece")
RULES = ("chosen", "careful")
"""Ways to choose: by the mean alone, and careful of each real set."""
_FAMILIES = {"crew": "all crews of the workforce", "lured": "all lured crews", "kind": "all kinds"}


@dataclass(frozen=True, kw_only=True)
class Group:
    """Jobs that are left out together: a set, or a crew, with several numbers of answers."""

    half: str  # one of `HALVES`
    family: str  # a key of `_FAMILIES`, or "set"
    name: str
    crowds: tuple[Crowd, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """What every setting has on a group."""

    group: Group
    brier: Floats  # shape (n_settings, n_items of all jobs), so that a mean is that of the jobs
    ece: Floats  # shape (n_settings,): mean over the jobs

    @property
    def means(self) -> Floats:
        """Brier score and ECE of each setting: shape (n_settings, 2)."""
        return np.column_stack((self.brier.mean(axis=1), self.ece))


def list_settings() -> list[DependenceSettings]:
    """The references first, then the grid."""
    rows = (dict(zip(GRID, values, strict=True)) for values in product(*GRID.values()))
    grid = [DependenceSettings(**row) for row in rows if row["independent"] < row["dependent"]]
    return [*REFERENCES.values(), *(one for one in grid if one != SHIPPED)]


def list_groups(data: Path | None, *, objects: int = _OBJECTS) -> Iterator[Group]:
    """All real sets that are there, and all synthetic crews."""
    for crowd in real_crowds(data, [*SETS, "birds"]) if data is not None else ():
        few = [subsample(crowd, n, seed=0) for n in ANSWERS if n * crowd.n_items < crowd.items.size]
        yield Group(half=REAL, family="set", name=crowd.name, crowds=(*few, crowd))
    sizes = list(product(_CLASSES, _PER_OBJECT))
    for name in CREWS:
        crowds = tuple(_draw_crew(name, size, objects) for size in sizes)
        yield Group(half=SYNTHETIC, family="crew", name=name, crowds=crowds)
    lured = [[job.crowd for job in draw_lured(per_object=n, seed=2)] for n in _PER_OBJECT]
    for crowds in zip(*lured, strict=True):
        name = crowds[0].name.partition(".")[0]
        yield Group(half=SYNTHETIC, family="lured", name=name, crowds=crowds)
    for name, kind in KINDS.items():
        jobs = (
            draw_kind(name, n_classes=k, per_object=n, n_objects=objects, seed=3)
            for k, n in product(kind.classes, _PER_OBJECT)
        )
        crowds = tuple(job.crowd for job in jobs)
        yield Group(half=SYNTHETIC, family="kind", name=name, crowds=crowds)


def _draw_crew(name: str, size: tuple[int, int], objects: int) -> Crowd:
    n_classes, per_object = size
    return draw(
        CREWS[name],
        f"selection.{n_classes}.{per_object}",
        task=SINGLE,
        n_classes=n_classes,
        per_object=per_object,
        n_objects=objects,
        seed=job_seed(name, "selection", *size),
    ).crowd()


def score_group(group: Group, settings: Sequence[DependenceSettings]) -> Scored:
    """Score each setting on a group; workers are judged once a job."""
    briers, gaps = zip(*(_score_job(crowd, settings) for crowd in group.crowds), strict=True)
    # Each job counts the same, however many items it has.
    n_items = sum(brier.shape[1] for brier in briers)
    scaled = [brier * (n_items / (len(briers) * brier.shape[1])) for brier in briers]
    return Scored(group=group, brier=np.hstack(scaled), ece=np.mean(gaps, axis=0))


def _score_job(crowd: Crowd, settings: Sequence[DependenceSettings]) -> tuple[Floats, Floats]:
    judged = judge_workers(votes_of(crowd), settings=CalibratedSettings())
    briers, gaps = [], []
    for one in settings:
        found = judged.conclude(CalibratedSettings(dependence=one)).posterior.dense()
        briers.append(item_losses(found, crowd.gold)[:, 1])
        gaps.append(equal_width_gap(*winners(found, crowd.gold)))
    return np.array(briers), np.array(gaps)


def weigh_halves(scored: Iterable[Scored]) -> Floats:
    """Mean of each setting, shape (n_settings, 2): each half the same, in it each group."""
    halves: dict[str, list[Floats]] = {}
    for one in scored:
        halves.setdefault(one.group.half, []).append(one.means)
    return np.asarray(np.mean([np.mean(groups, axis=0) for groups in halves.values()], axis=0))


def find_largest_loss(scored: Sequence[Scored]) -> Floats:
    """How much more Brier score each setting has than `FIXED`, on the real set with most."""
    briers = [one.means[:, 0] for one in scored if one.group.half == REAL]
    lost = [brier - brier[_place("fixed")] for brier in briers]
    return np.asarray(np.max(lost, axis=0) if lost else np.zeros(len(scored[0].ece)))


def choose(scored: Sequence[Scored], left_out: Sequence[Scored], *, careful: bool = False) -> int:
    """The setting with the lowest mean Brier score on the groups that are not left out.

    Only shipped and grid are candidates: the other references are what it is compared with. The
    careful rule allows no setting that loses more than `LARGEST_LOSS` on one of the real sets.
    """
    others = [one for one in scored if all(one is not out for out in left_out)]
    means = weigh_halves(others)[:, 0]
    if careful:
        means[find_largest_loss(others) > LARGEST_LOSS] = np.inf
    means[[_place("fixed"), _place("free")]] = np.inf
    return int(means.argmin())


def _place(reference: str) -> int:
    return list(REFERENCES).index(reference)


def list_folds(scored: Sequence[Scored]) -> Iterator[tuple[str, list[Scored]]]:
    """What is left out together: each group, each family of crews, each half."""
    for one in scored:
        yield one.group.name, [one]
    together = {
        name: [one for one in scored if one.group.family == family]
        for family, name in _FAMILIES.items()
    }
    for half in HALVES:
        together[f"all {half} ones"] = [one for one in scored if one.group.half == half]
    yield from (item for item in together.items() if 1 < len(item[1]) < len(scored))


def score_folds(
    scored: Sequence[Scored], settings: Sequence[DependenceSettings]
) -> Iterator[dict[str, Any]]:
    """What was chosen without a fold and how it does there, beside the references."""
    for name, members in list_folds(scored):
        chosen = {rule: choose(scored, members, careful=rule == "careful") for rule in RULES}
        where = {name: _place(name) for name in REFERENCES} | chosen
        line: dict[str, Any] = {"left_out": name, "half": members[0].group.half}
        line |= {"groups": len(members)}
        for rule, place in chosen.items():
            line |= {f"{name}_{rule}": value for name, value in asdict(settings[place]).items()}
        for place, measure in enumerate(MEASURES):
            means = np.mean([one.means[:, place] for one in members], axis=0)
            line |= {f"{measure}_{who}": float(means[at]) for who, at in where.items()}
        for rule, place in chosen.items():
            gains = [one.brier[place] - one.brier[where["fixed"]] for one in members]
            line |= spread(f"gain_{rule}", mean_draws([g[:, np.newaxis] for g in gains])[:, 0])
        yield line


def average_folds(folds: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Means over the folds that leave one out; sets and crews are drawn again."""
    single = [fold for fold in folds if fold["groups"] == 1]
    for half in HALVES:
        members = [fold for fold in single if fold["half"] == half]
        if not members:
            continue
        rng = np.random.default_rng(0)
        again = rng.integers(0, len(members), (1000, len(members)))
        order = np.vstack((np.arange(len(members)), again))
        line: dict[str, Any] = {"half": half, "folds": len(members)}
        for measure, who in product(MEASURES, (*REFERENCES, *RULES)):
            values = np.array([fold[f"{measure}_{who}"] for fold in members])
            line |= {f"{measure}_{who}": float(values.mean())}
            if who in ("shipped", *RULES):
                base = np.array([fold[f"{measure}_fixed"] for fold in members])
                line |= spread(f"{measure}_{who}_gain", (values - base)[order].mean(axis=1))
        yield line


def select(groups: Iterable[Group]) -> dict[str, Any]:
    """Score everything; the tables of the result."""
    settings, scored = list_settings(), []
    for group in groups:
        print(f"{group.name} …", file=sys.stderr, flush=True)
        scored.append(score_group(group, settings))
    names = [*REFERENCES, *[""] * (len(settings) - len(REFERENCES))]
    rows: list[dict[str, Any]] = [
        {"name": name} | asdict(one) for name, one in zip(names, settings, strict=True)
    ]
    for half in (*HALVES, "both"):
        members = [one for one in scored if half in (one.group.half, "both")]
        for row, means in zip(rows, weigh_halves(members) if members else (), strict=False):
            row |= {f"{name}_{half}": float(m) for name, m in zip(MEASURES, means, strict=True)}
    for row, loss in zip(rows, find_largest_loss(scored), strict=False):
        row["largest_loss"] = float(loss)
    folds = list(score_folds(scored, settings))
    averages = list(average_folds(folds))
    columns = [f"{name}_{half}" for half in (*HALVES, "both") for name in MEASURES]
    return {
        "tried": {"by_hand": TRIED_BY_HAND, "grid": len(settings) - len(REFERENCES) + 1},
        "grid": {name: list(values) for name, values in GRID.items()},
        "settings": table(rows, ("name", *GRID, *columns, "largest_loss")),
        "folds": table(folds, list(folds[0])),
        "averages": table(averages, list(averages[0])),
    }


def main() -> None:
    """Score the grid and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder with the real sets")
    output_option(parser, "selection")
    options = parser.parse_args()
    found = select(list_groups(options.data))
    given = {"data": data_option(options.data)}
    run = run_record("benchmarks.classification.selection", given, seed=0)
    write_result(options.output, {"run": run} | found)


if __name__ == "__main__":
    main()
