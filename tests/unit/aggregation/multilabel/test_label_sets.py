import numpy as np
import pytest

from groundtruth.aggregation.multilabel.selections import choose_labels


@pytest.mark.parametrize(
    ("posterior", "expected", "below"),
    [
        pytest.param([0.9, 0.6, 0.2], [True, True, False], False, id="above-the-quorum"),
        pytest.param([0.5, 0.5, 0.4], [True, False, False], True, id="at-the-quorum-is-below"),
        pytest.param([0.1, 0.3, 0.2], [False, True, False], True, id="best-one-stands-in"),
        pytest.param([0.6, 0.1, 0.9], [False, False, True], False, id="exclusion-wins"),
        pytest.param([0.9, 0.1, 0.6], [True, False, False], False, id="exclusion-loses"),
        pytest.param([0.7, 0.1, 0.7], [True, False, False], False, id="exclusion-ties"),
        pytest.param([0.1, 0.1, 0.4], [False, False, True], True, id="exclusion-stands-in"),
    ],
)
def test_labels_of_an_item_where_the_last_label_excludes_the_others(posterior, expected, below):
    decided = choose_labels(np.array([posterior]), exclusion=2)
    assert decided.chosen.tolist() == [expected]
    assert decided.below_quorum.tolist() == [below]


def test_an_item_may_stay_without_a_label_if_allowed():
    decided = choose_labels(np.array([[0.2, 0.1]]), at_least_one=False)
    assert decided.chosen.tolist() == [[False, False]]
    assert decided.below_quorum.tolist() == [True]


def test_no_item_has_no_label():
    assert choose_labels(np.empty((0, 3)), exclusion=1).chosen.shape == (0, 3)


def test_the_only_label_may_be_the_exclusion():
    assert choose_labels(np.array([[0.9]]), exclusion=0).chosen.tolist() == [[True]]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param({"quorum": 1.5}, "quorum", id="quorum"),
        pytest.param({"exclusion": 2}, "exclusion", id="exclusion"),
    ],
)
def test_bad_options_are_refused(options, problem):
    with pytest.raises(ValueError, match=problem):
        choose_labels(np.array([[0.5, 0.5]]), **options)
