"""How right labels are, and how honest their confidences."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    found = []
    for true in np.unique(gold):
        hits = np.count_nonzero((labels == true) & (gold == true))
        found.append(2 * hits / (np.count_nonzero(labels == true) + np.count_nonzero(gold == true)))
    return float(np.mean(found))


def auroc(confidences: Floats, right: NDArray[np.bool_]) -> float:
    """Probability that a right label has more confidence than a wrong one; ties count half."""
    _, place, counts = np.unique(confidences, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n_right = np.count_nonzero(right)
    n_pairs = n_right * (right.size - n_right)
    if not n_pairs:
        return float("nan")
    return float((ranks[right].sum() - n_right * (n_right + 1) / 2) / n_pairs)


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
    """Mean over sets of the mean over items, with its middle 95 %; items are drawn again.

    Parameters
    ----------
    differences : sequence of ndarray of float, shape (n_items, n_measures)
        One table a set. Items are drawn within their set, and every set counts the same.
    draws : int
        How often.
    """
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
