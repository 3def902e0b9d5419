"""Crews with shared errors, rare classes and copies are as they are stated; so is their limit."""

import numpy as np
import pytest

from benchmarks.classification.methods import votes_of
from benchmarks.common.crowds import lured_crowds, synthetic_crowds
from benchmarks.common.scores import item_losses
from benchmarks.synthetic.kinds import KINDS, draw_kind, draw_lured
from groundtruth.aggregation.classification.dawid_skene import dawid_skene

SIZES = [(name, n_classes) for name, kind in KINDS.items() for n_classes in kind.classes]


def draw(name, n_classes=4, *, per_object=5, n_objects=1500):
    return draw_kind(name, n_classes=n_classes, per_object=per_object, n_objects=n_objects, seed=7)


def shares(crowd, true):
    """How often each class is said of objects of one class."""
    said = crowd.classes[crowd.gold[crowd.items] == true]
    return np.bincount(said, minlength=crowd.n_classes) / said.size


@pytest.mark.parametrize(("name", "n_classes"), SIZES)
def test_the_limit_is_right_as_often_as_it_says(name, n_classes):
    job = draw(name, n_classes, n_objects=3000)
    np.testing.assert_allclose(job.limit.sum(axis=1), 1.0)
    sure, right = job.limit.max(axis=1), job.limit.argmax(axis=1) == job.crowd.gold
    error = np.sqrt(np.maximum(sure * (1.0 - sure), 1e-3).mean() / sure.size)
    assert abs(sure.mean() - right.mean()) < 4.0 * error


@pytest.mark.parametrize(("name", "n_classes"), SIZES)
def test_nobody_is_better_than_the_limit(name, n_classes):
    job = draw(name, n_classes)
    found = dawid_skene(votes_of(job.crowd)).posterior.dense()
    best, other = (item_losses(table, job.crowd.gold)[:, 1] for table in (job.limit, found))
    lost = best - other
    assert lost.mean() < 3.0 * lost.std() / np.sqrt(lost.size)  # chance may favour the other


@pytest.mark.parametrize("name", KINDS)
def test_each_object_is_answered_by_different_workers(name):
    crowd = draw(name, KINDS[name].classes[0], per_object=9, n_objects=50).crowd
    pairs = set(zip(crowd.items.tolist(), crowd.workers.tolist(), strict=True))
    assert len(pairs) == crowd.items.size == 450


def test_all_take_one_class_for_another():
    crowd = draw("all confuse the same").crowd
    np.testing.assert_allclose(shares(crowd, 0)[1], 0.3 + 0.7 * 0.2 / 3, atol=0.05)
    for true in (1, 2, 3):
        assert shares(crowd, true)[true] == pytest.approx(0.8, abs=0.05)
    by_worker = [
        (crowd.classes[mine] == 1).mean()
        for worker in range(crowd.n_workers)
        for mine in [(crowd.workers == worker) & (crowd.gold[crowd.items] == 0)]
    ]
    assert min(by_worker) > 0.2


@pytest.mark.parametrize(("name", "share"), [("10 % yes", 0.1), ("3 % yes", 0.03)])
def test_yes_is_as_rare_as_stated_and_workers_lean(name, share):
    crowd = draw(name, 2, n_objects=6000).crowd
    assert crowd.gold.mean() == pytest.approx(share, abs=4 * np.sqrt(share / 6000))
    said = [crowd.classes[crowd.workers == worker].mean() for worker in range(10)]
    assert said[9] > 0.25  # one says yes too often
    assert max(said[7:9]) < said[4]  # two seldom, the careless more often


def test_difficulty_takes_the_same_from_all():
    crowd = draw("shared difficulty", n_objects=3000).crowd
    right = (crowd.classes == crowd.gold[crowd.items]).reshape(-1, 5)
    assert right.mean() == pytest.approx(0.25 + 0.7 * (0.8 - 0.25), abs=0.03)
    counts = right.sum(axis=1)
    assert counts.var() > 1.3 * 5 * right.mean() * (1 - right.mean())


def test_the_second_of_a_pair_copies_as_often_as_stated():
    def agreement(name):
        crowd = draw(name, per_object=9).crowd
        place = np.full((crowd.n_items, 10), -1)
        place[crowd.items, crowd.workers] = crowd.classes
        both = (place[:, 0::2] >= 0) & (place[:, 1::2] >= 0)
        return (place[:, 0::2] == place[:, 1::2])[both].mean()

    by_chance = 0.8**2 + 0.2**2 / 3
    assert agreement("copying pairs") == pytest.approx(0.6 + 0.4 * by_chance, abs=0.04)
    assert agreement("shared difficulty") < by_chance


def test_the_same_seed_draws_the_same_answers():
    first, again = draw("copying pairs"), draw("copying pairs")
    np.testing.assert_array_equal(first.crowd.classes, again.crowd.classes)
    np.testing.assert_array_equal(first.limit, again.limit)


@pytest.mark.parametrize("per_object", [3, 9])
def test_the_limit_of_lured_crews_is_right_as_often_as_it_says(per_object):
    for job in draw_lured(per_object=per_object, seed=5):
        sure, right = job.limit.max(axis=1), job.limit.argmax(axis=1) == job.crowd.gold
        error = np.sqrt(np.maximum(sure * (1.0 - sure), 1e-3).mean() / sure.size)
        assert abs(sure.mean() - right.mean()) < 4.0 * error


def test_fewer_answers_of_a_lured_crew_keep_what_is_known_of_them():
    for whole, crowd in zip(lured_crowds(5), synthetic_crowds(5), strict=True):
        np.testing.assert_array_equal(whole.crowd.classes, crowd.classes)
        kept = whole.keep(3)
        assert kept.crowd.items.size == kept.accuracies.size == 3000
        known = {
            (item, worker): chance
            for item, worker, chance in zip(
                whole.crowd.items, whole.crowd.workers, whole.accuracies, strict=True
            )
        }
        expected = [known[pair] for pair in zip(kept.crowd.items, kept.crowd.workers, strict=True)]
        np.testing.assert_array_equal(kept.accuracies, expected)
