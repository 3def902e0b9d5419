"""How often each class is there."""

import math
from dataclasses import replace

import numpy as np
import pytest

from groundtruth.tasks.base import Label, LabelClass
from labeljob.metrics.class_balance import measure_class_balance
from labeljob.tasks.registry import find_job_type
from tests.runner.metrics.annotated_objects import annotate

CLASSES = ("cat", "dog", "eel")


def label_of(*names, confidence=0.9):
    return Label(
        task="image-classification",
        classes=tuple(
            LabelClass(class_id=CLASSES.index(name), name=name, confidence=confidence)
            for name in names
        ),
    )


def test_labels_answers_and_truth_are_counted_apart():
    objects = [annotate(str(at), {"ann": 0, "bob": at % 2, "cy": 0}) for at in range(4)]
    labels = {str(at): label_of("cat", confidence=0.5 + at / 10) for at in range(4)}
    truths = {"0": "cat", "1": "dog"}
    cat, dog, eel = measure_class_balance(
        objects,
        labels,
        job_type=find_job_type("image-multi-class"),
        classes=CLASSES,
        unsure=["0", "7"],
        truths=truths,
    )
    assert (cat.labels, cat.label_share, cat.true_share, cat.unsure) == (4, 1.0, 0.5, 1)
    assert cat.confidence == pytest.approx(0.65)
    assert cat.answer_share == pytest.approx(10 / 12)
    assert (dog.labels, dog.true_share, dog.is_rare) == (0, 0.5, True)
    assert dog.answer_share == pytest.approx(2 / 12)
    assert math.isnan(eel.confidence)
    assert eel.as_json()["confidence-mean"] is None


def test_of_several_labels_each_has_its_own_share():
    said = [[[1, 1, 0], [1, 0, 0]], [[1, 0, 1], [0, 0, 1]]]
    objects = [
        replace(annotate(str(at), {"ann": 0, "bob": 0}), choices=np.array(choices))
        for at, choices in enumerate(said)
    ]
    shares = measure_class_balance(
        objects,
        {"0": label_of("cat", "dog"), "1": label_of("eel")},
        job_type=find_job_type("image-multi-class-multi-label"),
        classes=CLASSES,
    )
    assert [share.label_share for share in shares] == [0.5, 0.5, 0.5]
    assert [share.answer_share for share in shares] == [0.75, 0.25, 0.5]


def test_a_mask_has_as_much_of_a_class_as_most_workers_painted():
    mask = [[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2]]
    objects = [replace(annotate("0", dict.fromkeys("abc", 0)), choices=np.array(mask))]
    shares = measure_class_balance(
        objects,
        {},
        job_type=find_job_type("semantic-segmentation"),
        classes=("background", "boat", "quay"),
        unsure=["0"],
    )
    assert [share.label_share for share in shares] == [0.5, 0.5, 0.0]
    assert [share.labels for share in shares] == [1, 1, 0]
    assert [share.unsure for share in shares] == [1, 1, 0]
    assert [share.answer_share for share in shares] == pytest.approx([5 / 12, 4 / 12, 3 / 12])


@pytest.mark.parametrize(
    ("counts", "rare"),
    [
        pytest.param((100, 100, 12), [False, False, True], id="a-dozen-beside-hundreds"),
        pytest.param((4, 4, 3), [False, False, False], id="all-are-few"),
        pytest.param((9000, 900, 40), [False, False, False], id="enough-to-tell"),
    ],
)
def test_a_class_is_rare_beside_the_others_not_in_a_small_job(counts, rare):
    names = [name for name, count in zip(CLASSES, counts, strict=True) for _ in range(count)]
    labels = {str(at): label_of(name) for at, name in enumerate(names)}
    shares = measure_class_balance(
        [], labels, job_type=find_job_type("image-multi-class"), classes=CLASSES
    )
    assert [share.is_rare for share in shares] == rare
