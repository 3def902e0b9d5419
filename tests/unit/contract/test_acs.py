import pytest

from groundtruth.contract.acs import AcsRequest, Annotation, acs_response_item, parse_payload
from groundtruth.errors import ContractError
from tests.examples import example

EVENT = example("acs_image_multi_class", "event")


def without(key):
    return {name: value for name, value in EVENT.items() if name != key}


def test_the_event_as_it_is_really_sent():
    request = AcsRequest.from_event(EVENT)
    assert request.labeling_job_arn == EVENT["labelingJobArn"]
    assert request.job_name == "labeling-job/tide-pools-01"
    assert request.label_attribute_name == "animal"
    assert request.payload_uri == EVENT["payload"]["s3Uri"]
    assert request.annotations_uri == EVENT["outputConfig"]
    assert request.label_categories == ("Anemone", "Crab", "Sea star", "Nothing alive")
    assert request.role_arn == EVENT["roleArn"]
    assert request.kms_key_id is None


@pytest.mark.parametrize("event", [without("labelCategories"), EVENT | {"labelCategories": None}])
def test_label_categories_may_be_absent(event):
    assert AcsRequest.from_event(event).label_categories is None


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(EVENT | {"outputConfig": "s3://b/j/annotations/"}, "s3://b/j/annotations"),
        pytest.param(without("outputConfig"), EVENT["outputConfig"]),
        pytest.param(
            without("outputConfig") | {"payload": {"s3Uri": "s3://b/elsewhere/p.json"}},
            "s3://b/elsewhere",
        ),
    ],
    ids=["as-the-event-says", "from-the-payload's-place", "beside-the-payload"],
)
def test_where_the_job_s_annotations_are(event, expected):
    assert AcsRequest.from_event(event).annotations_uri == expected


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"labelingJobArn": ""}, "labelingJobArn", id="no-job"),
        pytest.param({"labelAttributeName": None}, "labelAttributeName", id="no-attribute"),
        pytest.param({"payload": None}, "payload", id="payload-is-null"),
        pytest.param({"payload": "s3://b/k"}, "payload", id="payload-is-a-text"),
        pytest.param({"payload": {}}, "payload.s3Uri", id="payload-without-uri"),
        pytest.param({"payload": {"s3Uri": "https://b/k"}}, "payload.s3Uri", id="not-s3"),
        pytest.param({"payload": {"s3Uri": 4}}, "payload.s3Uri", id="uri-is-a-number"),
        pytest.param({"outputConfig": {"s3": "x"}}, "outputConfig", id="output-is-an-object"),
        pytest.param({"outputConfig": "/tmp/x"}, "outputConfig", id="output-is-a-path"),
        pytest.param({"labelCategories": "Crab"}, "labelCategories", id="labels-are-a-text"),
        pytest.param({"labelCategories": ["a", "a"]}, "labelCategories[1]", id="labels-twice"),
        pytest.param({"roleArn": 5}, "roleArn", id="role-is-a-number"),
        pytest.param({"kmsKeyId": []}, "kmsKeyId", id="key-is-a-list"),
    ],
)
def test_a_bad_event_is_an_error_at_its_field(change, path):
    with pytest.raises(ContractError) as caught:
        AcsRequest.from_event(EVENT | change)
    assert caught.value.path == path


@pytest.mark.parametrize("key", ["labelingJobArn", "labelAttributeName", "payload"])
def test_a_missing_field_is_named(key):
    with pytest.raises(ContractError) as caught:
        AcsRequest.from_event(without(key))
    assert caught.value.path == key


@pytest.mark.parametrize("event", [None, "{", [], 3])
def test_an_event_that_is_no_object_is_refused(event):
    with pytest.raises(ContractError) as caught:
        AcsRequest.from_event(event)
    assert caught.value.path == "event"


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        pytest.param({}, "payload", id="not-a-list"),
        pytest.param(None, "payload", id="null"),
        pytest.param([[]], "payload[0]", id="an-entry-is-a-list"),
        pytest.param([{}], "payload[0].datasetObjectId", id="no-id"),
        pytest.param([{"datasetObjectId": ""}], "payload[0].datasetObjectId", id="empty-id"),
        pytest.param([{"datasetObjectId": True}], "payload[0].datasetObjectId", id="boolean-id"),
        pytest.param([{"datasetObjectId": 1.5}], "payload[0].datasetObjectId", id="fraction-as-id"),
        pytest.param(
            [{"datasetObjectId": "0"}, {"datasetObjectId": "1", "annotations": {}}],
            "payload[1].annotations",
            id="annotations-not-a-list",
        ),
    ],
)
def test_a_bad_payload_is_an_error_at_its_entry(payload, path):
    with pytest.raises(ContractError) as caught:
        parse_payload(payload)
    assert caught.value.path == path


@pytest.mark.parametrize("entry", [{}, {"annotations": None}, {"annotations": []}])
def test_a_data_object_may_have_no_answers(entry):
    (item,) = parse_payload([{"datasetObjectId": 17} | entry])
    assert (item.object_id, item.annotations) == ("17", ())


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        pytest.param(
            {"workerId": "w", "annotationData": {"content": "{}"}},
            Annotation(worker_id="w", content="{}", uri=None),
            id="content",
        ),
        pytest.param(
            {"workerId": "w", "annotationData": {"s3Uri": "s3://b/k"}},
            Annotation(worker_id="w", content=None, uri="s3://b/k"),
            id="uri",
        ),
        pytest.param(
            {"workerId": "w", "annotationData": {"s3uri": "s3://b/k"}},
            Annotation(worker_id="w", content=None, uri="s3://b/k"),
            id="uri-in-the-other-spelling",
        ),
        pytest.param(
            {"workerId": "w", "annotationData": {"content": "", "s3Uri": "s3://b/k"}},
            Annotation(worker_id="w", content=None, uri="s3://b/k"),
            id="empty-content-beside-a-uri",
        ),
        pytest.param(
            {"workerId": "w", "annotationData": {"content": "{}", "s3Uri": "s3://b/k"}},
            Annotation(worker_id="w", content="{}", uri="s3://b/k"),
            id="both",
        ),
        pytest.param(
            {"annotationData": {"content": {"a": 1}}},
            Annotation(worker_id="", content={"a": 1}, uri=None),
            id="decoded-content-of-nobody",
        ),
        pytest.param(
            {"workerId": 5, "annotationData": "text"},
            Annotation(worker_id="", content=None, uri=None),
            id="all-of-wrong-kinds",
        ),
        pytest.param(None, Annotation(worker_id="", content=None, uri=None), id="null"),
    ],
)
def test_an_annotation_is_read_as_far_as_it_goes(annotation, expected):
    (item,) = parse_payload([{"datasetObjectId": "0", "annotations": [annotation]}])
    assert item.annotations == (expected,)


def test_an_item_of_the_response():
    assert acs_response_item("a/0", {"animal": 1}) == {
        "datasetObjectId": "a/0",
        "consolidatedAnnotation": {"content": {"animal": 1}},
    }
