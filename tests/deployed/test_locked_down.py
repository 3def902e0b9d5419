"""The stack as a locked-down account asks for it: path, names, boundary, keys, a kept table.

MiniStack keeps no boundary of a role that a stack makes, and the queue tells nothing without TLS:
`tests/repository/test_template_permissions.py` looks at those in the template.
"""

import json

import pytest

from tests.deployed.conftest import deploy
from tests.deployed.local_aws import ministack

pytestmark = pytest.mark.xdist_group("deployed")

STACK = "locked"
PATH = "/labeling/"
PREFIX = "team-a-"
KEPT_TABLE = "consolidation-WorkerSkillTable-1A2B3C4D5E6F"
ROLES = {
    "PreImageMultiClass",
    "PreImageMultiClassMultiLabel",
    "PreSemanticSegmentation",
    "AcsImageMultiClass",
    "AcsImageMultiClassMultiLabel",
    "AcsSemanticSegmentation",
    "FinishJob",
}
POLICIES = {"LabelingJob", "Answers", "WorkerSkill", "PreAnnotation"}


@pytest.fixture(scope="module")
def locked():
    """An AWS with such a stack: its client factory, physical ids by logical ids, parameters."""
    with ministack({}) as aws:
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        boundary = aws.client("iam").create_policy(
            PolicyName="boundary",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
        )
        aws.client("dynamodb").create_table(
            TableName=KEPT_TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
        parameters = {
            "RolePath": PATH,
            "RoleNamePrefix": PREFIX,
            "PermissionsBoundaryArn": boundary["Policy"]["Arn"],
            "StackKmsKeyArn": aws.client("kms").create_key()["KeyMetadata"]["Arn"],
            "WorkerSkillTableName": KEPT_TABLE,
        }
        deploy(aws, STACK, parameters)
        pages = aws.client("cloudformation").get_paginator("list_stack_resources")
        made = {
            item["LogicalResourceId"]: item["PhysicalResourceId"]
            for page in pages.paginate(StackName=STACK)
            for item in page["StackResourceSummaries"]
        }
        yield aws.client, made, parameters


def test_roles_and_policies_have_the_path_and_their_names(locked):
    client, _, _ = locked
    iam = client("iam")
    roles = iam.list_roles(PathPrefix=PATH)["Roles"]
    assert {role["RoleName"] for role in roles} == {f"{PREFIX}{name}" for name in ROLES}
    policies = iam.list_policies(Scope="Local", PathPrefix=PATH)["Policies"]
    assert {policy["PolicyName"] for policy in policies} == {f"{PREFIX}{name}" for name in POLICIES}


def test_the_secret_has_the_stacks_key(locked):
    client, made, parameters = locked
    secret = client("secretsmanager").describe_secret(SecretId=made["WorkerIdKey"])
    assert secret["KmsKeyId"] == parameters["StackKmsKeyArn"]


def test_a_kept_table_is_used_again_and_none_is_made(locked):
    client, made, _ = locked
    assert "WorkerSkillTable" not in made
    environment = client("lambda").get_function_configuration(
        FunctionName=made["AcsImageMultiClassFunction"]
    )["Environment"]["Variables"]
    assert environment["SKILL_TABLE_NAME"] == KEPT_TABLE
