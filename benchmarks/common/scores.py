"""How right labels are, how honest their confidences, and intervals of both."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

SMALLEST_PROBABILITY = 1e-15
N_BINS = 15
RESAMPLED = ("macro_f1", "ece", "log_loss", "auroc")
DRAWS = 1000
N_PARTS = 16
"""Draws are taken in so many parts: small tables are faster."""


def scores(table: Floats, gold: Ints) -> dict[str, float]:
    """All measures of a posterior, shape (n_items, n_classes), on items with a truth."""
    losses = item_losses(table, gold)
    confidences, right = winners(table, gold)
    return paired_intervals(["accuracy"], [losses[:, :1]]) | {
        "macro_f1": macro_f1(table.argmax(axis=1)[gold >= 0], gold[gold >= 0]),
        "ece": equal_width_gap(confidences, right),
        "ece_equal_mass": equal_mass_gap(confidences, right),
        "log_loss": float(losses[:, 2].mean()),
        "brier": float(losses[:, 1].mean()),
        "auroc": auroc(confidences, right),
        "mean_confidence": float(confidences.mean()),
    }


def winners(table: Floats, gold: Ints) -> tuple[Floats, Flags]:
    """Confidence of each item's label and whether it is right, of the items with a truth."""
    table, gold = table[gold >= 0], gold[gold >= 0]
    return table.max(axis=1), table.argmax(axis=1) == gold


def macro_f1(labels: Ints, gold: Ints) -> float:
    """Mean over the classes in `gold` of their F1."""
    from sklearn.metrics import f1_score  # which takes seconds to load

    score = f1_score(gold, labels, labels=np.unique(gold), average="macro", zero_division=0)
    return float(score)


def auroc(confidences: Floats, right: Flags) -> float:
    """Probability that a right label has more confidence than a wrong one; ties count half."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(right, confidences)) if 0 < right.sum() < right.size else np.nan


def item_losses(table: Floats, gold: Ints) -> Floats:
    """Right or wrong, Brier score and log loss of each item with a truth: shape (n_items, 3)."""
    table, gold = table[gold >= 0], gold[gold >= 0]
    missed = np.clip(table[np.arange(gold.size), gold], SMALLEST_PROBABILITY, 1.0)
    errors = table - (np.arange(table.shape[1]) == gold[:, np.newaxis])
    right = (table.argmax(axis=1) == gold).astype(np.float64)
    return np.column_stack((right, (errors**2).sum(axis=1), -np.log(missed)))


def reliability(confidences: Floats, right: Flags) -> list[dict[str, Any]]:
    """Mean confidence and accuracy in the bins that hold an item, of equal width, for a plot."""
    bins = _equal_width_bins(confidences)
    return [
        {
            "bin": int(place),
            "items": int(np.count_nonzero(bins == place)),
            "confidence": float(confidences[bins == place].mean()),
            "accuracy": float(right[bins == place].mean()),
        }
        for place in np.unique(bins)
    ]


def equal_width_gap(confidences: Floats, right: Flags) -> float:
    """Expected calibration error over bins of equal width."""
    return _gap(_equal_width_bins(confidences), confidences, right)


def equal_mass_gap(confidences: Floats, right: Flags) -> float:
    """Expected calibration error over bins that hold equally many items."""
    bins = np.empty(confidences.size, dtype=np.int64)
    order = np.argsort(confidences, kind="stable")
    bins[order] = np.arange(confidences.size) * N_BINS // max(confidences.size, 1)
    return _gap(bins, confidences, right)


def _equal_width_bins(confidences: Floats) -> Ints:
    return np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)


def _gap(bins: Ints, confidences: Floats, right: Flags) -> float:
    return float(np.abs(np.bincount(bins, weights=confidences - right)).sum() / right.size)


# --- intervals: items drawn again --------------------------------------------------------------


def spread(name: str, draws: Floats, *, centred: bool = False) -> dict[str, float]:
    """A figure, which is the first draw, and the middle 95 % of the others, by name.

    Centred draws are moved so that their mean lies on the figure.
    """
    known = draws[1:][~np.isnan(draws[1:])]
    if centred and known.size:
        known = known + (draws[0] - known.mean())
    low, high = np.percentile(known, [2.5, 97.5]) if known.size else (np.nan, np.nan)
    return {name: float(draws[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


def spreads(names: Sequence[str], draws: Floats, *, centred: bool = False) -> dict[str, float]:
    """`spread` of each column: shape (1 + draws, n_names)."""
    line: dict[str, float] = {}
    for name, column in zip(names, draws.T, strict=True):
        line |= spread(name, column, centred=centred)
    return line


def item_counts(n_items: int, seed: int | np.random.Generator, *, draws: int = DRAWS) -> Floats:
    """How often each item is drawn: shape (1 + draws, n_items), each item once in the first row."""
    rng = np.random.default_rng(seed)
    drawn = [
        np.bincount(rng.integers(0, n_items, n_items), minlength=n_items) for _ in range(draws)
    ]
    return np.vstack((np.ones(n_items), *drawn))


def mean_draws(tables: Sequence[Floats]) -> Floats:
    """Mean over sets of the mean over items, shape (1 + draws, n_measures).

    Items are drawn within their set, and every set counts the same.
    """
    rng = np.random.default_rng(0)
    draws = [item_counts(len(values), rng) @ values / len(values) for values in tables]
    return np.asarray(np.mean(draws, axis=0))


def paired_intervals(names: Sequence[str], differences: Sequence[Floats]) -> dict[str, float]:
    """Mean of each column over items and sets, one table a set, with its middle 95 %, by name."""
    return spreads(names, mean_draws(differences))


def resampled(table: Floats, gold: Ints, counts: Floats) -> Floats:
    """The measures in `RESAMPLED` of each draw: shape (1 + draws, 4)."""
    confidences, right = winners(table, gold)
    log_losses = item_losses(table, gold)[:, 2]
    labels, gold = table.argmax(axis=1)[gold >= 0], gold[gold >= 0]
    parts = [
        (
            _macro_f1(labels, gold, part),
            equal_width_gaps(confidences, right, part),
            part @ log_losses / gold.size,
            _auroc(confidences, right, part),
        )
        for part in np.array_split(counts, N_PARTS)
    ]
    return np.concatenate([np.column_stack(part) for part in parts])


def equal_width_gaps(confidences: Floats, right: Flags, counts: Floats) -> Floats:
    """`equal_width_gap` of each draw: shape (1 + draws,)."""
    gaps = np.zeros((right.size, N_BINS))
    gaps[np.arange(right.size), _equal_width_bins(confidences)] = confidences - right
    return np.asarray(np.abs(counts @ gaps).sum(axis=1) / right.size)


SUMMARY = ("accuracy", "ece", "brier")


def summary_draws(table: Floats, gold: Ints, counts: Floats) -> Floats:
    """The measures in `SUMMARY` of each draw: shape (1 + draws, 3)."""
    means = counts @ item_losses(table, gold)[:, :2] / counts.shape[1]
    gaps = equal_width_gaps(*winners(table, gold), counts)
    return np.column_stack((means[:, 0], gaps, means[:, 1]))


def summarize(draws: Sequence[Floats]) -> dict[str, float]:
    """Means over cases of what `summary_draws` found, with their middle 95 %, by name.

    Drawing items again makes ECE larger by itself: its draws are moved to the figure.
    """
    mean = np.mean(draws, axis=0)
    line: dict[str, float] = {}
    for name, column in zip(SUMMARY, mean.T, strict=True):
        line |= spread(name, column, centred=name == "ece")
    return line


def bounds(found: Floats) -> dict[str, float]:
    """Intervals of a method's measures on a set, by name, within what a measure can be."""
    return {
        name: float(np.clip(value, 0.0, np.inf if name.startswith("log_loss") else 1.0))
        for name, value in spreads(RESAMPLED, found, centred=True).items()
        if name not in RESAMPLED
    }


def mean_differences(own: Sequence[Floats], base: Sequence[Floats]) -> Floats:
    """Mean over the sets of the difference, draw by draw; a set without a measure is left out."""
    differences = np.stack([first - second for first, second in zip(own, base, strict=True)])
    known = ~np.isnan(differences)
    known &= known[:, :1]
    sums = np.where(known, differences, 0.0).sum(axis=0)
    sizes = known.sum(axis=0)
    return np.divide(sums, sizes, out=np.full(sums.shape, np.nan), where=sizes > 0)


def _macro_f1(labels: Ints, gold: Ints, counts: Floats) -> Floats:
    """Mean over the true classes of a draw of their F1."""
    classes = np.unique(gold)
    chosen, true = (values[:, np.newaxis] == classes for values in (labels, gold))
    hits, sizes, truths = (
        counts @ flags.astype(np.float64) for flags in (chosen & true, chosen, true)
    )
    scores = 2 * hits / np.maximum(sizes + truths, 1.0)
    means: Floats = scores.sum(axis=1, where=truths > 0) / (truths > 0).sum(axis=1)
    return means


def _auroc(confidences: Floats, right: Flags, counts: Floats) -> Floats:
    """Probability that a right label has more confidence than a wrong one; NaN without a pair."""
    order = np.argsort(confidences, kind="stable")
    starts = np.unique(confidences[order], return_index=True)[1]
    sorted_counts, hit = counts[:, order], right[order]
    good = np.add.reduceat(sorted_counts * hit, starts, axis=1)
    bad = np.add.reduceat(sorted_counts * ~hit, starts, axis=1)
    pairs = good.sum(axis=1) * bad.sum(axis=1)
    won = (good * (np.cumsum(bad, axis=1) - bad / 2)).sum(axis=1)
    return np.divide(won, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
