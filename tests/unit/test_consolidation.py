import json

import pytest

from groundtruth.consolidation import consolidate_batch
from groundtruth.errors import ContractError, JobLookupError, SettingsError, StorageError
from groundtruth.jobs import JobContexts, LabelingJob
from groundtruth.settings import Settings
from tests.examples import TASKS, consolidate, example, labels_of, payload_of, rejected
from tests.masks import answer, drawn
from tests.memory_store import KnownJobs, MemoryStore

ACS = "acs_image_multi_class"
MASKS = "acs_semantic_segmentation"
CRAB = '{"crowd-image-classifier":{"label":"Crab"}}'
STAR = '{"crowd-image-classifier":{"label":"Sea star"}}'
ROLE = "arn:aws:iam::111122223333:role/GroundTruthExecutionRole"


def test_every_data_object_is_there_once_in_order():
    payload = payload_of({"7": [CRAB], "a/b": [], "0": ["{"], "ä": [CRAB, STAR]})
    outcome = consolidate(ACS, payload + payload_of({"7": [CRAB]}))
    assert [item["datasetObjectId"] for item in outcome.response] == ["7", "a/b", "0", "ä"]
    assert [label.status for label in outcome.labels] == [
        "single-annotator",
        "no-usable-answer",
        "no-usable-answer",
        "tie",
    ]
    assert outcome.job_name == "labeling-job/tide-pools-01"


def test_an_empty_payload_has_an_empty_response():
    assert consolidate(ACS, []).response == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param(b"", "payload", id="empty"),
        pytest.param(b'[{"datasetObjectId":', "payload", id="cut-short"),
        pytest.param(b"{}", "payload", id="not-a-list"),
        pytest.param(b"[\xff]", "payload", id="not-utf-8"),
        pytest.param(b"[" * 100_000, "payload", id="nested-too-deeply"),
        pytest.param(b'[{"datasetObjectId":null}]', "payload[0].datasetObjectId", id="no-id"),
    ],
)
def test_a_payload_that_cannot_be_read_is_an_error(body, path):
    with pytest.raises(ContractError) as caught:
        consolidate(ACS, body)
    assert caught.value.path == path


def test_a_payload_may_begin_with_a_byte_order_mark():
    body = b"\xef\xbb\xbf" + json.dumps(payload_of({"0": [CRAB]})).encode()
    assert len(consolidate(ACS, body).response) == 1


@pytest.mark.parametrize("reason", ["not-found", "access-denied", "unavailable"])
def test_a_payload_that_is_not_there_is_an_error(reason):
    uri = example(ACS, "event")["payload"]["s3Uri"]
    with pytest.raises(StorageError) as caught:
        consolidate(ACS, [], store=MemoryStore(faults={uri: reason}))
    assert (caught.value.uri, caught.value.reason) == (uri, reason)


@pytest.mark.parametrize("event", [None, "not json", [], 5])
def test_an_event_that_is_no_object_is_an_error(event):
    contexts = JobContexts(Settings(), KnownJobs(), MemoryStore())
    with pytest.raises(ContractError) as caught:
        consolidate_batch(event, task=TASKS[ACS], store=MemoryStore(), jobs=contexts)
    assert caught.value.path == "event"


def test_without_classes_those_the_workers_used_are_taken_and_the_result_says_so():
    payload = payload_of({"0": [STAR, CRAB, STAR], "1": ["{", '{"x":{"label":"Ähre"}}']})
    labels = labels_of(consolidate(ACS, payload, classes=[]), "animal")
    assert labels["0"]["class-name"] == "Sea star"
    assert [label["class-id"] for label in labels.values()] == [1, 2]
    assert {label["classes-from"] for label in labels.values()} == {"answers"}
    assert rejected(labels["1"]) == [("w1", "malformed-json")]


@pytest.mark.parametrize("name", ["x" * 257, "\ud800"])
def test_what_can_be_no_label_is_none_even_when_no_place_names_the_classes(name):
    payload = payload_of({"0": [CRAB, json.dumps({"crowd-image-classifier": {"label": name}})]})
    outcome = consolidate(ACS, payload, classes=[])
    (label,) = labels_of(outcome, "animal").values()
    assert label["votes"] == {"Crab": 1}
    assert rejected(label) == [("w2", "unknown-label")]
    json.dumps(outcome.response, ensure_ascii=False).encode()


def test_classes_that_are_named_are_not_said_to_be_guessed():
    (label,) = labels_of(consolidate(ACS, payload_of({"0": [CRAB]})), "animal").values()
    assert "classes-from" not in label


@pytest.mark.parametrize("function", list(TASKS))
def test_without_classes_and_answers_there_is_still_every_object(function):
    outcome = consolidate(function, payload_of({"0": [], "1": ["{}"]}), classes=[])
    assert [label.status for label in outcome.labels] == ["no-usable-answer"] * 2


def test_the_job_s_tags_override_the_stack_s_settings_for_that_job_alone():
    tags = {
        "consolidation:algorithm": "builtin",
        "consolidation:output-style": "builtin",
        "consolidation:speed": "high",
        "team": "birds",
    }
    outcome = consolidate(ACS, payload_of({"0": [CRAB]}), job=LabelingJob(tags=tags))
    assert outcome.response[0]["consolidatedAnnotation"]["content"]["animal"] == 1
    assert len(outcome.notes) == 1
    assert "consolidation:speed" in outcome.notes[0]


def test_a_tag_with_an_algorithm_the_task_has_not_is_noted_and_not_applied():
    job = LabelingJob(tags={"consolidation:algorithm": "oracle"})
    outcome = consolidate(ACS, payload_of({"0": [CRAB, CRAB]}), job=job)
    (label,) = labels_of(outcome, "animal").values()
    assert label["algorithm"]["name"] == "majority"
    assert len(outcome.notes) == 1


def test_an_algorithm_of_the_stack_that_the_task_has_not_is_an_error():
    with pytest.raises(SettingsError) as caught:
        consolidate(ACS, payload_of({"0": [CRAB]}), consolidation_algorithm="oracle")
    assert "CONSOLIDATION_ALGORITHM='oracle'" in str(caught.value)


def test_a_job_that_cannot_be_described_now_is_an_error():
    store = MemoryStore()
    jobs = KnownJobs(JobLookupError("throttled", transient=True))
    with pytest.raises(JobLookupError):
        consolidate_batch(
            example(ACS, "event"),
            task=TASKS[ACS],
            store=store,
            jobs=JobContexts(Settings(), jobs, store),
        )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, [], id="own-role"),
        pytest.param(
            {"assume_job_role": True, "job_role_arn_pattern": "arn:aws:iam::*:role/GroundTruth*"},
            [ROLE],
            id="event's-role",
        ),
    ],
)
def test_the_event_s_role_is_assumed_if_so_set(settings, expected):
    store = MemoryStore()
    consolidate(ACS, [], store=store, **settings)
    assert store.roles == expected


def test_a_role_that_does_not_match_is_not_assumed():
    store = MemoryStore()
    with pytest.raises(SettingsError):
        consolidate(ACS, [], store=store, assume_job_role=True, job_role_arn_pattern="arn:*:role/x")
    assert store.roles == []
    assert store.reads.total() == 0


def test_a_role_that_is_wanted_must_be_in_the_event():
    with pytest.raises(ContractError) as caught:
        consolidate(
            ACS, [], event={"roleArn": None}, assume_job_role=True, job_role_arn_pattern="*"
        )
    assert caught.value.path == "roleArn"


@pytest.mark.parametrize(
    ("event_key", "stack_key", "expected"),
    [
        ("arn:aws:kms:event", "arn:aws:kms:stack", "arn:aws:kms:event"),
        (None, "arn:aws:kms:stack", "arn:aws:kms:stack"),
        (None, "", None),
    ],
)
def test_masks_are_written_with_the_event_s_key_or_the_stack_s(event_key, stack_key, expected):
    store = MemoryStore()
    payload = payload_of({"0": [answer(drawn("w."))]})
    consolidate(MASKS, payload, store=store, event={"kmsKeyId": event_key}, kms_key_arn=stack_key)
    (written,) = store.written.values()
    assert (written.kms_key, written.content_type) == (expected, "image/png")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2026-05-06_11:47:03.json", "2026-05-06T11:47:03.000000"),
        ("2026-05-06_11_47_03.json", "2026-05-06T11:47:03.000000"),
        ("2026-05-06T11:47:03.25.json", "2026-05-06T11:47:03.250000"),
        ("batch.json", "2026-01-02T03:04:05.000000"),
        ("2026-13-41_11:47:03.json", "2026-01-02T03:04:05.000000"),
    ],
)
def test_a_batch_has_the_time_of_its_payload(name, expected):
    uri = f"s3://b/j/annotations/consolidated-annotation/consolidation-request/iteration-1/{name}"
    outcome = consolidate(
        ACS,
        payload_of({"0": [CRAB]}),
        event={"payload": {"s3Uri": uri}},
        output_style="builtin",
    )
    content = outcome.response[0]["consolidatedAnnotation"]["content"]
    assert content["animal-metadata"]["creation-date"] == expected


def test_answers_are_read_through_the_store():
    uri = "s3://b/answers/0.json"
    payload = payload_of({"0": [{"annotationData": {"s3uri": uri}}, STAR]})
    store = MemoryStore({uri: CRAB.encode()})
    (label,) = labels_of(consolidate(ACS, payload, store=store), "animal").values()
    assert label["votes"] == {"Crab": 1, "Sea star": 1}


def test_a_mask_that_cannot_be_written_is_an_error():
    event = example(MASKS, "event")
    uri = f"{event['outputConfig']}/consolidated-annotation/output/0_2026-05-06T11:47:03.000000.png"
    store = MemoryStore(faults={uri: "access-denied"})
    with pytest.raises(StorageError):
        consolidate(MASKS, payload_of({"0": [answer(drawn("w."))]}), store=store)
