"""Each permission and each place broken in turn: the finding that names it appears."""

import json

import pytest

from labeljob.tasks.registry import find_job_type
from tests.runner.doctor.account import (
    BUCKET,
    FUNCTION_ROLE,
    FUNCTION_ROLE_STATEMENTS,
    JOB_ROLE,
    JOB_ROLE_STATEMENTS,
    STACK,
    allow,
    trust,
)
from tests.runner.doctor.reports import errors, of, said

pytestmark = pytest.mark.slow

INVOKE, OBJECTS, LIST = JOB_ROLE_STATEMENTS
DESCRIBE, FUNCTION_OBJECTS = FUNCTION_ROLE_STATEMENTS
SAGEMAKER = trust(Service="sagemaker.amazonaws.com")
DENY = {"Effect": "Deny", "Action": "s3:Put*", "Resource": f"arn:aws:s3:::{BUCKET}/out/*"}


def other_region(account):
    import boto3

    client = boto3.client("s3", region_name="eu-west-1")
    place = {"LocationConstraint": "eu-west-1"}
    client.create_bucket(Bucket="birds-elsewhere", CreateBucketConfiguration=place)
    client.close()
    account.request["OutputConfig"]["S3OutputPath"] = "s3://birds-elsewhere/out"


def assumes(
    account, *, pattern="arn:aws:iam::*:role/service/*", trusted=FUNCTION_ROLE, labels=True
):
    """An ACS function that assumes the job's role, with all that this needs but what is given."""
    account.job_role_trusts(SAGEMAKER, trust(AWS=trusted))
    file = account.request["LabelCategoryConfigS3Uri"].removeprefix("s3://")
    # A PRE function assumes no role: its own reads the label category file.
    pre = [allow("s3:GetObject", f"arn:aws:s3:::{file}")] if labels else []
    account.functions_may(DESCRIBE, allow("sts:AssumeRole", JOB_ROLE), *pre)
    for part in ("PRE", "ACS"):
        account.environment(part, ASSUME_JOB_ROLE="true", JOB_ROLE_ARN_PATTERN=pattern)


def does_not_exist(account):
    account.request["RoleArn"] = JOB_ROLE.replace("Job", "Nobody")


def nothing(account):
    account.request["OutputConfig"]["S3OutputPath"] = "s3://birds-nowhere/out"


BROKEN = {
    "no-invoke": (lambda a: a.job_role_may(OBJECTS, LIST), "job role", "permission-missing"),
    "no-objects": (lambda a: a.job_role_may(INVOKE, LIST), "job role", "permission-missing"),
    "no-list": (lambda a: a.job_role_may(INVOKE, OBJECTS), "job role", "permission-missing"),
    "denied": (
        lambda a: a.job_role_may(*JOB_ROLE_STATEMENTS, DENY), "job role", "permission-denied"
    ),
    "no-trust": (
        lambda a: a.job_role_trusts(trust(Service="ec2.amazonaws.com")), "job role", "trust-missing"
    ),
    "no-role": (does_not_exist, "job role", "absent"),
    "functions-cannot-read": (
        lambda a: a.functions_may(DESCRIBE), "function roles", "permission-missing"
    ),
    "functions-cannot-describe": (
        lambda a: a.functions_may(FUNCTION_OBJECTS), "function roles", "permission-missing"
    ),
    "function-not-trusted": (
        lambda a: assumes(a, trusted=JOB_ROLE), "function roles", "function-trust-missing"
    ),
    "role-not-in-pattern": (
        lambda a: assumes(a, pattern="arn:aws:iam::*:role/other/*"),
        "function roles",
        "job-role-pattern",
    ),
    "pre-reads-with-its-own-role": (
        lambda a: assumes(a, labels=False), "function roles", "permission-missing"
    ),
    "cors-missing": (
        lambda a: a.s3.delete_bucket_cors(Bucket=BUCKET), "buckets", "cors-missing"
    ),
    "cors-without-get": (lambda a: a.cors(AllowedMethods=["PUT"]), "buckets", "cors-missing"),
    "cors-for-one-site": (
        lambda a: a.cors(AllowedOrigins=["https://example.com"]), "buckets", "cors-missing"
    ),
    "bucket-elsewhere": (other_region, "buckets", "bucket-region"),
    "bucket-absent": (nothing, "buckets", "bucket-absent"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_an_error(name, account, examined):
    break_it, subject, code = BROKEN[name]
    break_it(account)
    report = examined(account)
    assert (subject, code) in errors(report)
    assert all(finding["fix"] for finding in of(report, code))


def test_an_acs_function_that_assumes_the_jobs_role_needs_nothing_else(account, examined):
    assumes(account)
    assert errors(examined(account)) == set()


def test_a_missing_permission_comes_with_its_statement(account, examined):
    account.job_role_may(OBJECTS, LIST)
    found = of(examined(account), "permission-missing")
    statement = json.loads(found[0]["fix"].partition("\n")[2])
    assert statement == allow("lambda:InvokeFunction", account.human["PreHumanTaskLambdaArn"])
    assert len(found) == 2


def test_a_condition_that_is_not_known_is_neither_right_nor_wrong(account, examined):
    condition = {"Bool": {"aws:SecureTransport": "true"}}
    account.job_role_may(INVOKE, {**OBJECTS, "Condition": condition}, LIST)
    report = examined(account)
    assert errors(report) == set()
    assert ("job role", "permission-unsure") in said(report, "warning")


def test_masks_must_be_written_by_the_segmentation_function(good_account, examined):
    account = good_account(find_job_type("semantic-segmentation"))
    account.functions_may(DESCRIBE, allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*"))
    assert errors(examined(account)) == {("function roles", "permission-missing")}


def test_a_cors_rule_without_the_exposed_header_is_a_warning(account, examined):
    account.cors(ExposeHeaders=["ETag"])
    report = examined(account)
    assert errors(report) == set()
    assert ("buckets", "cors-headers") in said(report, "warning")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"OutputBucketName": "other-bucket"}, "outside-the-stack", id="output"),
        pytest.param({"InputBucketName": "other-bucket"}, "outside-the-stack", id="input"),
        pytest.param({"InputBucketName": ""}, "outside-the-stack", id="default"),
        pytest.param({"LabelCategoryKeyPattern": "labels/*"}, "outside-the-stack", id="key"),
        pytest.param({"outputs": {"Other": "x"}}, "output-missing", id="outputs"),
    ],
)
def test_a_stack_that_does_not_fit_the_job(change, code, account, examined):
    account.deploy(**change)
    assert ("stack", code) in errors(examined(account, "--stack", STACK))


def test_a_stack_that_is_not_there(account, examined):
    assert ("stack", "stack-absent") in errors(examined(account, "--stack", "no-such-stack"))
