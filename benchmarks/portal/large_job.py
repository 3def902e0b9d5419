"""A job of 100,000 data objects, half of which one worker has answered alone: what queries cost."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from labeljob.portal.assignments import add_job, can_go_back, release, reserve, take
from labeljob.portal.database import Database
from labeljob.portal.progress import (
    count_by_class,
    count_by_minute,
    count_by_worker,
    count_objects,
    count_of_worker,
    estimate_seconds_left,
    find_median_seconds,
)

JOB = "large"
N_OBJECTS = 100_000
ANSWERED_ALONE = 50_000
WANTED = 3
ALONE, NEW = "private.us-west-2.aaaaaaaaaaaaaaaa", "private.us-west-2.bbbbbbbbbbbbbbbb"

_REPEATS = 200
_TIME_LIMIT = 300.0


def measure_large_job(path: Path) -> list[dict[str, Any]]:
    """Rows of a step and the median of its CPU time in ms, without the commit to the disk."""
    with closing(Database(path)) as database:
        began = time.thread_time()
        add_job(database, JOB, map(str, range(N_OBJECTS)), wanted=WANTED)
        rows = [{"step": "make the job", "cpu_ms": 1000 * (time.thread_time() - began)}]
        _answer_half(database)
        for who, worker in (("who answered half", ALONE), ("who is new", NEW)):
            rows += _measure_choice(database, who, worker)
        queries: Mapping[str, Callable[[], object]] = {
            "objects by state": lambda: count_objects(database, JOB),
            "one worker's counts": lambda: count_of_worker(database, JOB, ALONE),
            "all workers' counts": lambda: count_by_worker(database, JOB),
            "objects by class": lambda: count_by_class(database, JOB),
            "answers by minute, last hour": lambda: count_by_minute(database, JOB, 60),
            "median seconds of an answer": lambda: find_median_seconds(database, JOB),
            "time left": lambda: estimate_seconds_left(database, JOB),
            "whether one can go back": lambda: can_go_back(database, JOB, ALONE),
        }
        rows += [{"step": name, "cpu_ms": _time(query)} for name, query in queries.items()]
    return rows


def _measure_choice(database: Database, who: str, worker: str) -> list[dict[str, Any]]:
    taken, reserved = [], []
    for _ in range(_REPEATS):
        with database.transaction():
            began = time.thread_time()
            lease = take(database, JOB, worker, _TIME_LIMIT)
            between = time.thread_time()
            ahead = reserve(database, JOB, worker, _TIME_LIMIT)
            reserved.append(time.thread_time() - between)
            taken.append(between - began)
            if lease is None or ahead is None:
                raise RuntimeError(f"nothing was chosen for {worker}")
            release(database, JOB, worker)
    return [
        {"step": f"choose for a worker {who}", "cpu_ms": 1000 * median(taken)},
        {"step": f"choose ahead for a worker {who}", "cpu_ms": 1000 * median(reserved)},
    ]


def _time(query: Callable[[], object]) -> float:
    times = []
    for _ in range(_REPEATS):
        began = time.thread_time()
        query()
        times.append(time.thread_time() - began)
    return 1000 * median(times)


def _answer_half(database: Database) -> None:
    """Rows as `submit` leaves them, one answer a second until now."""
    start = database.now() - ANSWERED_ALONE
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO assignments (job, object_id, worker_id, accepted, expires, shown, live) "
            "VALUES (?, ?, ?, ?, ?, 1, 0)",
            ((JOB, str(i), ALONE, start + i, start + i) for i in range(ANSWERED_ALONE)),
        )
        connection.execute(
            "UPDATE assignments SET submitted = accepted + 1, seconds = 1.0, answer = '{}' "
            "WHERE job = ?",
            (JOB,),
        )
        connection.execute(
            "UPDATE objects SET answered = 1, seen_by = ? WHERE job = ? AND position < ?",
            (ALONE, JOB, ANSWERED_ALONE),
        )
