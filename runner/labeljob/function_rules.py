"""What the two Lambda functions of a labeling job must be, and how they must fit together."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Any

from labeljob.labeling_request import Problem
from labeljob.lambda_arns import LambdaArn
from labeljob.request_model import fix_of
from labeljob.task_types import TaskType

_PRE_FIELD = "HumanTaskConfig.PreHumanTaskLambdaArn"
_ACS_FIELD = "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn"
_NAMES_OF_MANAGED_POLICY = (
    "*GtRecipe*", "*LabelingFunction*", "*SageMaker*", "*sagemaker*", "*Sagemaker*",
)  # fmt: skip


def function_problems(request: Mapping[str, Any], task: TaskType) -> list[Problem]:
    """Everything that is wrong with the functions of a request.

    Parameters
    ----------
    request : mapping
        Arguments of `CreateLabelingJob`.
    task : TaskType
        What the workers shall do.
    """
    pre, acs = _arns(request)
    return [
        *_problems_of(_PRE_FIELD, pre, "PRE", task),
        *_problems_of(_ACS_FIELD, acs, "ACS", task),
        *_region_problems(request),
    ]


def function_warnings(request: Mapping[str, Any]) -> list[Problem]:
    """What may surprise about the functions of a request."""
    role = re.fullmatch(r"arn:[^:]*:iam::(\d{12}):.*", str(request.get("RoleArn")))
    pre, acs = _arns(request)
    return [
        warning
        for field, arn in ((_PRE_FIELD, pre), (_ACS_FIELD, acs))
        if arn is not None and (function := LambdaArn.parse(arn)) is not None
        for warning in _warnings_of(field, function, role[1] if role else None)
    ]


def is_named_for_managed_policy(name: str) -> bool:
    """Whether AmazonSageMakerGroundTruthExecution lets a job invoke a function of this name.

    Examples
    --------
    >>> is_named_for_managed_policy("my-SageMaker-PRE"), is_named_for_managed_policy("birds-PRE")
    (True, False)
    """
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _NAMES_OF_MANAGED_POLICY)


def region_of(request: Mapping[str, Any]) -> str | None:
    """The Region the job would run in, where the request tells."""
    regions = list(_regions(request).values())
    return regions[0] if regions else None


def _arns(request: Mapping[str, Any]) -> tuple[str | None, str | None]:
    human = request.get("HumanTaskConfig", {})
    consolidation = human.get("AnnotationConsolidationConfig", {})
    return (
        human.get("PreHumanTaskLambdaArn"),
        consolidation.get("AnnotationConsolidationLambdaArn"),
    )


def _problems_of(field: str, arn: str | None, part: str, task: TaskType) -> Iterator[Problem]:
    if arn is None:
        yield Problem(field=field, text="is missing", fix=fix_of(field))
        return
    function = LambdaArn.parse(arn)
    if function is None:
        text = f"is {arn!r}, not the ARN of a Lambda function"
        fix = "copy it from the stack's outputs, or give --stack: arn:aws:lambda:us-east-1:"
        yield Problem(field=field, text=text, fix=f"{fix}111122223333:function:name:alias")
        return
    if function.part not in (None, part):
        text = f"is {function.name}, whose name says {function.part}"
        yield Problem(field=field, text=text, fix="swap --pre-arn and --acs-arn")
    if function.task_name not in (None, task.aws_name):
        text = f"is {function.name}, which is for {function.task_name} and not {task.aws_name}"
        yield Problem(field=field, text=text, fix="give another --task or another function")


def _warnings_of(field: str, function: LambdaArn, account: str | None) -> Iterator[Problem]:
    if function.qualifier is None:
        yield Problem(
            field=field,
            text=f"is {function.name} without an alias, so a deployment changes the job while it "
            "runs",
            fix="give the ARN that is in the stack's outputs: it has the alias",
        )
    if not is_named_for_managed_policy(function.name):
        yield Problem(
            field=field,
            text=f"is {function.name}, which has neither SageMaker nor LabelingFunction in its "
            "name, so AmazonSageMakerGroundTruthExecution does not let the job invoke it",
            fix="deploy with another NamePrefix, or allow the role lambda:InvokeFunction on it",
        )
    if account not in (None, function.account):
        yield Problem(
            field=field,
            text=f"is {function.name} in account {function.account}, and the role is in {account}",
            fix="give the function a resource policy that lets the role invoke it",
        )


def _region_problems(request: Mapping[str, Any]) -> Iterator[Problem]:
    regions = _regions(request)
    if len(set(regions.values())) > 1:
        where = ", ".join(f"{field} in {region}" for field, region in regions.items())
        yield Problem(
            field="request",
            text=f"names several Regions: {where}",
            fix="use a work team and functions of the Region the job runs in",
        )


def _regions(request: Mapping[str, Any]) -> dict[str, str]:
    """Region of each ARN that has one; the work team first."""
    pre, acs = _arns(request)
    team = request.get("HumanTaskConfig", {}).get("WorkteamArn")
    named = {"the work team": team, "the PRE function": pre, "the ACS function": acs}
    found = {
        name: re.match(r"arn:[^:]+:(?:lambda|sagemaker):([^:]+):", arn)
        for name, arn in named.items()
        if isinstance(arn, str)
    }
    return {name: match[1] for name, match in found.items() if match}
