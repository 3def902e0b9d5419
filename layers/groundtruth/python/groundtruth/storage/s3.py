"""Where objects are read and written: S3, or a folder laid out like S3.

The only module that opens an S3 client; `storage.folder` has the folder. `ObjectStore` is what
the rest knows of either.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from groundtruth.compat import batched
from groundtruth.errors import StorageError

RENEWED_BEFORE = timedelta(minutes=5)
"""How long before they expire an assumed role's credentials are renewed."""

PIECE_SIZE = 256 * 1024
"""How many bytes are read of a long object at a time."""

BODY_ATTEMPTS = 3
"""How often an object is asked for whose content breaks off on its way."""

_CONNECTIONS = 32

_REMOVED_AT_ONCE = 1000

_REASONS = {
    **dict.fromkeys(("NoSuchKey", "NoSuchBucket", "404", "NotFound"), "not-found"),
    **dict.fromkeys(("AccessDenied", "403", "Forbidden", "AllAccessDisabled"), "access-denied"),
    **dict.fromkeys(("KMS.DisabledException", "KMS.NotFoundException"), "access-denied"),
    **dict.fromkeys(("InvalidBucketName", "InvalidURI", "KeyTooLongError"), "bad-uri"),
}
"""Codes of S3 that stay as they are; any other may pass."""


class ObjectStore(Protocol):
    """Objects by their S3 URI."""

    def read(self, uri: str) -> bytes:
        """Content of an object; raises `StorageError`."""

    def modified(self, uri: str) -> datetime:
        """When an object was last written, in UTC; raises `StorageError`."""

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        """Create or replace an object; raises `StorageError`."""

    def open_lines(self, uri: str) -> Iterator[bytes]:
        """Lines of an object with their ends, one at a time; raises `StorageError`."""

    def write_file(self, uri: str, path: Path, *, content_type: str, kms_key: str | None) -> None:
        """Create or replace an object with a file's content; raises `StorageError`."""

    def list(self, prefix: str) -> Iterator[str]:
        """URIs of the objects whose URI begins with a prefix, in order; raises `StorageError`."""

    def remove(self, uris: Iterable[str]) -> None:
        """Remove objects, those that are there; raises `StorageError`."""

    def acting_as(self, role_arn: str) -> ObjectStore:
        """The same objects, reached with another role's permissions."""


class ObjectVersion(NamedTuple):
    """One object as a listing has it."""

    uri: str
    size: int  # bytes
    version: str  # another one when the content is another


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``; the key is opaque, with any character.

    Raises
    ------
    StorageError
        With reason ``bad-uri`` if it is no S3 URI of an object.
    """
    match = re.fullmatch(r"s3://([^/]+)/(.+)", uri, flags=re.DOTALL)
    if match is None:
        raise StorageError("is not the S3 URI of an object", uri=uri, reason="bad-uri")
    return match[1], match[2]


def role_is_allowed(role_arn: str, pattern: str) -> bool:
    """Whether a role may be assumed: whether its ARN matches the glob, letter for letter."""
    return bool(pattern) and fnmatch.fnmatchcase(role_arn, pattern)


class S3Store:
    """Objects in Amazon S3, or behind any endpoint that speaks its protocol.

    Nothing is opened before the first call. Throttling and server faults are retried by the
    client, six attempts in all. What another process gets of it is a store of its own, which it
    opens once.

    Parameters
    ----------
    role_arn : str, optional
        Role to assume through STS; the caller's own permissions if left out.
    """

    def __init__(self, role_arn: str | None = None) -> None:
        self._role_arn = role_arn
        self._opened: Any = None
        self._valid_until = datetime.max.replace(tzinfo=UTC)
        self._assumed: dict[str, S3Store] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (self._role_arn,)

    @property
    def _client(self) -> Any:
        if self._opened is None or datetime.now(UTC) + RENEWED_BEFORE > self._valid_until:
            self._opened, self._valid_until = _open_client(self._role_arn)
        return self._opened

    def read(self, uri: str) -> bytes:
        """Content of an object; raises `StorageError`."""
        bucket, key = split_uri(uri)
        attempts_left = BODY_ATTEMPTS
        while True:
            try:
                return bytes(self._call(uri, "get_object", Bucket=bucket, Key=key)["Body"])
            except _BrokenOff:
                attempts_left -= 1
                if not attempts_left:
                    raise

    def modified(self, uri: str) -> datetime:
        """When an object was last written, in UTC; raises `StorageError`."""
        bucket, key = split_uri(uri)
        answer = self._call(uri, "head_object", Bucket=bucket, Key=key)
        moment: datetime = answer["LastModified"]
        return moment.astimezone(UTC)

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        """Create or replace an object; raises `StorageError`."""
        self._put(uri, body, content_type, kms_key)

    def open_lines(self, uri: str) -> Iterator[bytes]:
        """Lines of an object with their ends, one at a time; raises `StorageError`."""
        bucket, key = split_uri(uri)
        with (
            _translated(uri, "get_object"),
            closing(self._client.get_object(Bucket=bucket, Key=key)["Body"]) as body,
        ):
            rest = b""
            for piece in body.iter_chunks(PIECE_SIZE):
                *lines, rest = (rest + piece).split(b"\n")
                yield from (line + b"\n" for line in lines)
            if rest:
                yield rest

    def write_file(self, uri: str, path: Path, *, content_type: str, kms_key: str | None) -> None:
        """Create or replace an object with a file's content, 5 GB at most, sent as it is read.

        Raises `StorageError`.
        """
        with path.open("rb") as body:
            self._put(uri, body, content_type, kms_key)

    def list(self, prefix: str) -> Iterator[str]:
        """URIs of the objects whose URI begins with a prefix, in order; raises `StorageError`."""
        return (item.uri for item in self.list_versions(prefix))

    def list_versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """The same with what tells one content from another; raises `StorageError`."""
        bucket, start = split_uri(prefix)
        token: dict[str, str] = {}
        while True:
            page = self._call(prefix, "list_objects_v2", Bucket=bucket, Prefix=start, **token)
            for item in page.get("Contents", ()):
                version = f"{item['ETag']} {item['LastModified'].isoformat()}"
                yield ObjectVersion(f"s3://{bucket}/{item['Key']}", item["Size"], version)
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def remove(self, uris: Iterable[str]) -> None:
        """Remove objects, those that are there; raises `StorageError` if one may not be removed."""
        for bucket, some in groupby(map(split_uri, uris), key=itemgetter(0)):
            for part in batched(some, _REMOVED_AT_ONCE):
                keys = {"Objects": [{"Key": key} for _, key in part], "Quiet": True}
                uri = f"s3://{bucket}/{part[0][1]}"
                answer = self._call(uri, "delete_objects", Bucket=bucket, Delete=keys)
                for error in answer.get("Errors", ()):
                    raise StorageError(
                        f"delete_objects failed: {error.get('Message', error['Code'])}",
                        uri=f"s3://{bucket}/{error['Key']}",
                        reason=_REASONS.get(error["Code"], "unavailable"),
                    )

    def acting_as(self, role_arn: str) -> S3Store:
        """The same objects, reached with another role's permissions; kept between calls."""
        if role_arn not in self._assumed:
            self._assumed[role_arn] = S3Store(role_arn)
        return self._assumed[role_arn]

    def _put(self, uri: str, body: Any, content_type: str, kms_key: str | None) -> None:
        bucket, key = split_uri(uri)
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        self._call(
            uri,
            "put_object",
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
            **encryption,
        )

    def _call(self, uri: str, operation: str, **arguments: Any) -> dict[str, Any]:
        with _translated(uri, operation):
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        if "Body" in answer:
            try:
                with _translated(uri, operation):
                    answer["Body"] = answer["Body"].read()
            except StorageError as error:
                raise _BrokenOff("its content broke off", uri=uri, reason=error.reason) from error
        return answer


@cache
def _unpickle(role_arn: str | None) -> S3Store:
    return S3Store(role_arn)


class _BrokenOff(StorageError):
    """An object's content broke off on its way; the client retries requests, but not these."""


@contextmanager
def _translated(uri: str, operation: str) -> Iterator[None]:
    """Turn the client's errors into `StorageError`."""
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise StorageError(
            f"{operation} failed: {error}", uri=uri, reason=_REASONS.get(code, "unavailable")
        ) from error
    except ParamValidationError as error:
        raise StorageError(f"{operation} failed: {error}", uri=uri, reason="bad-uri") from error
    except BotoCoreError as error:
        raise StorageError(f"{operation} failed: {error}", uri=uri, reason="unavailable") from error


def _open_client(role_arn: str | None) -> tuple[Any, datetime]:
    """An S3 client, and until when its credentials are valid."""
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 6}, max_pool_connections=_CONNECTIONS
    )
    if role_arn is None:
        return boto3.client("s3", config=config), datetime.max.replace(tzinfo=UTC) - RENEWED_BEFORE
    answer = boto3.client("sts", config=config).assume_role(
        RoleArn=role_arn, RoleSessionName="annotation-consolidation"
    )
    credentials = answer["Credentials"]
    client = boto3.client(
        "s3",
        config=config,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    return client, credentials["Expiration"]


STORE_FOLDER_VARIABLE = "GROUNDTRUTH_STORE_FOLDER"
"""Variable that names a folder to use instead of S3: how a job runs on one machine."""


def open_store(environ: Mapping[str, str]) -> ObjectStore:
    """The store that the environment names: a folder, or S3."""
    from groundtruth.storage.folder import FolderStore  # which imports this module

    folder = environ.get(STORE_FOLDER_VARIABLE, "")
    return FolderStore(Path(folder)) if folder else S3Store()
