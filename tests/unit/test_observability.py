import json

import pytest

from groundtruth.jobs import LabelingJob
from groundtruth.observability import count_batch, metrics, observe
from tests.examples import consolidate, example, payload_of


@pytest.fixture
def outcome():
    job = LabelingJob(tags={"consolidation:speed": "high"})
    payload = example("acs_image_multi_class", "payload")
    return consolidate("acs_image_multi_class", payload, job=job)


@pytest.fixture
def observed(outcome, caplog):
    """The log lines and the metrics of a batch."""
    metrics.clear_metrics()
    observe(outcome, began=count_batch("labels"))
    logged = [json.loads(json.dumps(vars(record), default=str)) for record in caplog.records]
    counted = metrics.serialize_metric_set()
    metrics.clear_metrics()
    return logged, counted


def test_a_batch_is_counted(observed):
    _, counted = observed
    measured = {name: values for name, values in counted.items() if isinstance(values, list)}
    (duration,), (memory,) = measured.pop("BatchDuration"), measured.pop("PeakMemory")
    assert duration >= 0
    assert 20 < memory < 20_000
    assert measured == {
        "Batches": [1.0],
        "Objects": [5.0],
        "AnswersUsed": [9.0],
        "AnswersSetAside": [3.0],
        "ObjectsWithoutLabel": [1.0],
        "ObjectsNotProcessed": [0.0],
        "Ties": [1.0],
        "JobNotes": [1.0],
        "SkillStoreFallbacks": [0.0],
        "AnswersSetAside-empty-answer": [1.0],
        "AnswersSetAside-malformed-json": [1.0],
        "AnswersSetAside-unknown-label": [1.0],
        "Agreement": [72.22],
    }
    (block,) = counted["_aws"]["CloudWatchMetrics"]
    assert block["Namespace"] == "GroundTruthConsolidation"
    assert counted["stack"] == "labels"
    assert all("stack" in names for names in block["Dimensions"])


def test_a_batch_is_logged_with_its_notes(observed):
    (note, batch), _ = observed
    assert "consolidation:speed" in note["note"]
    assert note["levelname"] == "WARNING"
    assert batch["job"] == "labeling-job/tide-pools-01"
    assert batch["objects"] == 5
    assert batch["answers_used"] == 9
    assert batch["answers_set_aside"] == {
        "malformed-json": 1,
        "unknown-label": 1,
        "empty-answer": 1,
    }
    assert batch["statuses"] == {
        "consensus": 2,
        "tie": 1,
        "single-annotator": 1,
        "no-usable-answer": 1,
    }


def test_no_answer_and_no_worker_is_logged(observed):
    text = json.dumps(observed)
    for secret in ("Crab", "Lobster", "kelp", "private.us-west-2", "s3://"):
        assert secret not in text


def test_what_cannot_be_labeled_is_no_answer_that_failed():
    said = {"cannot-be-labeled": {"reason": "image-broken"}}
    metrics.clear_metrics()
    payload = payload_of({"0": [said, "{", {"crowd-image-classifier": {"label": "Crab"}}]})
    observe(consolidate("acs_image_multi_class", payload), began=count_batch("labels"))
    counted = metrics.serialize_metric_set()
    metrics.clear_metrics()
    assert counted["AnswersSetAside"] == [1.0]
    assert counted["AnswersSetAside-cannot-be-labeled"] == [1.0]
