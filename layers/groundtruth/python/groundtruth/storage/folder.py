"""Objects in a folder laid out like S3: how a job runs on one machine."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from groundtruth.errors import StorageError
from groundtruth.storage.s3 import ObjectVersion, split_uri

PART_PREFIX = ".part-"
"""How the name of a file that is being written begins; the writing process's id follows."""


class FolderStore:
    """Objects in a folder: ``s3://bucket/key`` is the file ``<folder>/bucket/key``.

    Parameters
    ----------
    folder : Path
        Made on the first write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, uri: str) -> Path:
        """The file of an object, which never lies outside the folder.

        Raises
        ------
        StorageError
            With reason ``bad-uri`` if the key leads out of its bucket's folder.
        """
        bucket, key = split_uri(uri)
        parts = (bucket, *key.split("/"))
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise StorageError("cannot be a file in a folder", uri=uri, reason="bad-uri")
        return self.folder.joinpath(*parts)

    def read(self, uri: str) -> bytes:
        """Content of an object; raises `StorageError`."""
        path = self.path(uri)
        try:
            return path.read_bytes()
        except OSError as error:
            raise _file_error(error, uri) from error

    def modified(self, uri: str) -> datetime:
        """When an object was last written, in UTC; raises `StorageError`."""
        path = self.path(uri)
        try:
            return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        except OSError as error:
            raise _file_error(error, uri) from error

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        """Create or replace an object as one step; raises `StorageError`.

        A reader sees the old file or the new one, never a half-written one. Content type and
        key have no place in a folder and are left out.
        """
        self._replace(uri, lambda part: part.write_bytes(body))

    def open_lines(self, uri: str) -> Iterator[bytes]:
        """Lines of an object with their ends, one at a time; raises `StorageError`."""
        path = self.path(uri)
        try:
            with path.open("rb") as file:
                yield from file
        except OSError as error:
            raise _file_error(error, uri) from error

    def write_file(self, uri: str, path: Path, *, content_type: str, kms_key: str | None) -> None:
        """Create or replace an object with a file's content; as `write` in all else."""
        self._replace(uri, lambda part: shutil.copyfile(path, part))

    def _replace(self, uri: str, fill: Callable[[Path], object]) -> None:
        path = self.path(uri)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{PART_PREFIX}{os.getpid()}-{threading.get_ident()}")
            fill(part)
            part.replace(path)
        except OSError as error:
            raise _file_error(error, uri) from error

    def remove(self, uris: Iterable[str]) -> None:
        """Remove objects, those that are there; raises `StorageError`."""
        for uri in uris:
            try:
                self.path(uri).unlink(missing_ok=True)
            except OSError as error:
                raise _file_error(error, uri) from error

    def remove_parts(self, uri: str) -> None:
        """Remove the half-written files under a folder's URI, as `remove_parts` does."""
        remove_parts(self.path(uri))

    def list(self, prefix: str) -> Iterator[str]:
        """URIs of the objects whose URI begins with a prefix, in order."""
        return (item.uri for item in self.list_versions(prefix))

    def list_versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """The same with what tells one content from another: the time of its last change."""
        bucket, start = split_uri(prefix)
        top, _, name = start.rpartition("/")
        files = _walk(str(self.folder / bucket / top), f"{top}/" if top else "", name)
        for key, status in sorted(files, key=lambda item: item[0]):
            yield ObjectVersion(f"s3://{bucket}/{key}", status.st_size, str(status.st_mtime_ns))

    def acting_as(self, role_arn: str) -> FolderStore:
        """The same folder: a folder knows no roles."""
        return self


def _walk(folder: str, key: str, start: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Keys and status of the files in a folder and below whose name begins with a text."""
    try:
        entries = list(os.scandir(folder))
    except OSError:  # it is not there, or nobody may look into it
        return
    for entry in entries:
        if not entry.name.startswith(start):
            continue
        if entry.is_dir():
            if not entry.is_symlink():
                yield from _walk(entry.path, f"{key}{entry.name}/")
        elif entry.is_file() and not entry.name.startswith(PART_PREFIX):
            yield f"{key}{entry.name}", entry.stat()


def remove_parts(folder: Path, *, deep: bool = True) -> None:
    """Remove the half-written files and folders that processes left which were killed.

    Those of a living process stay, and so does what symbolic links lead to.

    Parameters
    ----------
    folder : Path
        Where they are looked for; need not be there.
    deep : bool, optional
        Whether to look into all folders in it too.
    """
    find = folder.rglob if deep else folder.glob
    for path in list(find(f"{PART_PREFIX}*")):
        pid, dash, _ = path.name.removeprefix(PART_PREFIX).partition("-")
        if not dash or not pid.isdecimal() or path.is_symlink() or _is_alive(int(pid)):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    """Whether a process has the id; where that cannot be asked, it is taken to have it."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _file_error(error: OSError, uri: str) -> StorageError:
    reasons: dict[type[OSError], str] = {
        FileNotFoundError: "not-found",
        NotADirectoryError: "not-found",
        IsADirectoryError: "not-found",
        PermissionError: "access-denied",
    }
    reason = reasons.get(type(error), "unavailable")
    return StorageError(f"{error.strerror} ({error.filename})", uri=uri, reason=reason)
