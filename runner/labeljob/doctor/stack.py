"""The stack: whether it is complete, and whether its parameters cover the job's places."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from labeljob.doctor.findings import Finding, error, not_checked, ok, or_ok, warning
from labeljob.doctor.planned_job import LABELS, OUTPUT, DeployedStack, PlannedJob, bucket_of
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
