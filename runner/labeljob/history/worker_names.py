"""What the workers of a finished job are called, where somebody knows it."""

from __future__ import annotations

import csv
from pathlib import Path

from groundtruth.storage.folder import FolderStore
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace
from labeljob.portal.member_names import read_member_names


def find_worker_names(place: JobPlace) -> dict[str, str]:
    """Names by worker ID, of the portal in which a job was labeled; nothing of another job."""
    if place.is_copy or not isinstance(place.store, FolderStore):
        return {}
    return read_member_names(place.store.folder)


def read_worker_names(path: Path) -> dict[str, str]:
    """Names by worker ID, of a CSV file with both in its first two columns.

    Raises `JobError` if the file cannot be read, or a line has not both.
    """
    names: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.reader(lines), start=1):
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) < 2 or not row[0].strip() or not row[1].strip():
                    raise JobError(f"{path}, line {number}: has no worker ID and name with a comma")
                names[row[0].strip()] = row[1].strip()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise JobError(f"{path}: is no CSV file that can be read ({error})") from error
    return names
