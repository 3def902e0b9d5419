"""The only answer to an object is judged by its worker alone, to the last bit."""

import numpy as np
import pytest

from groundtruth.aggregation.classification.calibrated import calibrated
from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.dawid_skene import dawid_skene
from groundtruth.aggregation.classification.ebcc import ebcc
from groundtruth.aggregation.classification.votes import Votes
from groundtruth.aggregation.classification.weighted import weighted

N_LONE, N_OTHERS = 300, 40
ALGORITHMS = [
    pytest.param(calibrated, 2, id="calibrated, tables"),
    pytest.param(calibrated, 10, id="calibrated, larger tables"),
    pytest.param(calibrated, 25, id="calibrated, accuracies"),
    pytest.param(weighted, 10, id="weighted"),
    pytest.param(dawid_skene, 2, id="dawid-skene, tables"),
    pytest.param(dawid_skene, 25, id="dawid-skene, accuracies"),
    pytest.param(ebcc, 2, id="ebcc"),
    pytest.param(ebcc, 25, id="ebcc, accuracies"),
]


def stored(n_workers, n_classes):
    """Counts that no binary fraction holds exactly."""
    draw = np.random.default_rng(n_classes)
    tables = 30.0 * draw.random((n_workers, n_classes, n_classes))
    tables[:, np.arange(n_classes), np.arange(n_classes)] *= draw.uniform(1, 40, (n_workers, 1))
    return WorkerCounts.from_dense(tables)


def batch(n_classes, *, with_others):
    """Objects with one answer of a worker each, and some that other workers answered."""
    draw = np.random.default_rng(7)
    lone = np.arange(N_LONE)
    items = [lone]
    workers = [lone]
    if with_others:
        items.append(N_LONE + np.repeat(np.arange(N_OTHERS), 3))
        workers.append(N_LONE + np.tile(np.arange(3), N_OTHERS))
    chosen = draw.integers(0, n_classes, N_LONE + 3 * N_OTHERS)
    each = np.concatenate(items)
    return Votes(
        each,
        np.concatenate(workers),
        chosen[: each.size],
        N_LONE + with_others * N_OTHERS,
        N_LONE + 3,
        n_classes,
    )


@pytest.mark.parametrize(("algorithm", "n_classes"), ALGORITHMS)
@pytest.mark.parametrize("with_gold", [False, True])
def test_other_objects_of_the_batch_change_no_bit(algorithm, n_classes, with_gold):
    counts, found = stored(N_LONE + 3, n_classes), []
    for with_others in (False, True):
        votes = batch(n_classes, with_others=with_others)
        gold = np.full(votes.n_items, -1)
        gold[: N_LONE // 2 if with_gold else 0] = votes.classes[0]
        found.append(algorithm(votes, prior_counts=counts, gold=gold).posterior.dense()[:N_LONE])
    alone, among_others = found
    assert np.unique(alone.max(axis=1)).size > N_LONE / 2
    assert np.array_equal(alone, among_others)


@pytest.mark.parametrize("n_classes", [2, 10])
def test_what_all_workers_together_did_changes_no_bit(n_classes):
    counts, votes = stored(N_LONE + 3, n_classes), batch(n_classes, with_others=True)
    pool = 100.0 * counts.dense().sum(axis=0)
    plain, told = (
        calibrated(votes, prior_counts=counts, population_counts=known).posterior.dense()
        for known in (None, pool)
    )
    assert np.array_equal(plain[:N_LONE], told[:N_LONE])
    assert not np.array_equal(plain, told)
