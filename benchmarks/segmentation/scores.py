"""How good masks and their confidences are: intersection over union, boundaries, intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.segmentation.crowds import Crowd
from groundtruth.aggregation.segmentation.voting import Fusion

RESAMPLED = 400
TOLERANCE = 0.0075  # of the picture's diagonal

type Tables = NDArray[np.int64]
type Maps = Sequence[NDArray[np.integer]]


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
    steps = int(reach)
    padded = np.pad(line, steps)
    near = np.zeros(line.shape, np.bool_)
    for down in range(-steps, steps + 1):
        for right in range(-steps, steps + 1):
            if np.hypot(down, right) <= reach:
                rows, columns = steps + down, steps + right
                near |= padded[rows : rows + line.shape[0], columns : columns + line.shape[1]]
    return near


def difference(draws: Sequence[dict[str, Tables]], first: str, second: str) -> dict[str, float]:
    """Mean IoU of one method less that of another, with what 95 % of resampled crews show.

    Parameters
    ----------
    draws : sequence of dict
        Tables by method: one dict for each draw of crews for the same pictures.
    first, second : str
        Methods that every draw has, on the same pictures.
    """
    random = np.random.default_rng(len(draws))
    plain = [mean_iou(draw[first]) - mean_iou(draw[second]) for draw in draws]
    spread = []
    for _ in range(RESAMPLED):
        draw = draws[random.integers(len(draws))]
        at = random.integers(0, len(draw[first]), len(draw[first]))
        spread.append(mean_iou(draw[first][at]) - mean_iou(draw[second][at]))
    low, high = np.percentile(spread, [2.5, 97.5])
    values = {"gain": np.mean(plain), "gain_low": low, "gain_high": high}
    return {name: round(float(value), 5) for name, value in values.items()}


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
    """Spearman's, equal values sharing the mean of their ranks."""
    ranks = []
    for values in (left, right):
        _, place, count = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(count) - (count - 1) / 2)[place])
    if not (np.ptp(ranks[0]) and np.ptp(ranks[1])):
        return 0.0  # of equal values there is no order
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def mean_scores(entries: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Mean of each figure that all entries have, with as many digits as mean something."""
    return {
        name: round(float(np.mean([entry[name] for entry in entries])), 5)
        for name in entries[0]
        if all(name in entry for entry in entries)
    }
