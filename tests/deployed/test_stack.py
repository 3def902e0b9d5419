"""The deployed functions answer, with the permissions of their own roles."""

import json
import re
import time

import pytest
from botocore.exceptions import ClientError

from tests.deployed.conftest import BUCKET, JOB_ROOT
from tests.examples import ACS_FUNCTIONS, JOB_TYPES, PRE_FUNCTIONS, example

SECONDS = 30.0


def output_of(function):
    return "".join(word.capitalize() for word in function.split("_")) + "Arn"


@pytest.mark.parametrize("function", PRE_FUNCTIONS)
def test_a_pre_function_answers_its_example_event(stack, function):
    response, error = stack.invoke(output_of(function), example(function, "event"))
    assert error is None, response
    assert response == example(function, "response")


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_an_acs_function_answers_its_example_event(stack, function):
    event = example(function, "event")
    stack.put(event["payload"]["s3Uri"], json.dumps(example(function, "payload")).encode())
    response, error = stack.invoke(output_of(function), event)
    assert error is None, response
    assert response == example(function, "response")
    masks = set(re.findall(rf"s3://{BUCKET}/([^\"]+\.png)", json.dumps(response)))
    assert masks & stack.keys() == {key for key in masks if "/output/" in key}


def test_a_function_that_fails_says_so(stack):
    response, error = stack.invoke("AcsImageMultiClassArn", {})
    assert error == "Unhandled"
    assert response["errorType"] == "ContractError"


def ended_job(stack):
    """Put there what Ground Truth leaves of a job, and return where its files are."""
    root = f"{JOB_ROOT}/Ended-01"
    line = {"source-ref": f"s3://{BUCKET}/a.jpg"}
    label = {
        "schema": "consolidated-label/image-classification/1",
        "class-id": 1,
        "class-name": "Crab",
        "confidence": 0.9,
        "votes": {"Crab": 2},
        "status": "consensus",
        "answers": {"used": 2, "set-aside": []},
        "algorithm": {"name": "majority", "settings": "0123456789ab"},
    }
    response = [
        {"datasetObjectId": "0", "consolidatedAnnotation": {"content": {"animal": label}}},
    ]
    metadata = {
        "type": "groundtruth/custom",
        "job-name": "ended-01",
        "human-annotated": "yes",
        "creation-date": "2026-05-04T09:31:00.000000",
    }
    lines = [line | {"animal": label, "animal-metadata": metadata}, line]
    name = "annotations/consolidated-annotation/consolidation-response"
    stack.put(
        f"{root}/{name}/iteration-1/2026-05-04_09:30:40.json", json.dumps(response).encode()
    )
    manifest = "".join(f"{json.dumps(item)}\n" for item in lines)
    stack.put(f"{root}/manifests/output/output.manifest", manifest.encode())
    return f"{root}/manifests/output"


def test_the_event_of_a_job_that_ended_starts_the_finisher(stack):
    folder = ended_job(stack)
    arn = "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/ended-01"
    entry = {
        "Source": "aws.sagemaker",
        "DetailType": "SageMaker Ground Truth Labeling Job State Change",
        "Detail": json.dumps({"LabelingJobStatus": "Completed"}),
        "Resources": [arn],
    }
    answer = stack.aws.client("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0
    wanted = {f"labels/Ended-01/manifests/output/{name}" for name in NAMES}
    deadline = time.monotonic() + SECONDS
    while not wanted <= stack.keys() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert wanted <= stack.keys(), stack.aws.log.read_text(errors="replace")[-3000:]
    summary = json.loads(stack.get(f"{folder}/summary.json"))
    assert summary["objects"] == 2
    first = json.loads(stack.get(f"{folder}/finished.manifest").splitlines()[0])
    assert first["animal"] == 1
    assert first["animal-metadata"]["class-name"] == "Crab"
    assert len(stack.get(f"{folder}/requeue.manifest").splitlines()) == 1


NAMES = ("finished.manifest", "requeue.manifest", "summary.json")


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_the_rule_lets_no_other_state_through(stack, status):
    (rule,) = stack.aws.client("events").list_rules()["Rules"]
    pattern = json.loads(rule["EventPattern"])
    assert rule["State"] == "ENABLED"
    assert status not in pattern["detail"]["LabelingJobStatus"]


def test_the_finisher_lists_what_it_looks_for_and_nothing_else(stack):
    s3 = stack.aws.client("s3", stack.credentials_of("FinishJobFunctionRole"))
    name = "annotations/consolidated-annotation/consolidation-response/"
    s3.list_objects_v2(Bucket=BUCKET, Prefix=f"labels/Ended-01/{name}")
    for prefix in ("", "labels/", "labels/Ended-01/annotations/worker-response/"):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)


@pytest.mark.parametrize("job_type", JOB_TYPES)
def test_an_acs_function_may_keep_worker_skill_and_nothing_more(stack, job_type):
    role = output_of(f"acs_{job_type}").replace("Arn", "FunctionRole")
    dynamodb = stack.aws.client("dynamodb", stack.credentials_of(role))
    table = stack.outputs["WorkerSkillTableName"]
    place = {"pk": {"S": f"worker#{job_type}"}, "sk": {"S": "key#0"}}
    dynamodb.transact_write_items(
        TransactItems=[
            {
                "Put": {
                    "TableName": table,
                    "Item": {"pk": {"S": f"object#{job_type}"}, "sk": {"S": "0"}},
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
            {
                "Update": {
                    "TableName": table,
                    "Key": place,
                    "UpdateExpression": "ADD #0 :0",
                    "ExpressionAttributeNames": {"#0": "=0:1"},
                    "ExpressionAttributeValues": {":0": {"N": "1"}},
                }
            },
        ]
    )
    found = dynamodb.batch_get_item(RequestItems={table: {"Keys": [place]}})
    assert found["Responses"][table][0]["=0:1"] == {"N": "1"}
    for refused in (
        lambda: dynamodb.scan(TableName=table),
        lambda: dynamodb.delete_item(TableName=table, Key=place),
        lambda: dynamodb.put_item(TableName="other", Item=place),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()


@pytest.mark.parametrize("job_type", JOB_TYPES)
def test_an_output_is_the_functions_part_of_a_human_task_config(stack, job_type):
    name = "".join(word.capitalize() for word in job_type.split("_"))
    config = json.loads(stack.outputs[f"{name}HumanTaskConfig"])
    assert config == {
        "PreHumanTaskLambdaArn": stack.outputs[f"Pre{name}Arn"],
        "AnnotationConsolidationConfig": {
            "AnnotationConsolidationLambdaArn": stack.outputs[f"Acs{name}Arn"]
        },
    }
    assert config["PreHumanTaskLambdaArn"].endswith(f":SageMaker-consolidation-PRE-{name}:live")


def test_every_function_writes_json_into_its_own_log_group(stack):
    functions = stack.aws.client("lambda").list_functions()["Functions"]
    assert len(functions) == 7
    groups = {function["LoggingConfig"]["LogGroup"] for function in functions}
    assert len(groups) == 7
    assert {function["LoggingConfig"]["LogFormat"] for function in functions} == {"JSON"}
    kept = stack.aws.client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"]: group["retentionInDays"] for group in kept} >= dict.fromkeys(
        groups, 365
    )
