"""Where a job's files lie: the layout of its folders, and the store they are in."""

from __future__ import annotations

import io
import mimetypes
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, TypeVar

from PIL import Image

from groundtruth.errors import StorageError
from groundtruth.jobs import JOBS_FOLDER_VARIABLE
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import (
    STORE_FOLDER_VARIABLE,
    ObjectStore,
    ObjectVersion,
    S3Store,
)
from labeljob.jobs.description import JobDescription, JobError, description_path, load_description
from labeljob.jobs.image_files import ImageFiles, find_near, spellings
from labeljob.output_files import escape_halves

Found = TypeVar("Found")

LOCAL_OUTPUT = "s3://labeljob/jobs"
"""`S3OutputPath` of jobs in a folder: they are in ``<folder>/labeljob/jobs/<job>``."""

STATE_FOLDER = Path(".labeljob")
"""Where jobs in S3 are described, on this machine."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where jobs are kept."""

    store: ObjectStore  # their files
    output: str  # `S3OutputPath`, without a slash at its end
    jobs: Path  # folder of their descriptions and logs
    environment: Mapping[str, str]  # what a function needs to know of it

    def skill_file(self, name: str) -> Path:
        """Where a job keeps what it learned of its workers."""
        return self.jobs / f"{name.lower()}.skill.json"

    def shown(self, uri: str) -> str:
        """An object as a person finds it: a path, or the URI itself."""
        return str(self.store.path(uri)) if isinstance(self.store, FolderStore) else uri

    def forget(self, description: JobDescription) -> None:
        """Remove a job, so that it can begin anew; raises `JobError`."""
        if not isinstance(self.store, FolderStore):
            raise JobError("--fresh removes nothing from S3; choose another --job-name")
        root = self.store.path(description.layout.root)
        if root.is_dir():
            shutil.rmtree(root)
        description_path(self.jobs, description.name).unlink(missing_ok=True)
        self.skill_file(description.name).unlink(missing_ok=True)


def open_place(output: str, *, endpoint_url: str | None) -> Place:
    """The folder or ``s3://bucket/prefix`` that the command line names; raises `JobError`."""
    if not output.startswith("s3://"):
        if endpoint_url:
            raise JobError("--endpoint-url goes with an output in S3: --output s3://bucket/prefix")
        folder = Path(output).resolve()
        jobs = folder / ".labeling-jobs"
        environment = {STORE_FOLDER_VARIABLE: str(folder), JOBS_FOLDER_VARIABLE: str(jobs)}
        return Place(
            store=FolderStore(folder), output=LOCAL_OUTPUT, jobs=jobs, environment=environment
        )
    if endpoint_url:
        os.environ["AWS_ENDPOINT_URL_S3"] = endpoint_url
    jobs = STATE_FOLDER.resolve() / "jobs"
    return Place(
        store=S3Store(),
        output=output.rstrip("/"),
        jobs=jobs,
        environment={STORE_FOLDER_VARIABLE: "", JOBS_FOLDER_VARIABLE: str(jobs)},
    )


JOBS_FOLDER = ".labeling-jobs"
TABLE = ".parquet"
ANNOTATIONS = "/annotations/"


@dataclass(frozen=True, kw_only=True)
class JobPlace:
    """The folder of one job, `<S3OutputPath>/<JobName>`.

    It is an `ObjectStore` for reading only: whatever is consolidated again is written elsewhere.
    """

    # Its S3 URI, without a slash at its end. Of a copy on disk, whose bucket nobody knows, a URI
    # that stands for it.
    root: str
    store: ObjectStore  # where it is
    is_copy: bool  # whether the URI only stands for a copy on disk
    images: Path | None = None  # folder with copies of the labeled images
    description: JobDescription | None = None  # what `labeljob run` wrote down of the job
    problem: str = ""  # why that could not be read; empty if nothing is wrong
    is_table: bool = False  # whether a Parquet file beside the folder is all there is of the job

    @property
    def table_uri(self) -> str:
        """The Parquet file of a job that `is_table`."""
        return f"{self.root}{TABLE}"

    @property
    def name(self) -> str:
        """The folder's own name, which is the job's unless it was renamed."""
        return self.root.rpartition("/")[2]

    def spell(self, name: str) -> str:
        """A name that metadata have in lower case, as the owner writes it if that is known."""
        name = name.rpartition("/")[2]
        written = self.description.name if self.description else self.name
        return written if written.lower() == name.lower() else name

    def list(self, prefix: str) -> Iterator[str]:
        """URIs of the files under a path of the job, in order; raises `StorageError`."""
        return self.store.list(f"{self.root}/{prefix}")

    def list_versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """The same with sizes and what tells contents apart; raises `StorageError`."""
        if isinstance(self.store, FolderStore | S3Store):
            return self.store.list_versions(f"{self.root}/{prefix}")
        return (ObjectVersion(uri, 0, "") for uri in self.list(prefix))

    def remove_parts(self) -> None:
        """Remove what killed processes left half-written in the job's folder, if it is on disk."""
        if isinstance(self.store, FolderStore):
            self.store.remove_parts(self.root)

    def shown(self, uri: str) -> str:
        """A file of the job as a person finds it: relative to the job's folder."""
        return uri.removeprefix(f"{self.root}/")

    def read(self, uri: str) -> bytes:
        """Content of an object, in the job or out of it; raises `StorageError`.

        A URI of the job's bucket is looked up in the copy, and an image in the folder of images.
        """
        return self._take(uri, self.store.read, Path.read_bytes)

    def open(self, uri: str) -> BinaryIO:
        """The same as a file; of one on this machine only what is asked for is read."""
        return self._take(uri, self._open_object, lambda path: path.open("rb"))

    def _open_object(self, uri: str) -> BinaryIO:
        if isinstance(self.store, FolderStore):
            with suppress(OSError):  # reading says what is wrong
                return self.store.path(uri).open("rb")
        return io.BytesIO(self.store.read(uri))

    def _take(
        self, uri: str, take_object: Callable[[str], Found], take_file: Callable[[Path], Found]
    ) -> Found:
        """Find an object, and take it from the store or from a file outside of it."""
        if escape_halves(uri) != uri:
            raise StorageError("cannot be the name of a file", uri=uri, reason="bad-uri")
        if uri.startswith(f"{self.root}/"):
            return _take_own(uri, take_object)
        if uri.startswith("s3://") and ANNOTATIONS in uri and self.is_copy:
            own = f"{self.root}{ANNOTATIONS}{uri.partition(ANNOTATIONS)[2]}"
            return _take_own(own, take_object)
        if self._image_files is not None and (path := self._image_files.find(uri)) is not None:
            return take_file(path)
        if self.description is not None and "://" not in uri:
            return _take_source(uri, Path(self.description.manifest), take_file)
        if self.is_copy:
            if isinstance(self.store, FolderStore):
                path = find_near(self.store.path(self.root), uri)
                if path is not None:
                    return take_file(path)
            raise StorageError("is not in the copy of the job", uri=uri, reason="not-found")
        return take_object(uri)

    def find_file(self, uri: str) -> Path | None:
        """The file of this machine that an object is; None if there is none, or it is in S3."""
        store = self.store
        if not uri or (not isinstance(store, FolderStore) and self.images is None):
            return None
        in_store = store.path if isinstance(store, FolderStore) else lambda _: None
        with suppress(StorageError, OSError, ValueError):
            path: Path | None = self._take(uri, in_store, lambda file: file)
            if path is not None and path.is_file():
                return path
        return None

    def modified(self, uri: str) -> datetime:
        """When an object was last written, in UTC; raises `StorageError`."""
        return self.store.modified(uri)

    @cached_property
    def _image_files(self) -> ImageFiles | None:
        return ImageFiles(self.images) if self.images else None


def _take_own(uri: str, take: Callable[[str], Found]) -> Found:
    """Take a file of the job, however its name is spelled there."""
    folder, _, name = uri.rpartition("/")
    for other in spellings(name):
        try:
            return take(f"{folder}/{other}")
        except StorageError as error:
            if error.reason != "not-found":
                raise
    raise StorageError("is not there", uri=uri, reason="not-found")


def _take_source(uri: str, manifest: Path, take: Callable[[Path], Found]) -> Found:
    """Take what a manifest's line names to be labeled; a relative path begins at its folder.

    No other file is taken: the manifest may be somebody else's, and exports copy what it names.
    """
    path = manifest.parent / uri
    try:
        if path.exists() and not _can_be_labeled(path):
            raise StorageError("is no image, sound, film or text", uri=uri, reason="not-found")
        return take(path)
    except (OSError, ValueError) as error:
        reason = "not-found" if isinstance(error, FileNotFoundError) else "unavailable"
        text = getattr(error, "strerror", None) or str(error)
        raise StorageError(f"cannot be read ({text})", uri=uri, reason=reason) from error


def _can_be_labeled(path: Path) -> bool:
    """Whether a file is something to look at, listen to or read, by its name or as an image."""
    kind = mimetypes.guess_type(path.name, strict=False)[0] or ""
    if kind.partition("/")[0] in ("image", "audio", "video", "text") or kind == "application/pdf":
        return True
    try:
        with Image.open(path):
            return True
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def find_job(job: str, *, endpoint_url: str | None = None, images: Path | None = None) -> JobPlace:
    """The job that the command line names; raises `JobError`.

    A Parquet file of answers is a job whose folder is beside it, under its name.
    """
    if job.startswith("s3://"):
        if endpoint_url:
            os.environ["AWS_ENDPOINT_URL_S3"] = endpoint_url
        if job.endswith(TABLE):
            root = job.removesuffix(TABLE)
            return JobPlace(root=root, store=S3Store(), is_copy=False, images=images, is_table=True)
        return _described(job.rstrip("/"), S3Store(), STATE_FOLDER / "jobs", images)
    if endpoint_url:
        raise JobError("--endpoint-url goes with a job in S3: s3://bucket/prefix/job")
    folder = Path(job).resolve()
    if folder.suffix == TABLE and folder.is_file():
        folder = folder.with_suffix("")
        root = f"s3://{folder.parent.name}/{folder.name}"
        store = FolderStore(folder.parents[1])
        return JobPlace(root=root, store=store, is_copy=True, images=images, is_table=True)
    if not folder.is_dir():
        raise JobError(f"{job} is no folder of a job")
    if len(folder.parts) < 3:
        raise JobError(f"{job} lies too near the root of the disk for a job's folder")
    for top in folder.parents[1:]:
        if (top / JOBS_FOLDER).is_dir():
            root = f"s3://{folder.relative_to(top).as_posix()}"
            return _described(root, FolderStore(top), top / JOBS_FOLDER, images)
    root = f"s3://{folder.parent.name}/{folder.name}"
    return JobPlace(root=root, store=FolderStore(folder.parents[1]), is_copy=True, images=images)


def _described(root: str, store: ObjectStore, jobs: Path, images: Path | None) -> JobPlace:
    description, problem = None, ""
    try:
        description = load_description(jobs, root.rpartition("/")[2])
    except JobError as error:
        problem = str(error)
    if description is not None and description.layout.root != root:
        description = None
    if images is None and description is not None and description.images:
        images = Path(description.images)
    return JobPlace(
        root=root,
        store=store,
        is_copy=False,
        images=images,
        description=description,
        problem=problem,
    )


class ReadOnly:
    """An `ObjectStore` of a job that was over long ago."""

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

    def remove(self, uris: Iterable[str]) -> None:
        """Refuse; raises `StorageError`."""
        raise StorageError("is not removed: the job is over", uri=str(uris), reason="access-denied")

    def acting_as(self, role_arn: str) -> ReadOnly:
        """The same files: what was stored under a role is read without it."""
        return self
