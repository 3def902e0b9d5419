"""Every rule that a request can break, with its fix."""

import botocore.session
import pytest
from botocore.validate import ParamValidator

from labeljob.actions.request import build_request
from labeljob.commands.request import RequestOptions
from labeljob.jobs.request import (
    function_problems,
    function_warnings,
    model_problems,
    region_of,
    rule_problems,
    rule_warnings,
)
from labeljob.tasks.registry import JOB_TYPES
from tests.runner.labeling_requests import (
    FUNCTION,
    NOW,
    PRIVATE_TEAM,
    PUBLIC_TEAM,
    good_request,
)

SINGLE, _, SEGMENTATION = JOB_TYPES.values()
HUMAN = "HumanTaskConfig"
PRE = f"{HUMAN}.PreHumanTaskLambdaArn"
ACS = f"{HUMAN}.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn"
AVAILABILITY = f"{HUMAN}.TaskAvailabilityLifetimeInSeconds"
ARABIC_ID = "\u0661" * 12


def problems(request, task=SINGLE):
    return [
        *model_problems(request),
        *rule_problems(request, task),
        *function_problems(request, task),
    ]


def fields(found):
    return [problem.field for problem in found]


def refused_by_botocore(request):
    model = botocore.session.Session().get_service_model("sagemaker")
    shape = model.operation_model("CreateLabelingJob").input_shape
    return ParamValidator().validate(request, shape).has_errors()


@pytest.mark.parametrize("task", JOB_TYPES.values())
def test_a_good_request_has_nothing_to_be_said(task):
    request = good_request(task)
    assert problems(request, task) == []
    assert rule_warnings(request, task) == []
    assert function_warnings(request) == []
    assert not refused_by_botocore(request)
    assert region_of(request) == "us-east-1"


def test_a_request_for_mechanical_turk_has_nothing_to_be_said():
    request = good_request(
        workteam_arn=PUBLIC_TEAM,
        price="0.036",
        content_classifiers=["FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent"],
    )
    assert problems(request) == []
    assert rule_warnings(request, SINGLE) == []
    assert request[HUMAN]["TaskAvailabilityLifetimeInSeconds"] == 21_600


def test_all_that_is_missing_is_said_at_once():
    request = build_request(RequestOptions(task=SINGLE), now=NOW)
    assert sorted(fields(problems(request))) == sorted(
        [
            "RoleArn",
            "InputConfig.DataSource.S3DataSource.ManifestS3Uri",
            "OutputConfig.S3OutputPath",
            f"{HUMAN}.WorkteamArn",
            f"{HUMAN}.UiConfig.UiTemplateS3Uri",
            PRE,
            ACS,
        ]
    )
    assert len(rule_warnings(request, SINGLE)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"job_name": "my_job"}, "LabelingJobName", id="underscore"),
        pytest.param({"job_name": "a" * 64}, "LabelingJobName", id="name-of-64"),
        pytest.param({"label_attribute": "my_label"}, "LabelAttributeName", id="attribute"),
        pytest.param({"label_attribute": "source"}, "LabelAttributeName", id="source"),
        pytest.param({"label_attribute": "source-ref"}, "LabelAttributeName", id="source-ref"),
        pytest.param({"label_attribute": "x-metadata"}, "LabelAttributeName", id="metadata"),
        pytest.param({"label_attribute": "x-ref"}, "LabelAttributeName", id="ref"),
        pytest.param({"role_arn": "GroundTruth"}, "RoleArn", id="role-name"),
        pytest.param({"role_arn": f"arn:aws:iam::{ARABIC_ID}:role/x"}, "RoleArn", id="digits"),
        pytest.param({"output_uri": "bucket/out"}, "OutputConfig.S3OutputPath", id="output"),
        pytest.param({"kms_key_id": "a key"}, "OutputConfig.KmsKeyId", id="key"),
        pytest.param({"label_categories_uri": "s3://bucket/"}, "LabelCategoryConfigS3Uri", id="lc"),
        pytest.param(
            {"manifest_uri": "s3://bucket/in/"},
            "InputConfig.DataSource.S3DataSource.ManifestS3Uri",
            id="folder-as-manifest",
        ),
        pytest.param(
            {"ui_template_uri": "https://example.com/p.html"},
            f"{HUMAN}.UiConfig.UiTemplateS3Uri",
            id="page-on-the-web",
        ),
        pytest.param(
            {"content_classifiers": ["Clean"]},
            "InputConfig.DataAttributes.ContentClassifiers[0]",
            id="classifier",
        ),
        pytest.param({"workteam_arn": "birds"}, f"{HUMAN}.WorkteamArn", id="team-name"),
        pytest.param({"workers": 0}, f"{HUMAN}.NumberOfHumanWorkersPerDataObject", id="0-workers"),
        pytest.param({"workers": 10}, f"{HUMAN}.NumberOfHumanWorkersPerDataObject", id="10"),
        pytest.param({"title": ""}, f"{HUMAN}.TaskTitle", id="empty-title"),
        pytest.param({"title": "x" * 129}, f"{HUMAN}.TaskTitle", id="long-title"),
        pytest.param({"description": "a\nb"}, f"{HUMAN}.TaskDescription", id="two-lines"),
        pytest.param({"description": "x" * 256}, f"{HUMAN}.TaskDescription", id="long-text"),
        pytest.param({"keywords": list("abcdef")}, f"{HUMAN}.TaskKeywords", id="6-keywords"),
        pytest.param({"keywords": ["a-b"]}, f"{HUMAN}.TaskKeywords[0]", id="keyword"),
        pytest.param({"time_limit": 29}, f"{HUMAN}.TaskTimeLimitInSeconds", id="29-seconds"),
        pytest.param({"time_limit": 28_801}, f"{HUMAN}.TaskTimeLimitInSeconds", id="8-hours"),
        pytest.param({"availability": 59, "time_limit": 30}, AVAILABILITY, id="59-seconds"),
        pytest.param({"availability": 2_592_001}, AVAILABILITY, id="30-days"),
        pytest.param(
            {"availability": 43_201, "workteam_arn": PUBLIC_TEAM}, AVAILABILITY, id="12-hours"
        ),
        pytest.param({"max_concurrent": 5_001}, f"{HUMAN}.MaxConcurrentTaskCount", id="5001"),
        pytest.param(
            {"price": "3"},
            f"{HUMAN}.PublicWorkforceTaskPrice.AmountInUsd.Dollars",
            id="3-dollars",
        ),
        pytest.param({"max_labeled": 0}, "StoppingConditions.MaxHumanLabeledObjectCount", id="0"),
        pytest.param(
            {"max_percentage": 101},
            "StoppingConditions.MaxPercentageOfInputDatasetLabeled",
            id="101-percent",
        ),
        pytest.param({"tags": ["a=b;c"]}, "Tags[0].Value", id="tag-value"),
        pytest.param({"tags": ["a=1", "a=2"]}, "Tags", id="tag-twice"),
        pytest.param({"tags": ["aws:a=1"]}, "Tags", id="tag-of-aws"),
        pytest.param({"tags": [f"{at}=" for at in range(51)]}, "Tags", id="51-tags"),
        pytest.param({"pre_arn": "my-function"}, PRE, id="function-name"),
        pytest.param({"acs_arn": f"{FUNCTION}:a:b"}, ACS, id="two-aliases"),
        pytest.param({"acs_arn": f"{FUNCTION}-PRE-ImageMultiClass:live"}, ACS, id="wrong-part"),
        pytest.param({"pre_arn": f"{FUNCTION}-PRE-SemanticSegmentation:x"}, PRE, id="wrong-task"),
        pytest.param(
            {"workteam_arn": PRIVATE_TEAM.replace("us-east-1", "eu-west-1")}, "request", id="region"
        ),
    ],
)
def test_what_would_be_refused_is_a_problem_with_a_fix(changes, field):
    found = problems(good_request(**changes))
    assert field in fields(found)
    assert set(fields(found)) == {field}
    assert all(problem.text and problem.fix for problem in found)


@pytest.mark.parametrize(
    "changes",
    [
        {"job_name": "a" * 63},
        {"label_attribute": "preference"},
        {"workers": 9},
        {"time_limit": 28_800, "availability": 2_592_000},
        {"workteam_arn": PUBLIC_TEAM, "availability": 43_200},
        {"tags": ["consolidation:algorithm=majority", "Größe=a/b c+d=e@f"]},
        {"keywords": ["two words", "b", "c", "d", "e"]},
        {"pre_arn": f"{FUNCTION}-pre-of-mine:3", "acs_arn": f"{FUNCTION}-acs-of-mine:$LATEST"},
        {"output_uri": "s3://bucket"},
    ],
)
def test_values_at_the_limit_are_allowed(changes):
    assert problems(good_request(**changes)) == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"label_categories_uri": None}, id="no-labels"),
        pytest.param({"workteam_arn": PUBLIC_TEAM, "price": "1"}, id="undeclared"),
        pytest.param({"price": "1"}, id="price-of-a-private-team"),
        pytest.param({"max_concurrent": 1_001}, id="above-1000"),
        pytest.param({"availability": 299}, id="shorter-than-the-time-limit"),
        pytest.param({"tags": ["consolidation:colour=red"]}, id="unknown-tag"),
        pytest.param({"tags": ["consolidation:quorum=7"]}, id="bad-tag"),
        pytest.param({"workteam_arn": PRIVATE_TEAM.replace("private", "my")}, id="team"),
        pytest.param({"pre_arn": f"{FUNCTION}-PRE-ImageMultiClass"}, id="no-alias"),
        pytest.param({"pre_arn": f"{FUNCTION.replace('SageMaker', 'x')}-p:live"}, id="policy"),
        pytest.param({"role_arn": "arn:aws:iam::999999999999:role/other-account"}, id="account"),
    ],
)
def test_what_may_surprise_is_a_warning_and_no_problem(changes):
    request = good_request(**changes)
    assert problems(request) == []
    assert rule_warnings(request, SINGLE) or function_warnings(request)


def test_a_segmentation_attribute_may_end_in_ref_with_a_warning():
    request = good_request(SEGMENTATION, label_attribute="mask-ref")
    assert problems(request, SEGMENTATION) == []
    assert len(rule_warnings(request, SEGMENTATION)) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda request: request.pop("RoleArn"), id="missing"),
        pytest.param(lambda request: request.update(RoleArn=5), id="number-for-text"),
        pytest.param(lambda request: request.update(Tags={}), id="object-for-list"),
        pytest.param(lambda request: request.update(OutputConfig=[]), id="list-for-object"),
        pytest.param(lambda request: request.update(Colour="red"), id="unknown-field"),
        pytest.param(lambda request: request[HUMAN].pop("UiConfig"), id="missing-inside"),
        pytest.param(lambda request: request[HUMAN].update(TaskTitle=""), id="too-short"),
        pytest.param(
            lambda request: request[HUMAN].update(TaskTimeLimitInSeconds="60"), id="text-for-number"
        ),
    ],
)
def test_whatever_botocore_refuses_is_a_problem_here(spoil):
    request = good_request()
    spoil(request)
    assert refused_by_botocore(request)
    assert len(model_problems(request)) == 1
