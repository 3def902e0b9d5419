"""Each function succeeds with its own role, and fails without any one of the role's statements.

The built functions run in the Lambda emulator against a moto that enforces the policies of the
transformed template. "Fails" means: it raises, or its answer is another one.
"""

import json
from functools import cache

import numpy as np
import pytest

from groundtruth.sharding.arrays import pack
from groundtruth.sharding.steps import TOTALS_END
from labeljob.emulator import EmulatedFunction, FunctionError
from tests.built.permissions import permissions, transformed_template
from tests.examples import EVENTS, example

BUCKET = "example-groundtruth-bucket"
INPUT_BUCKET = "example-input-bucket"
CATEGORIES = f"s3://{INPUT_BUCKET}/categories/labels.json"
SIDE_FILE = f"s3://{INPUT_BUCKET}/consolidation/gold.jsonl"
REPLAYS = f"s3://{BUCKET}/replays/harbour"
OWN_ANSWER = f"s3://{BUCKET}/labels/Harbour-Surfaces-01/annotations/worker-response/1.json"
SHARD = example("replay_shard", "event")["item"]["shard"]
INPUT_MANIFEST = f"s3://{INPUT_BUCKET}/manifests/tide-pools.manifest"
JOB_ROLE = "GroundTruthExecutionRole"
PARAMETERS = {
    "InputBucketName": INPUT_BUCKET,
    "OutputBucketName": BUCKET,
    "ReplayBucketName": BUCKET,
    "KeepWorkerSkill": "false",
    "AssumeJobRole": "true",
    "JobRoleArnPattern": f"arn:aws:iam::123456789012:role/{JOB_ROLE}",
    "WorkerIdKeySecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf",
}
OPTIONS = PARAMETERS | {
    "KeepWorkerSkill": "true",
    "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "VpcSubnetIds": "subnet-12345678",
    "StackKmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/66666666-2222-3333-4444-555555555555",
    "VpcSecurityGroupIds": "sg-12345678",
}
FUNCTIONS = sorted(folder.parent.name for folder in EVENTS.glob("*/event.json"))
NOT_HERE = {
    "WriteLogs": "the emulator keeps the logs itself",
    "KeepEventsThatFailed": "Lambda itself sends them, and the emulator does not",
    "UseKeyOfShardsThroughS3": "moto's S3 asks no KMS",
    "RemoveStatesOfShards": "moto denies what removes several objects unless the bucket is named",
    "KeepWorkerSkill": "moto judges no request of DynamoDB by its table: see tests/deployed",
    "DecryptThroughS3": "moto's S3 asks no KMS",
    "EncryptMasksThroughS3": "moto's S3 asks no KMS",
    "EncryptFinishedFilesThroughS3": "moto's S3 asks no KMS",
    "ReadKeyOfPseudonyms": "moto judges no request by its secret: see tests/deployed",
    "UseKeyOfWorkerSkill": "moto's DynamoDB asks no KMS",
    "UseKeyOfQueueAndSecret": "moto's SQS and Secrets Manager ask no KMS",
    "KeepAnswersFromPreAnnotation": "it forbids what no function does: see tests/deployed",
    "KeepNetworkInterfacesFromTheCode": "it forbids what no function does",
}
pytestmark = pytest.mark.xdist_group("permissions")


def role_of(function):
    return "".join(word.capitalize() for word in function.split("_")) + "FunctionRole"


@cache
def all_resources():
    return transformed_template(OPTIONS)["Resources"]


def statements_of(function):
    """Names of all statements that a function's role can have, whatever is chosen."""
    resources = all_resources()
    role = resources[role_of(function)]["Properties"]
    shared = [str(policy) for policy in role["ManagedPolicyArns"]]
    documents = [policy["PolicyDocument"] for policy in role["Policies"]] + [
        resource["Properties"]["PolicyDocument"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
        and any(f"'{name}'" in reference for reference in shared)
    ]
    entries = [entry for document in documents for entry in document["Statement"]]
    return [(entry["Fn::If"][1] if "Fn::If" in entry else entry)["Sid"] for entry in entries]


def cases():
    for function in FUNCTIONS:
        for statement in statements_of(function):
            marks = [pytest.mark.skip(reason=NOT_HERE[statement])] if statement in NOT_HERE else []
            yield pytest.param(function, statement, id=f"{function}-{statement}", marks=marks)


def described_jobs():
    jobs = {}
    for function in FUNCTIONS:
        event = example(function, "event")
        if "labelingJobArn" in event:
            name = event["labelingJobArn"].rpartition("/")[2]
            jobs[name] = {"LabelCategoryConfigS3Uri": CATEGORIES, "Tags": []}
            tags = [{"Key": "consolidation:gold-labels-s3-uri", "Value": SIDE_FILE}]
            jobs[f"{name}-gold"] = jobs[name] | {"Tags": tags}
    ended = json.loads((EVENTS / "finish_job" / "labeling_job.json").read_bytes())
    role = {"RoleArn": PARAMETERS["JobRoleArnPattern"]}
    jobs["ended"] = ended | {"LabelCategoryConfigS3Uri": CATEGORIES} | role
    jobs["stopped"] = jobs["ended"] | {
        "LabelingJobName": "Stopped",
        "LabelingJobOutput": {},
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": INPUT_MANIFEST}}},
    }
    return jobs


@pytest.fixture(scope="module")
def roles():
    with permissions(PARAMETERS, described_jobs()) as found:
        iam = found.client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        iam.create_role(RoleName=JOB_ROLE, AssumeRolePolicyDocument=json.dumps(document))
        everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        iam.put_role_policy(
            RoleName=JOB_ROLE,
            PolicyName="everything",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
        )
        yield found


def event_for(function, statement):
    """An event on which the statement matters."""
    event = example(function, "event")
    if function == "replay_shard":
        if statement == "FindResultsOfShards":
            counts = {"number": 0, "failed": 0, "tolerated": 0, "shards": 1, "failures": []}
            return {"move": event["item"] | counts}
        return {"item": event["item"] | {"step": "conclude"}}
    if function == "finish_job":
        job = "stopped" if statement == "ReadInputManifests" else "ended"
        return event | {"resources": [f"arn:aws:sagemaker:us-east-1:1:labeling-job/{job}"]}
    if statement == "ReadSideFiles":
        event["labelingJobArn"] += "-gold"
    event.pop("labelCategories", None)
    if "roleArn" in event:
        event["roleArn"] = PARAMETERS["JobRoleArnPattern"]
    return event


def lay_out(aws, function):
    """Put into S3 what the event refers to."""
    folder = EVENTS / function
    labels = example(function, "event").get("labelCategories")
    if labels is None:
        body = (folder / "label_categories.json").read_bytes()
    else:
        body = json.dumps({"labels": [{"label": label} for label in labels]}).encode()
    aws.put(CATEGORIES, body)
    aws.put(SIDE_FILE, b"\n")
    if function.startswith("acs_"):
        event = example(function, "event")
        aws.put(event["payload"]["s3Uri"], (folder / "payload.json").read_bytes())
    if function == "finish_job":
        root = f"s3://{BUCKET}/labels/Tide-Pools-01"
        responses = "annotations/consolidated-annotation/consolidation-response/iteration-1"
        answer = (EVENTS / "acs_image_multi_class" / "response.json").read_bytes()
        manifest = (folder / "output.manifest").read_bytes()
        aws.put(f"{root}/manifests/output/output.manifest", manifest)
        aws.put(f"{root}/{responses}/2026-05-04_09:30:12.json", answer)
        stopped = f"s3://{BUCKET}/labels/Stopped"
        aws.put(f"{stopped}/{responses}/2026-05-04_09:30:12.json", answer)
        aws.put(INPUT_MANIFEST, b'{"source-ref":"s3://example-groundtruth-bucket/a.jpg"}\n')


def lay_out_shard(roles, event):
    """A plan and its shard, one of whose answers lies elsewhere; for a move, what it counted."""
    bucket, _, _ = REPLAYS.removeprefix("s3://").partition("/")
    for uri in left_by_replay(roles.aws):
        key = uri.removeprefix(f"s3://{bucket}/")
        roles.client("s3").delete_object(Bucket=bucket, Key=key)
    plan, objects = (example("replay_shard", name) for name in ("plan", "shard"))
    annotation = objects[0]["annotations"][0]
    roles.aws.put(OWN_ANSWER, annotation["annotationData"]["content"].encode())
    annotation["annotationData"] = {"s3Uri": OWN_ANSWER}
    roles.aws.put(f"{REPLAYS}/plan.json", json.dumps(plan).encode())
    item = example("replay_shard", "event")["item"]
    roles.aws.put(item["uri"], json.dumps(objects).encode())
    if "move" in event:
        folder = f"{REPLAYS}/{event['move']['folder']}"
        roles.aws.put(f"{folder}/items.json", json.dumps([item]).encode())
        counted = {"agreement": np.ones((plan["n_workers"], 3)), "_change": np.array(0.0)}
        roles.aws.put(f"{folder}/{SHARD}{TOTALS_END}", pack(counted))


def left_by_replay(aws):
    return {uri: aws.get(uri) for uri in aws.uris() if uri.startswith(f"{REPLAYS}/")}


def outcome(roles, application, function, *, statement=None, without=None):
    """What the function answers, or the type of its error."""
    event = event_for(function, statement)
    if function == "replay_shard":
        lay_out_shard(roles, event)
    else:
        lay_out(roles.aws, function)
    assumes = {"ASSUME_JOB_ROLE": "false"}
    if statement in ("AssumeJobRoles", "AssumeRolesOfEndedJobs"):
        assumes = {
            "ASSUME_JOB_ROLE": "true",
            "JOB_ROLE_ARN_PATTERN": PARAMETERS["JobRoleArnPattern"],
        }
    with (
        roles.acting_as(role_of(function), without=without) as variables,
        EmulatedFunction(function, application.folder, variables | assumes) as emulated,
    ):
        try:
            response = emulated.invoke(event)
        except FunctionError as error:
            return f"{error.error_type}: {error}"
    if function == "replay_shard":  # which answers little, and writes its results
        return response | {"left": left_by_replay(roles.aws)}
    return response


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_succeeds_with_its_role(roles, application, function):
    found = outcome(roles, application, function)
    if function == "finish_job":
        assert found["finished"]
    elif function == "replay_shard":
        assert found["shard"] == SHARD
    else:
        assert found == example(function, "response")


@pytest.mark.parametrize(("function", "statement"), list(cases()))
def test_a_function_fails_without_a_statement(roles, application, function, statement):
    whole = outcome(roles, application, function, statement=statement)
    assert not isinstance(whole, str), whole
    assert outcome(roles, application, function, statement=statement, without=statement) != whole
