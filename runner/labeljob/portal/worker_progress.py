"""What a worker is told of their jobs and of their own work, from the portal's database."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import dropwhile

from labeljob.portal.database import Database

DAYS = 14
"""Days of which the worker sees how much they did."""


def may_work(database: Database, job: str, worker_id: str) -> bool:
    """Whether a job is for a worker: a job that names no workers is for all."""
    with database.read() as connection:
        row = connection.execute(
            "SELECT NOT EXISTS (SELECT * FROM job_members WHERE job = :job) OR EXISTS "
            "(SELECT * FROM job_members WHERE job = :job AND worker_id = :worker_id)",
            {"job": job, "worker_id": worker_id},
        ).fetchone()
    return bool(row[0])


def count_tasks_left(database: Database, job: str, worker_id: str) -> int:
    """How many data objects that want answers the worker has not answered."""
    with database.read() as connection:
        row = connection.execute(
            "SELECT coalesce((SELECT objects FROM state_counts WHERE job = :job "
            "AND state = 'open'), 0) - (SELECT count(*) FROM assignments "
            "JOIN objects USING (job, object_id) WHERE job = :job AND worker_id = :worker_id "
            "AND submitted IS NOT NULL AND state = 'open')",
            {"job": job, "worker_id": worker_id},
        ).fetchone()
    return int(row[0])


def count_answers_by_day(
    database: Database, jobs: Mapping[str, object], worker_id: str
) -> list[tuple[float, int]]:
    """Answers of a worker on each of the last days in UTC, from the first that has any to today.

    Returns
    -------
    list of (float, int)
        When the day began (seconds since 1970 UTC), and how many answers were given on it.
    """
    today = database.now() // 86400
    counts = dict.fromkeys(range(int(today) - DAYS + 1, int(today) + 1), 0)
    with database.read() as connection:
        for job in jobs:
            for day, count in connection.execute(
                "SELECT CAST(submitted / 86400 AS INT) AS day, count(*) FROM assignments "
                "WHERE job = ? AND worker_id = ? AND submitted >= ? GROUP BY day",
                (job, worker_id, (today - DAYS + 1) * 86400),
            ):
                counts[day] = counts.get(day, 0) + count
    days = [(day * 86400.0, count) for day, count in sorted(counts.items())]
    return list(dropwhile(lambda day: day[1] == 0, days)) or days[-1:]
