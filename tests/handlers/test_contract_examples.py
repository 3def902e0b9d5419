"""Every request and payload of the contract fixtures is accepted, and the responses match."""

import json

import pytest

from tests.examples import rejected
from tests.masks import indices
from tests.real_data import contract_example, contract_examples

pytestmark = pytest.mark.slow

FOLDERS = {
    "image-classification-single": "image_multi_class",
    "image-classification-multilabel": "image_multi_class_multi_label",
    "semantic-segmentation": "semantic_segmentation",
}
CLASSIFICATION = [folder for folder in FOLDERS if folder.startswith("image")]


def fixture(folder, name):
    return json.loads(contract_example(folder, name).read_bytes())


def matches(ours, theirs, *, exact):
    """Whether two JSON values have the same keys and types all the way down.

    Unless `exact`, ours may have keys that theirs has not, and a map by class other classes;
    exact keys are in the same order.
    """
    if isinstance(theirs, dict) and not exact and all(key.isdecimal() for key in theirs):
        form = next(iter(theirs.values()))
        return all(key.isdecimal() and matches(ours[key], form, exact=exact) for key in ours)
    if isinstance(theirs, dict):
        if not isinstance(ours, dict) or (exact and list(ours) != list(theirs)):
            return False
        return all(key in ours and matches(ours[key], theirs[key], exact=exact) for key in theirs)
    if isinstance(theirs, list):
        return isinstance(ours, list) and all(
            matches(our, their, exact=exact) for our, their in zip(ours, theirs, strict=False)
        )
    return type(ours) is type(theirs)


@pytest.fixture
def answered(load_handler, jobs_folder, put):
    """Send a folder's request and payload to its function."""

    def answer(folder, *, request="acs_request.json", **variables):
        event = fixture(folder, request)
        put(event["payload"]["s3Uri"], fixture(folder, "acs_payload.json"))
        handler = load_handler(f"acs_{FOLDERS[folder]}", **variables)
        return json.loads(json.dumps(handler(event)))

    return answer


def contents(response):
    return [item["consolidatedAnnotation"]["content"] for item in response]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_object_style_has_the_fixture_s_shape(answered, folder):
    response = answered(folder)
    expected = fixture(folder, "acs_response.object_style.json")
    assert len(response) == len(expected)
    assert matches(response, expected, exact=False)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_builtin_style_has_exactly_the_fixture_s_keys_and_types(answered, folder):
    algorithm = "builtin" if folder in CLASSIFICATION else "majority"
    response = answered(folder, OUTPUT_STYLE="builtin", CONSOLIDATION_ALGORITHM=algorithm)
    expected = fixture(folder, "acs_response.builtin_style.json")
    assert len(response) == len(expected)
    assert matches(response, expected, exact=True)


@pytest.mark.parametrize("folder", CLASSIFICATION)
def test_builtin_classification_equals_the_fixture_but_for_the_dates(answered, folder):
    response = answered(folder, OUTPUT_STYLE="builtin", CONSOLIDATION_ALGORITHM="builtin")
    expected = fixture(folder, "acs_response.builtin_style.json")
    for content in contents(response) + contents(expected):
        for key, value in content.items():
            if key.endswith("-metadata"):
                del value["creation-date"]
    assert response == expected


def test_the_builtin_confidences_of_a_single_label(answered):
    response = answered(
        "image-classification-single", OUTPUT_STYLE="builtin", CONSOLIDATION_ALGORITHM="builtin"
    )
    found = [content["species-metadata"]["confidence"] for content in contents(response)]
    assert found == [0.94, 0.86, 0.47, 0.90]


def test_the_mask_and_its_builtin_confidence(answered, get):
    response = answered("semantic-segmentation", OUTPUT_STYLE="builtin")
    (content,) = contents(response)
    expected = fixture("semantic-segmentation", "consolidated_mask.indices.json")
    assert indices(get(content["landcover-ref"])) == expected["rows"]
    colors = content["landcover-ref-metadata"]["internal-color-map"]
    assert [item["hex-color"] for item in colors.values()] == expected["palette"]
    assert {item["confidence"] for item in colors.values()} == {0.89375}


def test_the_same_worker_alone_reports_no_confidence(load_handler, jobs_folder, put):
    event = fixture("image-classification-single", "acs_request.json")
    payload = fixture("image-classification-single", "acs_payload.json")
    for entry in payload:
        entry["annotations"] = entry["annotations"][:1]
    put(event["payload"]["s3Uri"], payload)
    variables = {"OUTPUT_STYLE": "builtin", "CONSOLIDATION_ALGORITHM": "builtin"}
    response = load_handler("acs_image_multi_class", **variables)(event)
    assert {content["species-metadata"]["confidence"] for content in contents(response)} == {0.0}


@pytest.mark.parametrize(
    "request_file", ["acs_request.no_label_categories.json", "acs_request.kms.json"]
)
def test_other_forms_of_the_event_are_accepted(answered, request_file):
    folder = "image-classification-single"
    response = answered(folder, request=request_file)
    expected = fixture(folder, "acs_response.object_style.json")
    assert [item["datasetObjectId"] for item in response] == [
        item["datasetObjectId"] for item in expected
    ]
    names = [content["species"]["class-name"] for content in contents(response)]
    assert names[0] == contents(expected)[0]["species"]["class-name"]


def test_the_edge_cases_are_all_answered_with_the_right_reasons(load_handler, jobs_folder, put):
    event = fixture("image-classification-single", "acs_request.json")
    payload = fixture("shared", "acs_payload.mixed_edge_cases.json")
    put(event["payload"]["s3Uri"], payload)
    response = load_handler("acs_image_multi_class")(event)
    assert [item["datasetObjectId"] for item in response] == ["0", "1", "2", "3", "4"]
    labels = [content["species"] for content in contents(response)]
    assert [
        (label["class-name"], label["status"], [reason for _, reason in rejected(label)])
        for label in labels
    ] == [
        (None, "no-usable-answer", ["answer-not-found"]),
        (None, "no-usable-answer", []),
        (None, "no-usable-answer", ["unknown-label"]),
        ("Heron", "single-annotator", ["malformed-json"]),
        ("Heron", "single-annotator", []),
    ]


def test_the_edge_case_s_answer_elsewhere_is_read_where_it_is(load_handler, jobs_folder, put):
    event = fixture("image-classification-single", "acs_request.json")
    payload = fixture("shared", "acs_payload.mixed_edge_cases.json")
    content = fixture("image-classification-single", "worker_answer_content.json")
    put(event["payload"]["s3Uri"], payload)
    put(payload[0]["annotations"][0]["annotationData"]["s3Uri"], content)
    label = contents(load_handler("acs_image_multi_class")(event))[0]["species"]
    assert label["class-name"] == content["crowd-image-classifier"]["label"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_worker_answer_is_understood(load_handler, jobs_folder, put, folder):
    event = fixture(folder, "acs_request.json")
    handler = load_handler(f"acs_{FOLDERS[folder]}")
    files = contract_examples(f"{folder}/worker_answer_content*.json")
    assert files or not contract_example(folder)
    for file in files:
        data = {"workerId": "w", "annotationData": {"content": file.read_text()}}
        payload = [{"datasetObjectId": "0", "dataObject": {}, "annotations": [data]}]
        put(event["payload"]["s3Uri"], payload)
        (content,) = contents(handler(event))
        (label,) = content.values()
        assert label["status"] == "single-annotator", file.name


@pytest.mark.parametrize(
    ("folder", "form"),
    [*((folder, "") for folder in FOLDERS), ("semantic-segmentation", ".adjustment_job")],
)
def test_pre_requests_have_the_fixture_s_response(load_handler, jobs_folder, put, folder, form):
    uri = "s3://example-groundtruth-bucket/labels.json"
    put(uri, fixture(folder, "label_categories.json"))
    request = fixture(folder, f"pre_request{form}.json")
    handler = load_handler(f"pre_{FOLDERS[folder]}", LABEL_CATEGORY_CONFIG_S3_URI=uri)
    response, expected = handler(request), fixture(folder, f"pre_response{form}.json")
    assert response["isHumanAnnotationRequired"] is expected["isHumanAnnotationRequired"]
    task = response["taskInput"]
    assert task == expected["taskInput"] | {"manifestLine": request["dataObject"]}


def test_a_streaming_pre_request_is_accepted(load_handler, jobs_folder, put):
    uri = "s3://example-groundtruth-bucket/labels.json"
    put(uri, fixture("image-classification-single", "label_categories.json"))
    request = fixture("shared", "pre_request.streaming_dedup.json")
    handler = load_handler("pre_image_multi_class", LABEL_CATEGORY_CONFIG_S3_URI=uri)
    assert handler(request)["taskInput"]["manifestLine"] == request["dataObject"]
