"""An account in which all is well, SageMaker's own part of it, and the command."""

import http.client
import json
import logging
from functools import partial
from urllib.parse import urlsplit

import boto3
import pytest

from labeljob.commands.doctor import doctor
from tests.runner.command_line import run
from tests.runner.doctor.account import REGION, SERVICES, GoodAccount
from tests.stub_service import Reply, StubService, serving

NO_SUCH_JOB = Reply(
    400,
    b'{"__type": "ResourceNotFound", "message": "There is no such labeling job"}',
    {"Content-Type": "application/x-amz-json-1.1"},
)


@pytest.fixture
def sagemaker(monkeypatch):
    """SageMaker: it has the work team, and no labeling job."""
    with serving(StubService()) as service:
        service.replies = [Reply(200, b"{}"), NO_SUCH_JOB]
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", service.endpoint)
        yield service


@pytest.fixture
def empty_server(aws_endpoint):
    # It logs a stack trace whenever it is asked for what it does not know: IAM's simulator.
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    place = urlsplit(aws_endpoint)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    connection.request("POST", "/moto-api/reset")
    connection.getresponse().read()
    connection.close()


@pytest.fixture(scope="session")
def clients(aws_server):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    made = {
        name: boto3.client(name, region_name=REGION, endpoint_url=aws_server, **keys)
        for name in SERVICES
    }
    yield made
    for client in made.values():
        client.close()


@pytest.fixture
def good_account(empty_server, sagemaker, clients):
    """Makes an account in which all is well, for a job type."""
    return partial(GoodAccount, clients)


@pytest.fixture
def account(good_account):
    return good_account()


@pytest.fixture
def examined(tmp_path):
    """Runs the command for an account's request; returns the JSON that it prints."""

    def examine(account, *options):
        file = tmp_path / "job.json"
        file.write_text(json.dumps(account.request), encoding="utf-8")
        result = run(doctor, file, "--json", *options)
        report = json.loads(result.stdout)
        # moto has no simulator of policies, which is nobody's choice.
        assert result.exit_code == (1 if report["errors"] else 3)
        return report

    return examine
