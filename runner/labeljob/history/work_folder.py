"""Where a replay keeps what it has done so far, so that it goes on there if it is interrupted."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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

    def remove(self) -> None:
        """Remove it with all that is in it, for what it was kept for is done."""
        if isinstance(self.store, FolderStore):
            shutil.rmtree(self.store.path(self.root), ignore_errors=True)


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
    digest = hashlib.sha256(root.encode()).hexdigest()[:16]
    cache = find_user_cache() / "labeljob"
    return WorkFolder(store=FolderStore(cache), root=f"s3://work/{digest}")
