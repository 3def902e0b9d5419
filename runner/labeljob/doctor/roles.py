"""What the roles of a job and of the functions may do, by IAM's simulator or by a small evaluator.

The evaluator knows Allow and Deny, wildcards, and a few conditions. Source: "Policy evaluation
logic" and "IAM JSON policy elements" in the IAM user guide. What it does not know (a condition on
a key without a known value, an operator other than those of `_OPERATORS`, a policy variable) makes
a decision `UNSURE`, never silently allowed or denied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cache, partial
from typing import Any, TypeAlias

from groundtruth.storage.s3 import role_is_allowed
from labeljob.doctor.deployment import DeployedFunction, deployed_function
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
    PAGE,
    ROLE,
    PlannedFunction,
    PlannedJob,
    bucket_of,
    object_arn,
    partition_of,
)
from labeljob.jobs.lambda_arns import LambdaArn

Statement: TypeAlias = Mapping[str, Any]


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


def verdict(aws: Aws, role_arn: str, need: Need) -> tuple[Decision, str]:
    """Whether a role's identity policies let it do something; raises `Absent`, `NotChecked`.

    With the decision comes why IAM's simulator was not asked, which is empty if it was.
    """
    role_of(aws, role_arn)
    try:
        return _simulated(aws, role_arn, need), ""
    except NotChecked as reason:
        not_asked = str(reason)
        statements = statements_of_role(aws, role_arn)
    question = Question(action=need.action, resource=need.resource, context=need.context)
    return decide(statements, question), not_asked


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


def permission_findings(aws: Aws, role_arn: str, needs: Iterable[Need]) -> Iterator[Finding]:
    """A finding for each thing that a role must be able to do."""
    for need in needs:
        yield from checked(f"{role_arn}: {need.action}", partial(_check_need, aws, role_arn, need))


def trust_statement(principal: dict[str, str]) -> str:
    """A statement of a trust policy as JSON."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps(statement)


def _check_need(aws: Aws, role_arn: str, need: Need) -> Iterator[Finding]:
    decision, not_asked = verdict(aws, role_arn, need)
    where = f"{role_arn}: {need.action} on {need.resource}"
    match decision:
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
    if not_asked:
        why = (
            "organization policies, permissions boundaries and most conditions, since "
            f"{SIMULATOR} was not asked ({not_asked}); only the role's policies were read"
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
