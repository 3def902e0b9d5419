"""How far a job is."""

import json

import pytest

from labeljob.portal.assignments import add_job, ask_one_more, reopen_last, skip, submit, take
from labeljob.portal.database import Database
from labeljob.portal.progress import (
    ObjectCounts,
    WorkerCounts,
    count_by_class,
    count_by_minute,
    count_by_worker,
    count_objects,
    count_of_worker,
    estimate_seconds_left,
    find_median_seconds,
)
from tests.runner.portal.clocks import Clock

LIMIT = 300.0
CANNOT = {"cannot-be-labeled": {"reason": "image-broken", "comment": ""}}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def database(tmp_path, clock):
    database = Database(tmp_path / "portal.sqlite", clock=clock)
    add_job(database, "job", [str(number) for number in range(10)], wanted=2)
    add_job(database, "other", ["0"], wanted=5)
    yield database
    database.close()


def answer_next(database, clock, worker, answer=None, *, seconds=6):
    lease = take(database, "job", worker, LIMIT)
    clock.time += seconds
    submit(database, "job", lease.object_id, worker, answer or {"label": "cat"})
    return lease.object_id


def consolidate(database, object_id, label):
    with database.transaction() as connection:
        connection.execute(
            "UPDATE objects SET state = 'consolidated', label = ? "
            "WHERE job = 'job' AND object_id = ?",
            (json.dumps(label), object_id),
        )


def test_objects_are_counted_by_state(database, clock):
    for worker in ("ann", "bob"):
        for _ in range(3):
            answer_next(database, clock, worker)
    consolidate(database, "0", ["cat"])
    assert count_objects(database, "job") == ObjectCounts(
        total=10, open=7, complete=2, consolidated=1, excluded=0, answers=6, missing=14
    )
    assert count_objects(database, "other").missing == 5
    assert count_objects(database, "unknown").total == 0
    ask_one_more(database, "job", "0", most=3)
    assert count_objects(database, "job").missing == 15
    assert count_objects(database, "job").done == 2


def test_each_worker_is_counted(database, clock):
    answer_next(database, clock, "ann")
    answer_next(database, clock, "ann", CANNOT)
    for object_id in ("2", "3"):
        take(database, "job", "ann", LIMIT)
        skip(database, "job", object_id, "ann")
    answer_next(database, clock, "bob", seconds=4)
    assert count_by_worker(database, "job") == [
        WorkerCounts("ann", answers=2, cannot_label=1, skipped=2, seconds=12),
        WorkerCounts("bob", answers=1, seconds=4),
    ]
    assert count_of_worker(database, "job", "ann").answers == 2
    assert count_of_worker(database, "job", "nobody") == WorkerCounts("nobody")


def test_a_changed_answer_is_counted_once(database, clock):
    object_id = answer_next(database, clock, "ann", CANNOT)
    reopen_last(database, "job", "ann", LIMIT)
    clock.time += 3
    submit(database, "job", object_id, "ann", {"label": "cat"})
    assert count_of_worker(database, "job", "ann") == WorkerCounts("ann", answers=1, seconds=9)


def test_classes_follow_the_labels(database):
    consolidate(database, "0", ["cat"])
    consolidate(database, "1", ["cat", "dog"])
    assert count_by_class(database, "job") == {"cat": 2, "dog": 1}
    consolidate(database, "1", [])
    consolidate(database, "2", ["bird"])
    assert count_by_class(database, "job") == {"bird": 1, "cat": 1}


def test_answers_by_minute(database, clock):
    for seconds in (6, 60, 6):
        answer_next(database, clock, "ann", seconds=seconds)
    answer_next(database, clock, "bob", seconds=0)
    assert count_by_minute(database, "job", 3) == [0, 1, 3]
    assert count_by_minute(database, "job", 3, worker_id="bob") == [0, 0, 1]
    assert count_by_minute(database, "job", 1) == [3]


def test_the_median_time_of_an_answer(database, clock):
    assert find_median_seconds(database, "job") is None
    for seconds in (2, 100, 4):
        answer_next(database, clock, "ann", seconds=seconds)
    answer_next(database, clock, "bob", seconds=7)
    assert find_median_seconds(database, "job") == 5.5
    assert find_median_seconds(database, "job", worker_id="ann") == 4


def test_the_time_left_follows_the_rate(database, clock):
    assert estimate_seconds_left(database, "job") is None
    for _ in range(5):
        answer_next(database, clock, "ann", seconds=10)
    # 5 answers in the 40 seconds since the first; 15 of 20 are missing.
    assert estimate_seconds_left(database, "job") == pytest.approx(120)
    clock.time += 3600
    assert estimate_seconds_left(database, "job") is None
    answer_next(database, clock, "bob")
    # Work went on after an hour: one answer in ten minutes, 14 missing.
    assert estimate_seconds_left(database, "job") == pytest.approx(14 * 600)
    for _ in range(5):
        answer_next(database, clock, "ann")
    for _ in range(9):
        answer_next(database, clock, "bob")
    assert estimate_seconds_left(database, "job") == 0
