"""The roles of a job and of the functions, and what they may do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial

from groundtruth.storage.s3 import role_is_allowed
from labeljob.doctor.deployment import DeployedFunction, deployed_function
from labeljob.doctor.findings import Aws, Finding, checked, error, not_checked, ok, warning
from labeljob.doctor.planned_job import (
    LABELS,
    MANIFEST,
    OUTPUT,
    PAGE,
    ROLE,
    PlannedFunction,
    PlannedJob,
    bucket_of,
    object_arn,
    partition_of,
)
from labeljob.doctor.policies import (
    SIMULATOR,
    Decision,
    Need,
    allow_statement,
    role_of,
    trusts,
    verdict,
)
from labeljob.jobs.lambda_arns import LambdaArn


def permission_findings(aws: Aws, role_arn: str, needs: Iterable[Need]) -> Iterator[Finding]:
    """A finding for each thing that a role must be able to do."""
    for need in needs:
        yield from checked(f"{role_arn}: {need.action}", partial(_check_need, aws, role_arn, need))


def trust_statement(principal: dict[str, str]) -> str:
    """A statement of a trust policy as JSON."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps(statement)


def _check_need(aws: Aws, role_arn: str, need: Need) -> Iterator[Finding]:
    result = verdict(aws, role_arn, need)
    where = f"{role_arn}: {need.action} on {need.resource}"
    match result.decision:
        case Decision.ALLOWED:
            yield ok(where, f"allowed, for {need.purpose}")
        case Decision.DENIED:
            text = f"a policy denies it; it is needed for {need.purpose}"
            fix = "take the Deny out, or except this resource from it"
            yield error("permission-denied", where, text, fix=fix)
        case Decision.NOT_ALLOWED:
            text = f"no policy allows it; it is needed for {need.purpose}"
            statement = allow_statement([need.action], [need.resource])
            fix = f"add this statement to a policy of the role:\n{statement}"
            yield error("permission-missing", where, text, fix=fix)
        case Decision.UNSURE:
            text = f"it depends on a condition; it is needed for {need.purpose}"
            fix = "read the Condition of the role's policies"
            yield warning("permission-unsure", where, text, fix=fix)
    if result.not_asked:
        why = (
            "organization policies, permissions boundaries and most conditions, since "
            f"{SIMULATOR} was not asked ({result.not_asked}); only the role's policies were read"
        )
        yield not_checked(role_arn, why, fix=f"allow yourself {SIMULATOR}")


_SERVICE = "sagemaker.amazonaws.com"


def job_role_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the job's role."""
    role_arn = job.text(ROLE)
    if role_arn is None:
        return
    problems = list(checked(role_arn, partial(_trust, job, role_arn)))
    yield from problems
    if not any(finding.code == "absent" for finding in problems):
        yield from permission_findings(job.aws, role_arn, job_role_needs(job))


def job_role_needs(job: PlannedJob) -> list[Need]:
    """What the job's role must be able to do."""
    partition = partition_of(job.text(ROLE))
    needs = [
        Need(
            action="lambda:InvokeFunction",
            resource=function.arn,
            purpose=f"invoking {function.part}",
        )
        for function in job.functions
    ]
    needs += [
        Need(action="s3:GetObject", resource=object_arn(uri, partition=partition), purpose=purpose)
        for uri, purpose in _read_by(job).items()
    ]
    if output := job.output_uri:
        place = object_arn(f"{output}/manifests/output/output.manifest", partition=partition)
        needs += [
            Need(action=action, resource=place, purpose="writing and reading the output")
            for action in ("s3:PutObject", "s3:GetObject")
        ]
    buckets = [bucket_of(job.text(MANIFEST)), *job.image_buckets, bucket_of(job.text(OUTPUT))]
    needs += [
        Need(
            action="s3:ListBucket", resource=f"arn:{partition}:s3:::{bucket}", purpose="listing it"
        )
        for bucket in dict.fromkeys(filter(None, buckets))
    ]
    return needs


def _read_by(job: PlannedJob) -> dict[str, str]:
    """URI of each kind of object the job reads, with its name; one image for each bucket."""
    named = {
        job.text(MANIFEST): "reading the manifest",
        job.text(LABELS): "reading the label category file",
        job.text(PAGE): "reading the worker page",
    }
    for image in reversed(job.images):
        if bucket := bucket_of(image.uri):
            named[image.uri] = f"reading the images in {bucket}"
    firsts = {purpose: uri for uri, purpose in named.items()}
    return {uri: purpose for purpose, uri in firsts.items() if uri and bucket_of(uri)}


def _trust(job: PlannedJob, role_arn: str) -> Iterator[Finding]:
    role = role_of(job.aws, role_arn)
    statement = trust_statement({"Service": _SERVICE})
    match trusts(role, (_SERVICE,)):
        case Decision.ALLOWED:
            yield ok(role_arn, f"exists and trusts {_SERVICE}")
        case Decision.UNSURE:
            text = f"exists; whether {_SERVICE} may assume it depends on a condition"
            fix = "the Condition of its trust policy must let the labeling job through"
            yield warning("trust-unsure", role_arn, text, fix=fix)
        case _:
            text = f"its trust policy does not let {_SERVICE} assume it"
            fix = f"add this statement to its trust policy:\n{statement}"
            yield error("trust-missing", role_arn, text, fix=fix)
    if "PermissionsBoundary" in role:
        boundary = role["PermissionsBoundary"]["PermissionsBoundaryArn"]
        text = f"has the permissions boundary {boundary}"
        fix = "see that the boundary allows what is listed here too"
        yield warning("permissions-boundary", role_arn, text, fix=fix)


_ANNOTATIONS = "annotations/consolidated-annotation"


def function_role_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the roles that the functions have."""
    for function in job.functions if job.request is not None else ():
        if LambdaArn.parse(function.arn):
            yield from checked(f"role of {function.arn}", partial(_role_of_function, job, function))


def _role_of_function(job: PlannedJob, function: PlannedFunction) -> Iterator[Finding]:
    deployed = deployed_function(job, function)
    job_role = job.text(ROLE)
    if deployed.assumes_job_role and job_role:
        yield from _pattern(deployed, job_role)
        yield from checked(job_role, partial(_trust_in_service, job, deployed, job_role))
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


def _trust_in_service(
    job: PlannedJob, deployed: DeployedFunction, job_role: str
) -> Iterator[Finding]:
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
    if job.task is not None and job.task.label_is_mask:
        places.append(("s3:PutObject", "output/0_2026-01-01T00:00:00.000000.png"))
    return places
