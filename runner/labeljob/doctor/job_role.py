"""The job's execution role: there, trusted by SageMaker, and allowed what the job does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from labeljob.doctor.findings import Finding, error, looked_at, ok, warning
from labeljob.doctor.permissions import permission_findings, trust_statement
from labeljob.doctor.planned_job import (
    LABELS,
    MANIFEST,
    OUTPUT,
    PAGE,
    ROLE,
    PlannedJob,
    bucket_of,
    object_arn,
    partition_of,
)
from labeljob.doctor.policies import Decision
from labeljob.doctor.role_policies import Need, role_of, trusts

_SERVICE = "sagemaker.amazonaws.com"


def job_role_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the job's role."""
    role_arn = job.text(ROLE)
    if role_arn is None:
        return
    problems = list(looked_at(role_arn, partial(_trust, job, role_arn)))
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
