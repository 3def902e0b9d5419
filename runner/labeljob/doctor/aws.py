"""Looking at an AWS account: calls that only read, each made once, with short timeouts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from groundtruth.errors import GroundTruthError, StorageError
from groundtruth.storage.s3 import split_uri

_CONNECT_SECONDS = 5
_READ_SECONDS = 20
_ATTEMPTS = 3
_CONNECTIONS = 16
_PIECE = 256 * 1024
_NOT_KEPT = {"head_object"}
_ABSENT = {
    "404", "NotFound", "NoSuchKey", "NoSuchBucket", "NoSuchEntity", "ResourceNotFoundException",
    "NotFoundException", "NoSuchCORSConfiguration", "ResourceNotFound",
    "ServerSideEncryptionConfigurationNotFoundError",
}  # fmt: skip
_NO_SESSION = {
    "400", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId",
    "InvalidClientTokenId", "InvalidSignatureException", "InvalidToken", "RequestExpired",
    "SignatureDoesNotMatch", "UnrecognizedClientException",
}  # fmt: skip
_SESSION = "check credentials (aws sts get-caller-identity), Region and connection"
_DENIED = {"403", "AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedOperation"}
_ACTIONS = {
    "HeadBucket": "ListBucket", "HeadObject": "GetObject", "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
}  # fmt: skip


class NotChecked(GroundTruthError):
    """Something cannot be looked at; the text says why.

    Attributes
    ----------
    fix : str
        What would make it possible.
    """

    def __init__(self, why: str, *, fix: str = "") -> None:
        super().__init__(why)
        self.fix = fix


class Absent(GroundTruthError):
    """Something does not exist."""


class Aws:
    """The account that this machine's AWS settings lead to; `AWS_ENDPOINT_URL` is respected.

    Parameters
    ----------
    region : str, optional
        Region of the job; that of the AWS settings if left out.
    offline : bool, optional
        Whether nothing is asked: every call raises `NotChecked`.
    """

    def __init__(self, region: str | None = None, *, offline: bool = False) -> None:
        self._region = region
        self.offline = offline
        self._clients: dict[str, Any] = {}
        self._answers: dict[str, Any] = {}
        self._opening = threading.Lock()

    def __enter__(self) -> Aws:
        return self

    def __exit__(self, *error: object) -> None:
        for client in self._clients.values():
            client.close()

    def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """Answer of an operation, asked once; raises `Absent` or `NotChecked`."""

        def ask() -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self._client(service), operation)(**arguments)
            return answer

        return self._once(service, operation, arguments, ask)

    def listed(self, service: str, operation: str, key: str, **arguments: Any) -> list[Any]:
        """Items of all pages of an operation; raises `Absent` or `NotChecked`."""

        def ask() -> list[Any]:
            pages = self._client(service).get_paginator(operation).paginate(**arguments)
            return [item for page in pages for item in page.get(key, ())]

        return self._once(service, operation, arguments, ask)

    def body(self, uri: str) -> bytes:
        """Content of an object in S3; raises `Absent` or `NotChecked`."""
        return b"".join(self.lines(uri))

    def lines(self, uri: str) -> Iterator[bytes]:
        """Lines of an object in S3, with their ends; raises `Absent` or `NotChecked`."""
        bucket, key = _split(uri)
        with (
            _translated(self._client, "s3", "get_object"),
            closing(self._client("s3").get_object(Bucket=bucket, Key=key)["Body"]) as body,
        ):
            rest = b""
            for piece in body.iter_chunks(_PIECE):
                *whole, rest = (rest + piece).split(b"\n")
                yield from (line + b"\n" for line in whole)
            if rest:
                yield rest

    def _once[Answer](
        self, service: str, operation: str, arguments: dict[str, Any], ask: Callable[[], Answer]
    ) -> Answer:
        if operation in _NOT_KEPT:
            with _translated(self._client, service, operation):
                return ask()
        asked = json.dumps([service, operation, arguments], sort_keys=True)
        if asked not in self._answers:
            try:
                with _translated(self._client, service, operation):
                    self._answers[asked] = ask()
            except (Absent, NotChecked) as reason:
                self._answers[asked] = reason
        answer = self._answers[asked]
        if isinstance(answer, Absent | NotChecked):
            raise answer
        return answer  # type: ignore[no-any-return]  # what `ask` gave

    def _client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        if self.offline:
            raise NotChecked("--offline was given", fix="leave --offline out")
        with self._opening:
            if service not in self._clients:
                config = Config(
                    connect_timeout=_CONNECT_SECONDS,
                    read_timeout=_READ_SECONDS,
                    max_pool_connections=_CONNECTIONS,
                    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                )
                self._clients[service] = boto3.client(
                    service,  # type: ignore[call-overload]  # its stubs know literal names only
                    region_name=self._region,
                    config=config,
                )
            return self._clients[service]


def own_region() -> str | None:
    """The Region that this machine's AWS settings name; None if they name none."""
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        region: str | None = boto3.session.Session().region_name
    except BotoCoreError:
        return None
    return region


def _split(uri: str) -> tuple[str, str]:
    try:
        return split_uri(uri)
    except StorageError as error:
        raise NotChecked(str(error)) from error


@contextmanager
def _translated(client: Callable[[str], Any], service: str, operation: str) -> Iterator[None]:
    """Turn the errors of a client into those of this module."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", "")) or code
        if code in _ABSENT or (code == "ValidationError" and "does not exist" in message):
            raise Absent(message) from error
        if code in _DENIED:
            action = _action(client, service, operation)
            fix = f"allow yourself {action}, or run this as somebody who may"
            raise NotChecked(f"you may not call {action}", fix=fix) from error
        fix = _SESSION if code in _NO_SESSION else ""
        raise NotChecked(f"{service} answers {code}: {_one_line(message)}", fix=fix) from error
    except ResponseParserError as error:
        raise NotChecked(f"{service} gives an answer that cannot be read") from error
    except (BotoCoreError, ValueError) as error:
        raise NotChecked(_one_line(str(error)), fix=_SESSION) from error


def _action(client: Callable[[str], Any], service: str, operation: str) -> str:
    """What IAM calls an operation."""
    name = client(service).meta.method_to_api_mapping[operation]
    return f"{service}:{_ACTIONS.get(name, name)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
