import json

import pytest

from groundtruth import jobs as labeling_jobs
from groundtruth.errors import JobLookupError
from groundtruth.jobs import FolderJobs, LabelingJob, SageMakerJobs, job_name, open_jobs
from tests.stub_service import json_error, json_reply

ARN = "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/tide-pools-01"
DESCRIPTION = {
    "LabelingJobName": "Tide-Pools-01",
    "LabelAttributeName": "animal",
    "LabelCategoryConfigS3Uri": "s3://b/labels.json",
    "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://b/in.manifest"}}},
    "OutputConfig": {"S3OutputPath": "s3://b/labels", "KmsKeyId": "arn:aws:kms:k"},
    "LabelingJobOutput": {"OutputDatasetS3Uri": "s3://b/out.manifest"},
    "RoleArn": "arn:aws:iam::111122223333:role/x",
    "HumanTaskConfig": {
        "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": "arn:aws:lambda:x"}
    },
    "Tags": [{"Key": "consolidation:quorum", "Value": "0.4"}, {"Key": "team", "Value": ""}],
}
JOB = LabelingJob(
    name="Tide-Pools-01",
    label_attribute_name="animal",
    label_category_config_uri="s3://b/labels.json",
    tags={"consolidation:quorum": "0.4", "team": ""},
    output_path="s3://b/labels",
    output_manifest_uri="s3://b/out.manifest",
    input_manifest_uri="s3://b/in.manifest",
    consolidation_function_arn="arn:aws:lambda:x",
    role_arn="arn:aws:iam::111122223333:role/x",
    kms_key_id="arn:aws:kms:k",
)


def test_the_environment_names_the_register(tmp_path):
    assert isinstance(open_jobs({}), SageMakerJobs)
    jobs = open_jobs({"GROUNDTRUTH_JOBS_FOLDER": str(tmp_path)})
    assert isinstance(jobs, FolderJobs)
    assert jobs.folder == tmp_path


def test_a_job_s_name_is_the_tail_of_its_arn():
    assert job_name(ARN) == "tide-pools-01"


@pytest.mark.parametrize("tags", [None, []])
@pytest.mark.parametrize("output", [None, {}, {"KmsKeyId": ""}])
def test_a_description_may_lack_everything(tags, output):
    description = {"Tags": tags, "OutputConfig": output}
    assert LabelingJob.from_description(description) == LabelingJob()


def test_a_job_is_described_once(stub_sagemaker):
    stub_sagemaker.replies = [json_reply(DESCRIPTION)]
    jobs = SageMakerJobs()
    assert [jobs.describe(ARN), jobs.describe(ARN)] == [JOB, JOB]
    ((_, _, headers, body),) = stub_sagemaker.requests
    assert headers["X-Amz-Target"] == "SageMaker.DescribeLabelingJob"
    assert json.loads(body) == {"LabelingJobName": "tide-pools-01"}


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "AccessDeniedException"), (400, "ResourceNotFound"), (400, "ValidationException")],
)
def test_a_refusal_is_kept_for_a_while(stub_sagemaker, monkeypatch, status, code):
    stub_sagemaker.replies = [json_error(status, code)]
    jobs = SageMakerJobs()
    for _ in range(3):
        with pytest.raises(JobLookupError) as caught:
            jobs.describe(ARN)
        assert not caught.value.transient
        assert code in str(caught.value)
    assert len(stub_sagemaker.requests) == 1
    now = labeling_jobs.time.monotonic()
    later = now + labeling_jobs.REFUSAL_KEPT_SECONDS + 1
    monkeypatch.setattr("groundtruth.jobs.time.monotonic", lambda: later)
    stub_sagemaker.replies = [json_reply(DESCRIPTION)]
    assert jobs.describe(ARN) == JOB


def test_a_refusal_kept_holds_no_frames_of_earlier_calls(stub_sagemaker):
    stub_sagemaker.replies = [json_error(400, "AccessDeniedException")]
    jobs = SageMakerJobs()
    raised = []
    for _ in range(3):
        with pytest.raises(JobLookupError) as caught:
            jobs.describe(ARN)
        raised.append(caught.value)
    assert len({id(error) for error in raised}) == 3


@pytest.mark.parametrize(
    ("status", "code", "requests"),
    [
        (400, "ThrottlingException", 4),
        (500, "InternalFailure", 4),
        (503, "ServiceUnavailable", 4),
        (400, "ExpiredTokenException", 1),
    ],
)
def test_a_fault_that_may_pass_is_asked_again(stub_sagemaker, status, code, requests):
    stub_sagemaker.replies = [json_error(status, code)]
    jobs = SageMakerJobs()
    with pytest.raises(JobLookupError) as caught:
        jobs.describe(ARN)
    assert caught.value.transient
    assert len(stub_sagemaker.requests) == requests
    stub_sagemaker.replies = [json_reply(DESCRIPTION)]
    assert jobs.describe(ARN) == JOB


def test_throttling_that_passes_is_not_seen(stub_sagemaker):
    stub_sagemaker.replies = [json_error(400, "ThrottlingException"), json_reply(DESCRIPTION)]
    assert SageMakerJobs().describe(ARN) == JOB


def test_no_way_to_the_service_is_a_refusal(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:9")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with pytest.raises(JobLookupError) as caught:
        SageMakerJobs().describe(ARN)
    assert not caught.value.transient


def test_no_region_is_a_refusal(monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(JobLookupError) as caught:
        SageMakerJobs().describe(ARN)
    assert not caught.value.transient


@pytest.mark.parametrize("arn", [ARN, ARN.replace("tide-pools", "Tide-Pools")])
def test_a_folder_describes_jobs_whatever_the_case(tmp_path, arn):
    (tmp_path / "tide-pools-01.json").write_text(json.dumps(DESCRIPTION))
    assert FolderJobs(tmp_path).describe(arn) == JOB


@pytest.mark.parametrize("body", [None, b"", b"{", b"[]", b"\xff"])
def test_a_description_that_cannot_be_read_is_a_refusal(tmp_path, body):
    if body is not None:
        (tmp_path / "tide-pools-01.json").write_bytes(body)
    with pytest.raises(JobLookupError) as caught:
        FolderJobs(tmp_path).describe(ARN)
    assert not caught.value.transient


@pytest.mark.parametrize("arn", ["", "labeling-job/", "labeling-job/..", "x/a_b", "x/-a"])
def test_a_name_that_can_be_none_is_refused(tmp_path, arn):
    with pytest.raises(JobLookupError):
        FolderJobs(tmp_path).describe(arn)
