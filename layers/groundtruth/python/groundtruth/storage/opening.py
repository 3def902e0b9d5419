"""Which store the environment names: a folder, or S3."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import ObjectStore, S3Store

STORE_FOLDER_VARIABLE = "GROUNDTRUTH_STORE_FOLDER"
"""Variable that names a folder to use instead of S3: how a job runs on one machine."""


def open_store(environ: Mapping[str, str]) -> ObjectStore:
    """The store that the environment names: a folder, or S3."""
    folder = environ.get(STORE_FOLDER_VARIABLE, "")
    return FolderStore(Path(folder)) if folder else S3Store()
