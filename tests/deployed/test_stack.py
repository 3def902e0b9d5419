"""The deployed functions answer, with the permissions of their own roles."""

import json
import re
import time

import pytest
from botocore.exceptions import ClientError

from groundtruth.finishing.summary import pseudonym
from tests.deployed.conftest import BUCKET, ENDED_JOB
from tests.examples import ACS_FUNCTIONS, EVENTS, JOB_TYPES, PRE_FUNCTIONS, example

# One stack serves all tests, so they stay together in one process.
pytestmark = pytest.mark.xdist_group("deployed")

SECONDS = 30.0
EXAMPLE = EVENTS / "finish_job"
WORKERS = ("private.us-west-2.1a2b3c4d5e6f7081", "private.us-west-2.3c4d5e6f708192a3")
FINISHED = ("finished.manifest", "requeue.manifest", "summary.json")


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
    assert "payload" in response["errorMessage"]


def test_the_event_of_a_job_that_ended_starts_the_finisher(stack):
    described = json.loads((EXAMPLE / "labeling_job.json").read_bytes())
    manifest = described["LabelingJobOutput"]["OutputDatasetS3Uri"]
    stack.put(manifest, (EXAMPLE / "output.manifest").read_bytes())
    labels = (EXAMPLE / "label_categories.json").read_bytes()
    stack.put(described["LabelCategoryConfigS3Uri"], labels)
    event = example("finish_job", "event")
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": [event["resources"][0].replace("tide-pools-01", ENDED_JOB)],
    }
    answer = stack.aws.client("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0
    folder = manifest.rpartition("/")[0]
    wanted = {f"{folder}/{name}".removeprefix(f"s3://{BUCKET}/") for name in FINISHED}
    deadline = time.monotonic() + SECONDS
    while not wanted <= stack.keys() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert wanted <= stack.keys(), stack.aws.log.read_text(errors="replace")[-3000:]
    for name in FINISHED[:2]:
        assert stack.get(f"{folder}/{name}") == (EXAMPLE / name).read_bytes()
    arn = stack.outputs["WorkerIdKeyArn"]
    key = stack.aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    summary = stack.get(f"{folder}/summary.json").decode()
    # The example's pseudonyms are made without a key, those of a stack with its secret.
    for worker in WORKERS:
        job = json.loads(summary)["job-name"]
        summary = summary.replace(pseudonym(worker, key), pseudonym(worker, job))
    assert json.loads(summary) == json.loads((EXAMPLE / "summary.json").read_text())


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_the_rule_lets_no_other_state_through(stack, status):
    (rule,) = stack.aws.client("events").list_rules()["Rules"]
    pattern = json.loads(rule["EventPattern"])
    assert rule["State"] == "ENABLED"
    assert status not in pattern["detail"]["LabelingJobStatus"]


def test_the_finisher_lists_what_it_looks_for_and_nothing_else(stack):
    s3 = stack.aws.client("s3", stack.credentials_of("FinishJobFunctionRole"))
    name = "annotations/consolidated-annotation/consolidation-response/"
    s3.list_objects_v2(Bucket=BUCKET, Prefix=f"labels/Tide-Pools-01/{name}")
    for prefix in ("", "labels/", "labels/Tide-Pools-01/annotations/worker-response/"):
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


def test_the_finisher_reads_the_stacks_secret_and_no_other(stack):
    owner = stack.aws.client("secretsmanager")
    other = owner.create_secret(Name="other", SecretString="x")["ARN"]
    own = stack.outputs["WorkerIdKeyArn"]
    finisher = stack.credentials_of("FinishJobFunctionRole")
    read = stack.aws.client("secretsmanager", finisher).get_secret_value
    assert len(read(SecretId=own)["SecretString"]) == 64
    acs = stack.credentials_of("AcsImageMultiClassFunctionRole")
    for refused in (
        lambda: read(SecretId=other),
        lambda: stack.aws.client("secretsmanager", acs).get_secret_value(SecretId=own),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()


@pytest.mark.parametrize("job_type", JOB_TYPES)
def test_answers_are_kept_from_the_pre_functions(stack, job_type):
    role = output_of(f"pre_{job_type}").replace("Arn", "FunctionRole")
    s3 = stack.aws.client("s3", stack.credentials_of(role))
    answers = f"labels/{job_type}/annotations/worker-response/iteration-1/0/answer.json"
    stack.put(f"s3://{BUCKET}/{answers}", b"{}")
    s3.get_object(Bucket=BUCKET, Key=f"categories/pre_{job_type}.json")["Body"].read()
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=BUCKET, Key=answers)


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
    assert len(functions) == 8
    groups = {function["LoggingConfig"]["LogGroup"] for function in functions}
    assert len(groups) == 8
    assert {function["LoggingConfig"]["LogFormat"] for function in functions} == {"JSON"}
    listed = stack.aws.client("logs").describe_log_groups()["logGroups"]
    kept = {group["logGroupName"]: group.get("retentionInDays") for group in listed}
    assert {kept[name] for name in groups} == {365}
