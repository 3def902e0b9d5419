"""How right labels are, how honest their confidences, and intervals of both."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

SMALLEST_PROBABILITY = 1e-15
N_BINS = 10


def scores(table: Floats, gold: Ints) -> dict[str, float]:
    """All measures of a posterior, shape (n_items, n_classes), on items with a truth."""
    table, gold = table[gold >= 0], gold[gold >= 0]
    labels = table.argmax(axis=1)
    rows = np.arange(gold.size)
    confidences, right = table[rows, labels], labels == gold
    missed = np.clip(table[rows, gold], SMALLEST_PROBABILITY, 1.0)
    errors = table - (np.arange(table.shape[1]) == gold[:, np.newaxis])
    low, high = bootstrap_interval(right)
    return {
        "accuracy": float(right.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": macro_f1(labels, gold),
        "ece": equal_width_gap(confidences, right),
        "ece_equal_mass": equal_mass_gap(confidences, right),
        "log_loss": float(-np.log(missed).mean()),
        "brier": float((errors**2).sum(axis=1).mean()),
        "auroc": auroc(confidences, right),
        "mean_confidence": float(confidences.mean()),
    }


def macro_f1(labels: Ints, gold: Ints) -> float:
    """Mean over the classes in `gold` of their F1."""
    score = f1_score(gold, labels, labels=np.unique(gold), average="macro", zero_division=0)
    return float(score)


def auroc(confidences: Floats, right: NDArray[np.bool_]) -> float:
    """Probability that a right label has more confidence than a wrong one; ties count half."""
    return float(roc_auc_score(right, confidences)) if 0 < right.sum() < right.size else np.nan


def bootstrap_interval(values: NDArray[np.bool_] | Floats) -> tuple[float, float]:
    """Middle 95 % of the mean when items are drawn again 1,000 times."""
    rng = np.random.default_rng(0)
    means = [values[rng.integers(0, values.size, values.size)].mean() for _ in range(1000)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def item_losses(table: Floats, gold: Ints) -> Floats:
    """Right or wrong, Brier score and log loss of each item with a truth: shape (n_items, 3)."""
    table, gold = table[gold >= 0], gold[gold >= 0]
    missed = np.clip(table[np.arange(gold.size), gold], SMALLEST_PROBABILITY, 1.0)
    errors = table - (np.arange(table.shape[1]) == gold[:, np.newaxis])
    right = (table.argmax(axis=1) == gold).astype(np.float64)
    return np.column_stack((right, (errors**2).sum(axis=1), -np.log(missed)))


def paired_intervals(
    differences: Sequence[Floats], *, draws: int = 1000
) -> list[tuple[float, float, float]]:
    """Mean over sets of the mean over items, with its middle 95 %; items are drawn again."""
    rng = np.random.default_rng(0)
    total = np.zeros((draws, differences[0].shape[1]))
    for values in differences:
        size = len(values)
        counts = np.stack(
            [np.bincount(rng.integers(0, size, size), minlength=size) for _ in range(draws)]
        )
        total += counts @ values / size
    low, high = np.percentile(total / len(differences), [2.5, 97.5], axis=0)
    mean = np.mean([values.mean(axis=0) for values in differences], axis=0)
    return [(float(m), float(a), float(b)) for m, a, b in zip(mean, low, high, strict=True)]


def reliability(table: Floats, gold: Ints) -> list[dict[str, Any]]:
    """Mean confidence and accuracy in the bins that hold an item, of equal width, for a plot."""
    table, gold = table[gold >= 0], gold[gold >= 0]
    labels = table.argmax(axis=1)
    confidences, right = table.max(axis=1), labels == gold
    bins = np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)
    return [
        {
            "bin": int(place),
            "items": int(np.count_nonzero(bins == place)),
            "confidence": float(confidences[bins == place].mean()),
            "accuracy": float(right[bins == place].mean()),
        }
        for place in np.unique(bins)
    ]


def equal_width_gap(confidences: Floats, right: NDArray[np.bool_]) -> float:
    """Expected calibration error over bins of equal width."""
    bins = np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)
    return _gap(bins, confidences, right)


def equal_mass_gap(confidences: Floats, right: NDArray[np.bool_]) -> float:
    """Expected calibration error over bins that hold equally many items."""
    return _gap(_equal_bins(confidences), confidences, right)


def _gap(bins: Ints, confidences: Floats, right: NDArray[np.bool_]) -> float:
    gaps = np.bincount(bins, weights=confidences - right)
    return float(np.abs(gaps).sum() / right.size)


def _equal_bins(confidences: Floats) -> Ints:
    order = np.argsort(confidences, kind="stable")
    bins = np.empty(confidences.size, dtype=np.int64)
    bins[order] = np.arange(confidences.size) * N_BINS // max(confidences.size, 1)
    return bins


RESAMPLED = ("macro_f1", "ece", "log_loss", "auroc")
DRAWS = 1000
N_PARTS = 16
"""Draws are taken in so many parts: small tables are faster."""


def item_counts(n_items: int, seed: int, *, draws: int = DRAWS) -> Floats:
    """How often each item is drawn: shape (1 + draws, n_items), each item once in the first row."""
    rng = np.random.default_rng(seed)
    drawn = [
        np.bincount(rng.integers(0, n_items, n_items), minlength=n_items) for _ in range(draws)
    ]
    return np.vstack((np.ones(n_items), *drawn))


def resampled(table: Floats, gold: Ints, counts: Floats) -> Floats:
    """The measures in `RESAMPLED` of each draw: shape (1 + draws, 4)."""
    table, gold = table[gold >= 0], gold[gold >= 0]
    labels = table.argmax(axis=1)
    rows = np.arange(gold.size)
    confidences, right = table[rows, labels], labels == gold
    missed = np.clip(table[rows, gold], SMALLEST_PROBABILITY, 1.0)
    gaps = np.zeros((gold.size, N_BINS))
    bins = np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)
    gaps[rows, bins] = confidences - right
    parts = [
        (
            _macro_f1(labels, gold, part),
            np.abs(part @ gaps).sum(axis=1) / gold.size,
            part @ -np.log(missed) / gold.size,
            _auroc(confidences, right, part),
        )
        for part in np.array_split(counts, N_PARTS)
    ]
    return np.concatenate([np.column_stack(part) for part in parts])


def intervals(found: Floats) -> list[tuple[float, float, float]]:
    """The first row, and the middle 95 % of the others about their mean, put on the first.

    Drawing items again makes ECE larger by itself: without the shift its interval would lie too
    high.
    """
    middles = []
    for value, drawn in zip(found[0], found[1:].T, strict=True):
        known = drawn[~np.isnan(drawn)]
        low, high = np.percentile(known, [2.5, 97.5]) if known.size else (np.nan, np.nan)
        shift = value - (known.mean() if known.size else np.nan)
        middles.append((float(value), float(low + shift), float(high + shift)))
    return middles


def bounds(found: Floats) -> dict[str, float]:
    """Intervals of a method's measures on a set, by name, within what a measure can be."""
    ends: dict[str, float] = {}
    for name, (_, low, high) in zip(RESAMPLED, intervals(found), strict=True):
        largest = np.inf if name == "log_loss" else 1.0
        kept = np.clip([low, high], 0.0, largest).tolist()
        ends |= {f"{name}_low": kept[0], f"{name}_high": kept[1]}
    return ends


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


def _auroc(confidences: Floats, right: NDArray[np.bool_], counts: Floats) -> Floats:
    """Probability that a right label has more confidence than a wrong one; NaN without a pair."""
    order = np.argsort(confidences, kind="stable")
    starts = np.unique(confidences[order], return_index=True)[1]
    sorted_counts, hit = counts[:, order], right[order]
    good = np.add.reduceat(sorted_counts * hit, starts, axis=1)
    bad = np.add.reduceat(sorted_counts * ~hit, starts, axis=1)
    pairs = good.sum(axis=1) * bad.sum(axis=1)
    won = (good * (np.cumsum(bad, axis=1) - bad / 2)).sum(axis=1)
    return np.divide(won, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
