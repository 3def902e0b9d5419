"""Laws of multi-label consolidation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.aggregation.classification.dependence import DependenceSettings
from groundtruth.aggregation.multilabel.calibrated import (
    CalibratedLabelsSettings,
    calibrated_labels,
)
from groundtruth.aggregation.multilabel.majority import share_labels
from groundtruth.aggregation.multilabel.selections import LabelCounts, Selections, choose_labels
from tests.property import strategies_classification as make

pytestmark = pytest.mark.slow

randoms = st.randoms(use_true_random=False)


@given(batch=make.selections())
def test_probabilities_are_probabilities(batch):
    found = calibrated_labels(batch).posterior
    assert found.shape == (batch.n_items, batch.n_labels)
    assert np.all((found >= 0) & (found <= 1))


@given(batch=make.selections(), random=randoms)
def test_the_order_of_the_answers_does_not_change_a_bit(batch, random):
    order = random.sample(range(len(batch.items)), len(batch.items))
    turned = Selections(
        batch.items[order],
        batch.workers[order],
        batch.picked[order],
        batch.n_items,
        batch.n_workers,
    )
    first, second = calibrated_labels(batch), calibrated_labels(turned)
    np.testing.assert_array_equal(second.posterior, first.posterior)
    np.testing.assert_array_equal(
        second.count_updates.total().amounts, first.count_updates.total().amounts
    )


@given(batch=make.selections(), random=randoms)
def test_renaming_labels_renames_the_result(batch, random):
    settings = CalibratedLabelsSettings(max_rounds=4, tolerance=0.0)
    labels = random.sample(range(batch.n_labels), batch.n_labels)
    renamed = Selections(
        batch.items, batch.workers, batch.picked[:, labels], batch.n_items, batch.n_workers
    )
    np.testing.assert_allclose(
        calibrated_labels(renamed, settings=settings).posterior,
        calibrated_labels(batch, settings=settings).posterior[:, labels],
        atol=1e-9,
    )


@given(batch=make.selections())
def test_answers_contribute_one_per_label_or_nothing(batch):
    amounts = calibrated_labels(batch).count_updates.total().amounts
    several = batch.answers_per_item[batch.items] > 1
    expected = np.bincount(batch.workers[several], minlength=batch.n_workers)
    np.testing.assert_allclose(
        amounts.sum(axis=(2, 3)), np.repeat(expected[:, np.newaxis], batch.n_labels, axis=1)
    )


@given(
    batch=make.selections(),
    quorum=st.floats(0, 1),
    exclusion=st.none() | st.just(0),
)
def test_every_item_gets_a_label_and_the_exclusion_stands_alone(batch, quorum, exclusion):
    decided = choose_labels(share_labels(batch), quorum=quorum, exclusion=exclusion)
    sizes = decided.chosen.sum(axis=1)
    assert np.all(sizes >= 1)
    if exclusion is not None:
        assert np.all(sizes[decided.chosen[:, exclusion]] == 1)


@given(
    hits=st.lists(st.floats(0.55, 0.98), min_size=2, max_size=7),
    alarms=st.lists(st.floats(0.02, 0.45), min_size=7, max_size=7),
    answers=st.sampled_from([20.0, 100.0, 1000.0]),
    dependence=st.floats(0, 1),
    random=randoms,
)
def test_one_more_agreeing_answer_never_makes_less_certain(
    hits, alarms, answers, dependence, random
):
    settings = CalibratedLabelsSettings(dependence=DependenceSettings.fixed(dependence))
    count, n_labels = len(hits), 3
    table = np.empty((count, n_labels, 2, 2))
    for worker, (hit, alarm) in enumerate(zip(hits, alarms, strict=False)):
        table[worker] = answers / 2 * np.array([[1 - alarm, alarm], [1 - hit, hit]])
    stored, nobody = LabelCounts(table), np.zeros(count, int)
    picked = np.array([[random.random() < 0.5 for _ in range(n_labels)] for _ in range(count)])
    before = Selections(nobody[1:], np.arange(count - 1), picked[1:], 1, count)
    found = calibrated_labels(before, settings=settings, prior_counts=stored).posterior[0]
    picked[0] = found > 0.5
    after = Selections(nobody, np.array([count - 1, *range(count - 1)]), picked, 1, count)
    grown = calibrated_labels(after, settings=settings, prior_counts=stored).posterior[0]
    assert np.all(np.where(found > 0.5, grown - found, found - grown) >= -5e-3)
