"""What holds for all tests: no network but this machine's own, and no AWS account."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

NOT_FAST = ("slow", "browser", "built", "deployed")
LOOPBACK = "127.0.0.1,::1,localhost"

_OF_NO_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "SAM_CLI_TELEMETRY": "0",
}
_NOT_TAKEN_OVER = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION",
    "AWS_ROLE",
    "AWS_ENDPOINT_URL",
)

for name in [key for key in os.environ if key.startswith(_NOT_TAKEN_OVER)]:
    del os.environ[name]
os.environ.update(_OF_NO_ACCOUNT)

if "CI" not in os.environ:  # there Hypothesis has a profile of its own, without a deadline too
    settings.register_profile("no-deadline", deadline=None)
    settings.load_profile("no-deadline")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-socket refuse every connection that leaves the machine."""
    config.option.allow_hosts = LOOPBACK
    config.option.allow_unix_socket = True
    gc.disable()  # nothing is garbage yet


def pytest_collection_finish() -> None:
    """Let the garbage collector look at what the tests make, and no more at the tests."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a browser, and as fast those that nothing else marks."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
        if not any(map(item.get_closest_marker, NOT_FAST)):
            item.add_marker(pytest.mark.fast)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Folder of the repository."""
    return Path(__file__).resolve().parent.parent
