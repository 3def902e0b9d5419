"""The evaluator of policies: a table of statements and what they say."""

import pytest

from labeljob.doctor.roles import Decision, Question, decide, statements_of

pytestmark = pytest.mark.slow

READ = Question(
    action="s3:GetObject",
    resource="arn:aws:s3:::birds/a.jpg",
    principals=("arn:aws:iam::111122223333:role/job",),
    context={"kms:ViaService": "s3.us-east-1.amazonaws.com"},
)
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
VIA, OTHER = "s3.us-east-1.amazonaws.com", "sqs.us-east-1.amazonaws.com"


def changed(**changes):
    statement = {**ALLOW, **changes}
    return {name: value for name, value in statement.items() if value is not None}


DENY = changed(Effect="Deny")
UNKNOWN = {"Bool": {"aws:SecureTransport": "true"}}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param([], Decision.NOT_ALLOWED, id="nothing"),
        pytest.param([ALLOW], Decision.ALLOWED, id="allow"),
        pytest.param([ALLOW, DENY], Decision.DENIED, id="deny-wins"),
        pytest.param([changed(Action="S3:getobject")], Decision.ALLOWED, id="action-case"),
        pytest.param([changed(Action="s3:GetObjec?")], Decision.ALLOWED, id="one-character"),
        pytest.param([changed(Action="s3:Get")], Decision.NOT_ALLOWED, id="not-a-prefix"),
        pytest.param([changed(Resource="arn:aws:s3:::BIRDS/*")], Decision.NOT_ALLOWED, id="case"),
        pytest.param([changed(Resource="arn:aws:s3:::[b]*")], Decision.NOT_ALLOWED, id="bracket"),
        pytest.param(
            [changed(Resource=None, NotResource="arn:aws:s3:::fish/*")], Decision.ALLOWED, id="not"
        ),
        pytest.param(
            [changed(Action=None, NotAction="s3:Get*")], Decision.NOT_ALLOWED, id="not-action"
        ),
        pytest.param(
            [changed(Principal={"AWS": READ.principals[0]})], Decision.ALLOWED, id="principal"
        ),
        pytest.param(
            [changed(Principal={"AWS": "arn:aws:iam::111122223333:role/else"})],
            Decision.NOT_ALLOWED,
            id="other-principal",
        ),
        pytest.param(
            [changed(Condition={"StringEquals": {"kms:viaservice": [OTHER, VIA]}})],
            Decision.ALLOWED,
            id="known-condition",
        ),
        pytest.param(
            [changed(Condition={"StringLike": {"kms:ViaService": "sqs.*"}})],
            Decision.NOT_ALLOWED,
            id="known-condition-not-met",
        ),
        pytest.param([changed(Condition=UNKNOWN)], Decision.UNSURE, id="unknown-condition"),
        pytest.param([ALLOW, {**DENY, "Condition": UNKNOWN}], Decision.UNSURE, id="perhaps-denied"),
        pytest.param(
            [changed(Resource="arn:aws:s3:::${aws:PrincipalTag/site}/*")],
            Decision.UNSURE,
            id="variable",
        ),
    ],
)
def test_what_statements_say(statements, expected):
    assert decide(statements, READ) is expected


@pytest.mark.parametrize(
    ("document", "n_statements"),
    [
        pytest.param('{"Statement": {"Effect": "Allow"}}', 1, id="one"),
        pytest.param({"Statement": [{}, {}]}, 2, id="parsed"),
        pytest.param("{", 0, id="not-json"),
        pytest.param(None, 0, id="nothing"),
    ],
)
def test_statements_of_a_document(document, n_statements):
    assert len(statements_of(document)) == n_statements
