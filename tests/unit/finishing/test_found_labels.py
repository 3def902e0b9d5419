import pytest

from groundtruth.annotations import RejectedAnswer
from groundtruth.tasks.base import LabelClass, Origin, builtin_style
from groundtruth.tasks.registry import decode_label, find_task
from tests.examples import example
from tests.unit.finishing.ended_jobs import builtin, chosen

COLORS = {"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.5}}
SEVERAL = {"class-map": {"3": "reed", "0": "lake"}, "confidence-map": {"3": 0.9, "0": 0.4}}


def metadata(kind, **more):
    return {"type": f"groundtruth/{kind}", **more}


@pytest.mark.parametrize(
    ("value", "more", "task"),
    [
        pytest.param(chosen(), None, "image-classification", id="object-single"),
        pytest.param(0, builtin(), "image-classification", id="builtin-single"),
        pytest.param(
            {"class-ids": [3, 0], **SEVERAL},
            None,
            "image-classification-multilabel",
            id="object-multi",
        ),
        pytest.param(
            [3, 0],
            metadata("image-classification-multilabel", **SEVERAL),
            "image-classification-multilabel",
            id="builtin-multi",
        ),
        pytest.param(
            {"mask-ref": "s3://b/m.png", "internal-color-map": COLORS},
            None,
            "semantic-segmentation",
            id="object-mask",
        ),
        pytest.param(
            "s3://b/m.png",
            metadata("semantic-segmentation", **{"internal-color-map": COLORS}),
            "semantic-segmentation",
            id="builtin-mask",
        ),
    ],
)
def test_a_label_is_recognized_by_its_shape(value, more, task):
    label = decode_label(value, more)
    assert label.task == task
    assert label.classes
    assert label.style == ("object" if isinstance(value, dict) else "builtin")


@pytest.mark.parametrize(
    ("value", "more"),
    [
        pytest.param(1, metadata("image-classification", **{"class-name": "Heron"}), id="single"),
        pytest.param(
            [3],
            metadata("image-classification-multilabel", **{"class-map": {"3": "reed"}}),
            id="several",
        ),
        pytest.param(
            "s3://b/m.png",
            metadata(
                "semantic-segmentation",
                **{"internal-color-map": {"1": {"class-name": "reed", "hex-color": "#2ca02c"}}},
            ),
            id="mask",
        ),
    ],
)
def test_a_label_without_a_confidence_is_a_label(value, more):
    label = decode_label(value, more)
    assert [item.confidence for item in label.classes] == [None]
    assert label.confidence is None
    task = find_task(label.task)
    again, written = builtin_style(
        label, task, Origin(job_name="labeling-job/x", human_annotated="yes", creation_date="")
    )
    assert decode_label(again, written).classes == label.classes


def test_the_confidence_of_several_labels_is_the_lowest():
    assert decode_label({"class-ids": [3, 0], **SEVERAL}, None).confidence == 0.4


def test_a_mask_has_its_own_confidence():
    value = {"mask-ref": "s3://b/m.png", "internal-color-map": COLORS, "confidence": 0.8}
    assert decode_label(value, None).confidence == 0.8


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(chosen(None, None, 0.0), id="single"),
        pytest.param({"class-ids": [], "class-map": {}, "confidence-map": {}}, id="multi"),
        pytest.param({"mask-ref": None, "internal-color-map": {}, "confidence": 0.0}, id="mask"),
    ],
)
def test_an_object_without_a_usable_answer_has_no_class(value):
    label = decode_label(value, None)
    assert (label.classes, label.confidence) == ((), None)


def test_how_a_label_came_about_is_read():
    value = chosen(
        votes={"Heron": 2, "Egret": 1},
        status="consensus",
        answers={"used": 3, "set-aside": [{"worker-id": "w", "reason": "bad-png", "detail": "x"}]},
        algorithm={"name": "majority", "settings": "abc"},
    )
    label = decode_label(value, None)
    assert label.classes == (LabelClass(class_id=0, name="Heron", confidence=0.9),)
    assert label.status == "consensus"
    assert label.votes == {"Heron": 2, "Egret": 1}
    assert label.used == 3
    assert label.rejected == (RejectedAnswer("w", "bad-png", "x"),)
    assert label.algorithm == ("majority", "abc")


@pytest.mark.parametrize(
    ("value", "more"),
    [
        pytest.param({}, None, id="no-function"),
        pytest.param({"boundingBox": {}}, None, id="another-function"),
        pytest.param(chosen("0"), None, id="class-as-text"),
        pytest.param(chosen(True), None, id="class-as-boolean"),
        pytest.param(chosen(-1), None, id="class-below-zero"),
        pytest.param(chosen(0, ""), None, id="no-name"),
        pytest.param(chosen(0, "Heron", 1.5), None, id="confidence-above-one"),
        pytest.param(chosen(0, "Heron", float("nan")), None, id="confidence-no-number"),
        pytest.param({"class-ids": [9], **SEVERAL}, None, id="class-not-in-the-map"),
        pytest.param({"class-ids": 3, **SEVERAL}, None, id="one-class-for-several"),
        pytest.param({"mask-ref": "s3://b/m.png"}, None, id="no-colors"),
        pytest.param(chosen(answers=[]), None, id="answers-as-a-list"),
        pytest.param(0, None, id="no-metadata"),
        pytest.param(0, {"type": "groundtruth/custom"}, id="custom-metadata"),
        pytest.param("0", builtin(), id="builtin-class-as-text"),
        pytest.param(5, metadata("image-classification-multilabel", **SEVERAL), id="wrong-kind"),
    ],
)
def test_anything_else_is_not_recognized(value, more):
    assert decode_label(value, more) is None


@pytest.mark.parametrize(
    ("function", "attribute"),
    [
        ("acs_image_multi_class", "animal"),
        ("acs_image_multi_class_multi_label", "goods"),
        ("acs_semantic_segmentation", "surface"),
    ],
)
def test_every_label_of_the_example_responses_is_recognized(function, attribute):
    for item in example(function, "response"):
        value = item["consolidatedAnnotation"]["content"][attribute]
        label = decode_label(value, None)
        assert label.status == value["status"]
        assert bool(label.classes) == (value["status"] != "no-usable-answer")
