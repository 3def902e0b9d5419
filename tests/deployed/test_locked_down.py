"""The stack as a locked-down account asks for it: path, names, boundary, keys, a kept table.

MiniStack keeps no boundary of a role that a stack makes, and the queue tells nothing without TLS:
`tests/repository/test_template_permissions.py` looks at those in the template.
"""

import json

import pytest

from tests.deployed.conftest import BUCKET, deploy

pytestmark = pytest.mark.xdist_group("deployed")

STACK = "locked"
PATH = "/labeling/"
PREFIX = "team-a-"
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
def locked(stack):
    """Logical ids and physical ids of a second stack, and the parameters it was given."""
    aws = stack.aws
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    boundary = aws.client("iam").create_policy(
        PolicyName="boundary",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    parameters = {
        "InputBucketName": BUCKET,
        "OutputBucketName": BUCKET,
        "RolePath": PATH,
        "RoleNamePrefix": PREFIX,
        "PermissionsBoundaryArn": boundary["Policy"]["Arn"],
        "StackKmsKeyArn": aws.client("kms").create_key()["KeyMetadata"]["Arn"],
        "WorkerSkillTableName": stack.outputs["WorkerSkillTableName"],
    }
    deploy(aws, STACK, parameters)
    pages = aws.client("cloudformation").get_paginator("list_stack_resources")
    made = {
        item["LogicalResourceId"]: item["PhysicalResourceId"]
        for page in pages.paginate(StackName=STACK)
        for item in page["StackResourceSummaries"]
    }
    return made, parameters


def test_roles_and_policies_have_the_path_and_their_names(stack, locked):
    iam = stack.aws.client("iam")
    roles = iam.list_roles(PathPrefix=PATH)["Roles"]
    assert {role["RoleName"] for role in roles} == {f"{PREFIX}{name}" for name in ROLES}
    policies = iam.list_policies(Scope="Local", PathPrefix=PATH)["Policies"]
    assert {policy["PolicyName"] for policy in policies} == {f"{PREFIX}{name}" for name in POLICIES}


def test_the_secret_has_the_stacks_key(stack, locked):
    made, parameters = locked
    secret = stack.aws.client("secretsmanager").describe_secret(SecretId=made["WorkerIdKey"])
    assert secret["KmsKeyId"] == parameters["StackKmsKeyArn"]


def test_a_kept_table_is_used_again_and_none_is_made(stack, locked):
    made, parameters = locked
    assert "WorkerSkillTable" not in made
    environment = stack.aws.client("lambda").get_function_configuration(
        FunctionName=made["AcsImageMultiClassFunction"]
    )["Environment"]["Variables"]
    assert environment["SKILL_TABLE_NAME"] == parameters["WorkerSkillTableName"]
