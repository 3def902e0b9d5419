import json

import pytest

from groundtruth.tasks.base import count_votes
from tests.examples import consolidate, labels_of, payload_of, rejected

ACS = "acs_image_multi_class"
CLASSES = ["Blässhuhn", "Crab", "Sea star"]


def choice(label):
    return {"crowd-image-classifier": {"label": label}}


def label_of(answers, **options):
    outcome = consolidate(ACS, payload_of({"0": answers}), classes=CLASSES, **options)
    return labels_of(outcome, "animal")["0"]


@pytest.mark.parametrize(
    ("names", "name", "confidence", "status"),
    [
        pytest.param(["Crab", "Crab", "Crab"], "Crab", 1.0, "consensus", id="unanimous"),
        pytest.param(["Crab", "Sea star", "Crab"], "Crab", 0.666667, "consensus", id="majority"),
        pytest.param(["Sea star", "Crab"], "Crab", 0.5, "tie", id="tie-goes-to-the-first-listed"),
        pytest.param(["Sea star"], "Sea star", 0.7, "single-annotator", id="one-answer"),
        pytest.param(["Blässhuhn"] * 2, "Blässhuhn", 1.0, "consensus", id="unicode"),
    ],
)
def test_the_majority_wins(names, name, confidence, status):
    label = label_of([choice(each) for each in names])
    assert (label["class-name"], label["class-id"]) == (name, CLASSES.index(name))
    assert (label["confidence"], label["status"]) == (confidence, status)
    assert label["votes"] == {each: names.count(each) for each in CLASSES if each in names}


def test_a_label_below_the_wanted_confidence_says_so():
    answers = [choice(name) for name in ("Crab", "Crab", "Sea star")]
    assert label_of(answers, min_confidence=0.67)["status"] == "low-confidence"
    assert label_of(answers, min_confidence=0.66)["status"] == "consensus"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(choice("crab"), "unknown-label", id="another-spelling"),
        pytest.param(choice("Lobster"), "unknown-label", id="not-the-job's"),
        pytest.param(choice(""), "empty-answer", id="no-label"),
        pytest.param({}, "empty-answer", id="empty-form"),
        pytest.param({"crowd-image-classifier": {}}, "empty-answer", id="empty-element"),
        pytest.param(choice(["Crab"]), "unexpected-shape", id="a-list"),
        pytest.param({"text": "Crab"}, "unexpected-shape", id="select-or-text"),
        pytest.param({"q": {"Crab": True, "Sea star": False}}, "unexpected-shape", id="radio"),
        pytest.param({"Crab": {"on": True}}, "unexpected-shape", id="checkbox"),
        pytest.param('{"crowd-image-classifier":', "malformed-json", id="cut-short"),
    ],
)
def test_an_unusable_answer_is_rejected(answer, reason):
    label = label_of([choice("Crab"), answer, choice("Crab")])
    assert (label["class-name"], label["answers"]["used"]) == ("Crab", 2)
    assert rejected(label) == [("w2", reason)]


@pytest.mark.parametrize("answers", [[], ["{}"], ["{", ""]])
def test_without_a_usable_answer_there_is_no_label(answers):
    label = label_of(answers)
    assert (label["class-id"], label["class-name"], label["confidence"]) == (None, None, 0.0)
    assert (label["votes"], label["status"]) == ({}, "no-usable-answer")


def test_no_label_takes_another_object_s_result():
    payload = payload_of({"0": ["{"], "1": [choice("Crab")] * 2, "2": [], "3": [choice("Crab")]})
    outcome = consolidate(ACS, payload, classes=CLASSES)
    assert [[item.name for item in label.classes] for label in outcome.labels] == [
        [],
        ["Crab"],
        [],
        ["Crab"],
    ]


def test_the_builtin_rule_settles_a_tie_by_what_the_batch_tells_of_the_workers():
    payload = payload_of(
        {
            **{f"sure-{at}": [choice("Crab"), choice("Crab"), choice("Sea star")] for at in "abcd"},
            "tie": [choice("Sea star"), choice("Crab"), choice("Blässhuhn")],
        }
    )
    outcome = consolidate(ACS, payload, classes=CLASSES, consolidation_algorithm="builtin")
    label = labels_of(outcome, "animal")["tie"]
    assert (label["class-name"], label["status"]) == ("Crab", "consensus")
    assert label["algorithm"]["name"] == "builtin"
    assert all(0.05 <= each.confidence <= 0.95 for each in outcome.labels)


@pytest.mark.parametrize(("names", "confidence"), [(["Crab"], 0.0), (["Crab", "Crab"], 1.0)])
def test_in_the_builtin_style_a_lone_answer_has_no_confidence(names, confidence):
    outcome = consolidate(
        ACS,
        payload_of({"0": [choice(name) for name in names]}),
        classes=CLASSES,
        output_style="builtin",
    )
    content = outcome.response[0]["consolidatedAnnotation"]["content"]
    assert json.dumps(content) == json.dumps(
        {
            "animal": 1,
            "animal-metadata": {
                "confidence": confidence,
                "job-name": "labeling-job/tide-pools-01",
                "class-name": "Crab",
                "human-annotated": "yes",
                "creation-date": "2026-05-04T09:30:12.000000",
                "type": "groundtruth/image-classification",
            },
        }
    )


def test_votes_are_counted_in_label_order():
    assert count_votes([2, 0, 2], CLASSES) == {"Blässhuhn": 1, "Sea star": 2}
