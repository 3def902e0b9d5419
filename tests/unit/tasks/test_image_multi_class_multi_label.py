import json

import pytest

from tests.examples import consolidate, labels_of, payload_of, rejected

ACS = "acs_image_multi_class_multi_label"
CLASSES = ["fruit", "vegetables", "flowers"]
NONE = "None of the above"


def ticked(*names):
    return {"crowd-image-classifier-multi-select": {"labels": list(names)}}


def label_of(answers, *, classes=CLASSES, **settings):
    payload = payload_of({"0": [ticked(*names) for names in answers]})
    return labels_of(consolidate(ACS, payload, classes=classes, **settings), "goods")["0"]


@pytest.mark.parametrize(
    ("answers", "quorum", "expected", "status"),
    [
        pytest.param(
            [("fruit", "flowers"), ("flowers",), ("flowers", "fruit")],
            0.5,
            {2: 1.0, 0: 0.666667},
            "consensus",
            id="by-descending-confidence",
        ),
        pytest.param(
            [("flowers", "fruit")] * 2,
            0.5,
            {0: 1.0, 2: 1.0},
            "consensus",
            id="equal-in-label-order",
        ),
        pytest.param(
            [("fruit", "flowers"), ("fruit",)], 0.5, {0: 1.0}, "tie", id="one-is-on-the-quorum"
        ),
        pytest.param([("fruit",), ("flowers",)], 0.5, {0: 0.5}, "tie", id="two-workers-two-labels"),
        pytest.param(
            [("fruit",), ("flowers",), ("vegetables",)], 0.5, {0: 0.333333}, "tie", id="all-differ"
        ),
        pytest.param(
            [("fruit",), ("fruit",), ("flowers",), ("vegetables",), ("flowers", "fruit")],
            0.7,
            {0: 0.6},
            "low-confidence",
            id="the-best-one-when-none-passes",
        ),
        pytest.param(
            [("fruit",), ("fruit", "flowers"), ("vegetables", "fruit")],
            0.3,
            {0: 1.0, 1: 0.333333, 2: 0.333333},
            "consensus",
            id="a-lower-quorum",
        ),
        pytest.param([("flowers", "fruit")], 0.5, {2: 0.7, 0: 0.7}, "single-annotator", id="alone"),
    ],
)
def test_labels_above_the_quorum(answers, quorum, expected, status):
    label = label_of(answers, quorum=quorum, min_confidence=0.3)
    assert label["class-ids"] == list(expected)
    assert label["class-map"] == {str(at): CLASSES[at] for at in expected}
    assert label["confidence-map"] == {str(at): value for at, value in expected.items()}
    assert label["status"] == status


def test_votes_count_every_label_once_for_a_worker():
    label = label_of([("fruit", "fruit"), ("vegetables", "fruit")])
    assert label["votes"] == {"fruit": 2, "vegetables": 1}


def test_the_posterior_has_the_labels_that_were_voted_for_and_not_chosen():
    label = label_of([("flowers", "fruit"), ("flowers",), ("flowers",)])
    assert label["class-ids"] == [2]
    assert label["confidence-map"] == {"2": 1.0}
    assert label["posterior"] == {"fruit": 0.333333, "flowers": 1.0}
    assert list(label["posterior"]) == ["fruit", "flowers"]


@pytest.mark.parametrize("algorithm", ["calibrated", "majority"])
@pytest.mark.parametrize("n_workers", [1, 3, 9])
def test_the_posterior_has_what_got_a_vote_or_has_more_than_1_percent(algorithm, n_workers):
    answers = [("fruit",)] * (n_workers - 1) + [("vegetables", "fruit")]
    label = label_of(answers, consolidation_algorithm=algorithm)
    assert label["confidence-map"] == {
        str(at): label["posterior"][CLASSES[at]] for at in label["class-ids"]
    }
    assert {"fruit", "vegetables"} <= set(label["posterior"])
    assert label["posterior"].get("flowers", 1.0) > 0.01
    assert ("flowers" in label["posterior"]) is (algorithm == "calibrated" and n_workers < 9)


def test_a_label_below_the_wanted_confidence_says_so():
    answers = [("fruit",), ("fruit",), ("fruit", "flowers"), ("flowers", "fruit"), ("flowers",)]
    assert label_of(answers, min_confidence=0.7)["status"] == "low-confidence"
    assert label_of(answers, min_confidence=0.6)["status"] == "consensus"


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [
        pytest.param([(NONE,), (NONE,), ("fruit",)], [3], id="alone-when-most-say-so"),
        pytest.param([(NONE,), ("fruit",), ("fruit",)], [0], id="left-out-when-few-say-so"),
        pytest.param(
            [(NONE, "fruit"), (NONE, "fruit"), ("fruit",)], [0], id="never-beside-another"
        ),
        pytest.param([(NONE, "fruit"), (NONE, "fruit")], [0], id="not-before-an-equal-one"),
    ],
)
def test_the_exclusion_category_stands_alone(answers, chosen):
    label = label_of(answers, exclusion_category=NONE)
    assert label["class-ids"] == chosen


def test_an_exclusion_category_that_is_not_set_is_an_unknown_label():
    label = label_of([(NONE,), ("fruit",)])
    assert rejected(label) == [("w1", "unknown-label")]


def test_an_exclusion_category_among_the_labels_keeps_its_place():
    label = label_of([(NONE,)] * 2, classes=[NONE, *CLASSES], exclusion_category=NONE)
    assert label["class-ids"] == [0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(ticked(), "empty-answer", id="nothing-ticked"),
        pytest.param({}, "empty-answer", id="empty-form"),
        pytest.param(ticked("fruit", "plants"), "unknown-label", id="one-unknown"),
        pytest.param(ticked("fruit", 5), "unexpected-shape", id="a-number"),
        pytest.param(
            {"crowd-image-classifier-multi-select": {"labels": "fruit"}},
            "unexpected-shape",
            id="a-text",
        ),
        pytest.param("nothing", "malformed-json", id="no-json"),
    ],
)
def test_an_unusable_answer_is_rejected(answer, reason):
    payload = payload_of({"0": [answer, ticked("fruit")]})
    label = labels_of(consolidate(ACS, payload, classes=CLASSES), "goods")["0"]
    assert label["class-ids"] == [0]
    assert rejected(label) == [("w1", reason)]


def test_without_a_usable_answer_there_is_no_label():
    payload = payload_of({"0": [ticked()]})
    label = labels_of(consolidate(ACS, payload, classes=CLASSES), "goods")["0"]
    assert (label["class-ids"], label["class-map"], label["confidence-map"]) == ([], {}, {})
    assert label["posterior"] == {}
    assert label["status"] == "no-usable-answer"


def builtin_content(answers, **settings):
    payload = payload_of({"0": [ticked(*names) for names in answers]})
    outcome = consolidate(ACS, payload, classes=CLASSES, output_style="builtin", **settings)
    return outcome.response[0]["consolidatedAnnotation"]["content"]


def test_the_builtin_style_keeps_every_label_that_any_worker_chose():
    content = builtin_content(
        [("fruit",), ("flowers", "fruit"), ("fruit",)], consolidation_algorithm="builtin"
    )
    assert json.dumps(content) == json.dumps(
        {
            "goods": [0, 2],
            "goods-metadata": {
                "job-name": "labeling-job/market-stalls-01",
                "class-map": {"0": "fruit", "2": "flowers"},
                "human-annotated": "yes",
                "creation-date": "2026-05-05T14:02:45.000000",
                "confidence-map": {"0": 0.95, "2": 0.35},
                "type": "groundtruth/image-classification-multilabel",
            },
        }
    )


def test_in_the_builtin_style_a_lone_worker_s_labels_keep_their_order_without_confidence():
    content = builtin_content([("flowers", "fruit")], consolidation_algorithm="builtin")
    assert content["goods"] == [2, 0]
    assert content["goods-metadata"]["confidence-map"] == {"2": 0.0, "0": 0.0}


def test_the_builtin_algorithm_keeps_them_in_the_object_style_too():
    label = label_of([("fruit",), ("flowers", "fruit")], consolidation_algorithm="builtin")
    assert label["class-ids"] == [0, 2]
    assert label["confidence-map"] == {"0": 0.95, "2": 0.5}
    assert label["posterior"] == {"fruit": 0.95, "flowers": 0.5}
