from dataclasses import fields, replace

import pytest

from groundtruth.errors import SettingsError
from groundtruth.settings import JOB_TAGS, Settings


def test_no_variable_is_needed():
    assert Settings.from_environ({}) == Settings()


def test_an_empty_variable_is_not_set():
    assert Settings.from_environ({f.name.upper(): "" for f in fields(Settings)}) == Settings()


ENVIRON = {
    "LABEL_CATEGORY_CONFIG_S3_URI": "s3://b/labels.json",
    "OUTPUT_STYLE": "builtin",
    "CONSOLIDATION_ALGORITHM": "builtin",
    "QUORUM": "0.25",
    "MIN_CONFIDENCE": "1",
    "EXCLUSION_CATEGORY": "None of the above",
    "ANSWER_FIELD": "species",
    "ERROR_CORRELATION": "0.25",
    "POSTERIOR_MIX": "0.5",
    "WORKER_STRENGTH": "6",
    "ROW_STRENGTH": "2",
    "FREQUENCY_WEIGHT": "0.75",
    "VOTE_SMOOTHING": "0.1",
    "GOLD_LABELS_S3_URI": "s3://b/gold.jsonl",
    "GOLD_FREQUENCIES": "false",
    "MODEL_ANSWERS_S3_URI": "s3://b/model.jsonl",
    "MODEL_MAX_WEIGHT": "0.3",
    "CONFIDENCE_MAP_S3_URI": "s3://b/map.json",
    "SMOOTHING_SIGMA": "1.5",
    "TIE_BREAK": "neighbours",
    "CLEAN_UP_PIXELS": "64",
    "DISAGREEMENT_MAP": "true",
    "SKIP_LABELED_OBJECTS": "true",
    "EARLIER_ATTRIBUTE": "mask-ref",
    "SKILL_TABLE_NAME": "skills",
    "SKILL_HALF_LIFE_DAYS": "30",
    "ASSUME_JOB_ROLE": "true",
    "JOB_ROLE_ARN_PATTERN": "arn:aws:iam::111122223333:role/*",
    "KMS_KEY_ARN": "arn:aws:kms:us-east-1:111122223333:key/k",
    "WORKER_ID_KEY_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:k-AbCdEf",
    "WORKER_ID_KEY": "hush",
    "PLAIN_WORKER_IDS": "true",
    "STACK_NAME": "labels",
}

SET = Settings(
    label_category_config_s3_uri="s3://b/labels.json",
    output_style="builtin",
    consolidation_algorithm="builtin",
    quorum=0.25,
    min_confidence=1.0,
    exclusion_category="None of the above",
    answer_field="species",
    error_correlation=0.25,
    posterior_mix=0.5,
    worker_strength=6.0,
    row_strength=2.0,
    frequency_weight=0.75,
    vote_smoothing=0.1,
    gold_labels_s3_uri="s3://b/gold.jsonl",
    gold_frequencies=False,
    model_answers_s3_uri="s3://b/model.jsonl",
    model_max_weight=0.3,
    confidence_map_s3_uri="s3://b/map.json",
    smoothing_sigma=1.5,
    tie_break="neighbours",
    clean_up_pixels=64,
    disagreement_map=True,
    skip_labeled_objects=True,
    earlier_attribute="mask-ref",
    skill_table_name="skills",
    skill_half_life_days=30.0,
    assume_job_role=True,
    job_role_arn_pattern="arn:aws:iam::111122223333:role/*",
    kms_key_arn="arn:aws:kms:us-east-1:111122223333:key/k",
    worker_id_key_secret_arn="arn:aws:secretsmanager:us-east-1:111122223333:secret:k-AbCdEf",
    worker_id_key="hush",
    plain_worker_ids=True,
    stack_name="labels",
)


def test_every_field_has_its_variable():
    assert Settings.from_environ(ENVIRON) == SET
    assert {field.name.upper() for field in fields(Settings)} == set(ENVIRON)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("OUTPUT_STYLE", "Object"),
        ("CONSOLIDATION_ALGORITHM", "Majority vote"),
        ("QUORUM", "half"),
        ("QUORUM", "1.01"),
        ("QUORUM", "-0.1"),
        ("MIN_CONFIDENCE", "nan"),
        ("MIN_CONFIDENCE", "inf"),
        ("ERROR_CORRELATION", "2"),
        ("WORKER_STRENGTH", "0"),
        ("ROW_STRENGTH", "0"),
        ("FREQUENCY_WEIGHT", "1.5"),
        ("VOTE_SMOOTHING", "-1"),
        ("GOLD_LABELS_S3_URI", "gold.jsonl"),
        ("SMOOTHING_SIGMA", "4"),
        ("TIE_BREAK", "last"),
        ("CLEAN_UP_PIXELS", "1.5"),
        ("SKILL_HALF_LIFE_DAYS", "0.5"),
        ("SKIP_LABELED_OBJECTS", "yes"),
        ("EARLIER_ATTRIBUTE", "label-metadata"),
        ("ASSUME_JOB_ROLE", "True"),
        ("PLAIN_WORKER_IDS", "1"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(variable, text):
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({variable: text})
    assert f"{variable}={text!r}" in str(caught.value)


def test_the_key_of_pseudonyms_is_not_shown():
    assert "hush" not in repr(SET)


def test_a_role_is_assumed_only_with_a_pattern():
    with pytest.raises(SettingsError):
        Settings.from_environ({"ASSUME_JOB_ROLE": "true"})


TAGS = {
    "consolidation:algorithm": "builtin",
    "consolidation:output-style": "builtin",
    "consolidation:quorum": "0.3",
    "consolidation:min-confidence": "0.8",
    "consolidation:exclusion-category": "Nothing",
    "consolidation:answer-field": "animal",
    "consolidation:error-correlation": "0.1",
    "consolidation:posterior-mix": "0.2",
    "consolidation:worker-strength": "5",
    "consolidation:row-strength": "7",
    "consolidation:frequency-weight": "0.6",
    "consolidation:vote-smoothing": "0.8",
    "consolidation:gold-labels-s3-uri": "s3://b/gold",
    "consolidation:gold-frequencies": "false",
    "consolidation:model-answers-s3-uri": "s3://b/model",
    "consolidation:model-max-weight": "0.9",
    "consolidation:confidence-map-s3-uri": "s3://b/map",
    "consolidation:smoothing-sigma": "1",
    "consolidation:tie-break": "neighbours",
    "consolidation:clean-up-pixels": "8",
    "consolidation:disagreement-map": "true",
    "consolidation:skip-labeled-objects": "true",
    "consolidation:earlier-attribute": "label",
    "team": "birds",
}

TAGGED = Settings(
    kms_key_arn="k",
    consolidation_algorithm="builtin",
    output_style="builtin",
    quorum=0.3,
    min_confidence=0.8,
    exclusion_category="Nothing",
    answer_field="animal",
    error_correlation=0.1,
    posterior_mix=0.2,
    worker_strength=5.0,
    row_strength=7.0,
    frequency_weight=0.6,
    vote_smoothing=0.8,
    gold_labels_s3_uri="s3://b/gold",
    gold_frequencies=False,
    model_answers_s3_uri="s3://b/model",
    model_max_weight=0.9,
    confidence_map_s3_uri="s3://b/map",
    smoothing_sigma=1.0,
    tie_break="neighbours",
    clean_up_pixels=8,
    disagreement_map=True,
    skip_labeled_objects=True,
    earlier_attribute="label",
)


def test_the_job_s_tags_override_the_stack_s_settings():
    settings, problems = Settings(kms_key_arn="k").for_job(TAGS)
    assert problems == ()
    assert settings == TAGGED
    assert set(JOB_TAGS) == set(TAGS) - {"team"}


@pytest.mark.parametrize(
    "tag",
    [
        pytest.param({"consolidation:colour": "red"}, id="unknown"),
        pytest.param({"consolidation:Quorum": "0.4"}, id="other-letters"),
        pytest.param({"consolidation:quorum": "lots"}, id="bad-value"),
        pytest.param({"consolidation:algorithm": ""}, id="empty"),
        pytest.param({"consolidation:algorithm": "oracle"}, id="not-the-task's"),
    ],
)
def test_a_tag_not_understood_is_told_and_not_applied(tag):
    before = Settings(quorum=0.2, consolidation_algorithm="builtin")
    settings, problems = before.for_job(
        tag | {"consolidation:min-confidence": "0.9"}, algorithms=("majority", "builtin")
    )
    assert settings == replace(before, min_confidence=0.9)
    assert len(problems) == 1
    assert next(iter(tag)) in problems[0]


def test_a_tag_can_grant_no_access():
    tags = {"consolidation:assume-job-role": "true", "consolidation:kms-key-arn": "k"}
    settings, problems = Settings().for_job(tags)
    assert settings == Settings()
    assert len(problems) == 2
