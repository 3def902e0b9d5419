"""An S3 and CloudFormation server on the loopback interface, a browser, a demonstration."""

import os
import shutil
from pathlib import Path

import boto3
import pytest
from moto import backends
from moto.server import ThreadedMotoServer

from tests.runner.command_line import run

INSTALLED_HERE = Path(__file__).resolve().parents[2] / ".tools/chromium/run"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", str(INSTALLED_HERE))
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find_program() -> str | None:
    """The browser's program on this machine."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@pytest.fixture(scope="session")
def aws_server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    names = list(backends.list_of_moto_modules())
    with pytest.MonkeyPatch.context() as patch:
        # It would look at each of its folders with every request.
        patch.setattr(backends, "list_of_moto_modules", lambda: names)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def aws_endpoint(aws_server, monkeypatch):
    """The server's URL; the environment leads every AWS client to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return aws_server


@pytest.fixture
def s3_server(aws_endpoint):
    """A client of the server's S3, which is emptied after the test."""
    client = boto3.client("s3")
    yield client
    for bucket in client.list_buckets()["Buckets"]:
        for item in client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            client.delete_object(Bucket=bucket["Name"], Key=item["Key"])
        client.delete_bucket(Bucket=bucket["Name"])
    client.close()


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    program = find_program()
    if program is None:
        missing = "needs Chromium: run `make chromium`, or on Debian `apt-get install chromium`"
        pytest.fail(missing) if "CI" in os.environ else pytest.skip(missing)
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `labeljob demo` writes; tests of the group "demonstration" share it."""
    from labeljob.commands.demo import demo  # for these tests alone

    output = tmp_path_factory.mktemp("demonstration") / "demo-output"
    result = run(demo, "--output", output)
    assert result.exit_code == 0, result.stderr
    return output
