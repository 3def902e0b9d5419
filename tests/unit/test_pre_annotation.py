import json

import pytest

from groundtruth.errors import ContractError, JobLookupError
from groundtruth.jobs import JobContexts, LabelingJob
from groundtruth.pre_annotation import prepare_task
from groundtruth.settings import Settings
from tests.examples import example
from tests.memory_store import KnownJobs, MemoryStore

LABELS = "s3://b/labels.json"


def prepared(line, *, job=None, **settings):
    body = json.dumps({"labels": [{"label": "b"}, {"label": "ä"}]}).encode()
    contexts = JobContexts(
        Settings(label_category_config_s3_uri=LABELS, **settings),
        KnownJobs(job or LabelingJob()),
        MemoryStore({LABELS: body}),
    )
    event = example("pre_image_multi_class", "event")
    return prepare_task(event | {"dataObject": event["dataObject"] | line}, jobs=contexts)


def test_the_labels_go_to_the_page_in_the_file_s_order():
    response = prepared({})
    assert response["taskInput"]["labels"] == ["b", "ä"]
    assert response["isHumanAnnotationRequired"] is True


@pytest.mark.parametrize(
    ("line", "skip", "attribute", "expected"),
    [
        pytest.param({"animal": 0}, True, "animal", False, id="labeled-with-the-first-class"),
        pytest.param({"animal": {"class-id": 1}}, True, "animal", False, id="labeled"),
        pytest.param({"animal": 0}, False, "animal", True, id="the-job-skips-none"),
        pytest.param({"other": 0}, True, "animal", True, id="another-job's-label"),
        pytest.param({"animal": None}, True, "animal", True, id="null"),
        pytest.param(
            {"animal-metadata": {"failure-reason": "expired"}}, True, "animal", True, id="failed"
        ),
        pytest.param({"animal": 0}, True, None, True, id="the-attribute-is-not-known"),
    ],
)
def test_a_labeled_object_is_kept_from_the_workers_if_so_set(line, skip, attribute, expected):
    job = LabelingJob(label_attribute_name=attribute)
    response = prepared(line, job=job, skip_labeled_objects=skip)
    assert response["isHumanAnnotationRequired"] is expected


def test_a_job_s_tag_says_so_too():
    tags = {"consolidation:skip-labeled-objects": "true"}
    job = LabelingJob(label_attribute_name="animal", tags=tags)
    assert prepared({"animal": 3}, job=job)["isHumanAnnotationRequired"] is False


COLOR_MAP = {
    "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.9},
    "1": {"class-name": "road", "hex-color": "#2ca02c", "confidence": 0.9},
    "2": {"class-name": "sky", "hex-color": "#1f77b4", "confidence": 0.9},
}
MASK = "s3://b/jobs/roads/annotations/consolidated-annotation/output/0_2026.png"
INITIAL_VALUE = {
    "src": MASK,
    "labelMappings": {"road": {"color": "#2ca02c"}, "sky": {"color": "#1f77b4"}},
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            {"earlier": {"mask-ref": MASK, "internal-color-map": COLOR_MAP}},
            {"initialValue": INITIAL_VALUE},
            id="our-mask",
        ),
        pytest.param(
            {
                "earlier": MASK,
                "earlier-metadata": {
                    "internal-color-map": COLOR_MAP,
                    "type": "groundtruth/semantic-segmentation",
                },
            },
            {"initialValue": INITIAL_VALUE},
            id="built-in-mask",
        ),
        pytest.param(
            {"earlier": {"mask-ref": None, "internal-color-map": {}}}, {}, id="no-usable-mask"
        ),
        pytest.param(
            {"earlier": {"class-id": 1, "class-name": "ä", "confidence": 0.8}},
            {"earlierLabels": ["ä"]},
            id="our-class",
        ),
        pytest.param(
            {
                "earlier": 1,
                "earlier-metadata": {
                    "class-name": "ä",
                    "type": "groundtruth/image-classification",
                },
            },
            {"earlierLabels": ["ä"]},
            id="built-in-class",
        ),
        pytest.param(
            {
                "earlier": [1, 0],
                "earlier-metadata": {
                    "class-map": {"1": "ä", "0": "b"},
                    "confidence-map": {"1": 0.9, "0": 0.6},
                    "type": "groundtruth/image-classification-multilabel",
                },
            },
            {"earlierLabels": ["ä", "b"]},
            id="built-in-classes",
        ),
        pytest.param({"earlier": "unknown", "earlier-metadata": 3}, {}, id="no-label"),
        pytest.param({"earlier-metadata": {"failure-reason": "expired"}}, {}, id="failed"),
        pytest.param({"other": {"class-id": 1, "class-name": "ä"}}, {}, id="another-attribute"),
    ],
)
def test_a_job_that_names_an_earlier_one_s_attribute_shows_its_label(line, expected):
    job = LabelingJob(tags={"consolidation:earlier-attribute": "earlier"})
    task_input = prepared(line, job=job)["taskInput"]
    assert task_input.pop("manifestLine").items() >= line.items()
    del task_input["taskObject"], task_input["labels"]
    assert task_input == expected
    assert "initialValue" not in prepared(line)["taskInput"]
    assert "earlierLabels" not in prepared(line)["taskInput"]


def test_no_labels_is_an_error():
    contexts = JobContexts(Settings(), KnownJobs(), MemoryStore())
    with pytest.raises(ContractError) as caught:
        prepare_task(example("pre_image_multi_class", "event"), jobs=contexts)
    assert caught.value.path == "labelCategories"


def test_a_fault_that_may_pass_is_raised():
    jobs = KnownJobs(JobLookupError("throttled", transient=True))
    with pytest.raises(JobLookupError):
        prepare_task(
            example("pre_image_multi_class", "event"),
            jobs=JobContexts(Settings(label_category_config_s3_uri=LABELS), jobs, MemoryStore()),
        )
