"""Each function answers its example event with its example response."""

import json

import pytest

from groundtruth.storage.folder import FolderStore
from tests.examples import ACS_FUNCTIONS, PRE_FUNCTIONS, example
from tests.masks import indices

LABEL_FILE = "s3://example-groundtruth-bucket/label-categories/{}.json"


@pytest.mark.parametrize("function", PRE_FUNCTIONS)
def test_pre_function_answers_its_example(load_handler, jobs_folder, put, function):
    put(LABEL_FILE.format(function), example(function, "label_categories"))
    handler = load_handler(function, LABEL_CATEGORY_CONFIG_S3_URI=LABEL_FILE.format(function))
    assert as_sent(handler(example(function, "event"))) == example(function, "response")


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_acs_function_answers_its_example(load_handler, jobs_folder, put, function):
    event = example(function, "event")
    put(event["payload"]["s3Uri"], example(function, "payload"))
    response = load_handler(function)(event)
    assert as_sent(response) == example(function, "response")


@pytest.mark.parametrize("function", PRE_FUNCTIONS)
def test_pre_function_answers_its_example_from_a_folder(
    load_handler, jobs_folder, tmp_path, function
):
    body = json.dumps(example(function, "label_categories")).encode()
    uri = LABEL_FILE.format(function)
    FolderStore(tmp_path / "store").write(uri, body, content_type="", kms_key=None)
    name = example(function, "event")["labelingJobArn"].rpartition("/")[2]
    description = {"LabelingJobName": name, "LabelCategoryConfigS3Uri": uri}
    (jobs_folder / f"{name}.json").write_text(json.dumps(description))
    handler = load_handler(function, GROUNDTRUTH_STORE_FOLDER=str(tmp_path / "store"))
    assert as_sent(handler(example(function, "event"))) == example(function, "response")


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_acs_function_answers_its_example_from_a_folder(
    load_handler, jobs_folder, tmp_path, function
):
    event = example(function, "event")
    store = FolderStore(tmp_path / "store")
    body = json.dumps(example(function, "payload")).encode()
    store.write(event["payload"]["s3Uri"], body, content_type="", kms_key=None)
    handler = load_handler(function, GROUNDTRUTH_STORE_FOLDER=str(tmp_path / "store"))
    assert as_sent(handler(event)) == example(function, "response")


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_the_same_payload_twice_leaves_the_same_bytes(load_handler, jobs_folder, put, s3, function):
    event = example(function, "event")
    put(event["payload"]["s3Uri"], example(function, "payload"))
    responses, objects = [], []
    for _ in range(2):
        responses.append(json.dumps(load_handler(function)(event)))
        objects.append(stored(s3))
    assert responses[0] == responses[1]
    assert objects[0] == objects[1]


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_the_order_of_the_answers_does_not_matter(load_handler, jobs_folder, put, s3, function):
    event, payload = example(function, "event"), example(function, "payload")
    handler = load_handler(function)
    seen = []
    for turn in range(2):
        for entry in payload:
            entry["annotations"] = entry["annotations"][turn:] + entry["annotations"][:turn]
        put(event["payload"]["s3Uri"], payload)
        response = handler(event)
        for item in response:
            (label,) = item["consolidatedAnnotation"]["content"].values()
            label["answers"]["set-aside"].sort(key=str)
            label.get("repaired", []).sort(key=str)
        masks = {key: body for key, body in stored(s3).items() if key.endswith(".png")}
        seen.append((as_sent(response), masks))
    assert seen[0] == seen[1]


def test_the_example_masks_are_written_where_the_response_says(
    load_handler, jobs_folder, put, get, s3
):
    event = example("acs_semantic_segmentation", "event")
    put(event["payload"]["s3Uri"], example("acs_semantic_segmentation", "payload"))
    response = load_handler("acs_semantic_segmentation")(event)
    uris = [item["consolidatedAnnotation"]["content"]["surface"]["mask-ref"] for item in response]
    assert [uri is None for uri in uris] == [False, False, False, True]
    folder = f"{event['outputConfig']}/consolidated-annotation/output/"
    assert all(uri.startswith(folder) for uri in uris[:3])
    assert sum(key.endswith(".png") for key in stored(s3)) == 3
    scene = indices(get(uris[0]))
    assert (len(scene), len(scene[0])) == (16, 24)
    assert scene[0] == [0] * 24
    assert scene[10] == [1] * 6 + [2] * 8 + [1] * 10
    assert scene[15] == [3] * 24


def as_sent(response):
    """A response after its way through JSON."""
    return json.loads(json.dumps(response))


def stored(s3):
    listed = s3.list_objects_v2(Bucket="example-groundtruth-bucket").get("Contents", [])
    return {
        item["Key"]: s3.get_object(Bucket="example-groundtruth-bucket", Key=item["Key"])[
            "Body"
        ].read()
        for item in listed
    }
