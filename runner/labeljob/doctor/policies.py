"""A small evaluator of IAM policies: Allow and Deny, wildcards, and the conditions it knows.

Source: "Policy evaluation logic" and "IAM JSON policy elements" in the IAM user guide. What it
does not know (a condition on a key without a known value, an operator other than those of
`_OPERATORS`, a policy variable) makes a decision `UNSURE`, never silently allowed or denied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cache
from typing import Any

from labeljob.doctor.findings import Absent, Aws, NotChecked

type Statement = Mapping[str, Any]


class Decision(StrEnum):
    """What policies say of an action."""

    ALLOWED = "allowed"
    DENIED = "explicitly denied"
    NOT_ALLOWED = "not allowed"
    UNSURE = "allowed or not, depending on a condition"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What somebody wants to do.

    Attributes
    ----------
    action, resource : str
        ``"s3:GetObject"`` and an ARN.
    principals : tuple of str
        Names by which a statement with a Principal may mean them; empty for the policies of an
        identity, which have none.
    context : mapping of str to str
        Condition keys whose value is known.
    """

    action: str
    resource: str
    principals: tuple[str, ...] = ()
    context: Mapping[str, str] = field(default_factory=dict)


class _Match(Enum):
    NO = 0
    MAYBE = 1
    YES = 2


_YES_OR_NO = {True: _Match.YES, False: _Match.NO}
_OPERATORS = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")


def statements_of(document: Any) -> list[Statement]:
    """Statements of a policy document, whether it is text or parsed; unreadable ones are none."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return []
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    return [statement for statement in _as_list(statements) if isinstance(statement, dict)]


def decide(statements: Iterable[Statement], question: Question) -> Decision:
    """What statements say of a question, by the rule that a Deny wins.

    Examples
    --------
    >>> read = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::birds/*"}
    >>> decide([read], Question(action="s3:GetObject", resource="arn:aws:s3:::birds/1.jpg")).value
    'allowed'
    >>> decide([read], Question(action="s3:PutObject", resource="arn:aws:s3:::birds/1.jpg")).value
    'not allowed'
    """
    strongest = {"Allow": _Match.NO, "Deny": _Match.NO}
    for statement in statements:
        effect = str(statement.get("Effect"))
        if effect in strongest:
            match = _matches(statement, question)
            strongest[effect] = max(strongest[effect], match, key=lambda item: item.value)
    match strongest["Allow"], strongest["Deny"]:
        case _, _Match.YES:
            return Decision.DENIED
        case _Match.NO, _:
            return Decision.NOT_ALLOWED
        case _Match.YES, _Match.NO:
            return Decision.ALLOWED
    return Decision.UNSURE


def allow_statement(actions: Sequence[str], resources: Sequence[str], **more: Any) -> str:
    """A policy statement as JSON, to be pasted into a policy."""
    one_or_all = {
        name: values[0] if len(values) == 1 else list(values)
        for name, values in (("Action", actions), ("Resource", resources))
    }
    return json.dumps({"Effect": "Allow", **more, **one_or_all})


def _matches(statement: Statement, question: Question) -> _Match:
    return min(
        _principal(statement, question),
        _elements(statement, "Action", question.action, ignore_case=True),
        _elements(statement, "Resource", question.resource),
        _conditions(statement.get("Condition"), question.context),
        key=lambda match: match.value,
    )


def _principal(statement: Statement, question: Question) -> _Match:
    if not question.principals:
        return _Match.YES
    for element, wanted in (("Principal", True), ("NotPrincipal", False)):
        if element in statement:
            named = statement[element]
            everybody = named == "*"
            names = (
                [name for kind in named.values() for name in _as_list(kind)]
                if isinstance(named, dict)
                else []
            )
            named_here = everybody or "*" in names or bool(set(names) & set(question.principals))
            return _YES_OR_NO[named_here is wanted]
    return _Match.NO


def _elements(
    statement: Statement, element: str, value: str, *, ignore_case: bool = False
) -> _Match:
    """Whether Action or Resource, or its negation, covers a value; without either, it does."""
    for name, wanted in ((element, True), (f"Not{element}", False)):
        if name in statement:
            patterns = [str(pattern) for pattern in _as_list(statement[name])]
            if any(_like(pattern, value, ignore_case=ignore_case) for pattern in patterns):
                return _YES_OR_NO[wanted]
            if any("${" in pattern for pattern in patterns):
                return _Match.MAYBE
            return _YES_OR_NO[not wanted]
    return _Match.YES


def _conditions(conditions: Any, context: Mapping[str, str]) -> _Match:
    if not conditions:
        return _Match.YES
    if not isinstance(conditions, dict):
        return _Match.MAYBE
    known = {key.lower(): value for key, value in context.items()}
    strongest = _Match.YES
    for operator, tests in conditions.items():
        plain = str(operator).removesuffix("IfExists")
        for key, values in tests.items() if isinstance(tests, dict) else ():
            value = known.get(str(key).lower())
            if plain not in _OPERATORS or value is None:
                strongest = _Match.MAYBE
            elif not any(
                _like(str(p), value) if plain != "StringEquals" else p == value
                for p in _as_list(values)
            ):
                return _Match.NO
    return strongest


def _like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    return _regex(pattern, ignore_case).fullmatch(value) is not None


@cache
def _regex(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    text = "".join(parts.get(char) or re.escape(char) for char in pattern)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


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
    """IAM's description of a role; raises `Absent` or `NotChecked`.

    A role of another account is not looked at: IAM only knows those of the caller's own.
    """
    parts = role_arn.split(":")
    caller = aws.call("sts", "get_caller_identity")["Account"]
    if len(parts) > 4 and parts[4] != caller:
        raise NotChecked(f"the role is in account {parts[4]} and you are in {caller}")
    role: dict[str, Any] = aws.call("iam", "get_role", RoleName=_name_of(role_arn))["Role"]
    if role["Arn"] != role_arn:
        raise Absent(f"the role of that name is {role['Arn']}")
    return role


def verdict(aws: Aws, role_arn: str, need: Need) -> Verdict:
    """Whether a role's identity policies let it do something; raises `Absent`, `NotChecked`."""
    role_of(aws, role_arn)
    try:
        return Verdict(decision=_simulated(aws, role_arn, need), not_asked=None)
    except NotChecked as reason:
        not_asked = str(reason)
        statements = statements_of_role(aws, role_arn)
    question = Question(action=need.action, resource=need.resource, context=need.context)
    return Verdict(decision=decide(statements, question), not_asked=not_asked)


def statements_of_role(aws: Aws, role_arn: str) -> list[Statement]:
    """Statements of a role's attached and inline policies; raises `Absent` or `NotChecked`."""
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
        raise NotChecked(f"{SIMULATOR} gives no result")
    result = answer["EvaluationResults"][0]
    decision = _DECISIONS.get(result["EvalDecision"], Decision.NOT_ALLOWED)
    if result.get("MissingContextValues") and decision is Decision.NOT_ALLOWED:
        return Decision.UNSURE
    return decision


def _name_of(role_arn: str) -> str:
    return role_arn.rpartition("/")[2]
