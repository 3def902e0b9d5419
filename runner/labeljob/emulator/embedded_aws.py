"""The AWS services that the functions call, on 127.0.0.1 and in memory: S3, STS and SageMaker.

S3 and STS are moto's. moto knows no labeling jobs, so DescribeLabelingJob is answered here.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from groundtruth.storage import split_uri

_DESCRIBE = "SageMaker.DescribeLabelingJob"


class EmbeddedAws:
    """S3, STS and SageMaker's labeling jobs, empty at first, within a ``with`` block.

    A process can have one at a time: moto keeps its objects once for all its servers.

    Parameters
    ----------
    jobs : mapping of str to mapping, optional
        Answers of DescribeLabelingJob by the job's name in lower case. Any other job is one
        that does not exist.
    """

    def __init__(self, jobs: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._jobs = jobs or {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._s3_endpoint = stack.enter_context(_moto())
            self._sagemaker_endpoint = stack.enter_context(_labeling_jobs(self._jobs))
            self._client = _s3_client(self._s3_endpoint)
            stack.callback(self._client.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead a function's AWS clients here."""
        return {
            "AWS_ENDPOINT_URL": self._s3_endpoint,
            "AWS_ENDPOINT_URL_SAGEMAKER": self._sagemaker_endpoint,
        }

    def put(self, uri: str, body: bytes) -> None:
        """Create or replace an object, and its bucket where that is new."""
        bucket, key = split_uri(uri)
        self._client.create_bucket(Bucket=bucket)
        self._client.put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, uri: str) -> bytes:
        """Content of an object."""
        bucket, key = split_uri(uri)
        return bytes(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())

    def uris(self) -> list[str]:
        """All objects there are, in the order of their names."""
        pages = self._client.get_paginator("list_objects_v2")
        return [
            f"s3://{bucket['Name']}/{item['Key']}"
            for bucket in self._client.list_buckets()["Buckets"]
            for page in pages.paginate(Bucket=bucket["Name"])
            for item in page.get("Contents", ())
        ]


def _s3_client(endpoint: str) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@contextmanager
def _moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        _forget_everything(host, port)
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def _forget_everything(host: str, port: int) -> None:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("POST", "/moto-api/reset")
    connection.getresponse().read()
    connection.close()


@contextmanager
def _labeling_jobs(jobs: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    class Handler(_SageMaker):
        descriptions = jobs

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _SageMaker(BaseHTTPRequestHandler):
    descriptions: Mapping[str, Mapping[str, Any]]

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-Amz-Target"] != _DESCRIBE:
            self._answer(HTTPStatus.BAD_REQUEST, {"__type": "UnknownOperationException"})
            return
        name = str(request["LabelingJobName"])
        description = self.descriptions.get(name.lower())
        if description is None:
            problem = {"__type": "ResourceNotFound", "message": f"There is no labeling job {name}"}
            self._answer(HTTPStatus.BAD_REQUEST, problem)
        else:
            self._answer(HTTPStatus.OK, {"LabelingJobName": name, **description})

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the requests are the function's own business."""

    def _answer(self, status: HTTPStatus, answer: Mapping[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
