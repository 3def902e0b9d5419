"""Jobs replayed call by call, as Ground Truth invokes the ACS, with and without kept skill.

    python -m benchmarks.classification.replay CALL_SIZE FOLDER CROWD.npz …

writes FOLDER/<crowd>.<variant>.<size>.npy for each variant, and with kept skill one more for each
other order of arrival, FOLDER/<crowd>.kept.<size>.<order>.npy.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.classification.methods import run_method, saved
from benchmarks.common.crowds import Crowd, subsample
from benchmarks.common.record import run_module, table
from benchmarks.common.scores import item_losses, mean_draws, scores, spread
from groundtruth.aggregation.classification.builtin import builtin
from groundtruth.aggregation.classification.calibrated import calibrated
from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.dependence import Evidence
from groundtruth.aggregation.classification.majority import majority
from groundtruth.aggregation.classification.posterior import Consolidation
from groundtruth.aggregation.classification.votes import Votes

VARIANTS = ("builtin", "majority", "fresh", "kept")
ORDERS = (0, 1, 2)
"""Random orders of arrival; the first is that of all variants."""


@dataclass
class Memory:
    """Counts of all workers of a job, as a skill store keeps them."""

    crowd: Crowd
    counts: NDArray[np.float64] = field(init=False)
    evidence: Evidence = field(default_factory=Evidence.nothing)
    _all: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.crowd.n_workers, self.crowd.n_classes, self.crowd.n_classes)
        self.counts = np.zeros(shape)
        self._all = np.zeros(shape[1:])

    def of(self, workers: NDArray[np.int64]) -> WorkerCounts:
        """Counts of the workers of one call."""
        return WorkerCounts.from_dense(self.counts[workers])

    def of_all(self) -> NDArray[np.float64]:
        """Counts of all workers together, which a store keeps as those of one more."""
        return self._all

    def add(self, workers: NDArray[np.int64], found: Consolidation) -> None:
        """Add what a call taught."""
        counts = found.count_updates.total()
        if found.evidence is not None:
            self.evidence += found.evidence.total
        self.counts[workers] += counts.dense()
        self._all += counts.dense().sum(axis=0)


def replay(crowd: Crowd, size: int, variant: str, *, seed: int = 0) -> NDArray[np.float64]:
    """Posterior of all items, consolidated in calls of so many items in arrival order."""
    arrival = arrivals(crowd, seed)
    calls = [arrival[first : first + size] for first in range(0, crowd.n_items, size)]
    return replay_calls(crowd, calls, variant)


def arrivals(crowd: Crowd, order: int) -> NDArray[np.int64]:
    """All items in a random order of arrival."""
    return np.random.default_rng(order).permutation(crowd.n_items)


def replay_calls(
    crowd: Crowd, calls: Iterable[NDArray[np.int64]], variant: str
) -> NDArray[np.float64]:
    """Posterior of all items, consolidated in these calls, one after the other."""
    by_item = np.argsort(crowd.items, kind="stable")
    starts = np.searchsorted(crowd.items[by_item], np.arange(crowd.n_items + 1))
    memory = Memory(crowd)
    table = np.empty((crowd.n_items, crowd.n_classes))
    for listed in calls:
        # Items of a call in sorted order: the result does not depend on how it lists them.
        call = np.sort(listed)
        places = np.concatenate([by_item[starts[item] : starts[item + 1]] for item in call])
        items = np.repeat(np.arange(call.size), starts[call + 1] - starts[call])
        workers, numbers = np.unique(crowd.workers[places], return_inverse=True)
        classes = crowd.classes[places]
        votes = Votes(items, numbers, classes, call.size, workers.size, crowd.n_classes)
        table[call] = _consolidated(votes, workers, variant, memory)
    return table


def _consolidated(
    votes: Votes, workers: NDArray[np.int64], variant: str, memory: Memory
) -> NDArray[np.float64]:
    if variant == "builtin":
        return builtin(votes)
    if variant == "majority":
        return majority(votes)
    kept = variant == "kept"
    if not kept:
        return calibrated(votes).posterior.dense()
    found = calibrated(
        votes,
        prior_counts=memory.of(workers),
        population_counts=memory.of_all(),
        earlier=memory.evidence,
    )
    memory.add(workers, found)
    return found.posterior.dense()


CALL_SIZES = (1, 10, 50)
ALL_AT_ONCE = ("calibrated, all at once", "all")
MEASURES = ("accuracy", "ece", "log_loss", "brier", "auroc")
COLUMNS = ("set", "votes", "variant", "call_size", *MEASURES)
ORDER_SHARES = ("order", "share", "share_late")

Variant: TypeAlias = tuple[str, int | str]


def replays(
    folder: Path, crowds: Iterable[Crowd], *, averaged: Sequence[str], seed: int, jobs: int
) -> dict[str, Any]:
    """Replay every crowd with all its answers and with 3 per item."""
    whole = {crowd.name: crowd for crowd in crowds}
    cases: dict[tuple[str, int | str], Crowd] = {}
    for name, crowd in whole.items():
        cases[name, "all"], cases[name, 3] = crowd, subsample(crowd, 3, seed)
    run_method("calibrated", folder, list(cases.values()), once=True)
    paths = [saved(folder, crowd) for crowd in cases.values()]
    with ThreadPoolExecutor(jobs) as pool:
        run = lambda size: run_module("classification.replay", str(size), folder, *paths)  # noqa: E731
        list(pool.map(run, CALL_SIZES))
    return _summary(folder, cases, averaged)


def _summary(
    folder: Path, cases: Mapping[tuple[str, int | str], Crowd], averaged: Sequence[str]
) -> dict[str, Any]:
    rows = []
    right: dict[tuple[int | str, Variant], list[NDArray[np.float64]]] = {}
    for (name, votes), crowd in cases.items():
        for variant, file in _files(folder, crowd.name).items():
            posterior = np.load(file)
            where = {"set": name, "votes": votes, "variant": variant[0], "call_size": variant[1]}
            rows.append(where | scores(posterior, crowd.gold))
            if name in averaged:
                losses = item_losses(posterior, crowd.gold)
                right.setdefault((votes, variant), []).append(losses[:, :1])
    gains = [
        line
        for votes in dict.fromkeys(votes for votes, _ in right)
        for line in _gains({v: sets for (n, v), sets in right.items() if n == votes}, votes)
    ]
    columns = ("votes", "variant", "call_size", "accuracy", "gain", "gain_low", "gain_high")
    shares = ("share", "share_low", "share_high")
    return {
        "averaged": list(averaged),
        "scores": table(rows, COLUMNS),
        "gains": table(gains, (*columns, *shares)),
        "orders": table(_orders(folder, cases, averaged), ("votes", "call_size", *ORDER_SHARES)),
    }


def _orders(
    folder: Path, cases: Mapping[tuple[str, int | str], Crowd], averaged: Sequence[str]
) -> Iterable[dict[str, Any]]:
    """Share of the gain with kept skill, order by order: of all items and of the later half."""
    for votes in dict.fromkeys(votes for _, votes in cases):
        crowds = [cases[name, votes] for name in averaged]
        for size in CALL_SIZES:
            for order in ORDERS:
                line = {"votes": votes, "call_size": size, "order": order}
                shares = [_share(folder, crowds, size, order, late=late) for late in (False, True)]
                yield line | dict(zip(ORDER_SHARES[1:], shares, strict=True))


def _share(
    folder: Path, crowds: Sequence[Crowd], size: int, order: int, *, late: bool
) -> float | None:
    """How much of the whole job's gain over majority kept skill has; None if that has none."""
    kept = f"kept.{size}.{order}" if order != ORDERS[0] else f"kept.{size}"
    means = []
    for method in (f"majority.{CALL_SIZES[0]}", kept, "calibrated"):
        losses = [
            item_losses(np.load(folder / f"{crowd.name}.{method}.npy"), _gold(crowd, order, late))
            for crowd in crowds
        ]
        means.append(np.mean([one[:, 0].mean() for one in losses]))
    plain, found, whole = means
    return None if whole == plain else float((found - plain) / (whole - plain))


def _gold(crowd: Crowd, order: int, late: bool) -> NDArray[np.int64]:
    """The truths, or only those of the items that arrive in the second half of the job."""
    known = crowd.gold.copy()
    if late:
        known[arrivals(crowd, order)[: crowd.n_items // 2]] = -1
    return known


def _files(folder: Path, name: str) -> dict[Variant, Path]:
    files: dict[Variant, Path] = {
        (variant, size): folder / f"{name}.{variant}.{size}.npy"
        for size in CALL_SIZES
        for variant in VARIANTS
    }
    return files | {ALL_AT_ONCE: folder / f"{name}.calibrated.npy"}


def _gains(
    right: Mapping[Variant, Sequence[NDArray[np.float64]]], votes: int | str
) -> Iterable[dict[str, Any]]:
    """Gain over majority and its share of the whole job's, with intervals over items."""
    base = right["majority", CALL_SIZES[0]]
    draws = {
        variant: mean_draws([own - other for own, other in zip(sets, base, strict=True)])[:, 0]
        for variant, sets in right.items()
    }
    whole = np.where(draws[ALL_AT_ONCE] == 0, np.nan, draws[ALL_AT_ONCE])
    for (variant, size), sets in right.items():
        gain = draws[variant, size]
        line = {"votes": votes, "variant": variant, "call_size": size}
        line |= {"accuracy": float(np.mean([one.mean() for one in sets]))}
        yield line | spread("gain", gain) | spread("share", gain / whole)


if __name__ == "__main__":
    _, call_size, folder, *paths = sys.argv
    for path in paths:
        given = Crowd.load(Path(path))
        for kind in VARIANTS:
            found = replay(given, int(call_size), kind)
            np.save(Path(folder) / f"{given.name}.{kind}.{call_size}.npy", found)
        for order in ORDERS[1:]:
            found = replay(given, int(call_size), "kept", seed=order)
            np.save(Path(folder) / f"{given.name}.kept.{call_size}.{order}.npy", found)
