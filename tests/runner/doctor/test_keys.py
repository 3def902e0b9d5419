"""Keys: every way a role may be let in, and what is said when it is not."""

import pytest

from tests.runner.doctor.account import (
    ACCOUNT,
    BUCKET,
    FUNCTION_ROLE,
    FUNCTION_ROLE_STATEMENTS,
    JOB_ROLE,
    JOB_ROLE_STATEMENTS,
    allow,
)
from tests.runner.doctor.reports import errors, of, said

pytestmark = pytest.mark.slow

FIVE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
ADMIN = allow("kms:PutKeyPolicy", "*", Principal=ROOT)
FOR_JOB = allow(FIVE, "*", Principal={"AWS": JOB_ROLE})
FOR_FUNCTIONS = allow("kms:Decrypt", "*", Principal={"AWS": FUNCTION_ROLE})
LEFT_TO_IAM = allow("kms:*", "*", Principal=ROOT)
THROUGH_S3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
THROUGH_SQS = {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}


def roles_may_use_keys(account, condition=THROUGH_S3):
    use = allow(FIVE, "*", Condition=condition)
    account.job_role_may(*JOB_ROLE_STATEMENTS, use)
    account.functions_may(*FUNCTION_ROLE_STATEMENTS, use)


def test_a_key_policy_may_name_the_roles(account, examined):
    account.key(ADMIN, FOR_JOB, FOR_FUNCTIONS)
    report = examined(account)
    assert errors(report) == set()
    assert said(report, "warning") == set()


def test_a_key_policy_may_leave_it_to_the_roles_policies(account, examined):
    account.key(LEFT_TO_IAM)
    roles_may_use_keys(account)
    assert errors(examined(account)) == set()


def test_a_grant_may_let_a_role_in(account, examined):
    arn = account.key(ADMIN, FOR_JOB)
    account.kms.create_grant(KeyId=arn, GranteePrincipal=FUNCTION_ROLE, Operations=["Decrypt"])
    assert errors(examined(account)) == set()


@pytest.mark.parametrize(
    ("statements", "condition", "closed"),
    [
        pytest.param([ADMIN, FOR_FUNCTIONS], THROUGH_S3, JOB_ROLE, id="job-role"),
        pytest.param([ADMIN, FOR_JOB], THROUGH_S3, FUNCTION_ROLE, id="functions"),
        pytest.param([LEFT_TO_IAM, FOR_JOB], THROUGH_SQS, FUNCTION_ROLE, id="other-service"),
        pytest.param(
            [ADMIN, allow("kms:Decrypt", "*", Principal={"AWS": JOB_ROLE}), FOR_FUNCTIONS],
            THROUGH_S3, JOB_ROLE, id="decrypt-only",
        ),
    ],
)  # fmt: skip
def test_a_role_that_is_not_let_in_is_an_error(statements, condition, closed, account, examined):
    account.key(*statements)
    roles_may_use_keys(account, condition)
    found = of(examined(account), "key-closed")
    assert found
    assert all(finding["where"].endswith(closed) for finding in found)
    assert all('"kms:Decrypt"' in finding["fix"] for finding in found)


def test_a_key_that_is_not_there(account, examined):
    account.request["OutputConfig"]["KmsKeyId"] = "alias/no-such-key"
    assert ("keys", "key-absent") in errors(examined(account))


def test_a_key_that_is_switched_off(account, examined):
    arn = account.key(LEFT_TO_IAM, FOR_JOB, FOR_FUNCTIONS)
    account.kms.disable_key(KeyId=arn.rpartition("/")[2])
    assert errors(examined(account)) == {("keys", "key-state")}


def test_the_key_of_a_bucket_counts_too(account, examined):
    arn = account.key(ADMIN)
    del account.request["OutputConfig"]["KmsKeyId"]
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    account.s3.put_bucket_encryption(
        Bucket=BUCKET,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]},
    )
    assert errors(examined(account)) == {("keys", "key-closed")}
