"""The six functions loaded from their files, with S3 in memory behind the real client."""

import importlib.util
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import boto3
import pytest
from moto import mock_aws

BUCKET = "example-groundtruth-bucket"

_numbers = itertools.count()

Handler: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class LambdaContext:
    """What Powertools reads of a function's context."""

    function_name: str = "example"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:111122223333:function:example"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"
    seconds_left: float = 60
    begun_at: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return int((self.seconds_left + self.begun_at - time.monotonic()) * 1000)


@pytest.fixture
def load_handler(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Handler]:
    """Import functions/<name>/app.py afresh, in an environment of the given variables."""

    def load(name: str, **variables: str) -> Handler:
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", name)
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        path = checkout / "functions" / name / "app.py"
        spec = importlib.util.spec_from_file_location(f"{name}_{next(_numbers)}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return lambda event, **known: module.lambda_handler(event, LambdaContext(**known))

    return load


@pytest.fixture
def jobs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of job descriptions in place of SageMaker; empty."""
    folder = tmp_path / "jobs"
    folder.mkdir()
    monkeypatch.setenv("GROUNDTRUTH_JOBS_FOLDER", str(folder))
    return folder


@pytest.fixture
def s3() -> Iterator[Any]:
    """A client of an S3 in memory that holds the examples' empty bucket."""
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def put(s3: Any) -> Callable[[str, Any], None]:
    """Write bytes, or a value as JSON, to an S3 URI."""

    def write(uri: str, content: Any) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        s3.put_object(Bucket=bucket, Key=key, Body=body)

    return write


@pytest.fixture
def get(s3: Any) -> Callable[[str], bytes]:
    """Read an object by its S3 URI."""

    def read(uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    return read
