from dataclasses import fields, replace

import pytest

from groundtruth.errors import SettingsError
from groundtruth.settings import JOB_TAGS, Settings


def test_no_variable_is_needed():
    assert Settings.from_environ({}) == Settings()


def test_an_empty_variable_is_not_set():
    assert Settings.from_environ({f.name.upper(): "" for f in fields(Settings)}) == Settings()


def test_every_field_has_its_variable():
    environ = {
        "LABEL_CATEGORY_CONFIG_S3_URI": "s3://b/labels.json",
        "OUTPUT_STYLE": "builtin",
        "CONSOLIDATION_ALGORITHM": "builtin",
        "QUORUM": "0.25",
        "MIN_CONFIDENCE": "1",
        "EXCLUSION_CATEGORY": "None of the above",
        "SKIP_LABELED_OBJECTS": "true",
        "ASSUME_JOB_ROLE": "true",
        "JOB_ROLE_ARN_PATTERN": "arn:aws:iam::111122223333:role/*",
        "KMS_KEY_ARN": "arn:aws:kms:us-east-1:111122223333:key/k",
    }
    settings = Settings.from_environ(environ)
    assert settings == Settings(
        label_category_config_s3_uri="s3://b/labels.json",
        output_style="builtin",
        consolidation_algorithm="builtin",
        quorum=0.25,
        min_confidence=1.0,
        exclusion_category="None of the above",
        skip_labeled_objects=True,
        assume_job_role=True,
        job_role_arn_pattern="arn:aws:iam::111122223333:role/*",
        kms_key_arn="arn:aws:kms:us-east-1:111122223333:key/k",
    )
    assert {field.name.upper() for field in fields(Settings)} == set(environ)


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
        ("SKIP_LABELED_OBJECTS", "yes"),
        ("ASSUME_JOB_ROLE", "True"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(variable, text):
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({variable: text})
    assert f"{variable}={text!r}" in str(caught.value)


def test_a_role_is_assumed_only_with_a_pattern():
    with pytest.raises(SettingsError):
        Settings.from_environ({"ASSUME_JOB_ROLE": "true"})


def test_the_job_s_tags_override_the_stack_s_settings():
    tags = {
        "consolidation:algorithm": "builtin",
        "consolidation:output-style": "builtin",
        "consolidation:quorum": "0.3",
        "consolidation:min-confidence": "0.8",
        "consolidation:exclusion-category": "Nothing",
        "consolidation:skip-labeled-objects": "true",
        "team": "birds",
    }
    settings, problems = Settings(kms_key_arn="k").for_job(tags)
    assert problems == ()
    assert settings == Settings(
        kms_key_arn="k",
        consolidation_algorithm="builtin",
        output_style="builtin",
        quorum=0.3,
        min_confidence=0.8,
        exclusion_category="Nothing",
        skip_labeled_objects=True,
    )
    assert set(JOB_TAGS) == set(tags) - {"team"}


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
