"""ARNs of Lambda functions, taken apart; and those of a deployed stack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from groundtruth.errors import GroundTruthError

if TYPE_CHECKING:
    from labeljob.tasks.base import JobType

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z]{2}(-[a-z]+)+-\d+):(?P<account>\d{12})"
    r":function:(?P<name>[a-zA-Z0-9_-]{1,64})(:(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]{1,128}))?",
    re.ASCII,
)
_ROLE = re.compile(r"(?:^|-)(PRE|ACS)-(\w+)$")


class StackError(GroundTruthError):
    """A stack does not tell the ARNs of its functions."""


@dataclass(frozen=True, kw_only=True)
class LambdaArn:
    """The parts of a Lambda function's ARN that a labeling job depends on."""

    # region, account, name: where the function is and what it is called
    region: str
    account: str
    name: str
    qualifier: str | None  # its alias or version

    @classmethod
    def parse(cls, arn: str) -> Self | None:
        """The parts; None if it is not the ARN of a function.

        Examples
        --------
        >>> arn = "arn:aws:lambda:us-east-1:111122223333:function:x-PRE-ImageMultiClass:live"
        >>> LambdaArn.parse(arn).qualifier
        'live'
        """
        match = _ARN.fullmatch(arn)
        if match is None:
            return None
        return cls(
            region=match["region"],
            account=match["account"],
            name=match["name"],
            qualifier=match["qualifier"],
        )

    @property
    def part(self) -> str | None:
        """``"PRE"`` or ``"ACS"`` if the function is named as the built-in ones are."""
        match = _ROLE.search(self.name)
        return match[1] if match else None

    @property
    def task_name(self) -> str | None:
        """AWS's name of the job type if the function is named as the built-in ones are."""
        match = _ROLE.search(self.name)
        return match[2] if match else None


def stack_outputs(stack: str, *, region: str | None = None) -> dict[str, str]:
    """Outputs of a CloudFormation stack; `AWS_ENDPOINT_URL` is respected; raises `StackError`."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client = boto3.client("cloudformation", region_name=region)
        described = client.describe_stacks(StackName=stack)["Stacks"]
    except (BotoCoreError, ClientError, ValueError) as error:
        raise StackError(f"stack {stack}: {error}") from error
    return {
        output["OutputKey"]: output["OutputValue"]
        for found in described
        for output in found.get("Outputs", [])
    }


def arns_among(outputs: Mapping[str, str], task: JobType) -> tuple[str, str]:
    """ARNs of the PRE and the ACS function of a job type, among a stack's outputs.

    Raises `StackError`.
    """
    keys = [f"{part}{task.aws_name}Arn" for part in ("Pre", "Acs")]
    absent = [key for key in keys if key not in outputs]
    if absent:
        there = ", ".join(sorted(outputs)) or "none"
        raise StackError(f"the stack has no output {' and no '.join(absent)}; it has {there}")
    return outputs[keys[0]], outputs[keys[1]]
