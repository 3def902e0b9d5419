"""The deployed stack, as CloudFormation describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labeljob.doctor.aws import Aws


@dataclass(frozen=True, kw_only=True)
class DeployedStack:
    """A stack of template.yaml.

    Attributes
    ----------
    name, status : str
        As CloudFormation tells them.
    outputs, parameters : mapping of str to str
        By their names in the template.
    """

    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


def describe_stack(aws: Aws, name: str) -> DeployedStack:
    """The stack of this name or ARN; raises `Absent` or `NotLookedAt`."""
    found = aws.call("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]
    outputs, parameters = found.get("Outputs", []), found.get("Parameters", [])
    return DeployedStack(
        name=found["StackName"],
        status=found["StackStatus"],
        outputs={item["OutputKey"]: item["OutputValue"] for item in outputs},
        parameters={item["ParameterKey"]: item.get("ParameterValue", "") for item in parameters},
    )
