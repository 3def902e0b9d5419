"""How far skill counts for several labels follows from whether errors go together."""

import numpy as np
import pytest

from groundtruth.aggregation.classification.dependence import DependenceSettings, Evidence
from groundtruth.aggregation.multilabel.calibrated import (
    CalibratedLabelsSettings,
    calibrated_labels,
)
from groundtruth.aggregation.multilabel.majority import share_labels
from groundtruth.aggregation.multilabel.selections import LabelCounts, Selections

N_LABELS = 8


def from_ticks(ticks):
    """Selections of a table (item, worker, label)."""
    items, workers = (grid.ravel() for grid in np.indices(ticks.shape[:2]))
    return Selections(items, workers, ticks.reshape(-1, ticks.shape[2]), *ticks.shape[:2])


def independent(n_items, n_workers, *, hit=0.85, alarm=0.1, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.random((n_items, N_LABELS)) < 0.3
    rates = np.where(truth, hit, alarm)[:, np.newaxis]
    return from_ticks(rng.random((n_items, n_workers, N_LABELS)) < rates), truth


def together(n_items, n_workers, *, noise=0.6, seed=0):
    """Workers see the same, more or less clear, trace of a label; most of a crowd is right."""
    rng = np.random.default_rng(seed)
    seen = rng.normal(-1.3, 1.0, (n_items, 1, N_LABELS))
    limits = rng.normal(0.0, 0.3, (n_workers, 1))
    blurred = seen + rng.normal(0.0, noise, (n_items, n_workers, N_LABELS))
    return from_ticks(blurred > limits), seen[:, 0] > 0


def dependence(answers):
    return calibrated_labels(answers).elsewhere.estimate_dependence(
        CalibratedLabelsSettings().dependence
    )


def brier(table, truth):
    return ((table - truth) ** 2).mean()


@pytest.mark.parametrize("n_workers", [3, 4, 5, 9])
def test_errors_that_go_together_leave_the_labels_to_the_majority(n_workers):
    for seed in range(3):
        answers, truth = together(200, n_workers, seed=seed)
        shares, found = share_labels(answers), calibrated_labels(answers).posterior
        assert dependence(answers).min() > 0.7
        clear = np.abs(shares - 0.5) > 0.1
        assert np.mean((found > 0.5) != (shares > 0.5), where=clear) < 0.005
        assert brier(found, truth) < brier(shares, truth) + 0.002


@pytest.mark.parametrize("rates", [(0.85, 0.1), (0.5, 0.03), (0.9, 0.3)], ids=str)
def test_independent_errors_leave_the_labels_to_skill(rates):
    answers, truth = independent(200, 5, hit=rates[0], alarm=rates[1])
    shares, found = share_labels(answers), calibrated_labels(answers).posterior
    assert dependence(answers).max() < 0.3
    assert brier(found, truth) < 0.6 * brier(shares, truth)
    sure = found > 0.9
    assert truth[sure].mean() > 0.95


def test_three_answers_tell_independent_errors_only_of_workers_who_err_both_ways_alike():
    even, _ = independent(400, 3, hit=0.85, alarm=0.15)
    sparing, _ = independent(400, 3, hit=0.5, alarm=0.02)
    assert dependence(even).max() < 0.4
    assert dependence(sparing).min() > 0.8


@pytest.mark.parametrize("n_workers", [1, 2])
def test_one_or_two_answers_to_each_item_tell_nothing(n_workers):
    answers, _ = independent(100, n_workers)
    assert calibrated_labels(answers).evidence.total.pairs == 0
    assert dependence(answers).tolist() == [1.0] * 100


def test_what_earlier_calls_showed_counts():
    many, _ = independent(400, 5, seed=1)
    few, truth = independent(10, 5, seed=2)
    learned = calibrated_labels(many)
    told = {"prior_counts": learned.count_updates.total(), "earlier": learned.evidence.total}
    alone, informed = calibrated_labels(few), calibrated_labels(few, **told)
    assert informed.elsewhere.pairs.min() > alone.elsewhere.pairs.max()
    assert brier(informed.posterior, truth) < brier(alone.posterior, truth)
    assert np.abs(informed.posterior - 0.5).mean() > np.abs(alone.posterior - 0.5).mean() + 0.02


def test_an_item_s_own_answers_do_not_say_how_sure_it_is():
    answers, _ = independent(20, 5)
    found = calibrated_labels(answers)
    total, own = found.evidence.total, found.evidence
    np.testing.assert_allclose(found.elsewhere.pairs, total.pairs - own.pairs)
    np.testing.assert_allclose(found.elsewhere.hits, total.hits - own.hits, atol=1e-9)


@pytest.mark.parametrize("fixed", [0.0, 0.5, 1.0])
def test_the_result_lies_between_the_posterior_and_the_share_as_dependence_says(fixed):
    answers, _ = independent(50, 5)
    at = {
        value: calibrated_labels(
            answers, settings=CalibratedLabelsSettings(dependence=DependenceSettings.fixed(value))
        ).posterior
        for value in (0.0, fixed, 1.0)
    }
    divided = (answers.counts > 0) & (answers.counts < 5)
    expected = (1.0 - fixed) * at[0.0] + fixed * at[1.0]
    np.testing.assert_allclose(at[fixed][divided], expected[divided], atol=1e-6)


def test_evidence_of_other_items_moves_a_single_item():
    amounts = np.tile(100.0 * np.array([[0.9, 0.1], [0.2, 0.8]]), (3, 1, 1, 1))
    answers = from_ticks(np.array([[[True], [True], [False]]]))
    zero = {"wrong": 0.0, "wrong_scale": 0.0}
    sure, unsure = (
        calibrated_labels(
            answers,
            prior_counts=LabelCounts(amounts),
            earlier=Evidence(hits=hits, hits_scale=1e5, pairs=1e6, **zero),
        ).posterior[0, 0]
        for hits in (0.0, 1e4)
    )
    assert sure > unsure + 0.05
