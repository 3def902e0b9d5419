"""Class frequencies that come from items of known truth."""

import numpy as np
import pytest

from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.em import VoteData
from groundtruth.aggregation.classification.posterior import Posterior
from groundtruth.aggregation.classification.votes import Votes

WITHOUT = CalibratedSettings(frequencies_from_gold=False)


def skewed_crowd(seed, n_items=600, n_classes=2):
    """Class 0 is rare, and half of the items of the next class look like it to everybody."""
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random(n_items) < 0.1, 0, rng.integers(1, n_classes, n_items))
    lure = (truth == 1) & (rng.random(n_items) < 0.5)
    items = np.repeat(np.arange(n_items), 3)
    workers = np.concatenate([rng.choice(20, 3, replace=False) for _ in range(n_items)])
    right = rng.random(items.size) < np.where(lure, 0.6, 0.9)[items]
    other = (truth[items] + rng.integers(1, n_classes, items.size)) % n_classes
    wrong = np.where(lure[items], 0, other)
    votes = Votes(items, workers, np.where(right, truth[items], wrong), n_items, 20, n_classes)
    return votes, truth


def draw_gold(truth, count, seed):
    chosen = np.random.default_rng(seed).choice(truth.size, count, replace=False)
    gold = np.full(truth.size, -1)
    gold[chosen] = truth[chosen]
    return gold


def test_the_rare_class_is_no_longer_seen_everywhere():
    gained = []
    for seed in range(5):
        votes, truth = skewed_crowd(seed)
        gold = draw_gold(truth, 50, seed)
        rest = gold < 0
        with_it, without = (
            (calibrated(votes, gold=gold, settings=settings).posterior.labels == truth)[rest]
            for settings in (None, WITHOUT)
        )
        gained.append(with_it.mean() - without.mean())
    assert np.mean(gained) > 0.01, gained


@pytest.mark.parametrize("n_classes", [2, 30])
def test_an_item_s_own_truth_does_not_count_for_it(n_classes):
    votes, truth = skewed_crowd(1, n_items=40, n_classes=n_classes)
    gold = draw_gold(truth, 20, 1)
    first = int(np.flatnonzero(gold >= 0)[0])
    others = gold.copy()
    others[first] = votes.classes[votes.items == first][0]  # is listed in both
    gold[first] = votes.classes[votes.items == first][-1]
    for known in (gold, others):
        known[first + 1] = (known[first] + 1) % n_classes
    before, after = (frequencies(votes, known) for known in (gold, others))
    np.testing.assert_array_equal(after[first], before[first])
    unknown = np.where(np.arange(40) == first, -1, gold)
    np.testing.assert_allclose(frequencies(votes, unknown)[first], before[first], atol=1e-12)
    assert not np.allclose(frequencies(votes, unknown), before, atol=1e-3)


def frequencies(votes, gold):
    data = VoteData.from_votes(votes, None, gold)
    logs = data.log_class_prior(0.25, data.count_gold())
    return Posterior(data.layout, np.exp(logs)).dense()


def test_gold_of_earlier_calls_counts_like_that_of_this_one():
    votes, _ = skewed_crowd(2, n_items=60)
    none = calibrated(votes)
    rare, frequent = (
        calibrated(votes, earlier_gold=np.array(counts)) for counts in ([0.0, 50.0], [50.0, 0.0])
    )
    means = [made.posterior.dense()[:, 0].mean() for made in (rare, none, frequent)]
    assert means[0] < means[1] - 0.01
    assert means[1] < means[2] - 0.01
    ignored = calibrated(votes, earlier_gold=np.array([0.0, 50.0]), settings=WITHOUT)
    np.testing.assert_array_equal(ignored.posterior.dense(), none.posterior.dense())


def test_single_votes_know_no_frequencies():
    items, workers = np.arange(30), np.arange(30) % 3
    votes = Votes(items, workers, np.arange(30) % 2, 30, 3, 2)
    known = calibrated(votes, earlier_gold=np.array([0.0, 500.0])).posterior.dense()
    np.testing.assert_array_equal(known, calibrated(votes).posterior.dense())


@pytest.mark.parametrize("n_classes", [2, 30])
@pytest.mark.parametrize("frequent", [0.0, 50.0, 5000.0])
def test_one_more_agreeing_vote_never_lowers_the_confidence(n_classes, frequent):
    earlier = np.zeros(n_classes)
    earlier[1] = frequent
    for others in ([], [1], [1, 1], [1, 1, 1]):
        found = []
        for count in range(1, 9):
            classes = np.array([*[0] * count, *others])
            nobody = np.zeros(classes.size, int)
            votes = Votes(nobody, np.arange(classes.size), classes, 1, classes.size, n_classes)
            found.append(calibrated(votes, earlier_gold=earlier).posterior.dense()[0, 0])
        assert np.all(np.diff(found) >= -1e-12), (others, found)


@pytest.mark.parametrize("counts", [[1.0], [1.0, -1.0], [1.0, np.nan], [1.0, np.inf]])
def test_counts_that_cannot_be_are_refused(counts):
    votes, _ = skewed_crowd(3, n_items=5)
    with pytest.raises(ValueError, match="earlier_gold must hold 2 numbers of 0 or more"):
        calibrated(votes, earlier_gold=np.array(counts))
