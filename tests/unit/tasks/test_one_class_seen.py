"""Where nothing tells the job's classes, one that nobody named yet may be right too."""

import pytest

from tests.examples import TASKS, consolidate, labels_of, payload_of

FUNCTION = "acs_image_multi_class"
DOG = {"crowd-image-classifier": {"label": "dog"}}


@pytest.mark.parametrize("algorithm", TASKS[FUNCTION].algorithms)
@pytest.mark.parametrize("answers", [1, 3])
def test_one_class_seen_is_as_sure_as_one_of_two_known(algorithm, answers):
    unknown, known = (
        labels_of(
            consolidate(
                FUNCTION,
                payload_of({"0": [DOG] * answers}),
                classes=classes,
                consolidation_algorithm=algorithm,
            ),
            "animal",
        )["0"]
        for classes in ([], ["dog", "cat"])
    )
    assert unknown["confidence"] == known["confidence"]
    assert unknown["class-name"] == "dog"
    assert list(unknown["posterior"]) == ["dog"]


def test_a_lone_worker_is_never_certain():
    outcome = consolidate(FUNCTION, payload_of({"0": [DOG]}), classes=[])
    assert labels_of(outcome, "animal")["0"]["confidence"] == pytest.approx(0.7)
