"""ARNs of Lambda functions, and those of a stack."""

import json

import boto3
import pytest

from labeljob.jobs.lambda_arns import LambdaArn, StackError, arns_among, stack_outputs
from labeljob.tasks.registry import JOB_TYPES, find_job_type

pytestmark = pytest.mark.slow

ARN = "arn:aws:lambda:us-east-1:111122223333:function:my-SageMaker-ACS-ImageMultiClass"


@pytest.mark.parametrize(
    ("arn", "qualifier"),
    [
        (ARN, None),
        (f"{ARN}:live", "live"),
        (f"{ARN}:12", "12"),
        (f"{ARN}:$LATEST", "$LATEST"),
        (f"{ARN.replace('aws', 'aws-us-gov', 1).replace('us-east', 'us-gov-west')}:live", "live"),
    ],
)
def test_parts_of_an_arn(arn, qualifier):
    parsed = LambdaArn.parse(arn)
    assert parsed is not None
    assert (parsed.account, parsed.name) == ("111122223333", ARN.rpartition(":")[2])
    assert (parsed.part, parsed.task_name) == ("ACS", "ImageMultiClass")
    assert parsed.qualifier == qualifier


@pytest.mark.parametrize(
    "arn",
    ["", "my-function", f"{ARN}:", f"{ARN}:a b", f"{ARN}\n", ARN.replace("lambda", "s3")],
)
def test_what_is_no_arn_of_a_function_has_no_parts(arn):
    assert LambdaArn.parse(arn) is None


def test_a_function_with_another_name_has_no_part():
    parsed = LambdaArn.parse("arn:aws:lambda:us-east-1:111122223333:function:COMPRE-X")
    assert parsed is not None
    assert (parsed.part, parsed.task_name) == (None, None)


@pytest.mark.parametrize("task", JOB_TYPES.values())
def test_each_task_has_its_own_outputs(task):
    outputs = {
        f"{part}{each.aws_name}Arn": f"{part} {each}"
        for part in ("Pre", "Acs")
        for each in JOB_TYPES.values()
    }
    assert arns_among(outputs, task) == (f"Pre {task}", f"Acs {task}")


def test_a_stack_without_the_outputs_is_an_error():
    with pytest.raises(StackError):
        arns_among({"PreImageMultiClassArn": ARN}, find_job_type("image-multi-class"))


def test_outputs_come_from_cloudformation(aws_endpoint):
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"PreImageMultiClassArn": {"Value": ARN}},
    }
    client = boto3.client("cloudformation")
    client.create_stack(StackName="outputs", TemplateBody=json.dumps(template))
    assert stack_outputs("outputs") == {"PreImageMultiClassArn": ARN}


def test_a_stack_that_is_not_there_is_an_error(aws_endpoint):
    with pytest.raises(StackError):
        stack_outputs("nowhere")


def test_a_region_that_is_none_is_an_error(aws_endpoint):
    with pytest.raises(StackError):
        stack_outputs("outputs", region="not a region")
