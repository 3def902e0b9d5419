import json
from datetime import UTC, datetime

import pytest

from groundtruth.annotations import RejectedAnswer
from groundtruth.finishing.job import ClassOrder, order_classes
from groundtruth.finishing.outcomes import find_origin
from groundtruth.tasks.base import Label, Origin, builtin_style, failure_metadata
from groundtruth.tasks.registry import decode_label, find_task
from tests.unit.finishing.ended_jobs import chosen

ORIGIN = Origin(
    job_name="labeling-job/birds",
    human_annotated="yes",
    creation_date="2026-03-02T10:15:31.412000",
)
ORDER = ClassOrder({"Heron": 0, "Egret": 4, "Stork": 7}, "labels")


def builtin_shape(value):
    label = decode_label(value, None)
    return builtin_style(order_classes(label, ORDER), find_task(label.task), ORIGIN)


def written(value):
    return json.dumps(builtin_shape(value))


def test_a_single_label_has_the_keys_in_the_built_in_order():
    assert written(chosen(1, "Egret", 1)) == (
        '[4, {"confidence": 1.0, "job-name": "labeling-job/birds", "class-name": "Egret", '
        '"human-annotated": "yes", "creation-date": "2026-03-02T10:15:31.412000", '
        '"type": "groundtruth/image-classification"}]'
    )


def test_several_labels_stand_in_descending_confidence():
    value = {
        "class-ids": [0, 1, 2],
        "class-map": {"0": "Heron", "1": "Egret", "2": "Stork"},
        "confidence-map": {"0": 0.2, "1": 0.77, "2": 0.77},
    }
    assert written(value) == (
        '[[4, 7, 0], {"job-name": "labeling-job/birds", '
        '"class-map": {"4": "Egret", "7": "Stork", "0": "Heron"}, "human-annotated": "yes", '
        '"creation-date": "2026-03-02T10:15:31.412000", '
        '"confidence-map": {"4": 0.77, "7": 0.77, "0": 0.2}, '
        '"type": "groundtruth/image-classification-multilabel"}]'
    )


COLORS = {
    str(at): {"class-name": name, "hex-color": color, "confidence": 0.1 * at}
    for at, (name, color) in enumerate([("BACKGROUND", "#ffffff"), ("reed", "#2ca02c")])
}


@pytest.mark.parametrize(
    ("more", "confidences"),
    [
        pytest.param({}, (0.0, 0.1), id="of-its-classes"),
        pytest.param({"confidence": 0.75}, (0.75, 0.75), id="of-the-mask"),
        pytest.param({"confidence": 0.7, "status": "single-annotator"}, (0.0, 0.0), id="single"),
    ],
)
def test_a_mask_keeps_the_indices_of_its_pixels(more, confidences):
    value = {"mask-ref": "s3://b/m.png", "internal-color-map": COLORS, **more}
    background, reed = confidences
    assert written(value) == (
        '["s3://b/m.png", {"internal-color-map": {'
        f'"0": {{"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": {background}}}, '
        f'"1": {{"class-name": "reed", "hex-color": "#2ca02c", "confidence": {reed}}}}}, '
        '"type": "groundtruth/semantic-segmentation", "human-annotated": "yes", '
        '"creation-date": "2026-03-02T10:15:31.412000", "job-name": "labeling-job/birds"}]'
    )


def test_a_lone_worker_s_label_has_confidence_zero():
    _, metadata = builtin_shape(chosen(confidence=0.7, status="single-annotator"))
    assert json.dumps(metadata["confidence"]) == "0.0"


def test_the_labels_of_a_lone_worker_keep_their_order():
    value = {
        "class-ids": [2, 0],
        "class-map": {"0": "Heron", "2": "Stork"},
        "confidence-map": {"0": 0.7, "2": 0.7},
        "status": "single-annotator",
    }
    ids, metadata = builtin_shape(value)
    assert (ids, metadata["confidence-map"]) == ([7, 0], {"7": 0.0, "0": 0.0})


@pytest.mark.parametrize(
    ("metadatas", "file_time", "expected"),
    [
        pytest.param(
            [{"creation-date": "2021-11-01T17:42:26.177000"}],
            None,
            "2021-11-01T17:42:26.177000",
            id="as-written",
        ),
        pytest.param(
            [{"creation_date": "2019-10-27T10:35:45+0000"}],
            None,
            "2019-10-27T10:35:45.000000",
            id="other-spelling",
        ),
        pytest.param(
            [{}, {"creation-date": "2026-01-01T00:00:00"}],
            None,
            "2026-01-01T00:00:00.000000",
            id="second",
        ),
        pytest.param(
            [{}], datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00.000000", id="file"
        ),
        pytest.param([{"creation-date": "some day"}], None, "some day", id="no-date"),
    ],
)
def test_the_date_is_the_service_s(metadatas, file_time, expected):
    assert find_origin("labeling-job/birds", metadatas, file_time).creation_date == expected


def test_the_service_says_who_annotated():
    assert find_origin("j", [{"human-annotated": "no"}], None).human_annotated == "no"
    assert find_origin("j", [{}], None).human_annotated == "yes"


def test_an_object_without_a_label_says_why():
    reasons = ("bad-png", "malformed-json", "bad-png")
    label = Label(task="x", rejected=tuple(RejectedAnswer("w", item, "") for item in reasons))
    assert failure_metadata(label) == {
        "retry-count": 0,
        "failure-reason": "no-usable-answer: 2 bad-png, 1 malformed-json",
        "human-annotated": "true",
    }
    assert failure_metadata(Label(task="x"))["failure-reason"] == "no-usable-answer: no answers"
