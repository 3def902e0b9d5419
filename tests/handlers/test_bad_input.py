"""What the functions do with bad input, through the real S3 client."""

import json
import subprocess
import sys

import boto3
import pytest

from groundtruth.errors import ContractError, JobLookupError, SettingsError, StorageError
from tests.examples import ACS_FUNCTIONS, PRE_FUNCTIONS, example, payload_of, rejected
from tests.masks import answer, drawn
from tests.stub_service import Reply, StubService, json_error, s3_error, serving

pytestmark = pytest.mark.slow

ACS = "acs_image_multi_class"
LABEL_FILE = "s3://example-groundtruth-bucket/label-categories.json"
CRAB = '{"crowd-image-classifier":{"label":"Crab"}}'
ROLE = "arn:aws:iam::123456789012:role/GroundTruthExecutionRole"


@pytest.mark.parametrize("function", PRE_FUNCTIONS + ACS_FUNCTIONS)
@pytest.mark.parametrize("event", [None, '{"labelingJobArn":', [], {}])
def test_an_event_that_is_none_is_refused_by_name(load_handler, jobs_folder, function, event):
    with pytest.raises(ContractError) as caught:
        load_handler(function)(event)
    assert caught.value.path in {"event", "labelingJobArn", "payload"}


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
@pytest.mark.parametrize(
    "body", [b"", b'[{"datasetObjectId"', b"[\xff]", b"[" * 100_000, b'{"datasetObjectId":"0"}']
)
def test_a_broken_payload_is_an_error(load_handler, jobs_folder, put, function, body):
    event = example(function, "event")
    put(event["payload"]["s3Uri"], body)
    with pytest.raises(ContractError) as caught:
        load_handler(function)(event)
    assert caught.value.path == "payload"


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_a_missing_payload_is_an_error(load_handler, jobs_folder, s3, function):
    with pytest.raises(StorageError) as caught:
        load_handler(function)(example(function, "event"))
    assert caught.value.reason == "not-found"


@pytest.mark.parametrize("function", PRE_FUNCTIONS)
@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(None, StorageError, id="missing"),
        pytest.param(b"{", ContractError, id="broken"),
        pytest.param(b"\xff{}", ContractError, id="not-utf-8"),
        pytest.param(b'{"labels":[{"label":"a"},{"label":"a"}]}', ContractError, id="duplicate"),
        pytest.param(b'{"labels":[]}', ContractError, id="empty"),
    ],
)
def test_a_bad_label_file_is_named(load_handler, jobs_folder, put, function, body, error):
    if body is not None:
        put(LABEL_FILE, body)
    handler = load_handler(function, LABEL_CATEGORY_CONFIG_S3_URI=LABEL_FILE)
    with pytest.raises(error) as caught:
        handler(example(function, "event"))
    assert LABEL_FILE in str(caught.value)


@pytest.mark.parametrize("function", PRE_FUNCTIONS)
def test_no_labels_anywhere_names_the_three_places(load_handler, jobs_folder, function):
    with pytest.raises(ContractError) as caught:
        load_handler(function)(example(function, "event"))
    for place in ("labelCategories", "LabelCategoryConfigS3Uri", "DescribeLabelingJob"):
        assert place in str(caught.value)


@pytest.mark.parametrize("function", PRE_FUNCTIONS)
def test_a_text_to_label_is_refused_with_the_fix(load_handler, jobs_folder, function):
    event = example(function, "event") | {"dataObject": {"source": "Call me Ishmael."}}
    with pytest.raises(ContractError) as caught:
        load_handler(function)(event)
    assert caught.value.path == "dataObject.source-ref"
    assert "`source-ref`" in str(caught.value)


@pytest.mark.parametrize(
    ("function", "variable", "value"),
    [
        (ACS, "OUTPUT_STYLE", "pretty"),
        (ACS, "MIN_CONFIDENCE", "80"),
        ("pre_image_multi_class", "SKIP_LABELED_OBJECTS", "1"),
        ("acs_semantic_segmentation", "ASSUME_JOB_ROLE", "true"),
    ],
)
def test_a_bad_setting_fails_the_cold_start_by_name(load_handler, function, variable, value):
    with pytest.raises(SettingsError) as caught:
        load_handler(function, **{variable: value})
    assert variable in str(caught.value)


def test_an_algorithm_the_job_type_has_not_is_named(load_handler, jobs_folder, put):
    function = "acs_semantic_segmentation"
    event = example(function, "event")
    put(event["payload"]["s3Uri"], [])
    with pytest.raises(SettingsError) as caught:
        load_handler(function, CONSOLIDATION_ALGORITHM="builtin")(event)
    assert "CONSOLIDATION_ALGORITHM='builtin'" in str(caught.value)


def test_a_job_s_tags_are_read_from_its_description(load_handler, jobs_folder, put):
    event = example(ACS, "event")
    put(event["payload"]["s3Uri"], payload_of({"0": [CRAB, CRAB]}))
    tags = {"consolidation:output-style": "builtin", "consolidation:colour": "red"}
    description = {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    (jobs_folder / "tide-pools-01.json").write_text(json.dumps(description))
    (item,) = load_handler(ACS)(event)
    assert item["consolidatedAnnotation"]["content"]["animal"] == 1


@pytest.fixture
def stub(monkeypatch):
    """A service on the loopback interface that a variable can lead a client to."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with serving(StubService()) as service:
        yield service


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFound"])
def test_a_job_that_may_not_be_described_is_consolidated_by_the_stack_s_settings(
    load_handler, put, stub, code
):
    event = example(ACS, "event")
    put(event["payload"]["s3Uri"], payload_of({"0": [CRAB, CRAB]}))
    stub.replies = [json_error(400, code)]
    handler = load_handler(ACS, AWS_ENDPOINT_URL_SAGEMAKER=stub.endpoint)
    assert len(handler(event)) == len(handler(event)) == 1
    assert len(stub.requests) == 1


def test_a_job_that_cannot_be_described_now_fails_the_batch(load_handler, put, stub):
    event = example(ACS, "event")
    put(event["payload"]["s3Uri"], payload_of({"0": [CRAB, CRAB]}))
    stub.replies = [json_error(400, "ThrottlingException")]
    handler = load_handler(ACS, AWS_ENDPOINT_URL_SAGEMAKER=stub.endpoint)
    with pytest.raises(JobLookupError) as caught:
        handler(event)
    assert caught.value.transient


def elsewhere(name):
    return {"annotationData": {"s3Uri": f"s3://example-groundtruth-bucket/answers/{name}"}}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(s3_error(403, "AccessDenied"), "answer-access-denied", id="denied"),
        pytest.param(s3_error(404, "NoSuchKey"), "answer-not-found", id="missing"),
    ],
)
def test_an_answer_that_stays_unreadable_is_rejected(
    load_handler, jobs_folder, stub, reply, reason
):
    label = through_stub(load_handler, stub, reply)
    assert label["class-name"] == "Crab"
    assert rejected(label) == [("w1", reason)]


@pytest.mark.parametrize(
    "reply", [s3_error(503, "SlowDown"), s3_error(500, "InternalError")], ids=["throttled", "fault"]
)
def test_an_answer_that_cannot_be_read_now_fails_the_batch(load_handler, jobs_folder, stub, reply):
    with pytest.raises(StorageError) as caught:
        through_stub(load_handler, stub, reply)
    assert caught.value.reason == "unavailable"
    assert caught.value.uri.endswith("answers/faulty")


def through_stub(load_handler, stub, reply):
    """The label of one good answer and one that S3 gives this reply for."""
    event = example(ACS, "event")
    payload = payload_of({"0": [elsewhere("faulty"), elsewhere("good"), CRAB]})
    name = event["payload"]["s3Uri"].rpartition("/")[2].replace(":", "%3A")
    stub.by_path = {
        "/faulty": reply,
        "/good": Reply(200, CRAB.encode()),
        name: Reply(200, json.dumps(payload).encode()),
    }
    stub.replies = [s3_error(400, "NotExpected")]
    (item,) = load_handler(ACS, AWS_ENDPOINT_URL_S3=stub.endpoint)(event)
    return item["consolidatedAnnotation"]["content"]["animal"]


def test_the_event_s_role_is_assumed_when_it_is_allowed(load_handler, jobs_folder, put):
    event = example(ACS, "event") | {"roleArn": ROLE}
    put(event["payload"]["s3Uri"], payload_of({"0": [CRAB]}))
    variables = {"ASSUME_JOB_ROLE": "true", "JOB_ROLE_ARN_PATTERN": ROLE.replace("Role", "*")}
    assert len(load_handler(ACS, **variables)(event)) == 1


def test_the_event_s_role_is_not_assumed_when_it_is_not_allowed(load_handler, jobs_folder, put):
    event = example(ACS, "event") | {"roleArn": ROLE}
    put(event["payload"]["s3Uri"], payload_of({"0": [CRAB]}))
    variables = {"ASSUME_JOB_ROLE": "true", "JOB_ROLE_ARN_PATTERN": "arn:aws:iam::*:role/Other*"}
    with pytest.raises(SettingsError) as caught:
        load_handler(ACS, **variables)(event)
    assert ROLE in str(caught.value)


@pytest.mark.parametrize("from_event", [True, False])
def test_a_mask_is_written_with_the_key(load_handler, jobs_folder, put, s3, from_event):
    function = "acs_semantic_segmentation"
    key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    event = example(function, "event") | ({"kmsKeyId": key} if from_event else {})
    put(event["payload"]["s3Uri"], payload_of({"0": [answer(drawn("w."))]}))
    (item,) = load_handler(function, KMS_KEY_ARN="" if from_event else key)(event)
    uri = item["consolidatedAnnotation"]["content"]["surface"]["mask-ref"]
    bucket, _, name = uri.removeprefix("s3://").partition("/")
    head = s3.head_object(Bucket=bucket, Key=name)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
    assert head["ContentType"] == "image/png"


LOADED_WITHOUT_ANYTHING = """
import importlib.util, sys, warnings
warnings.simplefilter("error")
spec = importlib.util.spec_from_file_location("app", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
print(*(name for name in ("numpy", "PIL", "boto3", "skimage", "moto") if name in sys.modules))
"""


@pytest.mark.parametrize("function", PRE_FUNCTIONS + ACS_FUNCTIONS)
def test_importing_a_function_needs_no_variable_and_opens_nothing(checkout, function):
    path = checkout / "functions" / function / "app.py"
    done = subprocess.run(
        [sys.executable, "-c", LOADED_WITHOUT_ANYTHING, path],
        env={"PYTHONPATH": str(checkout / "layers" / "groundtruth" / "python")},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert loaded <= (set() if function in PRE_FUNCTIONS else {"numpy", "PIL"})
