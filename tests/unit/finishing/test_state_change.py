import json

import pytest

from groundtruth.errors import ContractError, JobLookupError, SettingsError
from groundtruth.finishing.event import StateChange, finish_on_state_change
from groundtruth.jobs import LabelingJob
from groundtruth.settings import Settings
from tests.examples import example
from tests.memory_store import KnownJobs, MemoryStore
from tests.real_data import contract_example
from tests.unit.finishing.ended_jobs import ATTRIBUTE, ROOT, chosen, custom

pytestmark = pytest.mark.slow

OUTPUT = f"{ROOT}/manifests/output"
ARN = "arn:aws:sagemaker:us-west-2:111122223333:labeling-job/wetland-birds-01"
FUNCTION = "arn:aws:lambda:us-west-2:111122223333:function:SageMaker-a-ACS-ImageMultiClass:live"


def event(status="Completed", **changes):
    message = {
        "detail-type": "SageMaker Ground Truth Labeling Job State Change",
        "resources": [ARN],
        "detail": {"LabelingJobStatus": status},
    }
    return message | changes


def described(**changes):
    return LabelingJob(
        **{
            "name": "Wetland-Birds-01",
            "label_attribute_name": ATTRIBUTE,
            "output_path": f"{ROOT.rpartition('/')[0]}/",
            **changes,
        }
    )


@pytest.fixture
def store():
    lines = [
        {"source-ref": "a", ATTRIBUTE: chosen(confidence=0.6), f"{ATTRIBUTE}-metadata": custom()},
        {"source-ref": "b"},
    ]
    body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    return MemoryStore({f"{OUTPUT}/output.manifest": body})


def finish(store, message=None, job=None, **settings):
    jobs = KnownJobs(job or described())
    return finish_on_state_change(
        message or event(), store=store, jobs=jobs, settings=Settings(**settings)
    )


def test_the_documented_event_is_read():
    path = contract_example("shared", "labeling_job_state_change_event.json")
    change = StateChange.from_event(json.loads(path.read_text()))
    assert change == StateChange(labeling_job_arn=ARN, status="Completed")
    assert StateChange.from_event(example("finish_job", "event")).status == "Completed"


@pytest.mark.parametrize("status", ["Completed", "Stopped", "Failed"])
def test_a_job_that_is_over_is_finished(store, status):
    result = finish(store, event(status))
    assert result.as_json() == {
        "job-name": "labeling-job/wetland-birds-01",
        "finished": True,
        "manifest": f"{OUTPUT}/finished.manifest",
        "requeue": f"{OUTPUT}/requeue.manifest",
        "summary": f"{OUTPUT}/summary.json",
        "objects": 2,
        "labeled": 1,
        "failed": 0,
        "unlabeled": 1,
        "labeled-by-another-job": 0,
        "not-recognized": 0,
        "requeued": 1,
        "differs-from-manifest": 0,
    }
    assert json.loads(store.objects[f"{OUTPUT}/summary.json"])["job-status"] == status


def test_a_job_that_goes_on_is_not_looked_at(store):
    result = finish(store, event("InProgress"), JobLookupError("not asked"))
    assert result.as_json() == {
        "job-name": "labeling-job/wetland-birds-01",
        "finished": False,
        "reason": "nothing to do: the job is InProgress",
    }


@pytest.mark.parametrize(
    ("job", "settings", "requeued"),
    [
        pytest.param(described(), {}, 1, id="default"),
        pytest.param(described(), {"min_confidence": 0.7}, 2, id="stack"),
        pytest.param(
            described(tags={"consolidation:min-confidence": "0.5"}),
            {"min_confidence": 0.7},
            1,
            id="tag",
        ),
    ],
)
def test_the_threshold_is_the_stack_s_or_the_job_s(store, job, settings, requeued):
    assert finish(store, job=job, **settings).summary["requeued"] == requeued


def test_the_job_s_label_file_is_read(store):
    store.objects["s3://b/labels.json"] = b'{"labels": [{"label": "Egret"}, {"label": "Heron"}]}'
    result = finish(store, job=described(label_category_config_uri="s3://b/labels.json"))
    assert result.summary["classes"]["names"] == {"0": "Egret", "1": "Heron"}


@pytest.mark.parametrize(
    ("job", "settings", "key"),
    [
        pytest.param(described(), {}, None, id="none"),
        pytest.param(described(), {"kms_key_arn": "stack"}, "stack", id="stack"),
        pytest.param(described(kms_key_id="job"), {"kms_key_arn": "stack"}, "job", id="job"),
    ],
)
def test_files_are_written_with_the_key_of_the_job(store, job, settings, key):
    finish(store, job=job, **settings)
    assert {written.kms_key for written in store.written.values()} == {key}
    assert len(store.written) == 3


def test_a_job_of_ours_that_failed_before_any_label_is_queued_again(store):
    store.objects = {"s3://inputs/a.manifest": b'{"source-ref":"a"}\n{"source-ref":"b"}\n'}
    job = described(
        input_manifest_uri="s3://inputs/a.manifest", consolidation_function_arn=FUNCTION
    )
    finish(store, event("Failed"), job)
    assert store.objects[f"{OUTPUT}/requeue.manifest"].count(b"\n") == 2


def test_the_job_s_role_is_assumed_where_that_is_set(store):
    role = "arn:aws:iam::111122223333:role/GroundTruth"
    pattern = {"assume_job_role": True, "job_role_arn_pattern": f"{role}*"}
    finish(store, job=described(role_arn=role), **pattern)
    assert store.roles == [role]
    for other in ("arn:aws:iam::111122223333:role/Admin", None):
        with pytest.raises(SettingsError, match="does not match JOB_ROLE_ARN_PATTERN"):
            finish(store, job=described(role_arn=other), **pattern)


@pytest.mark.parametrize(
    ("message", "path"),
    [
        pytest.param([], "event", id="no-object"),
        pytest.param(event(**{"detail-type": "Scheduled Event"}), "detail-type", id="other"),
        pytest.param(event(detail=None), "detail", id="no-detail"),
        pytest.param(event(detail={}), "detail.LabelingJobStatus", id="no-status"),
        pytest.param(event(resources=[]), "resources[0]", id="no-job"),
        pytest.param(event(resources=["arn:aws:s3:::b"]), "resources[0]", id="no-job-s-arn"),
    ],
)
def test_an_event_of_another_shape_is_an_error(store, message, path):
    with pytest.raises(ContractError) as caught:
        finish_on_state_change(
            message, store=store, jobs=KnownJobs(described()), settings=Settings()
        )
    assert caught.value.path == path


def test_a_job_that_cannot_be_described_is_an_error(store):
    with pytest.raises(JobLookupError):
        finish(store, job=JobLookupError("no permission"))
    with pytest.raises(ContractError, match=r"OutputConfig\.S3OutputPath: is missing"):
        finish(store, job=described(output_path=None))
