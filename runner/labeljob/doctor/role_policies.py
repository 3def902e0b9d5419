"""What a role may do: asked of IAM's own simulator, or read out of the role's policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeljob.doctor.aws import Absent, Aws, NotLookedAt
from labeljob.doctor.policies import Decision, Question, Statement, decide, statements_of

SIMULATOR = "iam:SimulatePrincipalPolicy"
_DECISIONS = {"allowed": Decision.ALLOWED, "explicitDeny": Decision.DENIED}


@dataclass(frozen=True, kw_only=True)
class Need:
    """Something a role must be able to do.

    Attributes
    ----------
    action, resource : str
        ``"s3:GetObject"`` and an ARN.
    purpose : str
        What for, such as "the manifest".
    context : mapping of str to str
        Values of condition keys when it is done.
    """

    action: str
    resource: str
    purpose: str
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found about a need.

    Attributes
    ----------
    decision : Decision
        What IAM says, or else the role's own policies.
    not_asked : str or None
        Why IAM's simulator was not asked; None if it was.
    """

    decision: Decision
    not_asked: str | None


def role_of(aws: Aws, role_arn: str) -> dict[str, Any]:
    """IAM's description of a role; raises `Absent` or `NotLookedAt`.

    A role of another account is not looked at: IAM only knows those of the caller's own.
    """
    parts = role_arn.split(":")
    caller = aws.call("sts", "get_caller_identity")["Account"]
    if len(parts) > 4 and parts[4] != caller:
        raise NotLookedAt(f"the role is in account {parts[4]} and you are in {caller}")
    role: dict[str, Any] = aws.call("iam", "get_role", RoleName=_name_of(role_arn))["Role"]
    if role["Arn"] != role_arn:
        raise Absent(f"the role of that name is {role['Arn']}")
    return role


def verdict(aws: Aws, role_arn: str, need: Need) -> Verdict:
    """Whether a role's identity policies let it do something; raises `Absent`, `NotLookedAt`."""
    role_of(aws, role_arn)
    try:
        return Verdict(decision=_simulated(aws, role_arn, need), not_asked=None)
    except NotLookedAt as reason:
        not_asked = str(reason)
        statements = statements_of_role(aws, role_arn)
    question = Question(action=need.action, resource=need.resource, context=need.context)
    return Verdict(decision=decide(statements, question), not_asked=not_asked)


def statements_of_role(aws: Aws, role_arn: str) -> list[Statement]:
    """Statements of a role's attached and inline policies; raises `Absent` or `NotLookedAt`."""
    name = _name_of(role_arn)
    statements = []
    for attached in aws.listed(
        "iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name
    ):
        arn = attached["PolicyArn"]
        version = aws.call("iam", "get_policy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        policy = aws.call("iam", "get_policy_version", PolicyArn=arn, VersionId=version)
        statements += statements_of(policy["PolicyVersion"]["Document"])
    for inline in aws.listed("iam", "list_role_policies", "PolicyNames", RoleName=name):
        policy = aws.call("iam", "get_role_policy", RoleName=name, PolicyName=inline)
        statements += statements_of(policy["PolicyDocument"])
    return statements


def trusts(role: Mapping[str, Any], principals: tuple[str, ...]) -> Decision:
    """Whether a role's trust policy lets a principal, by any of its names, assume it."""
    statements = statements_of(role.get("AssumeRolePolicyDocument"))
    question = Question(action="sts:AssumeRole", resource=role["Arn"], principals=principals)
    return decide(statements, question)


def _simulated(aws: Aws, role_arn: str, need: Need) -> Decision:
    context = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in need.context.items()
    ]
    answer = aws.call(
        "iam",
        "simulate_principal_policy",
        PolicySourceArn=role_arn,
        ActionNames=[need.action],
        ResourceArns=[need.resource],
        ContextEntries=context,
    )
    if not answer.get("EvaluationResults"):
        raise NotLookedAt(f"{SIMULATOR} gives no result")
    result = answer["EvaluationResults"][0]
    decision = _DECISIONS.get(result["EvalDecision"], Decision.NOT_ALLOWED)
    if result.get("MissingContextValues") and decision is Decision.NOT_ALLOWED:
        return Decision.UNSURE
    return decision


def _name_of(role_arn: str) -> str:
    return role_arn.rpartition("/")[2]
