"""Roles: the simulator is believed where it answers, and the role's policies are read elsewhere."""

import pytest

from labeljob.doctor.findings import Absent, Aws, NotChecked
from labeljob.doctor.roles import Decision, Need, verdict

pytestmark = pytest.mark.slow

ROLE = "arn:aws:iam::111122223333:role/job"
NEED = Need(action="s3:GetObject", resource="arn:aws:s3:::birds/1.jpg", purpose="a test")
READ = {"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}


class PlayedAws(Aws):
    """Answers by operation; every other call is one that cannot be made."""

    def __init__(self, **answers):
        self.answers = {
            "get_caller_identity": {"Account": "111122223333"},
            "get_role": {"Role": {"Arn": ROLE}},
            **answers,
        }

    def call(self, service, operation, **arguments):
        if operation not in self.answers:
            raise NotChecked(operation)
        return self.answers[operation]

    def listed(self, service, operation, key, **arguments):
        return self.call(service, operation, **arguments)


def simulated(decision, **more):
    return {"EvaluationResults": [{"EvalDecision": decision, **more}]}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(simulated("allowed"), Decision.ALLOWED, id="allowed"),
        pytest.param(simulated("explicitDeny"), Decision.DENIED, id="denied"),
        pytest.param(simulated("implicitDeny"), Decision.NOT_ALLOWED, id="not-allowed"),
        pytest.param(
            simulated("implicitDeny", MissingContextValues=["aws:SourceVpc"]),
            Decision.UNSURE,
            id="unknown-context",
        ),
    ],
)
def test_the_simulator_is_believed(answer, expected):
    decision, not_asked = verdict(PlayedAws(simulate_principal_policy=answer), ROLE, NEED)
    assert decision is expected
    assert not_asked == ""


def test_without_the_simulator_attached_and_inline_policies_are_read():
    aws = PlayedAws(
        list_attached_role_policies=[{"PolicyArn": "arn:aws:iam::aws:policy/Read"}],
        get_policy={"Policy": {"DefaultVersionId": "v2"}},
        get_policy_version={"PolicyVersion": {"Document": READ}},
        list_role_policies=[],
    )
    decision, not_asked = verdict(aws, ROLE, NEED)
    assert decision is Decision.ALLOWED
    assert not_asked


def test_a_role_whose_policies_cannot_be_read_is_not_looked_at():
    with pytest.raises(NotChecked):
        verdict(PlayedAws(), ROLE, NEED)


def test_a_role_of_another_account_is_not_looked_at():
    aws = PlayedAws(get_caller_identity={"Account": "999999999999"})
    with pytest.raises(NotChecked):
        verdict(aws, ROLE, NEED)


def test_a_role_of_that_name_with_another_path_is_another_role():
    aws = PlayedAws(get_role={"Role": {"Arn": ROLE.replace("job", "path/job")}})
    with pytest.raises(Absent):
        verdict(aws, ROLE, NEED)
