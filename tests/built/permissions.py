"""The roles of template.yaml in moto, which enforces them, with statements left out at will."""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import yaml
from moto.iam.access_control import IAMPolicy, PermissionResult, create_access_key
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

from labeljob.application import load_template
from labeljob.emulator import EmbeddedAws
from tests.built.conftest import ROOT

ACCOUNT = "123456789012"
REGION = "us-east-1"
STACK = "permissions"
KINDS = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::DynamoDB::Table", "AWS::SQS::Queue")
NOBODY_IS_ASKED = b"inf"
EVERYBODY_IS_ASKED = b"0"


def transformed_template(parameters: Mapping[str, str]) -> dict[str, Any]:
    """template.yaml as CloudFormation gets it, once SAM's resources are written out."""
    template = load_template((ROOT / "template.yaml").read_text(encoding="utf-8"))
    bucket = {"CodeUri": "s3://code/function", "ContentUri": "s3://code/layer"}
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        properties |= {key: uri for key, uri in bucket.items() if key in properties}
    defaults = {
        name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()
    }
    translated: dict[str, Any] = transform(
        template, defaults | dict(parameters), ManagedPolicyLoader(None)
    )
    return translated


def roles_only(template: Mapping[str, Any]) -> dict[str, Any]:
    """What decides about permissions, of a transformed template.

    moto makes no log group an ARN's owner here, so those ARNs are written out; and it knows
    conditions of trust policies only, so those of statements are left out.
    """
    resources = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] in KINDS
    }
    kept = {key: template[key] for key in ("Parameters", "Conditions", "Mappings")}
    return kept | {"Resources": _simplified(resources, template["Resources"])}


def _simplified(value: Any, resources: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_simplified(item, resources) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::GetAtt" in value:
        name = str(value["Fn::GetAtt"]).partition(".")[0]
        if resources.get(name, {}).get("Type") == "AWS::Logs::LogGroup":
            return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"
    skipped = {"Condition"} if {"Sid", "Effect"} <= value.keys() else set()
    return {key: _simplified(item, resources) for key, item in value.items() if key not in skipped}


@dataclass(frozen=True)
class Permissions:
    """The roles of the stack, in a running moto.

    Attributes
    ----------
    aws : EmbeddedAws
        The moto.
    roles : dict of str to str
        Name of each function's role, by the role's logical id.
    """

    aws: EmbeddedAws
    roles: dict[str, str]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.aws.endpoint,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def statements(self, role: str) -> list[dict[str, Any]]:
        """All statements of a function's role, of its own policy and the shared ones."""
        iam, name = self.client("iam"), self.roles[role]
        documents = [
            iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]
        for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            found = iam.get_policy_version(PolicyArn=arn, VersionId=version)
            documents.append(found["PolicyVersion"]["Document"])
        return [statement for document in documents for statement in document["Statement"]]

    @contextmanager
    def acting_as(self, role: str, *, without: str | None = None) -> Iterator[dict[str, str]]:
        """Variables that give a function a role of these statements, but for one; enforced."""
        kept = [item for item in self.statements(role) if item["Sid"] != without]
        iam = self.client("iam")
        name = f"copy-of-{role}"
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}],
        }
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        document = json.dumps({"Version": "2012-10-17", "Statement": kept})
        iam.put_role_policy(RoleName=name, PolicyName="copy", PolicyDocument=document)
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        given = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="function")
        self._enforce(EVERYBODY_IS_ASKED)
        try:
            yield {
                "AWS_ACCESS_KEY_ID": given["Credentials"]["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": given["Credentials"]["SecretAccessKey"],
                "AWS_SESSION_TOKEN": given["Credentials"]["SessionToken"],
                **self.aws.environment,
            }
        finally:
            self._enforce(NOBODY_IS_ASKED)
            iam.delete_role_policy(RoleName=name, PolicyName="copy")
            iam.delete_role(RoleName=name)

    def _enforce(self, count: bytes) -> None:
        self.aws.post("/moto-api/reset-auth", count)


def may_describe(access_key: str, job: str) -> bool:
    """Whether the policies behind an access key let it describe a job, as moto judges."""
    headers = {"X-Amz-Security-Token": _token_of(access_key)}
    owner = create_access_key(ACCOUNT, "aws", access_key, headers)
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{job}"
    return any(
        IAMPolicy(policy).is_action_permitted("sagemaker:DescribeLabelingJob", arn)
        is PermissionResult.PERMITTED
        for policy in owner.collect_policies()
    )


def _token_of(access_key: str) -> str:
    from moto.sts.models import sts_backends

    for role in sts_backends[ACCOUNT]["aws"].assumed_roles:
        if role.access_key_id == access_key:
            return str(role.session_token)
    return ""


@contextmanager
def permissions(
    parameters: Mapping[str, str], jobs: Mapping[str, Mapping[str, Any]]
) -> Iterator[Permissions]:
    """The stack's roles, made by moto's CloudFormation from the transformed template."""
    body = io.StringIO()
    yaml.safe_dump(roles_only(transformed_template(parameters)), body)
    with EmbeddedAws(jobs, may_describe) as aws:
        found = Permissions(aws, {})
        cloudformation = found.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=body.getvalue(),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        listed = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        found.roles.update(
            (item["LogicalResourceId"], item["PhysicalResourceId"])
            for item in listed
            if item["ResourceType"] == "AWS::IAM::Role"
        )
        yield found
