"""Measures of items drawn again: the same as measures of the items that were drawn."""

import numpy as np
import pytest

from benchmarks.common.scores import (
    N_PARTS,
    RESAMPLED,
    bounds,
    item_counts,
    mean_differences,
    resampled,
    scores,
    spread,
)


@pytest.fixture
def crowd():
    """A posterior with ties and the truths, of which some are unknown."""
    rng = np.random.default_rng(3)
    table = rng.dirichlet(np.ones(4), 60).round(1) + 0.01
    gold = np.where(rng.random(60) < 0.6, table.argmax(axis=1), rng.integers(0, 4, 60))
    gold[::7] = -1
    return table / table.sum(axis=1, keepdims=True), gold


def test_the_first_row_is_of_the_items_as_they_are(crowd):
    table, gold = crowd
    found = resampled(table, gold, item_counts(np.count_nonzero(gold >= 0), 0, draws=2 * N_PARTS))
    measured = scores(table, gold)
    assert found.shape == (1 + 2 * N_PARTS, len(RESAMPLED))
    assert found[0] == pytest.approx([measured[name] for name in RESAMPLED])


def test_a_draw_is_measured_as_the_items_that_it_has(crowd):
    table, gold = crowd
    known = np.flatnonzero(gold >= 0)
    counts = item_counts(known.size, 5, draws=4)
    found = resampled(table, gold, counts)
    assert (counts.sum(axis=1) == known.size).all()
    for row, drawn in zip(found, counts, strict=True):
        again = np.repeat(known, drawn.astype(int))
        measured = scores(table[again], gold[again])
        assert row == pytest.approx([measured[name] for name in RESAMPLED])


def test_a_draw_without_a_wrong_label_has_no_auroc():
    table = np.array([[0.9, 0.1], [0.2, 0.8]])
    counts = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    auroc = resampled(table, np.array([0, 0]), counts)[:, RESAMPLED.index("auroc")]
    assert auroc[0] == 1.0
    assert np.isnan(auroc[1:]).all()


def test_intervals_lie_about_the_figure():
    draws = np.array([0.3, *np.linspace(0.5, 0.7, 201), np.nan])
    found = spread("ece", draws, centred=True)
    assert found == pytest.approx({"ece": 0.3, "ece_low": 0.205, "ece_high": 0.395})


def test_bounds_lie_within_what_a_measure_can_be():
    spread = np.array([[-0.3], [0.3]] * 20)
    found = bounds(np.vstack((np.array([[0.9, 0.1, 0.9, 0.5]]), 0.5 + spread * np.ones(4))))
    assert found["macro_f1_high"] == 1.0
    assert found["ece_low"] == 0.0
    assert found["log_loss_high"] == pytest.approx(1.2)
    assert (found["auroc_low"], found["auroc_high"]) == pytest.approx((0.2, 0.8))


def test_differences_are_of_the_same_draw_and_leave_out_what_is_unknown():
    first, second = np.array([[0.5], [0.7], [np.nan]]), np.array([[0.9], [0.1], [0.3]])
    unknown = np.array([[np.nan], [0.4], [0.4]])
    base = [np.full((3, 1), value) for value in (0.1, 0.2, 0.3)]
    found = mean_differences([first, second, unknown], base)
    assert found[:, 0] == pytest.approx([0.55, 0.25, 0.1])
