"""In an account where all is well nothing is wrong, and everything was looked at."""

import pytest

from labeljob.commands.doctor import doctor
from labeljob.tasks.registry import JOB_TYPES
from tests.runner.command_line import run
from tests.runner.doctor.account import STACK
from tests.runner.doctor.reports import errors, not_checked, said

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("task", JOB_TYPES.values())
def test_nothing_is_wrong_and_nothing_was_left_out(good_account, examined, task):
    account = good_account(task)
    account.deploy()
    report = examined(account, "--stack", STACK)
    assert errors(report) == set()
    assert said(report, "warning") == set()
    # moto has no simulator of policies; what only the simulator knows is named.
    assert not_checked(report) == {"job role", "function roles"}
    subjects = {finding["subject"] for finding in report["findings"]}
    assert subjects == {
        "request", "stack", "functions", "work", "job role", "function roles", "buckets", "keys",
        "labels", "manifest", "images", "worker page",
        *(["gold"] if task.is_two_class(("duck", "gull")) else []),
    }  # fmt: skip


def test_a_stack_can_be_looked_at_alone(account):
    outputs = {
        f"{part}{task.aws_name}{what}": account.human["PreHumanTaskLambdaArn"]
        for part in ("Pre", "Acs")
        for task in JOB_TYPES.values()
        for what in ("Arn", "RoleArn")
    }
    account.deploy(outputs=outputs)
    result = run(doctor, "--stack", STACK)
    assert result.exit_code == 0, result.stdout  # all of it was looked at
    assert "0 errors" in result.stdout
