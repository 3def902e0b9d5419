import numpy as np
import pytest

from groundtruth.aggregation.segmentation.skill import disputed_agreement, skill_weights
from groundtruth.masks.runs import RunMask


def masks(*rows):
    return [RunMask.from_array(np.array([row])) for row in rows]


@pytest.mark.parametrize(
    ("rows", "weights", "expected"),
    [
        pytest.param([[0, 1]], None, [np.nan], id="alone"),
        pytest.param([[0, 1], [0, 1]], None, [np.nan, np.nan], id="nothing-disputed"),
        pytest.param([[0, 1], [1, 1]], None, [0, 0], id="two-workers"),
        pytest.param([[1, 0], [1, 0], [0, 0]], None, [0.5, 0.5, 0], id="one-against-two"),
        pytest.param([[1], [1], [1], [0]], None, [1, 1, 1, 0], id="one-against-three"),
        pytest.param([[0], [1], [2]], None, [0, 0, 0], id="all-differ"),
        pytest.param([[2], [2], [1], [1]], None, [0, 0, 0, 0], id="two-against-two"),
        pytest.param([[1], [1], [0], [0], [1]], None, [0.5, 0.5, 0, 0, 0.5], id="tie-of-others"),
        pytest.param([[1], [0], [0]], [3.0, 1.0, 1.0], [0, 0, 0], id="weights"),
        pytest.param([[1], [0]], [1.0, 0.0], [np.nan, 0], id="others-without-weight"),
    ],
)
def test_agreement_on_disputed_pixels(rows, weights, expected):
    trust = None if weights is None else np.array(weights)
    result = disputed_agreement(masks(*rows), n_classes=3, weights=trust)
    np.testing.assert_allclose(result, expected)


def test_pixels_count_by_their_number():
    # Workers 1 and 2 are alone on two pixels and on one.
    result = disputed_agreement(masks([0, 0, 0, 1], [1, 1, 0, 1], [0, 0, 1, 1]), n_classes=2)
    np.testing.assert_allclose(result, [0.5 * 3 / 3, 0.5 / 3, 1 / 3])


def statistics(scores):
    """Counts, sums and sums of squares of each worker's scores."""
    return (
        np.array([len(row) for row in scores], float),
        np.array([sum(row) for row in scores], float),
        np.array([sum(x * x for x in row) for row in scores], float),
    )


@pytest.mark.parametrize(
    "scores",
    [
        pytest.param([], id="nobody"),
        pytest.param([[], []], id="no-history"),
        pytest.param([[0.9, 0.8]], id="one-worker"),
        pytest.param([[0.9], [0.1]], id="one-image-each"),
        pytest.param([[0.5, 0.7, 0.6], [0.6, 0.5, 0.7], [0.7, 0.6, 0.5]], id="even-crew"),
        pytest.param([[0.0, 0.0], [0.0, 0.0]], id="nobody-ever-agrees"),
    ],
)
def test_workers_who_cannot_be_told_apart_weigh_the_same(scores):
    np.testing.assert_array_equal(skill_weights(*statistics(scores)), np.ones(len(scores)))


def test_a_careless_worker_weighs_less_once_that_is_sure():
    good, bad = [0.8, 0.7, 0.75, 0.8], [0.1, 0.2, 0.15, 0.1]
    weights = skill_weights(*statistics([good * 5, good * 5, bad * 5, bad[:1], []]))
    assert weights[0] == weights[1] == weights[4] == 1
    assert 0 < weights[2] <= weights[3] <= 1
    assert weights[2] <= 0.25
    np.testing.assert_array_equal(weights * 16, np.rint(weights * 16))


def test_one_bad_image_makes_nobody_careless():
    spread = [0.9, 0.3, 0.7, 0.5, 0.8, 0.4]
    weights = skill_weights(*statistics([spread * 3, spread * 3, spread[::-1] * 2, [0.1]]))
    np.testing.assert_array_equal(weights, np.ones(4))


def test_a_somewhat_weaker_worker_weighs_as_all_do():
    # 5/6 of the others' skill, and known very well: a matter of style as likely as of care.
    weights = skill_weights(*statistics([[0.6, 0.62] * 50] * 3 + [[0.5, 0.52] * 50]))
    np.testing.assert_array_equal(weights, np.ones(4))


def test_nobody_weighs_more_than_one():
    random = np.random.default_rng(3)
    scores = [list(random.uniform(low, low + 0.3, 30)) for low in np.linspace(0, 0.7, 12)]
    weights = skill_weights(*statistics(scores))
    assert weights.max() == 1
    assert weights.min() >= 1 / 16
    assert (np.diff(weights) >= 0).all()
    assert weights[0] < 0.5


@pytest.mark.parametrize(
    ("counts", "sums"),
    [
        pytest.param([1.0], [0.5, 0.5], id="two-lengths"),
        pytest.param([-1.0, 1.0], [0.5, 0.5], id="negative-count"),
    ],
)
def test_statistics_that_make_no_sense_are_refused(counts, sums):
    with pytest.raises(ValueError, match=r"worker"):
        skill_weights(np.array(counts), np.array(sums), np.array(sums))
