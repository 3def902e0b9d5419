import pytest

from groundtruth.contract.pre import PreRequest, pre_response
from groundtruth.errors import ContractError
from tests.examples import example


@pytest.mark.parametrize("version", ["2018-10-16", "2018-10-06", "", None])
def test_the_version_is_not_looked_at(version):
    event = example("pre_image_multi_class", "event") | {"version": version}
    assert PreRequest.from_event(event).source == event["dataObject"]["source-ref"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"labelingJobArn": None}, "labelingJobArn", id="job-is-null"),
        pytest.param({"dataObject": None}, "dataObject", id="data-object-is-null"),
        pytest.param({"dataObject": "s3://b/k"}, "dataObject", id="data-object-is-a-text"),
        pytest.param({"dataObject": {}}, "dataObject.source-ref", id="no-source"),
        pytest.param({"dataObject": {"source": "Moby"}}, "dataObject.source-ref", id="text-source"),
        pytest.param({"dataObject": {"source-ref": 5}}, "dataObject.source-ref", id="a-number"),
        pytest.param({"dataObject": {"source-ref": ""}}, "dataObject.source-ref", id="empty"),
    ],
)
def test_a_bad_event_is_an_error_at_its_field(change, path):
    with pytest.raises(ContractError) as caught:
        PreRequest.from_event(example("pre_image_multi_class", "event") | change)
    assert caught.value.path == path


@pytest.mark.parametrize("key", ["labelingJobArn", "dataObject"])
def test_a_missing_field_is_named(key):
    event = example("pre_image_multi_class", "event")
    del event[key]
    with pytest.raises(ContractError) as caught:
        PreRequest.from_event(event)
    assert caught.value.path == key


@pytest.mark.parametrize("event", [None, "{", [], 3])
def test_an_event_that_is_no_object_is_refused(event):
    with pytest.raises(ContractError) as caught:
        PreRequest.from_event(event)
    assert caught.value.path == "event"


def test_a_text_task_takes_the_inline_source():
    event = {"labelingJobArn": "arn:x", "dataObject": {"source": "Call me Ishmael."}}
    request = PreRequest.from_event(event, inline_source=True)
    response = pre_response(request, labels=("a",), human_annotation_required=True, earlier={})
    assert response["taskInput"]["taskObject"] == "Call me Ishmael."


@pytest.mark.parametrize("line", [{}, {"source-ref": "s3://b/k"}, {"source": ""}, {"source": 5}])
def test_a_text_task_needs_the_inline_source(line):
    with pytest.raises(ContractError) as caught:
        PreRequest.from_event({"labelingJobArn": "arn:x", "dataObject": line}, inline_source=True)
    assert caught.value.path == "dataObject.source"


def test_the_whole_manifest_line_goes_to_the_page():
    line = {"source-ref": "s3://b/k", "frame-key": "f9", "old": 0, "old-metadata": {"x": [1]}}
    request = PreRequest.from_event({"labelingJobArn": "arn:x", "dataObject": line})
    response = pre_response(request, labels=("b", "a"), human_annotation_required=False, earlier={})
    assert response == {
        "taskInput": {"taskObject": "s3://b/k", "labels": ["b", "a"], "manifestLine": line},
        "isHumanAnnotationRequired": False,
    }


def test_a_task_with_an_inline_source_gets_the_text():
    event = {"labelingJobArn": "arn", "dataObject": {"source": "good food"}}
    assert PreRequest.from_event(event, inline_source=True).source == "good food"
    with pytest.raises(ContractError):
        PreRequest.from_event({**event, "dataObject": {"source-ref": "a"}}, inline_source=True)
