"""Where a replay keeps what it has done so far, so that it goes on there if it is interrupted."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from groundtruth.errors import StorageError
from groundtruth.sharding.plan import Plan
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import ObjectStore, S3Store
from labeljob.columns.kept import find_user_cache
from labeljob.history.replay import OutcomeFolder

ENDING = ".work"


@dataclass(frozen=True, kw_only=True)
class WorkFolder:
    """A folder for shards and for the results of steps: beside the output, ``<output>.work``.

    Attributes
    ----------
    store : ObjectStore
        Where it is.
    root : str
        Its S3 URI there.
    """

    store: ObjectStore
    root: str

    def uri_of(self, plan: Plan) -> str:
        """The folder of a plan: another way to consolidate has another one."""
        return f"{self.root}/{plan.digest}"

    @contextmanager
    def open_local(self) -> Iterator[Path]:
        """A folder on this machine: itself, or one for the moment if it is in S3."""
        if isinstance(self.store, FolderStore):
            yield self.store.path(self.root)
            return
        with tempfile.TemporaryDirectory(prefix="labeljob-") as name:
            yield Path(name)

    def remove(self, plan: Plan) -> None:
        """Remove it, for what it was kept for is done.

        In S3 only what was written for the plan goes, for others may work there too; what this user
        may not remove stays, and is left to a lifecycle rule of the bucket.
        """
        if isinstance(self.store, FolderStore):
            shutil.rmtree(self.store.path(self.root), ignore_errors=True)
            return
        with suppress(StorageError):
            self.store.remove(self.store.list(f"{self.uri_of(plan)}/"))
            self.store.remove(shard.uri for shard in plan.shards)


def choose_work_folder(output: OutcomeFolder, *, is_shared: bool = False) -> WorkFolder:
    """The work folder of an output.

    For an output in S3 it is in the user's cache folder, unless it `is_shared` with workers on
    other machines: then it is beside the output.
    """
    store, root = output.store, f"{output.root}{ENDING}"
    if isinstance(store, FolderStore):
        return WorkFolder(store=store, root=root)
    if is_shared:
        return WorkFolder(store=S3Store(), root=root)
    cache = find_user_cache() / "labeljob"
    return WorkFolder(store=FolderStore(cache), root=f"s3://work/{_digest(root)}")


def find_stack_folder(folder: str, output: OutcomeFolder, name: str) -> WorkFolder:
    """The work folder of an output below the folder that a stack's replays have in S3."""
    return WorkFolder(store=S3Store(), root=f"{folder}/{name}-{_digest(output.shown(''))}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
