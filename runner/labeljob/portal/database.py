"""The portal's database: one SQLite file that several threads and processes may open at once.

All times are seconds since 1970-01-01 UTC. What is committed survives a kill and a power cut
(write-ahead log, ``synchronous=FULL``).
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from groundtruth.errors import StorageError

PORTAL_FOLDER = ".portal"
"""Where a store keeps what only its portal needs."""

DATABASE = "portal.sqlite"

SCHEMA_VERSION = "1"
SECONDS_TO_WAIT_FOR_LOCK = 30.0

# A data object has `room` while one more worker may be asked. `seen_by` names the workers who
# answered or skipped it: the objects that one worker has seen are few groups, which the choice of
# the next object leaps over, however many they are. The tables of counts are kept by triggers, so
# that no page has to count a job's rows.
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE members (
    worker_id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL,
    sub TEXT NOT NULL, issuer TEXT, role TEXT NOT NULL CHECK (role IN ('worker', 'owner')),
    password TEXT, must_change INT NOT NULL DEFAULT 0, link TEXT, link_expires REAL,
    created REAL NOT NULL, removed REAL
) STRICT;
CREATE TABLE sign_ins (key TEXT NOT NULL, at REAL NOT NULL) STRICT;
CREATE INDEX sign_ins_by_key ON sign_ins (key, at);
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, worker_id TEXT NOT NULL, csrf TEXT NOT NULL, created REAL NOT NULL,
    used REAL NOT NULL
) STRICT;
CREATE INDEX sessions_by_worker ON sessions (worker_id);

CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'finished')),
    created REAL NOT NULL, finished REAL
) STRICT;
CREATE TABLE job_members (
    job TEXT NOT NULL, worker_id TEXT NOT NULL, PRIMARY KEY (job, worker_id)
) STRICT;
CREATE TABLE batches (
    job TEXT NOT NULL, called TEXT NOT NULL, done INT NOT NULL DEFAULT 0,
    PRIMARY KEY (job, called)
) STRICT;

CREATE TABLE objects (
    job TEXT NOT NULL, object_id TEXT NOT NULL, position INT NOT NULL, wanted INT NOT NULL,
    answered INT NOT NULL DEFAULT 0, leased INT NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'complete', 'consolidated', 'excluded')),
    hold_until REAL NOT NULL DEFAULT 0, completed REAL, called TEXT, status TEXT,
    confidence REAL, label TEXT, seen_by TEXT NOT NULL DEFAULT '',
    room INT GENERATED ALWAYS AS (state = 'open' AND answered + leased < wanted) VIRTUAL,
    task_input TEXT,
    PRIMARY KEY (job, object_id)
) STRICT;
CREATE INDEX objects_by_position ON objects (job, answered, position) WHERE room;
CREATE INDEX objects_by_seen ON objects (job, answered, seen_by, position) WHERE room;
CREATE INDEX objects_to_consolidate ON objects (job, completed) WHERE state = 'complete';
CREATE INDEX objects_by_confidence ON objects (job, confidence) WHERE label IS NOT NULL;
CREATE INDEX objects_by_call ON objects (job, called) WHERE called IS NOT NULL;

CREATE TABLE assignments (
    job TEXT NOT NULL, object_id TEXT NOT NULL, worker_id TEXT NOT NULL,
    accepted REAL NOT NULL, expires REAL NOT NULL, shown INT NOT NULL, live INT NOT NULL,
    reopened REAL, submitted REAL, skipped REAL, seconds REAL, answer TEXT,
    PRIMARY KEY (job, object_id, worker_id)
) STRICT;
CREATE INDEX live_by_worker ON assignments (job, worker_id) WHERE live;
CREATE INDEX live_by_expiry ON assignments (job, expires) WHERE live;
CREATE INDEX reopened_by_worker ON assignments (job, worker_id) WHERE reopened IS NOT NULL;
CREATE INDEX skipped_by_worker ON assignments (job, worker_id, skipped)
    WHERE skipped IS NOT NULL;
CREATE INDEX submitted_by_worker ON assignments (job, worker_id, submitted, seconds)
    WHERE submitted IS NOT NULL;
CREATE INDEX submitted_by_time ON assignments (job, submitted, seconds)
    WHERE submitted IS NOT NULL;

CREATE TABLE state_counts (
    job TEXT NOT NULL, state TEXT NOT NULL, objects INT NOT NULL, wanted INT NOT NULL,
    answered INT NOT NULL, PRIMARY KEY (job, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE worker_counts (
    job TEXT NOT NULL, worker_id TEXT NOT NULL, answers INT NOT NULL, cannot_label INT NOT NULL,
    skipped INT NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (job, worker_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE class_counts (
    job TEXT NOT NULL, class TEXT NOT NULL, objects INT NOT NULL, PRIMARY KEY (job, class)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER count_new_object AFTER INSERT ON objects BEGIN
    INSERT INTO state_counts VALUES (new.job, new.state, 1, new.wanted, new.answered)
    ON CONFLICT (job, state) DO UPDATE SET objects = objects + 1,
        wanted = wanted + excluded.wanted, answered = answered + excluded.answered;
END;
CREATE TRIGGER count_object AFTER UPDATE OF state, wanted, answered ON objects
WHEN (old.state, old.wanted, old.answered) IS NOT (new.state, new.wanted, new.answered) BEGIN
    UPDATE state_counts SET objects = objects - 1, wanted = wanted - old.wanted,
        answered = answered - old.answered WHERE job = old.job AND state = old.state;
    INSERT INTO state_counts VALUES (new.job, new.state, 1, new.wanted, new.answered)
    ON CONFLICT (job, state) DO UPDATE SET objects = objects + 1,
        wanted = wanted + excluded.wanted, answered = answered + excluded.answered;
END;
CREATE TRIGGER count_label AFTER UPDATE OF label ON objects WHEN old.label IS NOT new.label BEGIN
    UPDATE class_counts SET objects = objects - 1
    WHERE job = old.job AND class IN (SELECT value FROM json_each(coalesce(old.label, '[]')));
    INSERT INTO class_counts
        SELECT new.job, value, 1 FROM json_each(coalesce(new.label, '[]')) WHERE true
    ON CONFLICT (job, class) DO UPDATE SET objects = objects + 1;
END;
CREATE TRIGGER count_answer AFTER UPDATE OF submitted, skipped, seconds, answer ON assignments
BEGIN
    INSERT INTO worker_counts VALUES (
        new.job, new.worker_id,
        (new.submitted IS NOT NULL) - (old.submitted IS NOT NULL),
        (substr(coalesce(new.answer, ''), 1, 21) = '{"cannot-be-labeled":')
            - (substr(coalesce(old.answer, ''), 1, 21) = '{"cannot-be-labeled":'),
        (new.skipped IS NOT NULL) - (old.skipped IS NOT NULL),
        coalesce(new.seconds, 0.0) - coalesce(old.seconds, 0.0)
    )
    ON CONFLICT (job, worker_id) DO UPDATE SET answers = answers + excluded.answers,
        cannot_label = cannot_label + excluded.cannot_label,
        skipped = skipped + excluded.skipped, seconds = seconds + excluded.seconds;
END;
"""

_DRAFTS = """
CREATE TABLE IF NOT EXISTS drafts (
    job TEXT NOT NULL, worker_id TEXT NOT NULL, object_id TEXT NOT NULL, saved REAL NOT NULL,
    answer TEXT NOT NULL, PRIMARY KEY (job, worker_id, object_id)
) STRICT
"""


class Database:
    """The portal's tables; each thread that uses it has a connection of its own.

    Parameters
    ----------
    path : Path
        The file; it is created where there is none, readable by its owner alone.
    clock : callable, optional
        Gives the time in seconds since 1970 UTC; tests set their own.

    Raises
    ------
    StorageError
        If the file cannot be opened, is no database of a portal, or is of another version.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._of_thread = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            with self.transaction() as connection:
                self._create_tables(connection)
        except OSError as error:
            raise self._error(f"cannot be opened: {error.strerror}", "access-denied") from error
        except sqlite3.DatabaseError as error:
            self.close()
            raise self._error(
                f"is no database of a portal ({error}); move it away and start again", "unavailable"
            ) from error
        except StorageError:
            self.close()
            raise

    def now(self) -> float:
        """The time; inside a transaction it is read after the lock was taken."""
        return self._clock()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write alone: all of it is committed at the end, or nothing if an error is raised.

        A transaction inside another of the same thread is part of the outer one, so that several
        steps cost one commit: acknowledge nothing before the outermost one has ended.

        Raises
        ------
        StorageError
            If another process keeps the lock for longer than 30 seconds, or the disk is full or
            fails: nothing of the transaction is kept then.
        """
        connection = self._connect()
        if connection.in_transaction:
            yield connection
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise self._error(
                f"cannot be written ({error}); is another process holding it?", "unavailable"
            ) from error
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError) and _is_of_disk(error):
                raise self._error(
                    f"cannot be written ({error}); see to the disk, and do it once more",
                    "unavailable",
                ) from error
            raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Read what was committed at one moment, without keeping anybody from writing."""
        connection = self._connect()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")

    def find_row(self, query: str, parameters: Sequence[object] = ()) -> sqlite3.Row | None:
        """The first row of a query; one statement is a moment of its own, and costs less."""
        row: sqlite3.Row | None = self._connect().execute(query, parameters).fetchone()
        return row

    def get_meta(self, key: str) -> str | None:
        """A value of the portal's own, such as ``secret`` or ``address``; None where not set."""
        row = self.find_row("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else str(row["value"])

    def set_meta(self, key: str, value: str | None) -> None:
        """Keep a value of the portal's own, or remove it (None)."""
        with self.transaction() as connection:
            if value is None:
                connection.execute("DELETE FROM meta WHERE key = ?", (key,))
            else:
                connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def close(self) -> None:
        """Close the connections of all threads; none may be in use."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._of_thread = threading.local()

    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self.path,
                timeout=SECONDS_TO_WAIT_FOR_LOCK,
                isolation_level=None,
                check_same_thread=False,  # `close` closes those of other threads
                cached_statements=256,
            )
            connection.row_factory = sqlite3.Row
            with self._lock:
                self._connections.append(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")  # pages; the default is 1,000
            self._of_thread.connection = connection
        return connection

    def _create_tables(self, connection: sqlite3.Connection) -> None:
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
            for statement in _split(_SCHEMA):
                connection.execute(statement)
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("schema-version", SCHEMA_VERSION), ("secret", secrets.token_hex(32))],
            )
        if self.get_meta("schema-version") != SCHEMA_VERSION:
            raise self._error(
                "is of another version of labeljob; go on with that version, "
                "or move the file away and start again",
                "unavailable",
            )
        connection.execute(_DRAFTS)  # not there in the first files of this version

    def _error(self, problem: str, reason: str) -> StorageError:
        return StorageError(problem, uri=str(self.path), reason=reason)


def _is_of_disk(error: sqlite3.OperationalError) -> bool:
    """Whether an error is the disk's, and not that of a statement."""
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)


def _split(script: str) -> Iterator[str]:
    """The statements of an SQL script; `executescript` would commit the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
