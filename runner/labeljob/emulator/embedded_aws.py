"""The AWS services that the functions call, on 127.0.0.1 and in memory.

They are moto's, but for SageMaker's labeling jobs, which moto does not know.
"""

from __future__ import annotations

import http.client
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from groundtruth.storage.s3 import split_uri

_DESCRIBE = "SageMaker.DescribeLabelingJob"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/")

type Permitted = Callable[[str, str], bool]
"""Whether an access key may describe a labeling job, of which the name is given."""


def allow_everybody(access_key: str, job: str) -> bool:
    """Let every access key describe every job."""
    return True


@contextmanager
def serve_labeling_jobs(
    jobs: Mapping[str, Mapping[str, Any]], permitted: Permitted = allow_everybody
) -> Iterator[str]:
    """Answer DescribeLabelingJob within a ``with`` block.

    Parameters
    ----------
    jobs : mapping of str to mapping
        Answers by the job's name in lower case. Any other job is one that does not exist.
    permitted : callable, optional
        Who may ask: takes the access key of the request and the job's name as it was asked for.

    Yields
    ------
    str
        The endpoint's URL.
    """

    class Handler(_SageMaker):
        descriptions = jobs
        may = staticmethod(permitted)

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
    may: Permitted

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-Amz-Target"] != _DESCRIBE:
            self._refuse("UnknownOperationException", "only DescribeLabelingJob is answered here")
            return
        name = str(request["LabelingJobName"])
        credential = _CREDENTIAL.search(self.headers.get("Authorization", ""))
        if not self.may(credential[1] if credential else "", name):
            self._refuse("AccessDeniedException", f"you may not describe {name}")
            return
        description = self.descriptions.get(name.lower())
        if description is None:
            self._refuse("ResourceNotFound", f"There is no labeling job {name}")
        else:
            self._answer(HTTPStatus.OK, {"LabelingJobName": name, **description})

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the requests are the function's own business."""

    def _refuse(self, code: str, message: str) -> None:
        self._answer(HTTPStatus.BAD_REQUEST, {"__type": code, "message": message})

    def _answer(self, status: HTTPStatus, answer: Mapping[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class EmbeddedAws:
    """S3, STS and SageMaker's labeling jobs, empty at first, within a ``with`` block.

    A process can have one at a time: moto keeps its objects once for all its servers.

    Parameters
    ----------
    jobs : mapping of str to mapping, optional
        Answers of DescribeLabelingJob by the job's name in lower case. Any other job is one
        that does not exist.
    permitted : callable, optional
        Who may describe labeling jobs; see `serve_labeling_jobs`.
    """

    def __init__(
        self,
        jobs: Mapping[str, Mapping[str, Any]] | None = None,
        permitted: Permitted = allow_everybody,
    ) -> None:
        self._jobs = jobs or {}
        self._permitted = permitted
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._s3_endpoint = stack.enter_context(_moto())
            self._sagemaker_endpoint = stack.enter_context(
                serve_labeling_jobs(self._jobs, self._permitted)
            )
            self._client = _s3_client(self._s3_endpoint)
            stack.callback(self._client.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def endpoint(self) -> str:
        """Where S3, STS, IAM and all else of moto's is."""
        return self._s3_endpoint

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead a function's AWS clients here."""
        return {
            "AWS_ENDPOINT_URL": self._s3_endpoint,
            "AWS_ENDPOINT_URL_SAGEMAKER": self._sagemaker_endpoint,
        }

    def post(self, path: str, body: bytes) -> None:
        """Tell moto itself something, such as whom it is to ask for permissions."""
        host, _, port = self._s3_endpoint.removeprefix("http://").partition(":")
        _post(host, int(port), path, body)

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


def _post(host: str, port: int, path: str, body: bytes = b"") -> None:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("POST", path, body)
    connection.getresponse().read()
    connection.close()


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
        _post(host, port, "/moto-api/reset")
        yield f"http://{host}:{port}"
    finally:
        server.stop()
