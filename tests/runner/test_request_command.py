"""`labeljob request`, as a person calls it."""

import json

import boto3
import pytest

from labeljob.commands.request import request
from tests.runner.command_line import lines_of, run
from tests.runner.labeling_requests import FUNCTION, PRIVATE_TEAM

pytestmark = pytest.mark.slow

PLACES = (
    "--task=image-multi-class",
    "--manifest=s3://bucket/input.manifest",
    "--output=s3://bucket/out",
    "--label-categories=s3://bucket/label_categories.json",
    "--ui-template=s3://bucket/page.liquid.html",
    "--role-arn=arn:aws:iam::111122223333:role/GroundTruth",
    f"--workteam-arn={PRIVATE_TEAM}",
)
PRE, ACS = f"{FUNCTION}-PRE-ImageMultiClass:live", f"{FUNCTION}-ACS-ImageMultiClass:live"
FUNCTIONS = (f"--pre-arn={PRE}", f"--acs-arn={ACS}")


def functions_of(result):
    human = json.loads(result.stdout)["HumanTaskConfig"]
    consolidation = human["AnnotationConsolidationConfig"]
    return human["PreHumanTaskLambdaArn"], consolidation["AnnotationConsolidationLambdaArn"]


def test_standard_output_is_the_request_and_nothing_else():
    result = run(request, *PLACES, *FUNCTIONS, "--tag=consolidation:algorithm=builtin")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed["Tags"] == [{"Key": "consolidation:algorithm", "Value": "builtin"}]
    assert printed["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] == 3
    assert functions_of(result) == (PRE, ACS)
    assert result.stdout.isascii()
    (line,) = lines_of(result.stderr)
    assert line.startswith("note: ")
    assert "us-east-1" in line


def test_every_option_is_taken():
    options = {
        "--job-name": "birds-1",
        "--label-attribute": "bird",
        "--kms-key-id": "alias/key",
        "--content-classifier": "FreeOfAdultContent",
        "--max-labeled": "7",
        "--max-percentage": "50",
        "--workers": "5",
        "--title": "Título",
        "--description": "D",
        "--keyword": "bird",
        "--time-limit": "60",
        "--availability": "3600",
        "--max-concurrent": "10",
        "--price": "0.036",
        "--tag": "owner=me",
    }
    result = run(request, *PLACES, *FUNCTIONS, *(f"{key}={text}" for key, text in options.items()))
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    human = printed["HumanTaskConfig"]
    assert (printed["LabelingJobName"], printed["LabelAttributeName"]) == ("birds-1", "bird")
    assert printed["OutputConfig"]["KmsKeyId"] == "alias/key"
    assert printed["InputConfig"]["DataAttributes"] == {
        "ContentClassifiers": ["FreeOfAdultContent"]
    }
    assert list(printed["StoppingConditions"].values()) == [7, 50]
    assert human["NumberOfHumanWorkersPerDataObject"] == 5
    assert (human["TaskTitle"], human["TaskDescription"]) == ("Título", "D")
    assert human["TaskKeywords"] == ["bird"]
    assert human["TaskTimeLimitInSeconds"] == 60
    assert human["TaskAvailabilityLifetimeInSeconds"] == 3600
    assert human["MaxConcurrentTaskCount"] == 10
    price = human["PublicWorkforceTaskPrice"]["AmountInUsd"]
    assert price == {"Dollars": 0, "Cents": 3, "TenthFractionsOfACent": 6}


def test_the_functions_of_a_stack(aws_endpoint):
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {
            "PreImageMultiClassArn": {"Value": PRE},
            "AcsImageMultiClassArn": {"Value": ACS},
        },
    }
    client = boto3.client("cloudformation")
    client.create_stack(StackName="my-SageMaker", TemplateBody=json.dumps(template))
    result = run(request, *PLACES, "--stack=my-SageMaker")
    assert result.exit_code == 0
    assert functions_of(result) == (PRE, ACS)


def test_a_stack_that_is_not_there_is_one_line(aws_endpoint):
    result = run(request, *PLACES, "--stack=nowhere")
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = lines_of(result.stderr)
    assert line.startswith("error: ")


def test_every_problem_is_said_with_its_fix_and_nothing_is_printed():
    result = run(
        request, *PLACES, *FUNCTIONS, "--workers=12", "--label-attribute=my_x", "--time-limit=5"
    )
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = lines_of(result.stderr)
    assert len(lines) == 3
    assert all(line.startswith("error: ") and " Fix: " in line for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no-task"),
        pytest.param([*PLACES, *FUNCTIONS, "--stack=x"], id="stack-and-functions"),
        pytest.param([*PLACES, *FUNCTIONS, "--tag=x"], id="tag-without-value"),
        pytest.param([*PLACES, *FUNCTIONS, "--price=much"], id="price"),
        pytest.param([*PLACES, *FUNCTIONS, "--price=0.0001"], id="less-than-a-tenth-of-a-cent"),
        pytest.param([*PLACES, *FUNCTIONS, "--price=nan"], id="no-number"),
        pytest.param([*PLACES, *FUNCTIONS, "--workers=three"], id="workers"),
    ],
)
def test_a_wrong_call_is_a_usage_error(arguments):
    result = run(request, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
