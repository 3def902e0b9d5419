"""The finishing function answers its example event, behind the real S3 and SageMaker clients."""

import json
import re

import boto3
import pytest
from moto import mock_aws

from groundtruth.errors import StorageError
from groundtruth.finishing.summary import pseudonym
from groundtruth.storage.secrets import read_secret
from tests.examples import EVENTS, example

BUCKET = "s3://example-groundtruth-bucket"
ROOT = f"{BUCKET}/labels/Tide-Pools-01"
OUTPUT = f"{ROOT}/manifests/output"
RESPONSE = (
    f"{ROOT}/annotations/consolidated-annotation/consolidation-response"
    "/iteration-1/2026-05-04_09:30:14.json"
)
MADE = ("finished.manifest", "requeue.manifest", "summary.json")


def file(name):
    return (EVENTS / "finish_job" / name).read_bytes()


@pytest.fixture
def job(put, jobs_folder):
    """The example job's files, as the service leaves them."""
    put(RESPONSE, example("acs_image_multi_class", "response"))
    put(f"{OUTPUT}/output.manifest", file("output.manifest"))
    put(f"{BUCKET}/label-categories/tide-pools.json", file("label_categories.json"))
    (jobs_folder / "tide-pools-01.json").write_bytes(file("labeling_job.json"))
    return jobs_folder / "tide-pools-01.json"


def test_the_example_event_is_answered_with_the_example_response(job, load_handler):
    handler = load_handler("finish_job")
    assert json.loads(json.dumps(handler(example("finish_job", "event")))) == example(
        "finish_job", "response"
    )


def test_the_example_files_are_written(job, load_handler, get):
    load_handler("finish_job")(example("finish_job", "event"))
    for name in MADE:
        assert get(f"{OUTPUT}/{name}").decode() == file(name).decode()


def test_the_same_event_twice_leaves_the_same_bytes(job, load_handler, get):
    handler = load_handler("finish_job")
    written = []
    for _ in range(2):
        handler(example("finish_job", "event"))
        written.append([get(f"{OUTPUT}/{name}") for name in MADE])
    assert written[0] == written[1]
    assert get(f"{OUTPUT}/output.manifest") == file("output.manifest")


def test_a_job_that_failed_early_is_queued_again_as_a_whole(job, load_handler, s3, put, get):
    for uri in (RESPONSE, f"{OUTPUT}/output.manifest"):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        s3.delete_object(Bucket=bucket, Key=key)
    manifest = b'{"source-ref":"s3://b/1.jpg"}\n{"source-ref":"s3://b/2.jpg"}\n'
    put(f"{BUCKET}/manifests/tide-pools.manifest", manifest)
    event = example("finish_job", "event") | {"detail": {"LabelingJobStatus": "Failed"}}
    response = load_handler("finish_job")(event)
    assert (response["finished"], response["requeued"]) == (True, 2)
    assert get(f"{OUTPUT}/requeue.manifest") == manifest


def test_a_job_of_the_built_in_functions_is_left_alone(job, load_handler, put, s3):
    description = example("finish_job", "labeling_job")
    description["HumanTaskConfig"] = {}
    job.write_text(json.dumps(description))
    metadata = {"type": "groundtruth/image-classification", "job-name": "labeling-job/x"}
    line = {"source-ref": "s3://b/1.jpg", "animal": 0, "animal-metadata": metadata}
    put(f"{OUTPUT}/output.manifest", json.dumps(line).encode())
    put(RESPONSE, [])
    response = load_handler("finish_job")(example("finish_job", "event"))
    assert response == {
        "job-name": "labeling-job/tide-pools-01",
        "finished": False,
        "reason": "nothing to do: no label is of these functions and no line is of a custom job",
    }
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET[5:])["Contents"]]
    assert not [key for key in keys if key.endswith(MADE)]


WORKERS = {
    "private.us-west-2.1a2b3c4d5e6f7081": 1,
    "private.us-west-2.3c4d5e6f708192a3": 2,
}


def test_log_and_response_name_no_worker(job, load_handler, caplog):
    response = load_handler("finish_job")(example("finish_job", "event"))
    told = json.dumps(response) + str([vars(record) for record in caplog.records])
    assert "labeling job finished" in told
    summary = json.loads(file("summary.json"))
    workers = summary["answers"]["set-aside-by-worker"]
    assert workers
    assert not [worker for worker in (*workers, *WORKERS) if worker in told]


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        pytest.param({"PLAIN_WORKER_IDS": "true"}, WORKERS, id="plain"),
        pytest.param(
            {"WORKER_ID_KEY": "secret"},
            {pseudonym(worker, "secret"): count for worker, count in WORKERS.items()},
            id="with-a-key",
        ),
        pytest.param(
            {},
            {pseudonym(name, "labeling-job/tide-pools-01"): n for name, n in WORKERS.items()},
            id="without-a-key",
        ),
    ],
)
def test_the_summary_calls_workers_as_the_settings_say(job, load_handler, get, variables, names):
    response = load_handler("finish_job", **variables)(example("finish_job", "event"))
    assert json.loads(get(response["summary"]))["answers"]["set-aside-by-worker"] == names


@pytest.fixture
def secret(job):
    """Makes a secret of a text and tells its ARN; beside S3, in the same memory."""
    read_secret.cache_clear()

    def make(**content):
        made = boto3.client("secretsmanager").create_secret(Name="worker-id-key", **content)
        return made["ARN"]

    yield make
    read_secret.cache_clear()


def test_the_key_of_pseudonyms_comes_from_the_secret_and_is_read_once(secret, load_handler, get):
    arn = secret(SecretString="of the stack")
    handler = load_handler("finish_job", WORKER_ID_KEY_SECRET_ARN=arn)
    wanted = {pseudonym(worker, "of the stack"): count for worker, count in WORKERS.items()}
    for _ in range(2):
        response = handler(example("finish_job", "event"))
        found = json.loads(get(response["summary"]))["answers"]["set-aside-by-worker"]
        assert found == wanted
        boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="rotated")


def test_a_key_in_the_environment_goes_before_the_secret(secret, load_handler, get):
    arn = secret(SecretString="of the stack")
    variables = {"WORKER_ID_KEY_SECRET_ARN": arn, "WORKER_ID_KEY": "local"}
    response = load_handler("finish_job", **variables)(example("finish_job", "event"))
    found = json.loads(get(response["summary"]))["answers"]["set-aside-by-worker"]
    assert found == {pseudonym(worker, "local"): count for worker, count in WORKERS.items()}


ABSENT = "arn:aws:secretsmanager:us-east-1:123456789012:secret:absent-AbCdEf"


def test_plain_ids_need_no_secret(secret, load_handler):
    variables = {"WORKER_ID_KEY_SECRET_ARN": ABSENT, "PLAIN_WORKER_IDS": "true"}
    assert load_handler("finish_job", **variables)(example("finish_job", "event"))["finished"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(None, "cannot be read.*ResourceNotFound", id="absent"),
        pytest.param({"SecretString": " \n"}, "holds no text", id="blank"),
        pytest.param({"SecretBinary": b"key"}, "holds no text", id="binary"),
    ],
)
def test_a_secret_that_cannot_be_used_fails_the_event_and_writes_nothing(
    secret, load_handler, s3, content, problem
):
    arn = secret(**content) if content else ABSENT
    handler = load_handler("finish_job", WORKER_ID_KEY_SECRET_ARN=arn)
    with pytest.raises(StorageError, match=f"{re.escape(arn)}.*{problem}"):
        handler(example("finish_job", "event"))
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET[5:])["Contents"]]
    assert not [key for key in keys if key.endswith(MADE)]


def test_loading_the_function_opens_no_connection(load_handler, monkeypatch):
    monkeypatch.delenv("GROUNDTRUTH_JOBS_FOLDER", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    with mock_aws():
        load_handler("finish_job")
