"""The functions' own roles: allowed to read and write what the job gives them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from groundtruth.storage.s3 import role_is_allowed
from labeljob.doctor.findings import Finding, error, looked_at, ok, warning
from labeljob.doctor.functions import DeployedFunction, deployed_function
from labeljob.doctor.permissions import permission_findings, trust_statement
from labeljob.doctor.planned_job import (
    ROLE,
    PlannedFunction,
    PlannedJob,
    object_arn,
    partition_of,
)
from labeljob.doctor.policies import Decision
from labeljob.doctor.role_policies import Need, role_of, trusts
from labeljob.lambda_arns import LambdaArn
from labeljob.task_types import TaskType

_ANNOTATIONS = "annotations/consolidated-annotation"


def function_role_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the roles that the functions have."""
    for function in job.functions if job.request is not None else ():
        if LambdaArn.parse(function.arn):
            yield from looked_at(f"role of {function.arn}", partial(_one, job, function))


def _one(job: PlannedJob, function: PlannedFunction) -> Iterator[Finding]:
    deployed = deployed_function(job, function)
    job_role = job.text(ROLE)
    if deployed.assumes_job_role and job_role:
        yield from _pattern(deployed, job_role)
        yield from looked_at(job_role, partial(_trust, job, deployed, job_role))
        assume = Need(action="sts:AssumeRole", resource=job_role, purpose="AssumeJobRole=true")
        yield from permission_findings(job.aws, deployed.role_arn, [assume])
    actor = job_role if deployed.assumes_job_role and job_role else deployed.role_arn
    yield from permission_findings(job.aws, deployed.role_arn, _describe(job, function))
    yield from permission_findings(job.aws, actor, _objects(job, function))


def _pattern(deployed: DeployedFunction, job_role: str) -> Iterator[Finding]:
    if role_is_allowed(job_role, deployed.job_role_pattern):
        yield ok(job_role, f"matches JobRoleArnPattern of {deployed.name}")
    else:
        text = f"does not match JobRoleArnPattern {deployed.job_role_pattern!r} of {deployed.name}"
        fix = f"sam deploy --parameter-overrides JobRoleArnPattern={job_role}"
        yield error("job-role-pattern", job_role, text, fix=fix)


def _trust(job: PlannedJob, deployed: DeployedFunction, job_role: str) -> Iterator[Finding]:
    account = deployed.role_arn.split(":")[4]
    root = f"arn:{partition_of(deployed.role_arn)}:iam::{account}:root"
    role = role_of(job.aws, job_role)
    match trusts(role, (deployed.role_arn, root, account)):
        case Decision.ALLOWED:
            yield ok(job_role, f"trusts {deployed.role_arn}")
        case Decision.UNSURE:
            text = f"whether {deployed.role_arn} may assume it depends on a condition"
            fix = "read the Condition of its trust policy"
            yield warning("function-trust-unsure", job_role, text, fix=fix)
        case _:
            text = f"AssumeJobRole=true, and its trust policy does not name {deployed.role_arn}"
            statement = trust_statement({"AWS": deployed.role_arn})
            fix = f"add this statement to its trust policy:\n{statement}"
            yield error("function-trust-missing", job_role, text, fix=fix)


def _describe(job: PlannedJob, function: PlannedFunction) -> Iterator[Need]:
    parsed, name = LambdaArn.parse(function.arn), job.text("LabelingJobName")
    if parsed and name:
        partition = partition_of(function.arn)
        place = f"arn:{partition}:sagemaker:{parsed.region}:{parsed.account}:labeling-job/"
        yield Need(
            action="sagemaker:DescribeLabelingJob",
            resource=place + name.lower(),
            purpose=f"finding the job's labels and tags ({function.part})",
        )


def _objects(job: PlannedJob, function: PlannedFunction) -> Iterator[Need]:
    partition = partition_of(function.arn)
    if labels := job.labels_uri:
        yield Need(
            action="s3:GetObject",
            resource=object_arn(labels, partition=partition),
            purpose=f"reading the label category file ({function.part})",
        )
    if function.part == "ACS" and (output := job.output_uri):
        for action, place in _answers(job):
            yield Need(
                action=action,
                resource=object_arn(f"{output}/{_ANNOTATIONS}/{place}", partition=partition),
                purpose="consolidating answers (ACS)",
            )


def _answers(job: PlannedJob) -> list[tuple[str, str]]:
    """What an ACS function does below the annotations of a job."""
    places = [("s3:GetObject", "consolidation-request/iteration-1/2026-01-01_00:00:00.json")]
    if job.task is TaskType.SEMANTIC_SEGMENTATION:
        places.append(("s3:PutObject", "output/0_2026-01-01T00:00:00.000000.png"))
    return places
