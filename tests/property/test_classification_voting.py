"""Laws of the two algorithms without settings: the majority and the built-in rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.aggregation.classification.builtin import builtin, builtin_confidence
from groundtruth.aggregation.classification.majority import majority
from tests.property import strategies_classification as make

pytestmark = pytest.mark.slow

randoms = st.randoms(use_true_random=False)
both = pytest.mark.parametrize("algorithm", [majority, builtin])


@both
@given(batch=make.votes())
def test_rows_sum_to_one(algorithm, batch):
    posterior = algorithm(batch)
    assert posterior.shape == (batch.n_items, batch.n_classes)
    assert np.all(posterior >= 0)
    np.testing.assert_allclose(posterior.sum(axis=1), 1.0)


@both
@given(batch=make.votes(), random=randoms)
def test_the_order_of_the_votes_does_not_change_a_bit(algorithm, batch, random):
    np.testing.assert_array_equal(algorithm(make.shuffled(batch, random)), algorithm(batch))


@both
@given(batch=make.votes(), random=randoms)
def test_renaming_items_workers_and_classes_renames_the_result(algorithm, batch, random):
    items, workers, classes = (
        np.array(random.sample(range(count), count))
        for count in (batch.n_items, batch.n_workers, batch.n_classes)
    )
    after = algorithm(make.renamed(batch, items=items, workers=workers, classes=classes))
    np.testing.assert_allclose(after[np.ix_(items, classes)], algorithm(batch), atol=1e-12)


@both
@given(n_items=st.integers(1, 5), n_workers=st.integers(1, 9), n_classes=st.integers(1, 5))
def test_unanimous_workers_are_believed(algorithm, n_items, n_workers, n_classes):
    items, workers = (grid.ravel() for grid in np.indices((n_items, n_workers)))
    batch = make.Votes(items, workers, items % n_classes, n_items, n_workers, n_classes)
    np.testing.assert_array_equal(algorithm(batch).argmax(axis=1), np.arange(n_items) % n_classes)


@given(batch=make.votes(), scale=st.floats(1e-6, 1e6), random=randoms)
def test_only_the_ratio_of_weights_counts(batch, scale, random):
    # Rounded: a weight of 5e-324 is 0 once it is scaled down, and then the ratio is another.
    weights = np.array([round(random.random(), 3) for _ in range(batch.n_workers)])
    np.testing.assert_allclose(
        majority(batch, weights=weights * scale), majority(batch, weights=weights), atol=1e-12
    )


@given(batch=make.votes())
def test_the_confidence_of_the_built_in_has_its_range(batch):
    confidence = builtin_confidence(builtin(batch))
    assert np.all((confidence >= 0.05) & (confidence <= 0.95))
