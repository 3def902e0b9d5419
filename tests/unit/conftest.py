"""Services on the loopback interface that fail as they are told to."""

from collections.abc import Iterator

import pytest

from tests.stub_service import StubService, serving


@pytest.fixture
def stub_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubService]:
    """The S3 that every client of the environment reaches; retries do not wait."""
    with serving(StubService()) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", service.endpoint)
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        yield service


@pytest.fixture
def stub_sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubService]:
    """The SageMaker that every client of the environment reaches; retries do not wait."""
    with serving(StubService()) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", service.endpoint)
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        yield service
