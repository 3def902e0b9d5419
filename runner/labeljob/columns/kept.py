"""Where what was read of a job is kept for the next command."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from groundtruth.storage.folder import FolderStore
from labeljob.jobs.job_location import JobPlace

KEPT = ".columns"
"""The folder in a job's folder."""

DRAFTS = "parts-"
"""How names of folders begin that are only there while answers are read."""

OLD = 3600.0
"""Seconds after which what nobody needs any more is removed; another command may still read it."""


def open_kept_folder(place: JobPlace, kind: str, key: str) -> Path | None:
    """The folder that is kept of a job; None where none can be written.

    It may be there already. It is in the job's folder or, for a job in S3, in the user's cache.
    Folders of the same kind with another key, and drafts that a killed command left, are removed
    once they are old.

    Parameters
    ----------
    place : JobPlace
        The job.
    kind : str
        What is kept: the beginning of the folder's name.
    key : str
        All that the content depends on, such as the names, sizes and times of the files that it
        was read from.
    """
    if isinstance(place.store, FolderStore):
        above = place.store.path(place.root) / KEPT
    else:
        above = find_user_cache() / "labeljob" / _digest(place.root)
    folder = above / f"{kind}-{_digest(key)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
    except OSError:
        return None
    for other in (*above.glob(f"{kind}-*"), *folder.glob(f"{DRAFTS}*")):
        with suppress(OSError):
            if other != folder and time.time() - other.stat().st_mtime > OLD:
                shutil.rmtree(other)
    return folder


def make_folder() -> Path:
    """A folder for what is not kept; it goes when the command ends."""
    folder = Path(tempfile.mkdtemp(prefix="labeljob-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def find_user_cache() -> Path:
    """The folder that the user's system has for files that can be made again."""
    if sys.platform == "win32":
        known = os.environ.get("LOCALAPPDATA")
        return Path(known) if known else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
