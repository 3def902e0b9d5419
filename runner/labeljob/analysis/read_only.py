"""The job's files as an object store that nothing can be written to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from groundtruth.errors import StorageError
from labeljob.analysis.place import JobPlace


class ReadOnly:
    """An `ObjectStore` of a job that was over long ago.

    Parameters
    ----------
    place : JobPlace
        The job.
    """

    def __init__(self, place: JobPlace) -> None:
        self._place = place

    def read(self, uri: str) -> bytes:
        """Content of an object; raises `StorageError`.

        One that cannot be read now is taken as missing: a replay goes on with the other answers.
        """
        try:
            return self._place.read(uri)
        except StorageError as error:
            raise StorageError("cannot be read", uri=uri, reason="not-found") from error

    def modified(self, uri: str) -> datetime:
        """When an object was last written, in UTC; raises `StorageError`."""
        return self._place.modified(uri)

    def open_lines(self, uri: str) -> Iterator[bytes]:
        """Lines of an object with their ends; raises `StorageError`."""
        yield from self.read(uri).splitlines(keepends=True)

    def list(self, prefix: str) -> Iterator[str]:
        """URIs of the objects whose URI begins with a prefix; raises `StorageError`."""
        return self._place.store.list(prefix)

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        """Refuse; raises `StorageError`."""
        raise StorageError("is not written: the job is over", uri=uri, reason="access-denied")

    def write_file(self, uri: str, path: Path, *, content_type: str, kms_key: str | None) -> None:
        """Refuse; raises `StorageError`."""
        raise StorageError("is not written: the job is over", uri=uri, reason="access-denied")

    def acting_as(self, role_arn: str) -> ReadOnly:
        """The same files: what was stored under a role is read without it."""
        return self
