"""Whether workers err together, and what is made of it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.dependence import (
    EVIDENCE_CELLS,
    DependenceSettings,
    Evidence,
)
from groundtruth.aggregation.classification.votes import Votes
from tests.unit.aggregation.classification.crowds import simulated

CREW = [0.8] * 12


def lured(n_items, n_votes, n_classes, *, share, seed=0):
    """Votes of even workers, but a share of the items lures many to one wrong class."""
    votes, truths = simulated(n_items, n_votes, CREW, n_classes, seed=seed)
    rng = np.random.default_rng(seed + 1)
    luring = (rng.random(n_items) < share)[votes.items] & (rng.random(votes.n_votes) < 0.6)
    classes = np.where(luring, (truths[votes.items] + 1) % n_classes, votes.classes)
    return replace(votes, classes=classes), truths


def fixed(votes, dependence):
    """What is found where dependence is a number, whatever the votes show."""
    settings = CalibratedSettings(dependence=DependenceSettings.fixed(dependence))
    return calibrated(votes, settings=settings).posterior


def confidence_gap(found, truths):
    """Mean confidence less the share of right labels."""
    return found.confidences.mean() - (found.labels == truths).mean()


@pytest.mark.parametrize(("n_classes", "n_votes"), [(2, 5), (4, 3), (4, 5), (10, 5), (30, 5)])
def test_independent_errors_are_found_to_be_independent(n_classes, n_votes):
    votes, truths = simulated(3000, n_votes, CREW, n_classes)
    found = calibrated(votes)
    assert abs(found.evidence.total.estimate_correlation()) < 0.05
    assert found.evidence.total.estimate_dependence() < 0.25
    gap, dependent = (
        confidence_gap(found.posterior, truths),
        confidence_gap(fixed(votes, 1), truths),
    )
    assert dependent < -0.04
    assert abs(gap) < abs(dependent) * (0.4 if n_classes > 2 else 0.7)  # two classes tell little


@pytest.mark.parametrize("n_classes", [2, 4, 10])
def test_errors_that_go_together_are_found(n_classes):
    votes, truths = lured(3000, 5, n_classes, share=0.6)
    found = calibrated(votes)
    assert found.evidence.total.estimate_dependence() == 1.0
    dependent = fixed(votes, 1.0).confidences
    np.testing.assert_allclose(found.posterior.confidences, dependent, atol=1e-12)
    # Taken for independent, workers would be much too sure.
    assert (
        confidence_gap(fixed(votes, 0.0), truths) > confidence_gap(found.posterior, truths) + 0.05
    )


def test_objects_that_lure_show_in_the_wrong_votes():
    votes, _ = lured(3000, 5, 10, share=0.1)
    total = calibrated(votes).evidence.total
    assert total.wrong / total.wrong_scale > 2 * total.hits / total.hits_scale > 0


def test_a_few_votes_show_nothing():
    votes, _ = simulated(10, 5, CREW, 4)
    assert np.array_equal(calibrated(votes).posterior.confidences, fixed(votes, 1.0).confidences)


def test_earlier_batches_count():
    earlier = calibrated(simulated(3000, 5, CREW, 4)[0]).evidence.total
    votes, _ = simulated(10, 5, CREW, 4, seed=1)
    alone, informed = calibrated(votes), calibrated(votes, earlier=earlier)
    assert np.all(informed.posterior.confidences > alone.posterior.confidences)
    np.testing.assert_array_equal(informed.posterior.labels, alone.posterior.labels)


def test_confidence_lies_between_that_of_full_dependence_and_of_none():
    votes, _ = simulated(300, 4, CREW, 5)
    by_dependence = [fixed(votes, dependence) for dependence in (1.0, 0.7, 0.3, 0.0)]
    for more, less in pairwise(by_dependence):
        assert np.all(less.confidences >= more.confidences)
        assert np.array_equal(less.labels, more.labels)
        np.testing.assert_allclose(less.dense().sum(axis=1), 1.0)
    assert by_dependence[-1].confidences.mean() > by_dependence[0].confidences.mean() + 0.02


def test_an_object_does_not_decide_how_sure_it_is_itself():
    votes, _ = simulated(200, 5, CREW, 3)
    found = calibrated(votes)
    total = found.evidence.total
    for item in (0, 7, 199):
        elsewhere = found.elsewhere.estimate_correlation()[item]
        own = Evidence(**{name: getattr(found.evidence, name)[item] for name in EVIDENCE_CELLS[:5]})
        assert elsewhere == pytest.approx((total - own).estimate_correlation())


def test_single_votes_show_nothing_and_stay_as_they_are():
    items, workers, classes = np.arange(6), np.zeros(6, np.int64), np.array([0, 1, 2, 0, 1, 2])
    found = calibrated(Votes(items, workers, classes, 6, 1, 3))
    assert found.evidence.total.pairs == 0
    np.testing.assert_allclose(found.posterior.confidences, 0.7)


def test_what_is_kept_adds_up_to_what_was_found():
    found = calibrated(lured(50, 4, 3, share=0.2)[0]).evidence
    kept = {}
    for item in range(50):
        for cell, amount in found.cells_of_item(item).items():
            assert amount >= 0
            kept[cell] = kept.get(cell, 0.0) + amount
    assert set(kept) == set(EVIDENCE_CELLS)
    again, total = Evidence.from_cells(kept), found.total
    for name in EVIDENCE_CELLS[:5]:
        assert getattr(again, name) == pytest.approx(getattr(total, name))


def test_nothing_is_what_is_usual():
    nothing, settings = Evidence.nothing(), DependenceSettings()
    assert nothing.estimate_correlation() == settings.prior_correlation
    assert nothing.estimate_dependence() == 1.0
    assert Evidence.from_cells({}).total.pairs == nothing.pairs == 0


def test_sums_that_cannot_be_are_no_more_than_full_dependence():
    sums = dict.fromkeys(EVIDENCE_CELLS[:5], 0.0)
    for hits in (1e15, -1e15):
        found = Evidence(**sums | {"hits": hits, "wrong": hits, "pairs": 1e9})
        assert abs(found.estimate_correlation()) <= 1.0
        assert found.estimate_dependence() == float(hits > 0)
