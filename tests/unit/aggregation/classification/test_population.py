"""What is known of all workers together, and what it says of a worker nobody knows."""

import random

import numpy as np
import pytest

from groundtruth.aggregation.classification.calibrated import calibrated
from groundtruth.aggregation.classification.counts import PopulationPrior, WorkerCounts
from groundtruth.aggregation.classification.em import VoteData
from groundtruth.aggregation.classification.votes import Votes
from tests.property.strategies_classification import shuffled

# Class 1 is often taken for class 0, and class 2 is easy.
POOL = np.array([[900.0, 80.0, 20.0], [450.0, 500.0, 50.0], [10.0, 10.0, 980.0]])


def strangers(*classes):
    """One item, voted on by workers of whom nothing is known."""
    workers = np.arange(len(classes))
    return Votes(np.zeros_like(workers), workers, np.array(classes), 1, len(classes), 3)


def shares(votes, pool=POOL, **options):
    return calibrated(votes, population_counts=pool, **options).posterior.dense()


def nobody(n_classes=3):
    return WorkerCounts.empty(0, n_classes)


def test_rates_of_all_answers_sum_to_one():
    prior = PopulationPrior.from_counts(POOL, nobody())
    for accuracy in (0.01, 0.3, 0.8, 0.99):
        rates = prior.estimate_rates(np.full(3, accuracy), np.arange(3))
        assert rates.sum(axis=0) == pytest.approx(np.ones(3))
        assert rates.min() > 0


def test_a_worker_as_good_as_all_has_the_rates_of_all():
    prior = PopulationPrior.from_counts(1000 * POOL, nobody())
    accuracy = np.full(3, POOL.trace() / POOL.sum())
    wanted = (POOL / POOL.sum(axis=1, keepdims=True)).T
    assert prior.estimate_rates(accuracy, np.arange(3)) == pytest.approx(wanted, abs=1e-3)


def test_a_better_worker_is_better_for_every_class():
    prior = PopulationPrior.from_counts(POOL, nobody())
    classes = np.arange(3)
    worse, better = (prior.estimate_rates(np.full(3, p), classes).diagonal() for p in (0.6, 0.8))
    assert np.all(better > worse)


def test_strangers_mix_up_the_classes_that_all_mix_up():
    plain = shares(strangers(0, 1), pool=None)[0]
    assert plain[0] == pytest.approx(plain[1])
    told = shares(strangers(0, 1))[0]
    assert told[1] > told[0]


def test_one_vote_is_judged_by_its_worker_alone():
    assert np.array_equal(shares(strangers(0)), shares(strangers(0), pool=None))


def test_workers_who_are_well_known_are_not_taken_for_strangers():
    known = WorkerCounts.from_dense(np.tile(3000 * np.eye(3) + 300, (2, 1, 1)))
    told, plain = (shares(strangers(0, 1), pool, prior_counts=known) for pool in (POOL, None))
    assert told == pytest.approx(plain, abs=0.02)


def test_renamed_classes_give_renamed_results():
    new = np.array([2, 0, 1])  # class 0 becomes class 2 ...
    renamed = np.empty_like(POOL)
    renamed[np.ix_(new, new)] = POOL
    votes = strangers(0, 1, 1, 2)
    again = Votes(votes.items, votes.workers, new[votes.classes], 1, 4, 3)
    assert shares(again, renamed)[:, new] == pytest.approx(shares(votes))


def test_the_order_of_votes_changes_no_bit():
    draw = np.random.default_rng(3)
    items, workers = np.repeat(np.arange(40), 3), draw.integers(0, 9, 120)
    votes = Votes(items, workers, draw.integers(0, 3, 120), 40, 9, 3)
    again = shuffled(votes, random.Random(5))
    assert np.array_equal(shares(votes), shares(again))


def test_a_pool_that_knows_nothing_changes_no_bit():
    votes = strangers(0, 1, 1)
    assert PopulationPrior.from_counts(np.zeros((3, 3)), nobody()) is None
    assert np.array_equal(shares(votes, np.zeros((3, 3))), shares(votes, None))


def test_all_workers_together_gave_no_less_than_some_of_them():
    some = WorkerCounts.from_dense(np.full((2, 3, 3), 7.0))
    assert PopulationPrior.from_counts(np.ones((3, 3)), some).absent_answers == 0
    assert PopulationPrior.from_counts(np.full((3, 3), 20.0), some).absent_answers == pytest.approx(
        9 * 6
    )
    assert PopulationPrior.from_counts(np.full((3, 3), 20.0), some).absent_right == pytest.approx(
        3 * 6
    )


def test_one_class_and_many_classes_have_no_table():
    one = Votes(np.zeros(2, int), np.arange(2), np.zeros(2, int), 1, 2, 1)
    assert shares(one, np.ones((1, 1))) == pytest.approx(np.ones((1, 1)))
    many = Votes(np.zeros(3, int), np.arange(3), np.array([4, 4, 9]), 1, 3, 30)
    assert shares(many, np.ones((30, 30))).argmax() == 4


@pytest.mark.parametrize(
    "counts", [np.ones((2, 2)), np.ones(9), -POOL, np.full((3, 3), np.nan)], ids=str
)
def test_a_pool_that_does_not_fit_is_refused(counts):
    with pytest.raises(ValueError, match="population_counts must"):
        shares(strangers(0, 1), counts)


@pytest.mark.parametrize("amount", [1e15, 1e18])
def test_workers_who_never_err_are_no_division_by_zero(amount):
    prior = PopulationPrior.from_counts(amount * np.eye(3), nobody())
    rates = prior.estimate_rates(np.full(3, 0.9), np.arange(3))
    assert np.all(np.isfinite(rates))
    assert rates.min() > 0
    assert rates.sum(axis=0) == pytest.approx(np.ones(3))
    assert shares(strangers(0, 0, 1), amount * np.eye(3)).argmax() == 0


def test_workers_who_are_not_in_the_pool_do_not_change_it():
    known = WorkerCounts.from_dense(np.array([np.full((3, 3), 7.0), 5000.0 * np.eye(3)[[1, 2, 0]]]))
    votes = strangers(0, 1)
    found = VoteData.from_votes(votes, known, None, POOL, np.array([True, False])).population
    wanted = PopulationPrior.from_counts(POOL, known.select_workers(np.array([True, False])))
    assert wanted.absent_answers == pytest.approx(POOL.sum() - 63)
    assert wanted.absent_right == pytest.approx(POOL.trace() - 21)
    for name in ("absent_answers", "absent_right", "answers", "ease", "mistakes"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    assert np.array_equal(found.answers, POOL.sum(axis=0))


def test_who_is_in_the_pool_is_said_of_each_worker():
    with pytest.raises(ValueError, match="2 workers"):
        shares(strangers(0, 1), in_population=np.array([True]))
