"""Whether a role may use a KMS key: by key policy, grant, or IAM where the key leaves it to IAM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labeljob.doctor.aws import Aws
from labeljob.doctor.policies import Decision, Question, Statement, decide
from labeljob.doctor.role_policies import Need, verdict


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
    """Whether a role may do something with a key, through S3.

    Parameters
    ----------
    aws : Aws
        Where IAM is asked, if the key policy leaves the decision to the account.
    role_arn, action, key_arn : str
        Who, what and with which key.
    statements : sequence of mapping
        Those of the key policy.
    grants : sequence of mapping
        The key's grants.
    region : str or None
        Where the job runs; it goes into the context as ``kms:ViaService``.

    Raises
    ------
    Absent, NotLookedAt
        If IAM has to be asked and cannot be.
    """
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
    return verdict(aws, role_arn, need).decision


def _granted(grants: Sequence[Mapping[str, Any]], role_arn: str, action: str) -> bool:
    operation = action.removeprefix("kms:")
    return any(
        grant.get("GranteePrincipal") == role_arn
        and operation in grant.get("Operations", ())
        and not grant.get("Constraints")
        for grant in grants
    )
