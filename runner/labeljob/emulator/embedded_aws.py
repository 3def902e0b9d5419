"""The AWS services that the functions call, at one address and in memory.

They are moto's, but for SageMaker's labeling jobs, which moto does not know.
"""

from __future__ import annotations

import http.client
import json
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Any, Self, TypeAlias

from groundtruth.storage.s3 import split_uri
from labeljob.emulator.function import EmulatorError

LOCALHOST = "127.0.0.1"

_DESCRIBE = "SageMaker.DescribeLabelingJob"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/")

Address: TypeAlias = tuple[str, int]
Permitted: TypeAlias = Callable[[str, str], bool]
"""Whether an access key may describe a labeling job, of which the name is given."""


def allow_everybody(access_key: str, job: str) -> bool:
    """Let every access key describe every job."""
    return True


@contextmanager
def serve_labeling_jobs(
    jobs: Mapping[str, Mapping[str, Any]], permitted: Permitted = allow_everybody
) -> Iterator[str]:
    """Answer DescribeLabelingJob, and nothing else, within a ``with`` block; yields the URL.

    `jobs` are answers by the job's name in lower case; any other job does not exist. `permitted`
    says who may ask, by the access key of the request and the job's name as it was asked for.
    """
    with _serve(_describe(jobs, permitted), (LOCALHOST, 0)) as (host, port):
        yield f"http://{host}:{port}"


def _describe(
    jobs: Mapping[str, Mapping[str, Any]], permitted: Permitted
) -> Callable[..., Iterable[bytes]]:
    """A WSGI application that is SageMaker, as far as DescribeLabelingJob goes."""
    from werkzeug import Request, Response

    def answer(request: Request) -> Mapping[str, Any]:
        if request.headers.get("X-Amz-Target") != _DESCRIBE:
            return _refusal("UnknownOperationException", "only DescribeLabelingJob is answered")
        name = str(request.get_json(force=True)["LabelingJobName"])
        credential = _CREDENTIAL.search(request.headers.get("Authorization", ""))
        if not permitted(credential[1] if credential else "", name):
            return _refusal("AccessDeniedException", f"you may not describe {name}")
        if name.lower() not in jobs:
            return _refusal("ResourceNotFound", f"There is no labeling job {name}")
        return {"LabelingJobName": name, **jobs[name.lower()]}

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = answer(Request(environ))
        response = Response(
            json.dumps(body),
            HTTPStatus.BAD_REQUEST if "__type" in body else HTTPStatus.OK,
            content_type="application/x-amz-json-1.1",
        )
        return response(environ, start_response)

    return application


def _refusal(code: str, message: str) -> dict[str, str]:
    return {"__type": code, "message": message}


class EmbeddedAws:
    """S3, STS and SageMaker's labeling jobs, empty at first, within a ``with`` block.

    A process can have one at a time: moto keeps its objects once for all its servers. `jobs` and
    `permitted` are as in `serve_labeling_jobs`; port 0 of `address` is any free one. Raises
    `EmulatorError`, on entering, if nothing can listen there.
    """

    def __init__(
        self,
        jobs: Mapping[str, Mapping[str, Any]] | None = None,
        permitted: Permitted = allow_everybody,
        *,
        address: Address = (LOCALHOST, 0),
    ) -> None:
        self._jobs = jobs or {}
        self._permitted = permitted
        self._address = address
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        moto = DomainDispatcherApplication(create_backend_app)
        sagemaker = _describe(self._jobs, self._permitted)

        def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            is_ours = environ.get("HTTP_X_AMZ_TARGET", "").startswith("SageMaker.")
            answer: Iterable[bytes] = (sagemaker if is_ours else moto)(environ, start_response)
            return answer

        with ExitStack() as stack:
            self._address = stack.enter_context(_serve(application, self._address))
            self.post("/moto-api/reset", b"")
            self._client = _s3_client(self.endpoint)
            stack.callback(self._client.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def endpoint(self) -> str:
        """Where all services are."""
        return "http://{}:{}".format(*self._address)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead a function's AWS clients here."""
        return {"AWS_ENDPOINT_URL": self.endpoint}

    def post(self, path: str, body: bytes) -> None:
        """Tell moto itself something, such as whom it is to ask for permissions."""
        connection = http.client.HTTPConnection(*self._address, timeout=10)
        connection.request("POST", path, body)
        connection.getresponse().read()
        connection.close()

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
def _serve(application: Callable[..., Iterable[bytes]], address: Address) -> Iterator[Address]:
    """Serve a WSGI application; where it listens. Raises `EmulatorError`."""
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    try:
        listening = socket.create_server(address)
    except OSError as error:
        host, port = address
        raise EmulatorError(f"Nothing can listen on {host}:{port}: {error.strerror}") from error
    with listening:
        host, port = listening.getsockname()
        server = make_server(host, port, application, threaded=True, fd=listening.fileno())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield host, port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
