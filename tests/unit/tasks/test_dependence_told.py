"""What a label tells of how dependent its workers' errors were taken to be."""

import json
import random

import numpy as np
import pytest

from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.dependence import DependenceSettings
from groundtruth.aggregation.classification.votes import Votes
from groundtruth.tasks.classification.task import ImageMultiClass
from groundtruth.worker_history.counts import MemorySkills
from tests.batches import ALIKE, MULTI, SINGLE, dependent_answers, independent_answers, labels

READ = DependenceSettings()
DEPENDENCE = ("dependence", "correlation", "pairs", "earlier-pairs")


def told(answers, **options):
    found = labels(SINGLE, answers, classes=ALIKE.classes, **options)
    return {object_id: label["algorithm"] for object_id, label in found.items()}


def test_independent_errors_are_told_as_such():
    for block in told(independent_answers(600)).values():
        assert block["dependence"] < 0.15
        assert block["correlation"] < 0.03
        assert block["pairs"] == 599 * 10  # those of the object itself do not count
        assert "earlier-pairs" not in block


def test_errors_that_go_together_are_told_as_such():
    for block in told(dependent_answers(600)).values():
        assert block["dependence"] == 1
        assert block["correlation"] > 0.1
        assert block["pairs"] == 599 * 15


def test_what_is_told_follows_from_the_correlation_that_is_told():
    for answers in (independent_answers(200), independent_answers(50), dependent_answers(20)):
        for block in told(answers).values():
            above = block["correlation"] - READ.independent
            wanted = min(max(above / (READ.dependent - READ.independent), 0), 1)
            assert block["dependence"] == pytest.approx(wanted, abs=0.02)


def test_an_object_alone_has_the_dependence_that_is_usual():
    (block,) = told({"0": {"ann": "crab", "ben": "crab"}}).values()
    assert [block[name] for name in DEPENDENCE[:3]] == [1.0, READ.prior_correlation, 0]


def test_one_answer_has_none():
    blocks = told({"lone": {"ann": "crab"}, **independent_answers(20)})
    assert not blocks.pop("lone").keys() & DEPENDENCE
    assert all(block["dependence"] is not None for block in blocks.values())


@pytest.mark.parametrize("algorithm", ImageMultiClass.algorithms[1:])
def test_an_algorithm_that_does_not_look_for_it_tells_none(algorithm):
    for block in told(independent_answers(20), consolidation_algorithm=algorithm).values():
        assert block.keys() == {"name", "settings"}


def test_pairs_of_earlier_batches_are_told_apart():
    skills = MemorySkills()
    told(independent_answers(30), skills=skills)
    again = {f"later-{name}": given for name, given in independent_answers(10, seed=8).items()}
    for block in told(again, skills=skills).values():
        assert (block["pairs"], block["earlier-pairs"]) == (300 + 90, 300)


def test_it_takes_few_bytes_of_a_response():
    for answers in (independent_answers(50), dependent_answers(50)):
        for block in told(answers).values():
            added = {name: block[name] for name in DEPENDENCE if name in block}
            assert len(json.dumps(added)) < 80


def picked(n_objects, *, hard):
    """Labels that six workers picked; of hard objects each flips a coin for each label."""
    draw = random.Random(11)
    answers = {}
    for number in range(n_objects):
        true = [name for name in ALIKE.classes if draw.random() < 0.5]
        right = 0.5 if hard and number % 3 == 0 else 0.85
        answers[f"m-{number:02}"] = {
            worker: [name for name in ALIKE.classes if (name in true) == (draw.random() < right)]
            or ["crab"]
            for worker in ALIKE.accuracies
        }
    return answers


def told_of_several(answers, **options):
    found = labels(MULTI, answers, classes=ALIKE.classes, **options)
    return [label["algorithm"] for label in found.values()]


def test_of_several_labels_each_answer_is_a_pair_for_each_label():
    for hard, (low, high) in ((False, (0, 0.25)), (True, (0.9, 1))):
        for block in told_of_several(picked(200, hard=hard)):
            assert low <= block["dependence"] <= high
            assert block["pairs"] == 199 * 15 * 4 / 2  # the workers' rates fit half of them


def test_of_several_labels_a_dependence_that_is_set_is_not_told_as_found():
    (block,) = told_of_several(picked(1, hard=False), error_correlation=0.5)
    assert block.keys() == {"name", "settings"}
    for algorithm in ("majority", "builtin"):
        (block,) = told_of_several(picked(1, hard=False), consolidation_algorithm=algorithm)
        assert block.keys() == {"name", "settings"}


def read(block, *, used=2):
    value = {
        "class-id": 0,
        "class-name": "crab",
        "confidence": 0.9,
        "answers": {"used": used},
        "algorithm": block,
    }
    return ImageMultiClass().decode_label(value, {})


def test_it_is_read_from_a_label():
    for block in told(dependent_answers(20)).values():
        found = read(block).dependence
        assert [found.value, found.correlation, found.pairs, found.earlier_pairs] == [
            *(block[name] for name in DEPENDENCE[:3]),
            0,
        ]


def test_a_label_of_an_older_version_tells_none():
    assert read({"name": "calibrated", "settings": "cabb611daa8d"}).dependence is None


@pytest.mark.parametrize("value", [1.5, "high", True])
def test_a_dependence_that_cannot_be_is_refused(value):
    with pytest.raises(ValueError, match="number from 0 to 1"):
        read({"name": "calibrated", "dependence": value, "correlation": 0.1, "pairs": 7})


def test_a_dependence_that_is_fixed_counts_in_place_of_what_votes_show():
    classes = np.array([0, 0, 0, 0, 1] * 4)
    votes = Votes(np.repeat(np.arange(4), 5), np.tile(np.arange(5), 4), classes, 4, 5, 2)
    found = calibrated(votes)
    assert (found.elsewhere.estimate_dependence() == 1.0).all()
    sure = [
        calibrated(
            votes, settings=CalibratedSettings(dependence=DependenceSettings.fixed(value))
        ).posterior.confidences
        for value in (0.0, 0.5, 1.0)
    ]
    assert sure[1] == pytest.approx((sure[0] + sure[2]) / 2)
    assert sure[2] == pytest.approx(found.posterior.confidences)
    assert (sure[0] > sure[2] + 0.02).all()
