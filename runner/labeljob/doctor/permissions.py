"""From what a role needs to findings about what it lacks, with the statement that mends it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial

from labeljob.doctor.aws import Aws
from labeljob.doctor.findings import Finding, error, looked_at, not_checked, ok, warning
from labeljob.doctor.policies import Decision, allow_statement
from labeljob.doctor.role_policies import SIMULATOR, Need, verdict


def permission_findings(aws: Aws, role_arn: str, needs: Iterable[Need]) -> Iterator[Finding]:
    """A finding for each thing that a role must be able to do.

    Parameters
    ----------
    aws : Aws
        Where IAM is asked.
    role_arn : str
        The role.
    needs : iterable of Need
        What it must be able to do.
    """
    for need in needs:
        yield from looked_at(f"{role_arn}: {need.action}", partial(_one, aws, role_arn, need))


def trust_statement(principal: dict[str, str]) -> str:
    """A statement of a trust policy as JSON."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps(statement)


def _one(aws: Aws, role_arn: str, need: Need) -> Iterator[Finding]:
    found = verdict(aws, role_arn, need)
    where = f"{role_arn}: {need.action} on {need.resource}"
    match found.decision:
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
    if found.not_asked:
        why = (
            "organization policies, permissions boundaries and most conditions, since "
            f"{SIMULATOR} was not asked ({found.not_asked}); only the role's policies were read"
        )
        yield not_checked(role_arn, why, fix=f"allow yourself {SIMULATOR}")
