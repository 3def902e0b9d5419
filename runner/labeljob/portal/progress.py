"""How far a job is: what the owner's page and a worker's own page show.

Counts are kept by triggers (see `database`) and read; a rate looks at its minutes alone, and a
median at the last 1,000 answers: the cost does not grow with the size of the job.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from labeljob.portal.database import Database

ANSWERS_OF_MEDIAN = 1_000
MINUTES_OF_ESTIMATE = 10


@dataclass(frozen=True)
class ObjectCounts:
    """How many data objects of a job are in which state.

    Attributes
    ----------
    total : int
        All data objects.
    open, complete, consolidated, excluded : int
        Those that wait for answers; that have them all and wait for consolidation; that are
        consolidated; that need no person. They add up to `total`.
    answers : int
        Answers given so far.
    missing : int
        Answers that the open objects still need.
    """

    total: int
    open: int
    complete: int
    consolidated: int
    excluded: int
    answers: int
    missing: int

    @property
    def done(self) -> int:
        """Data objects that need no answer more."""
        return self.total - self.open


@dataclass(frozen=True)
class WorkerCounts:
    """What one worker did in a job.

    Attributes
    ----------
    answers : int
        Answers given, `cannot_label` among them.
    cannot_label : int
        Answers that say that the object cannot be labeled.
    skipped : int
        Objects skipped and not answered since.
    seconds : float
        Time spent on all answers, in seconds.
    """

    worker_id: str
    answers: int = 0
    cannot_label: int = 0
    skipped: int = 0
    seconds: float = 0.0


def count_objects(database: Database, job: str) -> ObjectCounts:
    """Data objects and answers of a job; all 0 for an unknown one."""
    with database.read() as connection:
        rows = {
            row["state"]: row
            for row in connection.execute("SELECT * FROM state_counts WHERE job = ?", (job,))
        }
    objects = {
        state: rows[state]["objects"] if state in rows else 0
        for state in ("open", "complete", "consolidated", "excluded")
    }
    return ObjectCounts(
        total=sum(objects.values()),
        **objects,
        answers=sum(row["answered"] for row in rows.values()),
        missing=rows["open"]["wanted"] - rows["open"]["answered"] if "open" in rows else 0,
    )


def count_of_worker(database: Database, job: str, worker_id: str) -> WorkerCounts:
    """What one worker did in a job."""
    row = database.find_row(
        "SELECT worker_id, answers, cannot_label, skipped, seconds FROM worker_counts "
        "WHERE job = ? AND worker_id = ?",
        (job, worker_id),
    )
    return WorkerCounts(worker_id) if row is None else WorkerCounts(**row)


def count_by_worker(database: Database, job: str) -> list[WorkerCounts]:
    """What each worker did who answered or skipped anything, most answers first."""
    with database.read() as connection:
        rows = connection.execute(
            "SELECT worker_id, answers, cannot_label, skipped, seconds FROM worker_counts "
            "WHERE job = ? ORDER BY answers DESC, worker_id",
            (job,),
        ).fetchall()
    return [WorkerCounts(**row) for row in rows]


def count_by_class(database: Database, job: str) -> dict[str, int]:
    """How many consolidated objects each class was given to, most first; only classes in use."""
    with database.read() as connection:
        rows = connection.execute(
            "SELECT class, objects FROM class_counts WHERE job = ? AND objects > 0 "
            "ORDER BY objects DESC, class",
            (job,),
        ).fetchall()
    return {row["class"]: row["objects"] for row in rows}


def count_by_minute(
    database: Database, job: str, minutes: int, *, worker_id: str | None = None
) -> list[int]:
    """Answers in each of the last minutes, oldest first; of one worker, or of all.

    The last minute is the 60 seconds up to now.
    """
    now = database.now()
    series = [0] * minutes
    with database.read() as connection:
        rows = connection.execute(
            "SELECT CAST(max(:now - submitted, 0) / 60 AS INT) AS ago, count(*) AS answers "
            f"FROM assignments WHERE job = :job {_whose(worker_id)} AND submitted > :since "
            "GROUP BY ago",
            {"job": job, "worker": worker_id, "now": now, "since": now - 60 * minutes},
        ).fetchall()
    for row in rows:
        series[max(0, minutes - 1 - row["ago"])] += row["answers"]
    return series


def find_median_seconds(
    database: Database, job: str, *, worker_id: str | None = None
) -> float | None:
    """Median time that an answer took, in seconds, over the last 1,000; None without answers."""
    with database.read() as connection:
        rows = connection.execute(
            f"SELECT seconds FROM assignments WHERE job = :job {_whose(worker_id)} "
            "AND submitted IS NOT NULL ORDER BY submitted DESC LIMIT :limit",
            {"job": job, "worker": worker_id, "limit": ANSWERS_OF_MEDIAN},
        ).fetchall()
    return statistics.median(row["seconds"] for row in rows) if rows else None


def estimate_seconds_left(database: Database, job: str) -> float | None:
    """Seconds until all answers are there, if they go on coming as in the last 10 minutes.

    A job whose first answer is younger is judged by the time since then. None if no answer came
    in that time; 0 if none is missing.
    """
    missing = count_objects(database, job).missing
    if missing == 0:
        return 0.0
    now = database.now()
    with database.read() as connection:
        number, first = connection.execute(
            "SELECT count(*), min(submitted) FROM assignments WHERE job = ? AND submitted > ?",
            (job, now - 60 * MINUTES_OF_ESTIMATE),
        ).fetchone()
        (first_ever,) = connection.execute(
            "SELECT min(submitted) FROM assignments WHERE job = ? AND submitted IS NOT NULL", (job,)
        ).fetchone()
    if number == 0:
        return None
    span = now - first if first == first_ever else 60.0 * MINUTES_OF_ESTIMATE
    return float(missing * max(span, 1.0) / number)


def _whose(worker_id: str | None) -> str:
    return "" if worker_id is None else "AND worker_id = :worker"
