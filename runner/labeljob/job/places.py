"""Where a job is kept: a folder, or an S3 endpoint with the job's description beside us."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from groundtruth.jobs import JOBS_FOLDER_VARIABLE
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.opening import STORE_FOLDER_VARIABLE
from groundtruth.storage.s3 import ObjectStore, S3Store
from labeljob.job.description import JobDescription, JobError, description_path

LOCAL_OUTPUT = "s3://labeljob/jobs"
"""`S3OutputPath` of jobs in a folder: they are in ``<folder>/labeljob/jobs/<job>``."""

STATE_FOLDER = Path(".labeljob")
"""Where jobs in S3 are described, on this machine."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where jobs are kept.

    Attributes
    ----------
    store : ObjectStore
        Their files.
    output : str
        `S3OutputPath`, without a slash at its end.
    jobs : Path
        Folder of their descriptions and logs.
    environment : mapping of str to str
        What a function needs to know of it.
    """

    store: ObjectStore
    output: str
    jobs: Path
    environment: Mapping[str, str]

    def skill_file(self, name: str) -> Path:
        """Where a job keeps what it learned of its workers."""
        return self.jobs / f"{name.lower()}.skill.json"

    def shown(self, uri: str) -> str:
        """An object as a person finds it: a path, or the URI itself."""
        return str(self.store.path(uri)) if isinstance(self.store, FolderStore) else uri

    def forget(self, description: JobDescription) -> None:
        """Remove a job, so that it can begin anew.

        Raises
        ------
        JobError
            If it is in S3, where nothing is removed.
        """
        if not isinstance(self.store, FolderStore):
            raise JobError("--fresh removes nothing from S3; choose another --job-name")
        root = self.store.path(description.layout.root)
        if root.is_dir():
            shutil.rmtree(root)
        description_path(self.jobs, description.name).unlink(missing_ok=True)
        self.skill_file(description.name).unlink(missing_ok=True)


def open_place(output: str, *, endpoint_url: str | None) -> Place:
    """The place that the command line names.

    Parameters
    ----------
    output : str
        A folder, or ``s3://bucket/prefix``.
    endpoint_url : str, optional
        Of an S3 server that is not AWS's.
    """
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
