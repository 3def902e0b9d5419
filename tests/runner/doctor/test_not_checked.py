"""What cannot be looked at is said, and nothing is silently well."""

import json

import pytest
import typer
from typer.testing import CliRunner

from labeljob.commands.doctor import doctor
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
    assert code == 0
    assert not_checked(report) == SUBJECTS_OF_AWS


def test_without_a_connection_nothing_is_well(job_file, monkeypatch):
    with serving(StubService()) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.endpoint)
    report, code = report_of(job_file)
    assert code == 0
    assert not_checked(report) == SUBJECTS_OF_AWS


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
