"""An S3 that fails as it is told to, and handlers that use it."""

from collections.abc import Iterator

import pytest

from tests.faults.faulty_s3 import FaultyS3
from tests.handlers.conftest import jobs_folder, load_handler
from tests.stub_service import serving

__all__ = ("jobs_folder", "load_handler")


@pytest.fixture
def faulty_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """The S3 that every client of the environment reaches; retries do not wait."""
    with serving(FaultyS3()) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", service.endpoint)
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        yield service
