import numpy as np
import pytest

from groundtruth.aggregation.products import RatioLogs
from groundtruth.aggregation.ranks import Part

N_ITEMS, N_CLASSES = 7, 3


def ranked(sizes):
    """Parts in which so many items have a vote of each rank."""
    ends = np.cumsum(sizes)
    return [
        Part(slice(int(end - size), int(end)), slice(0, size))
        for end, size in zip(ends, sizes, strict=True)
    ]


def looked_up():
    return [Part(slice(0, 9), np.array([0, 0, 1, 2, 2, 2, 4, 5, 6]))]


def items_of(part):
    return np.arange(N_ITEMS)[part.items]


def added(parts, above, below, factors, limits):
    logs = RatioLogs(N_ITEMS, N_CLASSES, smallest=limits[0], largest=limits[1])
    spare = np.empty((2, 9, N_CLASSES))
    for part in parts:
        sides = logs.room(part, spare)
        sides[0], sides[1] = above[part.votes], below[part.votes]
        logs.add(part, sides, None if factors is None else factors[part.votes])
    return logs.totals()


@pytest.mark.parametrize("capped", [False, True])
@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(ranked([7] * 6), id="even"),
        pytest.param(ranked([5, 3, 3, 1]), id="uneven"),
        pytest.param(looked_up(), id="looked-up"),
    ],
)
@pytest.mark.parametrize(
    "limits",
    [
        pytest.param((1e-3, 1e3), id="one-logarithm-for-all"),
        pytest.param((1e-3, 1e150), id="one-for-two"),
        pytest.param((1e-300, 1e3), id="one-for-each"),
    ],
)
def test_the_logarithms_of_the_ratios_are_added_up(limits, parts, capped):
    rng = np.random.default_rng(1)
    n_votes = sum(part.size for part in parts)
    above, below = rng.random((2, n_votes, N_CLASSES)) + 0.1
    above[:, 0] = limits[0]
    below[:, 1] = limits[1]
    factors = rng.random(n_votes) if capped else None
    logs = np.log(above) - np.log(below)
    wanted = np.zeros((N_ITEMS, N_CLASSES))
    for part in parts:
        here = logs[part.votes] if factors is None else (factors[:, None] * logs)[part.votes]
        np.add.at(wanted, items_of(part), here)
    found = added(parts, above, below, factors, limits)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
