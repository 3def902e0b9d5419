"""Jobs replayed call by call: what small calls cost, and what kept skill brings back."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.classification.replay import ORDERS, VARIANTS, arrivals
from benchmarks.classification.runs import run_method, run_module, saved
from benchmarks.common.crowds import Crowd, subsample
from benchmarks.common.record import table
from benchmarks.common.scores import item_losses, scores

CALL_SIZES = (1, 10, 50)
ALL_AT_ONCE = ("calibrated, all at once", "all")
MEASURES = ("accuracy", "ece", "log_loss", "brier", "auroc")
COLUMNS = ("set", "votes", "variant", "call_size", *MEASURES)
ORDER_SHARES = ("order", "share", "share_late")
DRAWS = 1000

type Variant = tuple[str, int | str]


def replays(
    folder: Path, crowds: Iterable[Crowd], *, averaged: Sequence[str], seed: int, jobs: int
) -> dict[str, Any]:
    """Replay every crowd with all its answers and with 3 per item.

    Parameters
    ----------
    folder : Path
        Where crowds and results are kept.
    crowds : iterable of Crowd
        The jobs.
    averaged : sequence of str
        The sets whose mean is compared.
    seed : int
        Of the subsamples.
    jobs : int
        Processes at a time.
    """
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
                right.setdefault((votes, variant), []).append(losses[:, 0])
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
    draws = {variant: _resampled(sets, base) for variant, sets in right.items()}
    whole = draws[ALL_AT_ONCE]
    for (variant, size), sets in right.items():
        gain = draws[variant, size]
        low, high = np.percentile(gain[1:], [2.5, 97.5])
        line = {"votes": votes, "variant": variant, "call_size": size}
        line |= {"accuracy": float(np.mean([one.mean() for one in sets]))}
        line |= {"gain": float(gain[0]), "gain_low": float(low), "gain_high": float(high)}
        shares = gain / np.where(whole == 0, np.nan, whole)
        low, high = np.nanpercentile(shares[1:], [2.5, 97.5])
        line |= {"share": float(shares[0]), "share_low": float(low), "share_high": float(high)}
        yield line


def _resampled(
    sets: Sequence[NDArray[np.float64]], base: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Mean gain over the sets: of the items as they are, then of items drawn again."""
    rng = np.random.default_rng(0)
    total = np.zeros(DRAWS + 1)
    for values, others in zip(sets, base, strict=True):
        difference = values - others
        total[0] += difference.mean()
        for draw in range(1, DRAWS + 1):
            total[draw] += difference[rng.integers(0, difference.size, difference.size)].mean()
    return total / len(sets)
