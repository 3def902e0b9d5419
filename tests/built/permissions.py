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


class Simplifier:
    """Makes a transformed template one that moto can deploy; only what permissions need is kept.

    Choices are made by the parameters, since moto leaves holes in lists where there is no value.
    moto knows conditions of trust policies only, so those of statements are left out.
    """

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self._template = template
        self._values = {
            name: parameters.get(name, parameter["Default"])
            for name, parameter in template["Parameters"].items()
        }

    def template(self) -> dict[str, Any]:
        resources = {
            name: self._simple(resource)
            for name, resource in self._template["Resources"].items()
            if resource["Type"] in KINDS and self._holds(resource.get("Condition", ""))
        }
        return {"Parameters": self._template["Parameters"], "Resources": resources}

    def _simple(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._simple, value) if item is not None]
        if not isinstance(value, dict):
            return value
        if "Fn::If" in value:
            condition, then, otherwise = value["Fn::If"]
            return self._simple(then if self._holds(condition) else otherwise)
        if value == {"Ref": "AWS::NoValue"}:
            return None
        resource = self._template["Resources"].get(value.get("Ref"), {})
        if resource.get("Type") == "AWS::Lambda::Alias":
            return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{value['Ref']}"
        if "Fn::GetAtt" in value:
            name, _, attribute = str(value["Fn::GetAtt"]).partition(".")
            if self._template["Resources"][name]["Type"] == "AWS::Logs::LogGroup":
                return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"
            return {"Fn::GetAtt": [name, attribute]}
        items = {key: self._simple(item) for key, item in value.items() if key != "Condition"}
        return {key: item for key, item in items.items() if item is not None}

    def _holds(self, condition: Any) -> bool:
        if isinstance(condition, str):
            return not condition or self._holds(self._template["Conditions"][condition])
        ((function, arguments),) = condition.items()
        match function:
            case "Condition":
                return self._holds(arguments)
            case "Fn::Not":
                return not self._holds(arguments[0])
            case "Fn::And":
                return all(map(self._holds, arguments))
            case "Fn::Equals":
                return self._value(arguments[0]) == self._value(arguments[1])
            case _:
                raise ValueError(f"conditions have no {function} yet")

    def _value(self, value: Any) -> str:
        match value:
            case {"Ref": name}:
                return str(self._values[name])
            case {"Fn::Select": [0, {"Ref": name}]}:
                return str(self._values[name]).partition(",")[0]
            case _:
                return str(value)


@dataclass(frozen=True)
class Permissions:
    """The roles of the stack, in a running moto.

    Attributes
    ----------
    aws : EmbeddedAws
        The moto.
    roles : dict of str to str
        Name of each function's role, by the role's logical id.
    shared : dict of str to list of str
        ARNs of the managed policies of each role. moto's CloudFormation attaches none.
    """

    aws: EmbeddedAws
    roles: dict[str, str]
    shared: dict[str, list[str]]

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
        for arn in self.shared[role]:
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            found = iam.get_policy_version(PolicyArn=arn, VersionId=version)
            documents.append(found["PolicyVersion"]["Document"])
        # moto gives a policy of its CloudFormation as a text with single quotes: YAML, not JSON.
        read = [yaml.safe_load(item) if isinstance(item, str) else item for item in documents]
        return [statement for document in read for statement in document["Statement"]]

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
    template = Simplifier(transformed_template(parameters), parameters).template()
    yaml.safe_dump(template, body)
    with EmbeddedAws(jobs, may_describe) as aws:
        found = Permissions(aws, {}, {})
        cloudformation = found.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=body.getvalue(),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        listed = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        made = {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in listed}
        for name, resource in template["Resources"].items():
            if resource["Type"] == "AWS::IAM::Role":
                references = resource["Properties"].get("ManagedPolicyArns", ())
                found.roles[name] = made[name]
                found.shared[name] = [made[item["Ref"]] for item in references if "Ref" in item]
        yield found
