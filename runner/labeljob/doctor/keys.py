"""The KMS keys: usable, in the job's Region, and open to the roles that read and write.

Sources: "Encrypt output data and storage volume with AWS KMS" in the SageMaker developer guide,
which names the five actions, and "Key policies" and "Grants" in the KMS developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from labeljob.doctor.aws import Absent, NotLookedAt
from labeljob.doctor.findings import Finding, error, looked_at, ok, warning
from labeljob.doctor.key_access import key_decision
from labeljob.doctor.key_users import KeyUse, key_uses
from labeljob.doctor.planned_job import PlannedJob
from labeljob.doctor.policies import Decision, allow_statement, statements_of


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
        yield from looked_at(f"key {key_id}", partial(_key, job, key_id, of_key))
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
        yield from looked_at(f"{where}: {use.role_arn}", partial(_access, job, key, use, where))


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
    except NotLookedAt:
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
    lacking = [action for action, found in decisions.items() if found is not Decision.ALLOWED]
    unsure = [action for action in lacking if decisions[action] is Decision.UNSURE]
    where = f"{where}: {use.role_arn}"
    if not lacking:
        yield ok(where, f"{use.who} may {_short(use.actions)}")
    elif len(unsure) == len(lacking):
        text = f"whether {use.who} may {_short(unsure)} depends on a condition"
        yield warning("key-unsure", where, text, fix="read the Condition of the key policy")
    elif key.grants is None:
        text = f"no policy lets {use.who} {_short(lacking)}, and its grants may not be listed"
        yield warning("key-unsure", where, text, fix="allow yourself kms:ListGrants")
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
