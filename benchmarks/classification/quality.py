"""Quality of every method on every crowd, and its difference to majority with an interval."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.classification.methods import OURS, SLOW_PEERS, run_method
from benchmarks.common.crowds import Crowd, subsample
from benchmarks.common.record import table
from benchmarks.common.scores import (
    RESAMPLED,
    SUMMARY,
    bounds,
    item_counts,
    item_losses,
    mean_differences,
    paired_intervals,
    reliability,
    resampled,
    scores,
    spreads,
    summarize,
    summary_draws,
    winners,
)
from groundtruth.compat import batched

COLUMNS = (
    *("set", "votes", "method"),
    *("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "ece", "ece_equal_mass"),
    *("log_loss", "brier", "auroc", "mean_confidence"),
    *(f"{name}{end}" for name in RESAMPLED for end in ("_low", "_high")),
)
MEAN_COLUMNS = (
    *("method", "votes"),
    *(f"{name}{end}" for name in SUMMARY for end in ("", "_low", "_high")),
)
LOSSES = ("accuracy", "brier", "log_loss")
GAINS = (*LOSSES, *(name for name in RESAMPLED if name not in LOSSES))
BASE = "majority"

Votes: TypeAlias = int | str
Case: TypeAlias = tuple[str, Votes]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured."""

    peers: tuple[str, ...]  # methods of others
    votes: tuple[int, ...]  # answers per item that are kept, beside all
    slow_votes: tuple[int, ...]  # those of them that slow peers are run on, beside all
    slow_up_to: int  # most answers of a crowd that slow peers are run on
    limit: float  # CPU seconds after which a case of a slow peer is cut off
    seed: int  # of the subsamples
    averaged: tuple[str, ...]  # the sets whose mean is compared
    jobs: int  # processes at a time

    @property
    def methods(self) -> tuple[str, ...]:
        """All methods, the slowest first, so that no process waits for another at the end."""
        slow = tuple(name for name in self.peers if name in SLOW_PEERS)
        return *slow, *(name for name in (*OURS, *self.peers) if name not in slow)

    def part(self, method: str) -> int:
        """How many cases go into one process: few of a slow peer, so that no core waits long."""
        return 8 if method in SLOW_PEERS else 16

    def asked(self, method: str, votes: Votes) -> bool:
        """Whether a method is run with so many answers per item."""
        return method not in SLOW_PEERS or votes == "all" or votes in self.slow_votes


def quality(folder: Path, crowds: Iterable[Crowd], plan: Plan) -> dict[str, Any]:
    """Measure everything that is planned; the parts of the result are tables.

    What is in the folder from a run that was interrupted is not run again.
    """
    cases = _cases(crowds, plan)
    skipped: list[dict[str, Any]] = []
    tasks: list[tuple[str, list[Crowd]]] = []
    for method in plan.methods:
        given = {case: crowd for case, crowd in cases.items() if plan.asked(method, case[1])}
        slow = method in SLOW_PEERS
        for case, crowd in list(given.items()):
            if slow and crowd.items.size > plan.slow_up_to:
                reason = f"not run: more than {plan.slow_up_to} answers"
                skipped.append(_missing(case, method, reason))
                del given[case]
        left = [crowd for crowd in given.values() if not _known(folder, crowd, method)]
        tasks += [(method, list(part)) for part in batched(left, plan.part(method))]

    def measure(task: tuple[str, list[Crowd]]) -> None:
        method, part = task
        limit = plan.limit if method in SLOW_PEERS else 0.0
        for line in run_method(method, folder, part, once=True, limit=limit):
            if "cut_off_after" in line:
                _cut_mark(folder, line["crowd"], method).write_text(f"{line['cut_off_after']:g}")

    with ThreadPoolExecutor(plan.jobs) as pool:
        list(pool.map(measure, tasks))
    for case, crowd in cases.items():
        for method in plan.methods:
            mark = _cut_mark(folder, crowd.name, method)
            if mark.exists():
                reason = f"cut off after {mark.read_text()} CPU seconds"
                skipped.append(_missing(case, method, reason))
    return _summary(folder, cases, plan) | {"cut_off": _sorted(skipped)}


def _missing(case: Case, method: str, reason: str) -> dict[str, Any]:
    return {"set": case[0], "votes": case[1], "method": method, "why": reason}


def _known(folder: Path, crowd: Crowd, method: str) -> bool:
    return _table(folder, crowd, method).exists() or _cut_mark(folder, crowd.name, method).exists()


def _table(folder: Path, crowd: Crowd, method: str) -> Path:
    return folder / f"{crowd.name}.{method}.npy"


def _cut_mark(folder: Path, crowd: str, method: str) -> Path:
    return folder / f"{crowd}.{method}.cut"


def _cases(crowds: Iterable[Crowd], plan: Plan) -> dict[Case, Crowd]:
    cases: dict[Case, Crowd] = {}
    for crowd in crowds:
        cases[crowd.name, "all"] = crowd
        for votes in plan.votes:
            cases[crowd.name, votes] = subsample(crowd, votes, plan.seed)
    return cases


def _summary(folder: Path, cases: Mapping[Case, Crowd], plan: Plan) -> dict[str, Any]:
    rows, curves, losses, drawn = [], [], {}, {}
    summaries: dict[tuple[str, Votes], list[NDArray[np.float64]]] = {}
    order = (*OURS, *plan.peers)
    for case, crowd in cases.items():
        # One seed a set, so that methods are compared in the same draws.
        counts = item_counts(np.count_nonzero(crowd.gold >= 0), zlib.crc32(case[0].encode()))
        for method in order:
            if not _table(folder, crowd, method).exists():
                continue
            posterior = np.load(_table(folder, crowd, method))
            losses[method, case] = item_losses(posterior, crowd.gold)
            drawn[method, case] = resampled(posterior, crowd.gold, counts)
            where = {"set": case[0], "votes": case[1], "method": method}
            measured = scores(posterior, crowd.gold) | bounds(drawn[method, case])
            rows.append(where | measured)
            if case[0] in plan.averaged:
                own = summaries.setdefault((method, case[1]), [])
                own.append(summary_draws(posterior, crowd.gold, counts))
                curves += [where | point for point in reliability(*winners(posterior, crowd.gold))]
    differences = [
        line
        for votes in ("all", *plan.votes)
        for line in _differences(losses, drawn, votes, order, plan.averaged)
    ]
    names = [f"{name}{end}" for name in GAINS for end in ("", "_low", "_high")]
    return {
        "averaged": list(plan.averaged),
        "scores": table(rows, COLUMNS),
        "means": table(
            [
                {"method": method, "votes": votes} | summarize(draws)
                for (method, votes), draws in summaries.items()
                if len(draws) == len(plan.averaged)
            ],
            MEAN_COLUMNS,
        ),
        "differences": table(differences, ("votes", "method", "sets", *names)),
        "reliability": _pooled(curves),
    }


def _differences(
    losses: Mapping[tuple[str, Case], NDArray[np.float64]],
    drawn: Mapping[tuple[str, Case], NDArray[np.float64]],
    votes: Votes,
    methods: Sequence[str],
    averaged: Sequence[str],
) -> Iterable[dict[str, Any]]:
    """Mean over the sets of each method's difference to majority, on the sets it finished."""
    for method in methods:
        here = [name for name in averaged if (method, (name, votes)) in losses]
        if method == BASE or not here:
            continue
        pairs = [losses[method, (name, votes)] - losses[BASE, (name, votes)] for name in here]
        own, base = ([drawn[one, (name, votes)] for name in here] for one in (method, BASE))
        gains = spreads(RESAMPLED, mean_differences(own, base), centred=True)
        gains |= paired_intervals(LOSSES, pairs)
        yield {"votes": votes, "method": method, "sets": len(here)} | gains


def _pooled(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Bins of equal width over all sets; each set counts as much as another."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    totals: dict[tuple[Any, ...], int] = {}
    for point in points:
        key = (point["votes"], point["method"])
        groups.setdefault((*key, point["bin"]), []).append(point)
        totals[*key, point["set"]] = totals.get((*key, point["set"]), 0) + point["items"]
    rows = []
    for (votes, method, place), members in sorted(groups.items(), key=str):
        weights = [p["items"] / totals[votes, method, p["set"]] for p in members]
        row = {"votes": votes, "method": method, "bin": place, "weight": sum(weights)}
        for name in ("confidence", "accuracy"):
            row[name] = float(np.average([p[name] for p in members], weights=weights))
        rows.append(row)
    return table(rows, ("votes", "method", "bin", "weight", "confidence", "accuracy"))


def _sorted(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda entry: (entry["method"], entry["set"], str(entry["votes"])))
