"""The fast sweeps give what the formulas give, written out vote by vote."""

import numpy as np
import pytest

from groundtruth.aggregation import ranks
from groundtruth.aggregation.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.dawid_skene import DawidSkeneSettings, dawid_skene
from groundtruth.aggregation.skill import WorkerCounts
from groundtruth.aggregation.votes import Votes
from tests.unit.aggregation.plain import plain_calibrated, plain_dawid_skene

ROUNDS = 4
N_ITEMS, N_WORKERS = 60, 9


@pytest.fixture(params=["one-block", "ranks"], autouse=True)
def order(request, monkeypatch):
    """A small batch is swept as a whole; a large one in blocks, which here are tiny."""
    if request.param == "ranks":
        monkeypatch.setattr(ranks, "_FEWEST_ITEMS", 1)
        monkeypatch.setattr(ranks, "_CELLS_PER_BLOCK", 50)


@pytest.fixture(params=[1, 2, 3, 4, 7, 10, 20])
def n_classes(request):
    return request.param


@pytest.fixture(params=["even", "uneven", "lone-and-empty"])
def votes(request, n_classes):
    rng = np.random.default_rng(n_classes)
    sizes = {
        "even": np.full(N_ITEMS, 3),
        "uneven": rng.integers(1, N_WORKERS + 1, N_ITEMS),
        "lone-and-empty": rng.integers(0, 3, N_ITEMS),
    }[request.param]
    items = np.repeat(np.arange(N_ITEMS), sizes)
    workers = np.concatenate([rng.permutation(N_WORKERS)[:size] for size in sizes])
    truths = rng.integers(0, n_classes, N_ITEMS)
    right = rng.random(items.size) < np.linspace(0.3, 0.95, N_WORKERS)[workers]
    classes = np.where(right, truths[items], rng.integers(0, n_classes, items.size))
    return Votes(items, workers, classes, N_ITEMS, N_WORKERS, n_classes)


@pytest.fixture(params=[False, True], ids=["alone", "with-gold-and-stored-counts"])
def known(request, n_classes):
    if not request.param:
        return None, None
    rng = np.random.default_rng(5)
    table = 8.0 * rng.random((N_WORKERS, n_classes, n_classes))
    gold = np.where(rng.random(N_ITEMS) < 0.3, rng.integers(0, n_classes, N_ITEMS), -1)
    return WorkerCounts.from_dense(table * (table > 4.0)), gold


def assert_alike(found, wanted, truth):
    np.testing.assert_allclose(found.truth.dense(), truth, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found.posterior.dense(), wanted, rtol=1e-9, atol=1e-13)


def test_dawid_skene(votes, known):
    stored, gold = known
    settings = DawidSkeneSettings(tolerance=0.0, max_rounds=ROUNDS)
    found = dawid_skene(votes, settings=settings, prior_counts=stored, gold=gold)
    wanted, truth = plain_dawid_skene(votes, ROUNDS, stored=stored, gold=gold)
    several = votes.votes_per_item != 1  # a single vote is worth what is known of its worker
    np.testing.assert_allclose(found.truth.dense(), truth, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(
        found.posterior.dense()[several], wanted[several], rtol=1e-9, atol=1e-13
    )


@pytest.mark.parametrize("capped", [False, True])
def test_calibrated(votes, known, capped):
    stored, gold = known
    caps = np.linspace(0.0, 1.0, N_WORKERS) if capped else None
    settings = CalibratedSettings(tolerance=0.0, max_rounds=ROUNDS)
    found = calibrated(votes, settings=settings, prior_counts=stored, gold=gold, max_weights=caps)
    wanted, truth = plain_calibrated(votes, settings, stored=stored, gold=gold, max_weights=caps)
    assert_alike(found, wanted, truth)
