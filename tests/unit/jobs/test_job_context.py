import json

import pytest

from groundtruth.errors import ContractError, JobLookupError, StorageError
from groundtruth.jobs import JobContexts, LabelingJob, required_classes
from groundtruth.settings import Settings
from tests.memory_store import KnownJobs, MemoryStore

ARN = "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/tide-pools-01"
JOB_FILE, STACK_FILE = "s3://b/job.json", "s3://b/stack.json"


@pytest.fixture
def store():
    files = {JOB_FILE: ["job's"], STACK_FILE: ["stack's"]}
    return MemoryStore(
        {
            uri: json.dumps({"labels": [{"label": name} for name in names]}).encode()
            for uri, names in files.items()
        }
    )


@pytest.mark.parametrize(
    ("event", "job_file", "stack_file", "expected"),
    [
        pytest.param(["a", "b"], JOB_FILE, STACK_FILE, (("a", "b"), "event"), id="event"),
        pytest.param(None, JOB_FILE, STACK_FILE, (("job's",), "job"), id="job"),
        pytest.param([], None, STACK_FILE, (("stack's",), "stack"), id="stack"),
        pytest.param(None, None, "", (None, "nowhere"), id="nowhere"),
    ],
)
def test_classes_are_looked_for_in_order(store, event, job_file, stack_file, expected):
    jobs = KnownJobs(LabelingJob(label_category_config_uri=job_file))
    contexts = JobContexts(Settings(label_category_config_s3_uri=stack_file), jobs, store)
    context = contexts.of(ARN, event_classes=event)
    assert (context.classes, context.classes_from) == expected
    assert context.notes == ()


def test_a_file_is_read_once(store):
    jobs = KnownJobs(LabelingJob(label_category_config_uri=JOB_FILE))
    contexts = JobContexts(Settings(), jobs, store)
    assert contexts.of(ARN).classes == contexts.of(ARN).classes == ("job's",)
    assert store.reads[JOB_FILE] == 1


def test_a_refusal_is_noted_and_the_stack_s_file_used(store):
    jobs = KnownJobs(JobLookupError("no permission"))
    context = JobContexts(Settings(label_category_config_s3_uri=STACK_FILE), jobs, store).of(ARN)
    assert (context.classes, context.notes) == (("stack's",), ("no permission",))
    assert context.settings == Settings(label_category_config_s3_uri=STACK_FILE)


def test_a_fault_that_may_pass_is_raised(store):
    jobs = KnownJobs(JobLookupError("throttled", transient=True))
    with pytest.raises(JobLookupError):
        JobContexts(Settings(), jobs, store).of(ARN, event_classes=["a"])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(None, StorageError, id="missing"),
        pytest.param(b"{", ContractError, id="broken"),
        pytest.param(b'{"labels":[{"label":"a"},{"label":"a"}]}', ContractError, id="duplicate"),
    ],
)
@pytest.mark.parametrize("named_by", ["job", "stack"])
def test_a_file_that_is_named_must_be_readable(store, body, error, named_by):
    uri = "s3://b/bad.json"
    if body is not None:
        store.objects[uri] = body
    job = LabelingJob(label_category_config_uri=uri if named_by == "job" else None)
    stack = uri if named_by == "stack" else STACK_FILE
    contexts = JobContexts(Settings(label_category_config_s3_uri=stack), KnownJobs(job), store)
    with pytest.raises(error) as caught:
        contexts.of(ARN)
    assert uri in str(caught.value)


def test_the_job_s_tags_override_the_stack_s_settings(store):
    tags = {"consolidation:min-confidence": "0.9", "consolidation:speed": "high"}
    jobs = KnownJobs(LabelingJob(label_attribute_name="animal", tags=tags))
    context = JobContexts(Settings(quorum=0.2), jobs, store).of(ARN)
    assert context.settings == Settings(quorum=0.2, min_confidence=0.9)
    assert len(context.notes) == 1
    assert "consolidation:speed" in context.notes[0]
    assert context.label_attribute_name == "animal"


def test_a_tag_names_one_of_the_task_s_algorithms(store):
    jobs = KnownJobs(LabelingJob(tags={"consolidation:algorithm": "oracle"}))
    settings = Settings(consolidation_algorithm="majority")
    context = JobContexts(settings, jobs, store).of(ARN, algorithms=("majority",))
    assert context.settings == settings
    assert len(context.notes) == 1


def test_no_classes_is_an_error_that_names_the_three_places(store):
    jobs = KnownJobs(JobLookupError("no permission"))
    context = JobContexts(Settings(), jobs, store).of(ARN)
    with pytest.raises(ContractError) as caught:
        required_classes(context)
    named = ("labelCategories", "LabelCategoryConfigS3Uri", "DescribeLabelingJob", "no permission")
    assert all(place in str(caught.value) for place in named)
