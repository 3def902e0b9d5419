"""The buckets and the KMS keys: there, in the job's Region, and open to those that use them.

Sources: "CORS permission requirement" (since browsers turn images by their EXIF data, a bucket
without a CORS rule fails the tasks) and "Encrypt output data and storage volume with AWS KMS",
which names the five actions, in the SageMaker developer guide; "Key policies" and "Grants" in the
KMS developer guide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from labeljob.doctor.deployment import deployed_function
from labeljob.doctor.findings import (
    Absent,
    Aws,
    Finding,
    NotChecked,
    checked,
    error,
    not_checked,
    ok,
    warning,
)
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
from labeljob.doctor.roles import (
    Decision,
    Need,
    Question,
    Statement,
    allow_statement,
    decide,
    statements_of,
    verdict,
)
from labeljob.jobs.lambda_arns import LambdaArn

_EXPOSED = "Access-Control-Allow-Origin"
_RULE = {
    "AllowedHeaders": [],
    "AllowedMethods": ["GET"],
    "AllowedOrigins": ["*"],
    "ExposeHeaders": [_EXPOSED],
}


def bucket_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the buckets that the job names."""
    for bucket, what in buckets_of(job).items():
        yield from checked(f"s3://{bucket}", partial(_check_region, job, bucket, what))
    for bucket in job.image_buckets:
        yield from checked(f"s3://{bucket}", partial(_cors, job, bucket))
    if not job.images:
        yield not_checked("CORS", "the manifest tells no bucket of images")


def buckets_of(job: PlannedJob) -> dict[str, str]:
    """The job's buckets, each with what is in it."""
    named = [
        (bucket_of(job.text(MANIFEST)), "the manifest"),
        (bucket_of(job.labels_uri), "the label category file"),
        (bucket_of(job.text(PAGE)), "the worker page"),
        (bucket_of(job.text(OUTPUT)), "the output"),
        *((bucket, "images") for bucket in job.image_buckets),
    ]
    contents: dict[str, list[str]] = {}
    for bucket, what in named:
        if bucket:
            contents.setdefault(bucket, []).append(what)
    return {bucket: ", ".join(what) for bucket, what in contents.items()}


def _check_region(job: PlannedJob, bucket: str, what: str) -> Iterator[Finding]:
    try:
        region = job.aws.call("s3", "head_bucket", Bucket=bucket).get("BucketRegion")
    except Absent:
        fix = f"aws s3 mb s3://{bucket} --region {job.region}, or correct the name"
        yield error("bucket-absent", f"s3://{bucket}", f"does not exist ({what})", fix=fix)
        return
    if region is None:
        yield not_checked(f"s3://{bucket}", "S3 does not tell its Region")
    elif job.region is None:
        yield not_checked(f"s3://{bucket}", f"it is in {region}; the job's Region is not known")
    elif region != job.region:
        text = f"is in {region} and the job runs in {job.region} ({what})"
        fix = f"use a bucket in {job.region}, or create the job and the stack in {region}"
        yield error("bucket-region", f"s3://{bucket}", text, fix=fix)
    else:
        yield ok(f"s3://{bucket}", f"is in {region}, as the job ({what})")


def _cors(job: PlannedJob, bucket: str) -> Iterator[Finding]:
    where = f"CORS of s3://{bucket}"
    fix = (
        f"aws s3api put-bucket-cors --bucket {bucket} --cors-configuration "
        f"'{json.dumps({'CORSRules': [_RULE]})}' (it replaces the rules that are there)"
    )
    try:
        rules = job.aws.call("s3", "get_bucket_cors", Bucket=bucket)["CORSRules"]
    except Absent:
        yield error("cors-missing", where, "has no rule, so worker pages cannot show it", fix=fix)
        return
    fitting = [rule for rule in rules if _lets_everybody_read(rule)]
    if not fitting:
        text = "no rule lets every origin (*) GET, so worker pages cannot show its images"
        yield error("cors-missing", where, text, fix=fix)
    elif not any(_EXPOSED in rule.get("ExposeHeaders", ()) for rule in fitting):
        text = f"the rule does not expose {_EXPOSED}, as AWS asks for"
        yield warning("cors-headers", where, text, fix=fix)
    else:
        yield ok(where, "lets every origin GET")


def _lets_everybody_read(rule: dict[str, Any]) -> bool:
    return "GET" in rule.get("AllowedMethods", ()) and "*" in rule.get("AllowedOrigins", ())


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
            previous = uses.get((key_id, role_arn))
            if actions and (previous is None or len(actions) > len(previous.actions)):
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
            return _WRITE if job.task is not None and job.task.label_is_mask else _READ
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
        except NotChecked as reason:
            finding = not_checked(where, reason)
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
        except (Absent, NotChecked) as reason:
            unknown.append(not_checked(f"role of {function.arn}", reason))
            continue
        if not deployed.assumes_job_role:
            actors.append((deployed.role_arn, f"the {function.part} function", function.part))
    return actors


def key_decision(
    aws: Aws,
    *,
    role_arn: str,
    action: str,
    key_arn: str,
    statements: Sequence[Statement],
    grants: Sequence[Mapping[str, Any]],
    region: str | None,
) -> Decision:
    """Whether a role may do something with a key, through S3."""
    partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
    context = {"kms:CallerAccount": account, "aws:PrincipalArn": role_arn}
    if region:
        domain = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        context["kms:ViaService"] = f"s3.{region}.{domain}"
    asked = Question(action=action, resource=key_arn, principals=(role_arn,), context=context)
    direct = decide(statements, asked)
    if direct in (Decision.DENIED, Decision.ALLOWED) or _granted(grants, role_arn, action):
        return Decision.ALLOWED if direct is not Decision.DENIED else direct
    owners = (f"arn:{partition}:iam::{account}:root", account)
    of_account = Question(
        action=action, resource=key_arn, principals=(role_arn, *owners), context=context
    )
    delegated = decide(statements, of_account)
    if delegated is not Decision.ALLOWED:
        return Decision.UNSURE if direct is Decision.UNSURE else delegated
    need = Need(action=action, resource=key_arn, purpose="the key", context=context)
    return verdict(aws, role_arn, need)[0]


def _granted(grants: Sequence[Mapping[str, Any]], role_arn: str, action: str) -> bool:
    operation = action.removeprefix("kms:")
    return any(
        grant.get("GranteePrincipal") == role_arn
        and operation in grant.get("Operations", ())
        and not grant.get("Constraints")
        for grant in grants
    )


@dataclass(frozen=True, kw_only=True)
class _Key:
    arn: str
    policy: str
    grants: list[dict[str, Any]] | None


def key_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the keys that encrypt the job's objects."""
    uses, unknown = key_uses(job)
    yield from unknown
    for key_id in dict.fromkeys(use.key_id for use in uses):
        of_key = [use for use in uses if use.key_id == key_id]
        yield from checked(f"key {key_id}", partial(_key, job, key_id, of_key))
    if not uses and not unknown:
        yield ok("keys", "no KMS key of yours is involved")


def _key(job: PlannedJob, key_id: str, uses: list[KeyUse]) -> Iterator[Finding]:
    where = f"key {key_id} ({', '.join(dict.fromkeys(use.where for use in uses))})"
    try:
        facts = job.aws.call("kms", "describe_key", KeyId=key_id)["KeyMetadata"]
    except Absent:
        fix = "correct the id, or create the key in the job's Region"
        yield error("key-absent", where, "does not exist in the job's Region", fix=fix)
        return
    yield from _state(job, facts, where)
    if facts.get("KeyManager") == "AWS":
        yield ok(where, "is AWS's own for S3, open to all roles of its account")
        return
    key = _Key(
        arn=facts["Arn"],
        policy=job.aws.call("kms", "get_key_policy", KeyId=facts["Arn"], PolicyName="default")[
            "Policy"
        ],
        grants=_grants(job, facts["Arn"]),
    )
    for use in uses:
        yield from checked(f"{where}: {use.role_arn}", partial(_access, job, key, use, where))


def _state(job: PlannedJob, facts: dict[str, Any], where: str) -> Iterator[Finding]:
    if facts.get("KeyState", "Enabled") != "Enabled":
        fix = f"aws kms enable-key --key-id {facts['Arn']}, or cancel its deletion"
        yield error("key-state", where, f"is {facts['KeyState']}", fix=fix)
    if facts.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        fix = "use a symmetric key"
        yield error("key-kind", where, f"is {facts['KeySpec']}; S3 takes symmetric keys", fix=fix)
    region = facts["Arn"].split(":")[3]
    if job.region not in (None, region):
        text = f"is in {region} and the job runs in {job.region}"
        yield error("key-region", where, text, fix=f"use a key in {job.region}")


def _grants(job: PlannedJob, arn: str) -> list[dict[str, Any]] | None:
    """Grants of a key; None where they may not be listed, since policies may be enough."""
    try:
        return job.aws.listed("kms", "list_grants", "Grants", KeyId=arn)
    except NotChecked:
        return None


def _access(job: PlannedJob, key: _Key, use: KeyUse, where: str) -> Iterator[Finding]:
    decisions = {
        action: key_decision(
            job.aws,
            role_arn=use.role_arn,
            action=action,
            key_arn=key.arn,
            statements=statements_of(key.policy),
            grants=key.grants or (),
            region=job.region,
        )
        for action in use.actions
    }
    lacking = [action for action, decision in decisions.items() if decision is not Decision.ALLOWED]
    unsure = [action for action in lacking if decisions[action] is Decision.UNSURE]
    where = f"{where}: {use.role_arn}"
    if not lacking:
        yield ok(where, f"{use.who} may {_short(use.actions)}")
    elif len(unsure) == len(lacking):
        text = f"whether {use.who} may {_short(unsure)} depends on a condition"
        yield warning("key-unsure", where, text, fix="read the Condition of the key policy")
    elif key.grants is None:
        text = f"no policy lets {use.who} {_short(lacking)}, and its grants may not be listed"
        yield not_checked(where, text, fix="allow yourself kms:ListGrants")
    else:
        missing = [action for action in lacking if action not in unsure]
        text = f"{use.who} may not {_short(missing)}"
        yield error("key-closed", where, text, fix=_fix(key, use))


def _fix(key: _Key, use: KeyUse) -> str:
    """The statement of the key policy, and the stack's parameter where that is the way."""
    statement = allow_statement(use.asked_for, ["*"], Principal={"AWS": use.role_arn})
    fix = f"add this statement to the key policy (aws kms put-key-policy):\n{statement}"
    if use.of_function:
        return f"deploy the stack with KmsKeyArn={key.arn}; or {fix}"
    return fix


def _short(actions: tuple[str, ...] | list[str]) -> str:
    return ", ".join(actions)
