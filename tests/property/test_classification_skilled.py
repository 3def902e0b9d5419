"""Laws of the algorithms that learn about workers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.dawid_skene import DawidSkeneSettings, dawid_skene
from groundtruth.aggregation.classification.ebcc import EbccSettings, ebcc
from groundtruth.aggregation.classification.weighted import WeightedSettings, weighted
from tests.property import strategies_classification as make

pytestmark = pytest.mark.slow

randoms = st.randoms(use_true_random=False)
SETTINGS = {
    calibrated: CalibratedSettings,
    dawid_skene: DawidSkeneSettings,
    ebcc: EbccSettings,
    weighted: WeightedSettings,
}
each = pytest.mark.parametrize("algorithm", list(SETTINGS))


@st.composite
def batches_with_skill(draw):
    batch = draw(make.votes())
    return batch, draw(make.stored_counts(batch))


@each
@given(given_batch=batches_with_skill())
def test_rows_sum_to_one(algorithm, given_batch):
    batch, stored = given_batch
    table = algorithm(batch, prior_counts=stored).posterior.dense()
    assert table.shape == (batch.n_items, batch.n_classes)
    assert np.all(table >= 0)
    np.testing.assert_allclose(table.sum(axis=1), 1.0)


@each
@given(given_batch=batches_with_skill(), random=randoms)
def test_the_order_of_the_votes_does_not_change_a_bit(algorithm, given_batch, random):
    batch, stored = given_batch
    first = algorithm(batch, prior_counts=stored)
    second = algorithm(make.shuffled(batch, random), prior_counts=stored)
    np.testing.assert_array_equal(second.posterior.dense(), first.posterior.dense())
    np.testing.assert_array_equal(
        second.count_updates.total().dense(), first.count_updates.total().dense()
    )


@each
@given(batch=make.votes(), random=randoms)
def test_a_vote_given_twice_counts_once(algorithm, batch, random):
    if not batch.n_votes:
        return
    again = random.randrange(batch.n_votes)
    columns = (np.append(column, column[again]) for column in (batch.items, batch.workers))
    doubled = make.replace(
        batch,
        **dict(zip(("items", "workers"), columns, strict=True)),
        classes=np.append(batch.classes, batch.classes[again]),
    )
    np.testing.assert_array_equal(
        algorithm(doubled).posterior.dense(), algorithm(batch).posterior.dense()
    )


@each
@given(batch=make.votes(), random=randoms)
def test_renaming_items_workers_and_classes_renames_the_result(algorithm, batch, random):
    settings = SETTINGS[algorithm](max_rounds=4, tolerance=0.0)
    items, workers, classes = (
        np.array(random.sample(range(count), count))
        for count in (batch.n_items, batch.n_workers, batch.n_classes)
    )
    renamed = make.renamed(batch, items=items, workers=workers, classes=classes)
    after = algorithm(renamed, settings=settings).posterior.dense()
    before = algorithm(batch, settings=settings).posterior.dense()
    np.testing.assert_allclose(after[np.ix_(items, classes)], before, atol=1e-9)


@each
@pytest.mark.parametrize("n_classes", [2, 5, 30])
@given(n_items=st.integers(1, 5), n_workers=st.integers(1, 9))
def test_unanimous_workers_are_believed(algorithm, n_classes, n_items, n_workers):
    items, workers = (grid.ravel() for grid in np.indices((n_items, n_workers)))
    batch = make.Votes(items, workers, items % n_classes, n_items, n_workers, n_classes)
    found = algorithm(batch).posterior
    np.testing.assert_array_equal(found.labels, np.arange(n_items) % n_classes)
    assert np.all(found.confidences > 0.6)


@each
@pytest.mark.parametrize("n_classes", [2, 4, 30])
@given(skills=st.lists(st.floats(0.55, 0.98), min_size=2, max_size=2, unique=True))
def test_of_two_workers_the_better_one_is_believed(algorithm, n_classes, skills):
    if abs(skills[0] - skills[1]) < 0.02:
        return  # nearer to chance and to each other, both have the smallest weight there is
    batch = make.Votes(np.zeros(2, int), np.arange(2), np.arange(2), 1, 2, n_classes)
    stored = make.one_coin_counts(skills, n_classes, answers=500.0)
    table = algorithm(batch, prior_counts=stored).posterior.dense()
    assert table[0].argmax() == np.argmax(skills)


@each
@pytest.mark.parametrize("n_classes", [2, 3, 10, 30])
def test_more_agreeing_workers_make_it_more_certain(algorithm, n_classes):
    confidences = []
    for n_workers in range(1, 12):
        nobody = np.zeros(n_workers, int)
        batch = make.Votes(nobody, np.arange(n_workers), nobody, 1, n_workers, n_classes)
        confidences.append(algorithm(batch).posterior.confidences[0])
    assert np.all(np.diff(confidences) >= 0)


@pytest.mark.parametrize("algorithm", [calibrated, weighted])
@pytest.mark.parametrize("n_classes", [2, 3, 10, 30])
@given(
    skills=st.lists(st.floats(0.5, 0.98), min_size=2, max_size=7),
    classes=st.lists(st.integers(0, 1), min_size=7, max_size=7),
    answers=st.sampled_from([20.0, 100.0, 1000.0]),
)
def test_one_more_agreeing_vote_never_lowers_confidence(
    algorithm, n_classes, skills, classes, answers
):
    stored = make.one_coin_counts(skills, n_classes, answers=answers)
    count = len(skills)
    votes = np.array(classes[: count - 1])
    nobody = np.zeros(count, int)
    before = make.Votes(nobody[1:], np.arange(count - 1), votes, 1, count, n_classes)
    found = algorithm(before, prior_counts=stored).posterior
    label = found.labels[0]
    after = make.Votes(nobody, np.arange(count), np.append(votes, label), 1, count, n_classes)
    table = algorithm(after, prior_counts=stored).posterior.dense()
    assert table[0, label] >= found.confidences[0] - 5e-3


@pytest.mark.parametrize("n_classes", [2, 3, 10, 30])
@given(
    skills=st.lists(st.floats(0.5, 0.98), min_size=2, max_size=7),
    classes=st.lists(st.integers(0, 1), min_size=7, max_size=7),
    frequent=st.sampled_from([3.0, 50.0, 1000.0]),
)
def test_so_it_is_where_known_objects_say_that_its_class_is_rare(
    n_classes, skills, classes, frequent
):
    options = {
        "prior_counts": make.one_coin_counts(skills, n_classes, answers=100.0),
        "earlier_gold": np.where(np.arange(n_classes) == 1, frequent, 3.0),
    }
    count = len(skills)
    votes = np.array(classes[: count - 1])
    nobody = np.zeros(count, int)
    before = make.Votes(nobody[1:], np.arange(count - 1), votes, 1, count, n_classes)
    found = calibrated(before, **options).posterior
    label = found.labels[0]
    after = make.Votes(nobody, np.arange(count), np.append(votes, label), 1, count, n_classes)
    table = calibrated(after, **options).posterior.dense()
    assert table[0, label] >= found.confidences[0] - 5e-3


@each
@given(batch=make.votes(min_classes=2), random=randoms)
def test_a_known_truth_is_learned_from(algorithm, batch, random):
    gold = np.array([random.randrange(-1, batch.n_classes) for _ in range(batch.n_items)])
    counts = algorithm(batch, gold=gold).count_updates
    for item in np.flatnonzero(gold >= 0):
        assert np.all(counts.of_item(item).truths == gold[item])


@each
@given(batch=make.votes(min_classes=2))
def test_what_is_learned_can_be_handed_to_the_next_call(algorithm, batch):
    learned = algorithm(batch).count_updates.total()
    table = algorithm(batch, prior_counts=learned).posterior.dense()
    assert np.all(np.isfinite(table))


@each
@given(batch=make.votes(min_classes=2))
def test_many_classes_give_rows_that_sum_to_one(algorithm, batch):
    table = algorithm(make.replace(batch, n_classes=40)).posterior.dense()
    np.testing.assert_allclose(table.sum(axis=1), 1.0)
    assert np.all(table[:, batch.n_classes :] <= 1 / 40 + 1e-12)
