"""The algorithms give what the formulas give, written out vote by vote."""

import numpy as np
import pytest

from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.dawid_skene import DawidSkeneSettings, dawid_skene
from groundtruth.aggregation.classification.votes import Votes
from tests.unit.aggregation.classification.plain import plain_calibrated, plain_dawid_skene

pytestmark = pytest.mark.slow

ROUNDS = 4
N_ITEMS, N_WORKERS = 60, 9


@pytest.fixture(params=[1, 2, 3, 4, 7, 10, 20])
def n_classes(request):
    return request.param


@pytest.fixture(params=["even", "uneven", "lone-and-empty"])
def votes(request, n_classes):
    return some_votes(request.param, n_classes, N_ITEMS)


def some_votes(kind, n_classes, n_items):
    rng = np.random.default_rng(n_classes)
    sizes = {
        "even": np.full(n_items, 3),
        "uneven": rng.integers(1, N_WORKERS + 1, n_items),
        "lone-and-empty": rng.integers(0, 3, n_items),
    }[kind]
    items = np.repeat(np.arange(n_items), sizes)
    workers = np.concatenate([rng.permutation(N_WORKERS)[:size] for size in sizes])
    truths = rng.integers(0, n_classes, n_items)
    right = rng.random(items.size) < np.linspace(0.3, 0.95, N_WORKERS)[workers]
    classes = np.where(right, truths[items], rng.integers(0, n_classes, items.size))
    return Votes(items, workers, classes, n_items, N_WORKERS, n_classes)


@pytest.fixture(params=[False, True], ids=["alone", "with-gold-and-stored-counts"])
def known(request, n_classes):
    if not request.param:
        return None, None
    rng = np.random.default_rng(5)
    table = 8.0 * rng.random((N_WORKERS, n_classes, n_classes))
    gold = np.where(rng.random(N_ITEMS) < 0.3, rng.integers(0, n_classes, N_ITEMS), -1)
    return WorkerCounts.from_dense(table * (table > 4.0)), gold


@pytest.fixture(params=["nobody", "all"])
def pool(request, n_classes):
    """What all workers did: hard classes, easy ones, and mix-ups that are frequent."""
    return None if request.param == "nobody" else a_pool(n_classes)


def a_pool(n_classes):
    draw = np.random.default_rng(n_classes)
    table = 300.0 * draw.random((n_classes, n_classes)) ** 3
    return table + np.diag(draw.uniform(50, 3000, n_classes))


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


def test_dawid_skene_with_rates_whose_product_is_too_small_to_be_held():
    votes = some_votes("uneven", 3, N_ITEMS)
    tables = [1e150 * (np.eye(3) if worker else np.ones((3, 3))) for worker in range(N_WORKERS)]
    stored = WorkerCounts.from_dense(np.array(tables))
    settings = DawidSkeneSettings(tolerance=0.0, max_rounds=ROUNDS)
    found = dawid_skene(votes, settings=settings, prior_counts=stored)
    _, truth = plain_dawid_skene(votes, ROUNDS, stored=stored)
    np.testing.assert_allclose(found.truth.dense(), truth, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("capped", [False, True])
def test_calibrated(votes, known, pool, capped):
    stored, gold = known
    caps = np.linspace(0.0, 1.0, N_WORKERS) if capped else None
    settings = CalibratedSettings(tolerance=0.0, max_rounds=ROUNDS)
    earlier_gold = None if pool is None else np.arange(pool.shape[0]) * 2.0
    options = {
        "gold": gold,
        "max_weights": caps,
        "population_counts": pool,
        "earlier_gold": earlier_gold,
    }
    found = calibrated(votes, settings=settings, prior_counts=stored, **options)
    wanted, truth = plain_calibrated(votes, settings, stored=stored, **options)
    assert_alike(found, wanted, truth)


@pytest.mark.parametrize("kind", ["even", "lone-and-empty"])
def test_calibrated_with_more_than_a_thousand_items(kind):
    votes, counts = some_votes(kind, 20, 2100), a_pool(20)
    settings = CalibratedSettings(tolerance=0.0, max_rounds=2)
    found = calibrated(votes, settings=settings, population_counts=counts)
    wanted, truth = plain_calibrated(votes, settings, population_counts=counts)
    assert_alike(found, wanted, truth)
