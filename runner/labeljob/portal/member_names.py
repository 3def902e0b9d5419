"""What the members of a portal's team are called: for its pages, and for reports on its jobs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from labeljob.portal.database import DATABASE, PORTAL_FOLDER


def find_names(connection: sqlite3.Connection) -> dict[str, str]:
    """What each member is called, by worker ID: the name, or the e-mail address."""
    return {
        worker: name or email
        for worker, name, email in connection.execute("SELECT worker_id, name, email FROM members")
    }


def read_member_names(store: Path) -> dict[str, str]:
    """The same of the portal that has a folder of jobs; nothing if none has it.

    The database is read as it is, by a portal of another version too; without the permission to
    read it there are no names.
    """
    path = store / PORTAL_FOLDER / DATABASE
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            return find_names(opened)
    except sqlite3.Error:
        return {}
