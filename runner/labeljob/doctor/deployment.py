"""The stack and the job's two functions: complete, deployed, ready, and made for each other."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from labeljob.doctor.findings import (
    Absent,
    Finding,
    NotChecked,
    checked,
    error,
    not_checked,
    of_problem,
    ok,
    or_ok,
    warning,
)
from labeljob.doctor.planned_job import (
    LABELS,
    OUTPUT,
    DeployedStack,
    PlannedFunction,
    PlannedJob,
    bucket_of,
    has_structure,
)
from labeljob.jobs.lambda_arns import LambdaArn
from labeljob.jobs.request import (
    Problem,
    function_problems,
    function_warnings,
    is_named_for_managed_policy,
)
from labeljob.tasks.registry import JOB_TYPES

_COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_USABLE = ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")


def stack_findings(job: PlannedJob, stack: DeployedStack) -> Iterator[Finding]:
    """What is to be said of a stack and the job that uses it."""
    where = f"stack {stack.name}"
    yield from _status(stack, where)
    yield from or_ok(_outputs(job, stack, where), where, "has the outputs that jobs need")
    if job.request is not None:
        yield from or_ok(_places(job, stack), where, "its parameters cover the job's places")


def _status(stack: DeployedStack, where: str) -> Iterator[Finding]:
    if stack.status in _COMPLETE:
        yield ok(where, f"is {stack.status}")
    elif stack.status in _USABLE:
        text = f"is {stack.status}: its functions may not be those of the last deployment"
        yield warning("stack-status", where, text, fix="deploy again, or wait until it is complete")
    else:
        fix = f"aws cloudformation describe-stack-events --stack-name {stack.name} says why"
        yield error("stack-status", where, f"is {stack.status}", fix=fix)


def _outputs(job: PlannedJob, stack: DeployedStack, where: str) -> Iterator[Finding]:
    tasks = [job.task] if job.task else list(JOB_TYPES.values())
    wanted = {
        f"{part}{task.aws_name}{what}": part
        for task in tasks
        for part in ("Pre", "Acs")
        for what in ("Arn", "RoleArn")
    }
    for name in wanted:
        if name not in stack.outputs:
            fix = "deploy this project's template.yaml, or name another stack"
            yield error("output-missing", where, f"has no output {name}", fix=fix)
    if job.request is None:
        return
    for function in job.functions:
        if function.arn not in stack.outputs.values():
            text = f"is {function.arn}, which is no output of stack {stack.name}"
            fix = "take the ARNs from the stack: labeljob request --stack"
            yield warning("function-of-another-stack", function.where, text, fix=fix)


def _places(job: PlannedJob, stack: DeployedStack) -> Iterator[Finding]:
    """Whether the functions' own policies, made from the parameters, name the job's buckets."""
    if stack.parameters.get("AssumeJobRole") == "true":
        return
    places = (
        ("OutputBucketName", OUTPUT, bucket_of(job.text(OUTPUT))),
        ("InputBucketName", LABELS, bucket_of(job.text(LABELS))),
        ("LabelCategoryKeyPattern", LABELS, _key_of(job.text(LABELS))),
    )
    for parameter, where, value in places:
        pattern = stack.parameters.get(parameter, "") or _default(stack, parameter)
        if value is None:
            continue
        if pattern is None:
            yield not_checked(where, f"the stack does not tell its {parameter}")
        elif not fnmatch.fnmatchcase(value, pattern):
            text = f"has {value}, and the stack lets its functions reach only {pattern}"
            fix = f"sam deploy --stack-name {stack.name} --parameter-overrides {parameter}={value}"
            yield error("outside-the-stack", where, text, fix=fix)


def _default(stack: DeployedStack, parameter: str) -> str | None:
    """SageMaker's own bucket, of the Region and account in the stack's outputs."""
    if parameter == "LabelCategoryKeyPattern":
        return None
    for arn in stack.outputs.values():
        parts = arn.split(":")
        if len(parts) > 5 and parts[2] == "lambda":
            return f"sagemaker-{parts[3]}-{parts[4]}"
    return None


def _key_of(uri: str | None) -> str | None:
    return uri.removeprefix("s3://").partition("/")[2] if uri else None


_READY = (None, "Active", "Inactive")
_LONGEST_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class DeployedFunction:
    """What Lambda, or the stack, tells of a function.

    Attributes
    ----------
    name, role_arn : str
        What it is called and what it acts as.
    assumes_job_role : bool
        Whether it reads and writes with the job's role; a PRE function never does.
    job_role_pattern : str
        Which roles it may assume.
    exclusion_category : str
        The page's "none of the above" that it knows; empty for none.
    """

    name: str
    role_arn: str
    assumes_job_role: bool
    job_role_pattern: str
    exclusion_category: str


def deployed_function(job: PlannedJob, function: PlannedFunction) -> DeployedFunction:
    """A function as it is deployed; raises `Absent` or `NotChecked`.

    Where Lambda cannot be asked, the stack's outputs and parameters tell, if they are known.
    """
    try:
        facts = _configuration(job, function)
    except NotChecked:
        stack_facts = _facts_of_stack(job, function)
        if stack_facts is None:
            raise
        facts = stack_facts
    variables = facts.get("Environment", {}).get("Variables", {})
    return DeployedFunction(
        name=LambdaArn.parse(function.arn).name,  # type: ignore[union-attr]  # it was looked up
        role_arn=facts["Role"],
        assumes_job_role=function.part == "ACS" and variables.get("ASSUME_JOB_ROLE") == "true",
        job_role_pattern=variables.get("JOB_ROLE_ARN_PATTERN", ""),
        exclusion_category=variables.get("EXCLUSION_CATEGORY", ""),
    )


def function_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the functions."""
    yield from or_ok(_names(job), "names and Regions", "are right for the job and each other")
    yield from _region(job)
    for function in job.functions:
        if LambdaArn.parse(function.arn):
            yield from checked(function.arn, partial(_deployed, job, function))


def _names(job: PlannedJob) -> Iterator[Finding]:
    if job.request is None:
        if not job.functions:
            yield not_checked("names and Regions", "the stack tells no function")
        for function in job.functions:
            parsed = LambdaArn.parse(function.arn)
            if parsed and not is_named_for_managed_policy(parsed.name):
                text = f"is {parsed.name}, which AmazonSageMakerGroundTruthExecution does not cover"
                fix = "deploy with a NamePrefix that contains SageMaker"
                yield warning("function-name", function.where, text, fix=fix)
        return
    if job.task is None or not has_structure(job.request):
        why = "the job type is not known" if job.task is None else "the request has no structure"
        yield not_checked("names and Regions", why, fix="give --task, or correct the request")
        return
    for problem in function_problems(job.request, job.task):
        yield of_problem(problem, code=_code(problem))
    for advice in function_warnings(job.request):
        yield warning(_code(advice), advice.field, advice.text, fix=advice.fix)


def _region(job: PlannedJob) -> Iterator[Finding]:
    """Whether the Region of the person's own settings is that of the ARNs."""
    if job.region and job.own_region and job.own_region != job.region:
        text = f"the job's ARNs are in {job.region}, and your own Region is {job.own_region}"
        fix = f"aws sagemaker create-labeling-job --region {job.region} …"
        yield warning("region-of-yours", "Region", text, fix=fix)


def _deployed(job: PlannedJob, function: PlannedFunction) -> Iterator[Finding]:
    try:
        facts = _configuration(job, function, qualified=False)
    except Absent:
        fix = "deploy the stack, or take the ARN from its outputs"
        yield error("function-absent", function.arn, "there is no such function", fix=fix)
        return
    parsed = LambdaArn.parse(function.arn)
    if parsed and parsed.qualifier:
        try:
            facts = _configuration(job, function)
        except Absent:
            text = f"the function has no alias or version {parsed.qualifier}"
            fix = f"aws lambda list-aliases --function-name {parsed.name} lists those it has"
            yield error("alias-absent", function.arn, text, fix=fix)
            return
    yield from or_ok(_readiness(function, facts), function.arn, "exists and can be invoked")


def _readiness(function: PlannedFunction, facts: dict[str, Any]) -> Iterator[Finding]:
    if facts.get("State") not in _READY:
        text = f"is {facts['State']}: {facts.get('StateReason', 'no reason is given')}"
        yield error("function-state", function.arn, text, fix="deploy it again")
    if facts.get("LastUpdateStatus") == "Failed":
        text = f"its last update failed: {facts.get('LastUpdateStatusReason', 'no reason given')}"
        yield error("function-state", function.arn, text, fix="deploy it again")
    if facts.get("Timeout", _LONGEST_SECONDS) < 30 and function.part == "ACS":
        text = f"has {facts['Timeout']} seconds, and a batch may hold 50 images"
        fix = "raise its Timeout to 300 seconds or more"
        yield warning("function-timeout", function.arn, text, fix=fix)


def _configuration(
    job: PlannedJob, function: PlannedFunction, *, qualified: bool = True
) -> dict[str, Any]:
    """What Lambda tells of a function; raises `Absent` or `NotChecked`."""
    parsed = LambdaArn.parse(function.arn)
    if parsed is None:
        raise NotChecked(f"{function.arn} is not the ARN of a function")
    qualifier = {"Qualifier": parsed.qualifier} if parsed.qualifier and qualified else {}
    name = function.arn.removesuffix(f":{parsed.qualifier}")
    return job.aws.call("lambda", "get_function_configuration", FunctionName=name, **qualifier)


def _facts_of_stack(job: PlannedJob, function: PlannedFunction) -> dict[str, Any] | None:
    if job.stack is None:
        return None
    outputs, parameters = job.stack.outputs, job.stack.parameters
    names = {arn: name for name, arn in outputs.items()}
    role = outputs.get(names.get(function.arn, "").removesuffix("Arn") + "RoleArn")
    variables = {
        "ASSUME_JOB_ROLE": parameters.get("AssumeJobRole", ""),
        "JOB_ROLE_ARN_PATTERN": parameters.get("JobRoleArnPattern", ""),
        "EXCLUSION_CATEGORY": parameters.get("ExclusionCategory", ""),
    }
    return {"Role": role, "Environment": {"Variables": variables}} if role else None


def _code(problem: Problem) -> str:
    return "region" if problem.field == "request" else "function-name"
