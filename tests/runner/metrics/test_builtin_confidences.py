"""The built-in functions' confidences beside ours."""

import pytest

from groundtruth.tasks.base import Label, LabelClass
from labeljob.metrics.builtin_confidences import compare_confidences, is_builtin
from labeljob.tasks.registry import find_job_type

SINGLE = find_job_type("image-multi-class")


def label_of(name, confidence, algorithm=None):
    classes = (LabelClass(class_id=0, name=name, confidence=confidence),)
    return Label(
        task="image-classification", classes=classes, confidence=confidence, algorithm=algorithm
    )


def compare(theirs, ours, **more):
    return compare_confidences(
        {str(at): label_of("cat", value) for at, value in enumerate(theirs)},
        {str(at): label_of(name, value) for at, (name, value) in enumerate(ours)},
        algorithm="calibrated" if ours else "",
        below=0.8,
        job_type=SINGLE,
        **more,
    )


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param([label_of("cat", 0.95), label_of("dog", 0.6)], True, id="two-decimals"),
        pytest.param([label_of("cat", 0.0)], True, id="one-worker"),
        pytest.param([label_of("cat", 0.96)], False, id="above-what-it-writes"),
        pytest.param([label_of("cat", 0.912345)], False, id="more-decimals"),
        pytest.param([label_of("cat", 0.95, ("majority", "x"))], False, id="another-algorithm"),
        pytest.param([label_of("cat", None)], False, id="no-confidence"),
        pytest.param([], False, id="no-label"),
    ],
)
def test_the_built_in_confidences_are_recognized(labels, expected):
    assert is_builtin(labels) is expected


def test_nearly_always_the_same_value_tells_little():
    same = compare([0.95] * 9 + [0.6], [])
    assert (same.values, same.frequent_share, same.tells_little) == (2, 1.0, True)
    assert same.describe_frequent() == "9 of 10 labels have the same confidence, 0.95"
    varied = compare([0.5 + at / 100 for at in range(40)], [])
    assert (varied.values, varied.tells_little) == (40, False)
    assert (same.levels, same.ours, same.algorithm) == ((), [], "")


def test_ours_stand_beside_each_of_their_values():
    both = compare(
        [0.95, 0.95, 0.95, 0.6],
        [("cat", 0.99), ("dog", 0.5), ("cat", 0.7), ("cat", 0.4)],
    )
    first, second = both.levels
    assert (first.confidence, first.labels, first.ours) == (0.95, 3, (0.5, 0.7, 0.99))
    assert (first.other_label, first.below) == (1, 2)
    assert (second.confidence, second.labels, second.other_label) == (0.6, 1, 0)
    assert both.doubtful == ("1", "2")  # the last one they doubt themselves
    assert both.theirs == [0.95, 0.95, 0.95, 0.6]
    assert both.ours == [0.99, 0.5, 0.7, 0.4]


def test_a_truth_tells_which_confidences_foretell_errors():
    both = compare(
        [0.95] * 4,
        [("cat", 0.99), ("cat", 0.5), ("cat", 0.9), ("cat", 0.4)],
        truths={"0": "cat", "1": "dog", "2": "cat", "3": "dog"},
    )
    assert both.scores["auroc"] == (0.5, 1.0)
    assert both.scores["accuracy"] == (0.5, 0.5)
    assert both.as_json()["scores"]["auroc"] == {"built-in": 0.5, "ours": 1.0}
