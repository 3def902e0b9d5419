"""What cannot be looked at is said, and nothing is silently well."""

import json

import boto3
import pytest
import typer
from typer.testing import CliRunner

import labeljob.jobs.request
from labeljob.commands.doctor import doctor
from labeljob.doctor.findings import exit_code
from labeljob.doctor.findings import not_checked as not_checked_finding
from tests.runner.command_line import run
from tests.runner.doctor.account import PAGES, STACK
from tests.runner.doctor.reports import errors, not_checked, of
from tests.runner.labeling_requests import good_request
from tests.stub_service import StubService, s3_error, serving

pytestmark = pytest.mark.slow

SUBJECTS_OF_AWS = {
    "functions", "work", "job role", "function roles", "buckets", "keys", "labels", "manifest",
    "images", "worker page",
}  # fmt: skip


@pytest.fixture
def job_file(tmp_path):
    file = tmp_path / "job.json"
    file.write_text(json.dumps(good_request()), encoding="utf-8")
    return file


def report_of(*arguments):
    result = run(doctor, *arguments, "--json")
    return json.loads(result.stdout), result.exit_code


def test_offline_everything_of_aws_is_named_as_not_checked(job_file):
    report, code = report_of(job_file, "--offline")
    assert code == 0
    assert not_checked(report) == SUBJECTS_OF_AWS


def test_offline_local_files_are_looked_at(job_file, tmp_path):
    manifest = tmp_path / "input.manifest"
    manifest.write_text('{"source-ref": "s3://birds/1.png"}\n{\n', encoding="utf-8")
    labels = tmp_path / "labels.json"
    labels.write_text('{"labels": [{"label": "a"}, {"label": "a"}]}', encoding="utf-8")
    report, code = report_of(
        job_file,
        "--offline",
        f"--manifest={manifest}",
        f"--label-categories={labels}",
        f"--ui-template={PAGES / 'semantic_segmentation.liquid.html'}",
    )
    assert code == 1
    assert errors(report) == {
        ("manifest", "line-unreadable"),
        ("labels", "labels"),
        ("worker page", "page-element"),
    }
    (finding,) = of(report, "line-unreadable")
    assert finding["where"] == f"{manifest}:2"


def test_without_permission_nothing_is_well(job_file, monkeypatch):
    with serving(StubService()) as service:
        service.replies = [s3_error(403, "AccessDenied")]
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.endpoint)
        report, code = report_of(job_file)
    assert code == 3
    assert not_checked(report) == SUBJECTS_OF_AWS


def test_without_a_connection_nothing_is_well(job_file, monkeypatch):
    with serving(StubService()) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.endpoint)
    report, code = report_of(job_file)
    assert code == 3
    assert not_checked(report) == SUBJECTS_OF_AWS


@pytest.fixture
def no_credentials(monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)


def last_line(result):
    line = result.stdout.splitlines()[-1]
    assert line.startswith("Not checked: ")
    return line


@pytest.mark.usefixtures("no_credentials")
def test_without_credentials_one_last_line_says_what_was_not_checked(job_file):
    result = run(doctor, job_file)
    assert result.exit_code == 3
    assert result.stdout.count("Not checked") == 1
    assert "Unable to locate credentials" in last_line(result)
    assert "aws sts get-caller-identity" in last_line(result)
    assert all(subject in last_line(result) for subject in SUBJECTS_OF_AWS)
    assert result.stdout.count("Unable to locate credentials") == 1


@pytest.mark.usefixtures("no_credentials")
def test_of_a_stack_that_cannot_be_described_nothing_is_well():
    report, code = report_of("--stack", STACK)
    assert code == 3
    assert not_checked(report) == {"stack", "functions"}
    assert of(report, "ok") == []


@pytest.mark.parametrize("broken", ["profile", "file"])
@pytest.mark.usefixtures("no_credentials")
def test_aws_settings_that_cannot_be_used_are_told_the_same_way(
    broken, job_file, monkeypatch, tmp_path
):
    (tmp_path / "config").write_text("[default\nregion" if broken == "file" else "")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    if broken == "profile":
        monkeypatch.setenv("AWS_PROFILE", "nobody")
    labeljob.jobs.request._input_shape.cache_clear()
    result = run(doctor, job_file)
    assert result.exit_code == 3
    assert ("nobody" if broken == "profile" else str(tmp_path / "config")) in last_line(result)


@pytest.mark.usefixtures("no_credentials")
def test_an_error_counts_more_than_what_was_not_checked(job_file):
    request = good_request() | {"LabelAttributeName": "birds-ref"}
    job_file.write_text(json.dumps(request), encoding="utf-8")
    result = run(doctor, job_file)
    assert result.exit_code == 1
    assert "Unable to locate credentials" in last_line(result)


@pytest.mark.parametrize(
    ("denied", "told"),
    [
        ("LAMBDA", "functions, function roles, keys (you may not call lambda:GetFunctionConfig"),
        ("SAGEMAKER", "work (you may not call sagemaker:DescribeLabelingJob; allow yourself "),
        ("S3", "buckets (you may not call s3:ListBucket; allow yourself s3:ListBucket, or run"),
        ("S3", "keys (you may not call s3:GetEncryptionConfiguration; allow yourself "),
        ("S3", "labels, manifest, worker page (you may not call s3:GetObject; allow yourself "),
    ],
)
def test_a_call_that_is_denied_is_named_with_what_allows_it(
    denied, told, account, job_file, monkeypatch
):
    with serving(StubService()) as service:
        service.replies = [s3_error(403, "AccessDenied")]
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{denied}", service.endpoint)
        job_file.write_text(json.dumps(account.request), encoding="utf-8")
        result = run(doctor, job_file)
    assert result.exit_code == 3
    assert told in last_line(result)
    assert ("buckets" in last_line(result)) is (denied == "S3")


def test_expired_credentials_are_told_as_what_they_are(job_file, monkeypatch):
    with serving(StubService()) as service:
        service.replies = [s3_error(400, "ExpiredToken")]
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.endpoint)
        result = run(doctor, job_file)
    assert result.exit_code == 3
    assert "aws sts get-caller-identity" in last_line(result)


def test_what_the_options_leave_out_is_told_and_no_failure(job_file):
    result = run(doctor, job_file, "--offline")
    assert result.exit_code == 0
    assert "--offline" in last_line(result)
    assert all(subject in last_line(result) for subject in SUBJECTS_OF_AWS)


def test_a_sample_is_no_failure_and_what_nobody_left_out_is():
    left_out = not_checked_finding("images", "50 of 60 images", by_choice=True)
    denied = not_checked_finding("keys", "you may not call kms:DescribeKey")
    assert exit_code([("images", left_out)]) == 0
    assert exit_code([("images", left_out), ("keys", denied)]) == 3


@pytest.mark.parametrize(
    "text", [pytest.param("{", id="not-json"), pytest.param("[]", id="no-request")]
)
def test_a_file_that_holds_no_request_is_a_mistake_of_usage(text, tmp_path):
    file = tmp_path / "job.json"
    file.write_text(text, encoding="utf-8")
    assert run(doctor, file).exit_code == 2


def test_something_must_be_named(job_file):
    assert run(doctor).exit_code == 2
    assert run(doctor, job_file.parent / "none.json").exit_code == 2
    assert run(doctor, "--stack=x", f"--manifest={job_file}").exit_code == 2


def test_a_finding_cannot_control_the_terminal(tmp_path):
    request = good_request(manifest_uri="s3://bucket/\x1b[31mred.manifest")
    file = tmp_path / "job.json"
    file.write_text(json.dumps(request), encoding="utf-8")
    result = run(doctor, file, "--offline")
    assert result.stdout
    assert "\x1b" not in result.stdout


def test_a_request_may_come_from_standard_input():
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(doctor)
    text = json.dumps(good_request())
    result = CliRunner().invoke(app, ["-", "--offline", "--json"], input=text)
    assert result.exit_code == 0
    assert not_checked(json.loads(result.stdout)) == SUBJECTS_OF_AWS


def test_where_lambda_cannot_be_asked_the_stack_tells_the_roles(account, examined, monkeypatch):
    account.deploy()
    account.functions_may({"Effect": "Allow", "Action": "logs:*", "Resource": "*"})
    with serving(StubService()) as service:
        service.replies = [s3_error(403, "AccessDenied")]
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", service.endpoint)
        report = examined(account, "--stack", STACK)
    assert "functions" in not_checked(report)
    assert ("function roles", "permission-missing") in errors(report)
