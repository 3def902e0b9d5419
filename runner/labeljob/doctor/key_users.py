"""Which KMS keys a job meets, and who must be able to do what with each."""

from __future__ import annotations

from dataclasses import dataclass

from labeljob.doctor.aws import Absent, NotLookedAt
from labeljob.doctor.findings import Finding, not_checked
from labeljob.doctor.functions import deployed_function
from labeljob.doctor.planned_job import (
    LABELS,
    MANIFEST,
    OUTPUT,
    OUTPUT_KEY,
    PAGE,
    ROLE,
    PlannedJob,
    bucket_of,
)
from labeljob.lambda_arns import LambdaArn
from labeljob.task_types import TaskType

_READ = ("kms:Decrypt",)
_WRITE = ("kms:Decrypt", "kms:GenerateDataKey")
_ALL = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey", "kms:DescribeKey")
_ALL_AS_DOCUMENTED = (
    "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class KeyUse:
    """What a role does with a key.

    Attributes
    ----------
    key_id : str
        Id, ARN or alias, as it is written.
    where : str
        The field or bucket that names the key.
    role_arn, who : str
        The role, and what it is: ``"the job role"``.
    actions : tuple of str
        What it must be able to do.
    of_function : bool
        Whether it is the role of one of the stack's functions.
    """

    key_id: str
    where: str
    role_arn: str
    who: str
    actions: tuple[str, ...]
    of_function: bool = False

    @property
    def asked_for(self) -> tuple[str, ...]:
        """The actions as a key policy lists them."""
        return _ALL_AS_DOCUMENTED if self.actions == _ALL else self.actions


def key_uses(job: PlannedJob) -> tuple[list[KeyUse], list[Finding]]:
    """Every use of a key, and a finding for each place that could not be looked at."""
    unknown: list[Finding] = []
    uses: dict[tuple[str, str], KeyUse] = {}
    actors = _actors(job, unknown)
    for where, key_id, place in _keys(job, unknown):
        for role_arn, who, part in actors:
            actions = _actions(job, part, place)
            known = uses.get((key_id, role_arn))
            if actions and (known is None or len(actions) > len(known.actions)):
                uses[key_id, role_arn] = KeyUse(
                    key_id=key_id,
                    where=where,
                    role_arn=role_arn,
                    who=who,
                    actions=actions,
                    of_function=part != "job",
                )
    return list(uses.values()), unknown


def _actions(job: PlannedJob, part: str, place: str) -> tuple[str, ...]:
    match part, place:
        case "job", "output":
            return _ALL
        case "job", _:
            return _READ
        case "ACS", "output":
            return _WRITE if job.task is TaskType.SEMANTIC_SEGMENTATION else _READ
        case _, "labels":
            return _READ
    return ()


def _keys(job: PlannedJob, unknown: list[Finding]) -> list[tuple[str, str, str]]:
    """Where a key is named, the key, and what it encrypts."""
    keys = []
    if key_id := job.text(OUTPUT_KEY):
        keys.append((OUTPUT_KEY, key_id, "output"))
    places = [
        (bucket_of(job.text(OUTPUT)), "output"),
        (bucket_of(job.labels_uri if job.request else job.text(LABELS)), "labels"),
        (bucket_of(job.text(MANIFEST)), "input"),
        (bucket_of(job.text(PAGE)), "input"),
        *((bucket, "input") for bucket in job.image_buckets),
    ]
    for bucket, place in dict.fromkeys(places):
        if bucket is None:
            continue
        where = f"default encryption of s3://{bucket}"
        try:
            if key_id := _default_key(job, bucket):
                keys.append((where, key_id, place))
        except Absent:
            continue
        except NotLookedAt as reason:
            finding = not_checked(where, str(reason), fix=reason.fix)
            unknown += [] if finding in unknown else [finding]
    return keys


def _default_key(job: PlannedJob, bucket: str) -> str | None:
    """The key of a bucket's default encryption; None if it is S3's own."""
    answer = job.aws.call("s3", "get_bucket_encryption", Bucket=bucket)
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if str(default.get("SSEAlgorithm")).startswith("aws:kms"):
            key: str = default.get("KMSMasterKeyID") or "alias/aws/s3"
            return key
    return None


def _actors(job: PlannedJob, unknown: list[Finding]) -> list[tuple[str, str, str]]:
    """Role, what it is, and its part, of everybody who touches the job's objects."""
    actors = []
    if job_role := job.text(ROLE):
        actors.append((job_role, "the job role", "job"))
    for function in job.functions if job.request is not None else ():
        if LambdaArn.parse(function.arn) is None:
            continue
        try:
            deployed = deployed_function(job, function)
        except (Absent, NotLookedAt) as reason:
            unknown.append(not_checked(f"role of {function.arn}", str(reason)))
            continue
        if not deployed.assumes_job_role:
            actors.append((deployed.role_arn, f"the {function.part} function", function.part))
    return actors
