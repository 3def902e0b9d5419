import json
from dataclasses import fields, replace

import pytest

from groundtruth.settings import Settings
from tests.examples import TASKS, consolidate, example, payload_of

ATTRIBUTES = {
    "acs_image_multi_class": "animal",
    "acs_image_multi_class_multi_label": "goods",
    "acs_semantic_segmentation": "surface",
}


@pytest.mark.parametrize("function", list(TASKS))
def test_the_object_style_holds_all_in_the_label_attribute(function):
    outcome = consolidate(function, example(function, "payload"))
    for item in outcome.response:
        ((attribute, label),) = item["consolidatedAnnotation"]["content"].items()
        assert attribute == ATTRIBUTES[function]
        assert label["schema"] == f"consolidated-label/{TASKS[function].schema_name}/1"
        assert set(label) >= {"status", "answers", "algorithm"}
        assert label["algorithm"]["name"] == "majority"


@pytest.mark.parametrize("function", list(TASKS))
def test_the_builtin_style_has_the_label_and_its_metadata(function):
    outcome = consolidate(function, example(function, "payload"), output_style="builtin")
    *labeled, failed = (item["consolidatedAnnotation"]["content"] for item in outcome.response)
    attribute = ATTRIBUTES[function]
    for content in labeled:
        assert list(content) == [attribute, f"{attribute}-metadata"]
        assert content[f"{attribute}-metadata"]["human-annotated"] == "yes"
    assert list(failed) == [f"{attribute}-metadata"]
    metadata = failed[f"{attribute}-metadata"]
    assert list(metadata) == ["retry-count", "failure-reason", "human-annotated"]
    assert metadata["human-annotated"] == "true"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], "no-usable-answer: no answers"),
        (["{", "{}", "{"], "no-usable-answer: 1 empty-answer, 2 malformed-json"),
    ],
)
def test_a_failure_says_why(answers, expected):
    payload = payload_of({"0": answers})
    outcome = consolidate("acs_image_multi_class", payload, output_style="builtin")
    content = outcome.response[0]["consolidatedAnnotation"]["content"]
    assert content["animal-metadata"]["failure-reason"] == expected


CHANGE_A_LABEL = {
    "quorum": 0.4,
    "min_confidence": 0.4,
    "exclusion_category": "None",
    "answer_field": "species",
    "error_correlation": 0.1,
    "posterior_mix": 0.1,
    "worker_strength": 9.0,
    "row_strength": 9.0,
    "frequency_weight": 0.9,
    "vote_smoothing": 9.0,
    "gold_labels_s3_uri": "s3://b/gold",
    "gold_frequencies": False,
    "model_answers_s3_uri": "s3://b/model",
    "model_max_weight": 0.1,
    "confidence_map_s3_uri": "s3://b/map",
    "skill_half_life_days": 9.0,
    "smoothing_sigma": 1.0,
    "tie_break": "neighbours",
    "clean_up_pixels": 9,
    "disagreement_map": True,
}
CHANGE_NONE = {
    "consolidation_algorithm": "builtin",  # its name stands beside the hash
    "label_category_config_s3_uri": "s3://b/k",
    "output_style": "builtin",
    "skip_labeled_objects": True,
    "earlier_attribute": "label",
    "skill_table_name": "table",
    "job_role_arn_pattern": "arn:*",
    "kms_key_arn": "arn:aws:kms:k",
    "worker_id_key_secret_arn": "arn:aws:secretsmanager:k",
    "worker_id_key": "secret",
    "plain_worker_ids": True,
    "stack_name": "labels",
}


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_the_hash_changes_with_what_can_change_a_label(name):
    if name == "assume_job_role":
        other = Settings(assume_job_role=True, job_role_arn_pattern="*")
    else:
        other = replace(Settings(), **{name: (CHANGE_A_LABEL | CHANGE_NONE)[name]})
    assert (other.label_hash != Settings().label_hash) is (name in CHANGE_A_LABEL)


def test_the_hash_is_the_same_tomorrow():
    (label,) = [
        item["consolidatedAnnotation"]["content"]["animal"]
        for item in example("acs_image_multi_class", "response")[:1]
    ]
    assert Settings().label_hash == label["algorithm"]["settings"]


@pytest.mark.parametrize("function", list(TASKS))
def test_a_full_batch_stays_far_below_the_limit_of_a_response(function):
    crowd = example(function, "payload")[0]
    full = [
        crowd
        | {
            "datasetObjectId": str(at),
            "annotations": [
                annotation | {"workerId": f"{annotation['workerId']}-{copy}"}
                for copy in range(3)
                for annotation in crowd["annotations"]
            ],
        }
        for at in range(50)
    ]
    response = json.dumps(consolidate(function, full).response)
    assert len(response) < 50 * 2_000
