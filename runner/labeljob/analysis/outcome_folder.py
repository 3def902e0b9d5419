"""Where a replay writes: a folder, or a prefix in S3. Never the job's own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import ObjectStore, S3Store
from labeljob.analysis.place import JobPlace
from labeljob.analysis.read_only import ReadOnly
from labeljob.job.description import JobError

MASKS = "masks"
JOB_FOLDERS = ("annotations", "manifests")


@dataclass(frozen=True)
class OutcomeFolder:
    """A folder for what a replay writes.

    Attributes
    ----------
    store : ObjectStore
        Where it is.
    root : str
        Its URI, without a slash at its end.
    masks_uri : str
        What the manifests call the folder of masks: its URI, or a path from the manifest.
    """

    store: ObjectStore
    root: str
    masks_uri: str

    def write(self, name: str, body: bytes, *, content_type: str) -> None:
        """Create or replace a file; raises `StorageError`."""
        self.store.write(f"{self.root}/{name}", body, content_type=content_type, kms_key=None)

    def read(self, name: str) -> bytes:
        """Content of a file; raises `StorageError`."""
        return self.store.read(f"{self.root}/{name}")

    def shown(self, name: str) -> str:
        """A file as a person finds it: a path, or the URI itself."""
        uri = f"{self.root}/{name}" if name else self.root
        return str(self.store.path(uri)) if isinstance(self.store, FolderStore) else uri


def outcome_folder(place: JobPlace, out: str | None, default: str) -> OutcomeFolder:
    """The folder that the command line names, or one of its own in the job's.

    Parameters
    ----------
    place : JobPlace
        The job.
    out : str or None
        A folder or ``s3://bucket/prefix``.
    default : str
        Path below the job's folder if `out` is None.

    Raises
    ------
    JobError
        If it is the job's own folder, or lies among the job's own files.
    """
    if out is None:
        root = f"{place.root}/{default}"
        return OutcomeFolder(place.store, root, MASKS if place.is_copy else f"{root}/{MASKS}")
    if out.startswith("s3://"):
        root = out.rstrip("/")
        _check(root, place.root, out)
        return OutcomeFolder(S3Store(), root, f"{root}/{MASKS}")
    folder = Path(out).resolve()
    if isinstance(place.store, FolderStore):
        _check(str(folder), str(place.store.path(place.root)), out)
    return OutcomeFolder(
        FolderStore(folder.parents[1]), f"s3://{folder.parts[-2]}/{folder.name}", MASKS
    )


def _check(chosen: str, job: str, out: str) -> None:
    own = [f"{job}/{name}/" for name in JOB_FOLDERS]
    if chosen == job or any(f"{chosen}/".startswith(path) for path in own):
        raise JobError(f"--output {out} lies among the job's own files, which stay as they are")


class ReplayStore(ReadOnly):
    """Reads the job, and writes masks beside the new manifests.

    Parameters
    ----------
    place : JobPlace
        The job.
    outcome : OutcomeFolder
        Where masks go.
    """

    def __init__(self, place: JobPlace, outcome: OutcomeFolder) -> None:
        super().__init__(place)
        self._outcome = outcome

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        """Write a mask into the outcome's folder; raises `StorageError`."""
        name = f"{MASKS}/{uri.removeprefix(f'{self._outcome.masks_uri}/')}"
        self._outcome.write(name, body, content_type=content_type)
