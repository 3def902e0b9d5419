"""Which worker is asked about which data object, and what they answered.

Each data object goes to the wanted number of different workers and never to more. A worker holds a
*lease* on the object they look at and at most one more, *reserved*, whose page is loaded ahead; a
lease that runs out, or is released, leaves its place to others. Everything happens in one
transaction, and the clock is read after its lock was taken: else a lease that has run out
meanwhile could still count.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from labeljob.portal.database import Database

SubmitResult: TypeAlias = Literal["saved", "repeated", "closed", "expired"]
JobState: TypeAlias = Literal["running", "paused", "finished"]

SECONDS_RESERVED_LONGER = 60.0
_LOOKED_AT_IN_ORDER = 32
_OF_JOBS = (
    "objects",
    "assignments",
    "batches",
    "job_members",
    "state_counts",
    "worker_counts",
    "class_counts",
    "drafts",
)


@dataclass(frozen=True)
class Lease:
    """One data object that one worker is asked about.

    Attributes
    ----------
    object_id : str
        The data object.
    accepted, expires : float
        When the worker got it, and until when it is theirs: seconds since 1970 UTC.
    answer : dict or None
        The worker's own answer, when they went back to it.
    """

    object_id: str
    accepted: float
    expires: float
    answer: dict[str, Any] | None = None


def add_job(database: Database, job: str, object_ids: Iterable[str], *, wanted: int) -> int:
    """Add a job and its data objects, in the order in which they are to be asked.

    What is there already stays as it is; new objects come after the old ones.

    Parameters
    ----------
    wanted : int
        How many different workers answer each data object, at least 1.

    Returns
    -------
    int
        How many data objects are new.
    """
    if wanted < 1:
        raise ValueError(f"{wanted} workers for each data object: at least 1 is needed")
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO jobs (name, created) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (job, database.now()),
        )
        (start,) = connection.execute(
            "SELECT coalesce(max(position) + 1, 0) FROM objects WHERE job = ?", (job,)
        ).fetchone()
        return connection.executemany(
            "INSERT INTO objects (job, object_id, position, wanted) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (
                (job, object_id, position, wanted)
                for position, object_id in enumerate(object_ids, start=start)
            ),
        ).rowcount


def copy_members(database: Database, job: str, *, to: str) -> None:
    """Let those who may work on a job, and nobody else, work on another, if nobody is named yet."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO job_members SELECT ?, worker_id FROM job_members WHERE job = ? "
            "AND NOT EXISTS (SELECT 1 FROM jobs WHERE name = ?) ON CONFLICT DO NOTHING",
            (to, job, to),
        )


def has_answers(database: Database, job: str) -> bool:
    """Whether anybody has answered in a job."""
    with database.read() as connection:
        row = connection.execute(
            "SELECT 1 FROM assignments WHERE job = ? AND submitted IS NOT NULL LIMIT 1", (job,)
        ).fetchone()
    return row is not None


def remove_job(database: Database, job: str) -> None:
    """Remove a job with all its rows, answers too."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM jobs WHERE name = ?", (job,))
        for table in _OF_JOBS:
            connection.execute(f"DELETE FROM {table} WHERE job = ?", (job,))


def take(database: Database, job: str, worker_id: str, time_limit: float) -> Lease | None:
    """The data object that the worker is to look at now.

    That is the answer they went back to, else the object they already look at, else the one
    reserved for them, else one they have begun before, else a new one: first those nearest to
    complete, then in the job's order, last those that the worker skipped.

    Parameters
    ----------
    time_limit : float
        Seconds the worker has for it.

    Returns
    -------
    Lease or None
        None if there is nothing for this worker now, or the job is paused or finished.
    """
    with database.transaction() as connection:
        now = database.now()
        if not _is_running(connection, job):
            return None
        reopened = _reopened_lease(connection, job, worker_id, now)
        if reopened is not None:
            return reopened
        _expire(connection, job, now)
        lease = _live_lease(connection, job, worker_id, shown=True)
        if lease is not None:
            return lease
        expires = now + time_limit
        reserved = _live_lease(connection, job, worker_id, shown=False)
        if reserved is not None:
            connection.execute(
                "UPDATE assignments SET accepted = ?, expires = ?, shown = 1 "
                "WHERE job = ? AND object_id = ? AND worker_id = ?",
                (now, expires, job, reserved.object_id, worker_id),
            )
            return Lease(reserved.object_id, now, expires)
        object_id = _choose(connection, job, worker_id)
        if object_id is None:
            return None
        return _lease(connection, job, object_id, worker_id, now, expires, shown=True)


def reserve(database: Database, job: str, worker_id: str, time_limit: float) -> Lease | None:
    """One data object more for the worker, to load its page ahead; the same until it is taken.

    It counts as leased, and is kept a minute (or `time_limit`, if that is less) longer than the
    object they look at. See `take`.
    """
    with database.transaction() as connection:
        now = database.now()
        if not _is_running(connection, job):
            return None
        _expire(connection, job, now)
        reserved = _live_lease(connection, job, worker_id, shown=False)
        if reserved is not None:
            return reserved
        object_id = _choose(connection, job, worker_id)
        if object_id is None:
            return None
        shown = _live_lease(connection, job, worker_id, shown=True)
        expires = max(now, shown.expires) if shown else now + time_limit
        expires += min(time_limit, SECONDS_RESERVED_LONGER)
        return _lease(connection, job, object_id, worker_id, now, expires, shown=False)


def submit(
    database: Database, job: str, object_id: str, worker_id: str, answer: Mapping[str, Any]
) -> SubmitResult:
    """Keep a worker's answer.

    It may come after the lease ran out, as long as no other worker has taken the place.

    Returns
    -------
    str
        ``"saved"``; ``"repeated"``: there is an answer of this worker already, which counts (the
        worker did not go back to it); ``"closed"``: the job is finished, the object is with
        consolidation or excluded, or the worker was never asked about it; ``"expired"``: the
        lease ran out and other workers have taken all places.
    """
    with database.transaction() as connection:
        now = database.now()
        row = connection.execute(
            "SELECT assignments.*, objects.called, objects.state, objects.room, "
            "jobs.state AS job_state FROM assignments JOIN objects USING (job, object_id) "
            "JOIN jobs ON jobs.name = job WHERE job = ? AND object_id = ? AND worker_id = ?",
            (job, object_id, worker_id),
        ).fetchone()
        if row is None:
            return "closed"
        if row["submitted"] is not None and row["reopened"] is None:
            return "repeated"
        if (
            row["job_state"] == "finished"
            or row["called"] is not None
            or row["state"] not in ("open", "complete")
        ):
            return "closed"
        if row["submitted"] is None and not row["live"] and not row["room"]:
            return "expired"
        began = row["accepted"] if row["reopened"] is None else row["reopened"]
        connection.execute(
            "UPDATE assignments SET submitted = ?, seconds = ?, answer = ?, live = 0, shown = 1, "
            "skipped = NULL, reopened = NULL WHERE job = ? AND object_id = ? AND worker_id = ?",
            (
                now,
                (row["seconds"] or 0.0) + max(0.0, now - began),
                json.dumps(answer, ensure_ascii=False),
                job,
                object_id,
                worker_id,
            ),
        )
        connection.execute(
            "DELETE FROM drafts WHERE job = ? AND worker_id = ? AND object_id = ?",
            (job, worker_id, object_id),
        )
        if row["reopened"] is not None:
            _let_go(connection, job, object_id)
        _recount(connection, job, object_id)
        return "saved"


def find_answer(
    database: Database, job: str, object_id: str, worker_id: str
) -> dict[str, Any] | None:
    """The answer of a worker that counts; None if there is none."""
    with database.read() as connection:
        row = connection.execute(
            "SELECT answer FROM assignments "
            "WHERE job = ? AND object_id = ? AND worker_id = ? AND answer IS NOT NULL",
            (job, object_id, worker_id),
        ).fetchone()
    return None if row is None else json.loads(row["answer"])


def skip(database: Database, job: str, object_id: str, worker_id: str) -> bool:
    """Leave a data object to others; the worker gets it again only after all others.

    Skipping an answer that the worker went back to leaves that answer as it was.

    Returns
    -------
    bool
        Whether the worker had a lease on it.
    """
    with database.transaction() as connection:
        if _give_up_reopened(connection, job, worker_id, object_id):
            return True
        skipped = connection.execute(
            "UPDATE assignments SET live = 0, skipped = ? "
            "WHERE job = ? AND object_id = ? AND worker_id = ? AND live",
            (database.now(), job, object_id, worker_id),
        ).rowcount
        if skipped:
            _recount(connection, job, object_id)
        return skipped > 0


def release(database: Database, job: str, worker_id: str) -> int:
    """Stop working: the worker's leases and reservations go back to all.

    Returns
    -------
    int
        How many there were.
    """
    with database.transaction() as connection:
        reopened = _give_up_reopened(connection, job, worker_id, None)
        return reopened + _end_leases(connection, job, "worker_id = ?", worker_id)


def reopen_last(database: Database, job: str, worker_id: str, time_limit: float) -> Lease | None:
    """Let the worker change their last answer in a job.

    Until they submit it again (or `time_limit` seconds pass) the object is not consolidated, and
    the answer they gave stays. The object they look at waits for them as the reserved one; what
    was reserved goes back.

    Returns
    -------
    Lease or None
        None if there is no such answer, its object is consolidated or about to be, or the job is
        finished or paused.
    """
    with database.transaction() as connection:
        now = database.now()
        if not _is_running(connection, job):
            return None
        reopened = _reopened_lease(connection, job, worker_id, now)
        if reopened is not None:
            return reopened
        object_id = _last_changeable(connection, job, worker_id)
        if object_id is None:
            return None
        _expire(connection, job, now)
        if _live_lease(connection, job, worker_id, shown=True):
            _end_leases(connection, job, "NOT shown AND worker_id = ?", worker_id)
            connection.execute(
                "UPDATE assignments SET shown = 0, expires = max(expires, ?) "
                "WHERE job = ? AND worker_id = ? AND live",
                (now + time_limit + min(time_limit, SECONDS_RESERVED_LONGER), job, worker_id),
            )
        connection.execute(
            "UPDATE assignments SET reopened = ? WHERE job = ? AND object_id = ? AND worker_id = ?",
            (now, job, object_id, worker_id),
        )
        connection.execute(
            "UPDATE objects SET hold_until = max(hold_until, ?) WHERE job = ? AND object_id = ?",
            (now + time_limit, job, object_id),
        )
        return _reopened_lease(connection, job, worker_id, now)


def can_go_back(database: Database, job: str, worker_id: str) -> bool:
    """Whether `reopen_last` would find an answer."""
    with database.read() as connection:
        return (
            _is_running(connection, job)
            and _last_changeable(connection, job, worker_id) is not None
        )


def expire(database: Database, job: str) -> int:
    """End the leases that have run out; `take` and `reserve` do so too.

    Returns
    -------
    int
        How many there were.
    """
    with database.transaction() as connection:
        return _expire(connection, job, database.now())


def ask_one_more(database: Database, job: str, object_id: str, *, most: int) -> bool:
    """Ask one worker more about a complete or consolidated data object.

    Parameters
    ----------
    most : int
        How many workers may be asked about one object.

    Returns
    -------
    bool
        Whether the object is open again: False if it is open or excluded, has `most` already,
        or the job is finished.
    """
    with database.transaction() as connection:
        return (
            connection.execute(
                "UPDATE objects SET wanted = wanted + 1, state = 'open', completed = NULL, "
                "called = NULL WHERE job = ? AND object_id = ? AND wanted < ? "
                "AND state IN ('complete', 'consolidated') "
                "AND job IN (SELECT name FROM jobs WHERE state != 'finished')",
                (job, object_id, most),
            ).rowcount
            > 0
        )


def exclude(database: Database, job: str, object_id: str) -> None:
    """Ask nobody about a data object (any more), and end the leases on it."""
    with database.transaction() as connection:
        connection.execute(
            "UPDATE objects SET state = 'excluded' WHERE job = ? AND object_id = ?",
            (job, object_id),
        )
        _end_leases(connection, job, "object_id = ?", object_id)


def get_job_state(database: Database, job: str) -> JobState | None:
    """The job's state, or None if the database does not know it."""
    row = database.find_row("SELECT state FROM jobs WHERE name = ?", (job,))
    return None if row is None else row["state"]


def set_job_state(database: Database, job: str, state: JobState) -> None:
    """Let a job run, pause or finish.

    A paused job gives out nothing, but takes the answers that are under way; in a finished one
    all leases end, and it stays finished.
    """
    with database.transaction() as connection:
        connection.execute(
            "UPDATE jobs SET state = :state, finished = iif(:state = 'finished', :now, NULL) "
            "WHERE name = :job AND state NOT IN (:state, 'finished')",
            {"state": state, "now": database.now(), "job": job},
        )
        if state == "finished":
            _end_leases(connection, job, "? IS NOT NULL", job)
            connection.execute("DELETE FROM drafts WHERE job = ?", (job,))


def _is_running(connection: sqlite3.Connection, job: str) -> bool:
    row = connection.execute("SELECT state FROM jobs WHERE name = ?", (job,)).fetchone()
    return row is not None and row["state"] == "running"


def _choose(connection: sqlite3.Connection, job: str, worker_id: str) -> str | None:
    """The next data object for a worker: one they have begun, else most answered first.

    Those with as many answers come by position. Most often one of the first in that order is new
    to the worker. If none is, the worker has seen many: then the order is sought group by group,
    where a group is the objects that the same workers have seen, so that the cost does not grow
    with the number of objects.
    """
    held = {
        row["object_id"]
        for row in connection.execute(
            "SELECT object_id FROM assignments WHERE job = ? AND worker_id = ? AND live",
            (job, worker_id),
        )
    }
    # SQLite keeps the order of a CROSS JOIN; else it would walk through all the job's assignments.
    begun = connection.execute(
        "SELECT object_id FROM drafts CROSS JOIN objects USING (job, object_id) "
        "CROSS JOIN assignments USING (job, object_id, worker_id) WHERE job = ? AND worker_id = ? "
        "AND room AND NOT live AND submitted IS NULL AND skipped IS NULL "
        "ORDER BY saved DESC LIMIT 1",
        (job, worker_id),
    ).fetchone()
    if begun is not None:
        return str(begun["object_id"])
    level = _highest_level(connection, job, below=None)
    while level is not None:
        looked_at = connection.execute(
            "SELECT object_id, seen_by FROM objects WHERE job = ? AND room AND answered = ? "
            "ORDER BY position LIMIT ?",
            (job, level, _LOOKED_AT_IN_ORDER),
        ).fetchall()
        for row in looked_at:
            if row["object_id"] not in held and worker_id not in row["seen_by"].split():
                return str(row["object_id"])
        if len(looked_at) == _LOOKED_AT_IN_ORDER:
            object_id = _first_of_groups(connection, job, worker_id, level, held)
            if object_id is not None:
                return object_id
        level = _highest_level(connection, job, below=level)
    row = connection.execute(
        "SELECT object_id FROM assignments JOIN objects USING (job, object_id) "
        "WHERE job = ? AND worker_id = ? AND skipped IS NOT NULL AND NOT live AND room "
        "ORDER BY skipped LIMIT 1",
        (job, worker_id),
    ).fetchone()
    return None if row is None else str(row["object_id"])


def _highest_level(connection: sqlite3.Connection, job: str, *, below: int | None) -> int | None:
    """How many answers the objects nearest to complete have, among those that have room."""
    limit = 1_000_000 if below is None else below
    row = connection.execute(
        "SELECT max(answered) FROM objects WHERE job = ? AND room AND answered < ?", (job, limit)
    ).fetchone()
    return None if row[0] is None else int(row[0])


def _first_of_groups(
    connection: sqlite3.Connection, job: str, worker_id: str, level: int, held: set[str]
) -> str | None:
    groups = connection.execute(
        """
        WITH RECURSIVE groups (seen_by) AS (
            SELECT min(seen_by) FROM objects WHERE job = :job AND room AND answered = :level
            UNION ALL
            SELECT (SELECT min(objects.seen_by) FROM objects WHERE job = :job AND room
                    AND answered = :level AND objects.seen_by > groups.seen_by)
            FROM groups WHERE seen_by IS NOT NULL
        )
        SELECT seen_by FROM groups
        WHERE seen_by IS NOT NULL AND instr(' ' || seen_by || ' ', ' ' || :worker || ' ') = 0
        """,
        {"job": job, "level": level, "worker": worker_id},
    ).fetchall()
    new = [
        (row["position"], row["object_id"])
        for group in groups
        for row in connection.execute(
            "SELECT position, object_id FROM objects WHERE job = ? AND room AND answered = ? "
            "AND seen_by = ? ORDER BY position LIMIT ?",
            (job, level, group["seen_by"], len(held) + 1),
        )
        if row["object_id"] not in held
    ]
    return min(new)[1] if new else None


def _lease(
    connection: sqlite3.Connection,
    job: str,
    object_id: str,
    worker_id: str,
    accepted: float,
    expires: float,
    *,
    shown: bool,
) -> Lease:
    connection.execute(
        "INSERT INTO assignments (job, object_id, worker_id, accepted, expires, shown, live) "
        "VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT (job, object_id, worker_id) DO UPDATE "
        "SET accepted = excluded.accepted, expires = excluded.expires, shown = excluded.shown, "
        "live = 1",
        (job, object_id, worker_id, accepted, expires, shown),
    )
    _recount_leases(connection, job, object_id)
    return Lease(object_id, accepted, expires)


def _live_lease(
    connection: sqlite3.Connection, job: str, worker_id: str, *, shown: bool
) -> Lease | None:
    row = connection.execute(
        "SELECT object_id, accepted, expires FROM assignments "
        "WHERE job = ? AND worker_id = ? AND live AND shown = ?",
        (job, worker_id, shown),
    ).fetchone()
    return None if row is None else Lease(**row)


def _reopened_lease(
    connection: sqlite3.Connection, job: str, worker_id: str, now: float
) -> Lease | None:
    """The answer that the worker went back to; one whose time is over is given up."""
    row = connection.execute(
        "SELECT object_id, reopened, hold_until, called, state, answer FROM assignments "
        "JOIN objects USING (job, object_id) "
        "WHERE job = ? AND worker_id = ? AND reopened IS NOT NULL",
        (job, worker_id),
    ).fetchone()
    if row is None:
        return None
    if row["hold_until"] <= now or row["called"] is not None:
        _give_up_reopened(connection, job, worker_id, row["object_id"])
        return None
    return Lease(
        row["object_id"], row["reopened"], row["hold_until"], answer=json.loads(row["answer"])
    )


def _give_up_reopened(
    connection: sqlite3.Connection, job: str, worker_id: str, object_id: str | None
) -> int:
    """Leave the answer that the worker went back to as it was; of any object if None."""
    reopened = connection.execute(
        "UPDATE assignments SET reopened = NULL WHERE job = ? AND worker_id = ? "
        "AND reopened IS NOT NULL AND object_id = coalesce(?, object_id) RETURNING object_id",
        (job, worker_id, object_id),
    ).fetchall()
    for row in reopened:
        _let_go(connection, job, row["object_id"])
    return len(reopened)


def _let_go(connection: sqlite3.Connection, job: str, object_id: str) -> None:
    """Let an object be consolidated, unless another worker also went back to it."""
    connection.execute(
        "UPDATE objects SET hold_until = 0 WHERE job = ? AND object_id = ? AND NOT EXISTS "
        "(SELECT * FROM assignments AS other WHERE other.job = objects.job "
        "AND other.object_id = objects.object_id AND other.reopened IS NOT NULL)",
        (job, object_id),
    )


def _last_changeable(connection: sqlite3.Connection, job: str, worker_id: str) -> str | None:
    last = connection.execute(
        "SELECT object_id FROM assignments WHERE job = ? AND worker_id = ? "
        "AND submitted IS NOT NULL ORDER BY submitted DESC LIMIT 1",
        (job, worker_id),
    ).fetchone()
    if last is None:
        return None
    row = connection.execute(
        "SELECT state, called FROM objects WHERE job = ? AND object_id = ?",
        (job, last["object_id"]),
    ).fetchone()
    changeable = row["state"] in ("open", "complete") and row["called"] is None
    return str(last["object_id"]) if changeable else None


def _expire(connection: sqlite3.Connection, job: str, now: float) -> int:
    return _end_leases(connection, job, "expires <= ?", now)


def _end_leases(
    connection: sqlite3.Connection, job: str, condition: str, value: str | float
) -> int:
    ended = connection.execute(
        f"SELECT rowid, object_id FROM assignments WHERE job = ? AND live AND {condition}",
        (job, value),
    ).fetchall()
    for row in ended:
        connection.execute("UPDATE assignments SET live = 0 WHERE rowid = ?", (row["rowid"],))
        _recount_leases(connection, job, row["object_id"])
    return len(ended)


def _recount_leases(connection: sqlite3.Connection, job: str, object_id: str) -> None:
    connection.execute(
        "UPDATE objects SET leased = (SELECT count(*) FROM assignments "
        "WHERE job = :job AND object_id = :object_id AND live) "
        "WHERE job = :job AND object_id = :object_id",
        {"job": job, "object_id": object_id},
    )


def _recount(connection: sqlite3.Connection, job: str, object_id: str) -> None:
    """Derive what is kept of an object from the assignments, which are the truth."""
    rows = connection.execute(
        "SELECT worker_id, live, submitted, skipped FROM assignments "
        "WHERE job = ? AND object_id = ? ORDER BY worker_id",
        (job, object_id),
    ).fetchall()
    submitted = [row["submitted"] for row in rows if row["submitted"] is not None]
    seen_by = [
        row["worker_id"]
        for row in rows
        if row["submitted"] is not None or row["skipped"] is not None
    ]
    (complete,) = connection.execute(
        "UPDATE objects SET answered = ?, leased = ?, seen_by = ? WHERE job = ? AND object_id = ? "
        "RETURNING answered >= wanted AND state IN ('open', 'complete')",
        (len(submitted), sum(row["live"] for row in rows), " ".join(seen_by), job, object_id),
    ).fetchone()
    if complete:
        connection.execute(
            "UPDATE objects SET state = 'complete', completed = ? WHERE job = ? AND object_id = ?",
            (max(submitted), job, object_id),
        )
