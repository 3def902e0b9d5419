"""Which worker is asked about which data object: each rule by an example."""

import pytest

from labeljob.portal.assignments import (
    add_job,
    ask_one_more,
    can_go_back,
    exclude,
    expire,
    get_job_state,
    release,
    reopen_last,
    reserve,
    set_job_state,
    skip,
    submit,
    take,
)
from labeljob.portal.database import Database
from tests.runner.portal.clocks import Clock

LIMIT = 300.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def database(tmp_path, clock):
    database = Database(tmp_path / "portal.sqlite", clock=clock)
    add_job(database, "job", ["a", "b", "c", "d"], wanted=2)
    yield database
    database.close()


def take_id(database, worker):
    lease = take(database, "job", worker, LIMIT)
    return None if lease is None else lease.object_id


def answer_next(database, worker):
    object_id = take_id(database, worker)
    assert submit(database, "job", object_id, worker, {"label": worker}) == "saved"
    return object_id


def row_of(database, object_id):
    with database.read() as connection:
        return dict(
            connection.execute("SELECT * FROM objects WHERE object_id = ?", (object_id,)).fetchone()
        )


def call(database, object_id):
    """Put an object in a batch, as consolidation does."""
    with database.transaction() as connection:
        connection.execute(
            "UPDATE objects SET called = 'now', state = 'consolidated' WHERE object_id = ?",
            (object_id,),
        )


def test_objects_come_in_order_and_nearest_to_complete_first(database):
    assert [answer_next(database, "ann") for _ in range(2)] == ["a", "b"]
    assert [answer_next(database, "bob") for _ in range(3)] == ["a", "b", "c"]
    assert [answer_next(database, "ann") for _ in range(2)] == ["c", "d"]
    assert take_id(database, "ann") is None


def test_a_reload_gets_the_same_object_and_time(database, clock):
    lease = take(database, "job", "ann", LIMIT)
    clock.time += 20
    assert take(database, "job", "ann", LIMIT) == lease
    assert lease.expires == lease.accepted + LIMIT


def test_a_reserved_object_is_the_next_one(database, clock):
    take_id(database, "ann")
    reserved = reserve(database, "job", "ann", LIMIT)
    assert reserve(database, "job", "ann", LIMIT) == reserved
    assert row_of(database, reserved.object_id)["leased"] == 1
    clock.time += 10
    submit(database, "job", "a", "ann", {})
    lease = take(database, "job", "ann", LIMIT)
    assert lease.object_id == reserved.object_id
    assert lease.accepted == clock.time


def test_no_more_workers_than_wanted(database):
    assert [take_id(database, worker) for worker in ("ann", "bob", "cid")] == ["a", "a", "b"]


def test_a_lease_that_runs_out_goes_to_others_and_then_is_too_late(database, clock):
    assert take_id(database, "ann") == take_id(database, "bob") == "a"
    clock.time += LIMIT
    assert expire(database, "job") == 2
    assert take_id(database, "cid") == take_id(database, "dan") == "a"
    assert submit(database, "job", "a", "ann", {}) == "expired"


def test_a_late_answer_counts_while_there_is_room(database, clock):
    take_id(database, "ann")
    clock.time += 2 * LIMIT
    expire(database, "job")
    assert submit(database, "job", "a", "ann", {}) == "saved"
    assert row_of(database, "a")["answered"] == 1


def test_a_double_submission_is_one_answer_and_the_first_counts(database):
    take_id(database, "ann")
    assert submit(database, "job", "a", "ann", {"label": "cat"}) == "saved"
    assert submit(database, "job", "a", "ann", {"label": "dog"}) == "repeated"
    assert reopen_last(database, "job", "ann", LIMIT).answer == {"label": "cat"}


def test_an_object_that_was_never_asked_takes_no_answer(database):
    assert submit(database, "job", "a", "ann", {}) == "closed"
    assert submit(database, "job", "unknown", "ann", {}) == "closed"


def test_a_skipped_object_comes_last(database):
    skip(database, "job", take_id(database, "ann"), "ann")
    assert [answer_next(database, "ann") for _ in range(4)] == ["b", "c", "d", "a"]


def test_skipped_objects_come_round_in_turn(database, clock):
    order = []
    for _ in range(8):
        clock.time += 1
        order.append(take_id(database, "ann"))
        assert skip(database, "job", order[-1], "ann")
    assert order == ["a", "b", "c", "d"] * 2


def test_stop_working_gives_everything_back(database):
    take_id(database, "ann")
    reserve(database, "job", "ann", LIMIT)
    assert release(database, "job", "ann") == 2
    assert row_of(database, "a")["leased"] == row_of(database, "b")["leased"] == 0


def test_going_back_changes_the_answer_and_holds_the_object(database, clock):
    answer_next(database, "bob")
    answer_next(database, "ann")
    current = take_id(database, "ann")
    clock.time += 5
    lease = reopen_last(database, "job", "ann", LIMIT)
    assert (lease.object_id, lease.answer) == ("a", {"label": "ann"})
    assert row_of(database, "a")["hold_until"] == clock.time + LIMIT
    assert take(database, "job", "ann", LIMIT) == lease
    clock.time += 7
    assert submit(database, "job", "a", "ann", {"label": "new"}) == "saved"
    row = row_of(database, "a")
    assert (row["hold_until"], row["state"], row["completed"]) == (0, "complete", clock.time)
    assert take_id(database, "ann") == current
    with database.read() as connection:
        changed = connection.execute(
            "SELECT * FROM assignments WHERE object_id = 'a' AND worker_id = 'ann'"
        ).fetchone()
    assert (changed["seconds"], changed["answer"]) == (7, '{"label": "new"}')


def test_an_answer_that_is_not_changed_in_time_stays(database, clock):
    answer_next(database, "ann")
    reopen_last(database, "job", "ann", LIMIT)
    clock.time += LIMIT
    assert take_id(database, "ann") == "b"
    assert submit(database, "job", "a", "ann", {"label": "late"}) == "repeated"


def test_a_consolidated_answer_cannot_be_changed(database):
    answer_next(database, "ann")
    assert can_go_back(database, "job", "ann")
    call(database, "a")
    assert not can_go_back(database, "job", "ann")
    assert reopen_last(database, "job", "ann", LIMIT) is None


def test_an_answer_under_way_when_the_object_is_consolidated_is_closed(database):
    take_id(database, "ann")
    call(database, "a")
    assert submit(database, "job", "a", "ann", {}) == "closed"


def test_one_worker_more_opens_an_object_again(database):
    for worker in ("ann", "bob"):
        answer_next(database, worker)
    call(database, "a")
    assert ask_one_more(database, "job", "a", most=3)
    assert not ask_one_more(database, "job", "a", most=3)
    assert answer_next(database, "cid") == "a"
    assert not ask_one_more(database, "job", "a", most=3)
    assert row_of(database, "a")["state"] == "complete"


def test_a_paused_job_gives_nothing_but_takes_answers(database):
    take_id(database, "ann")
    set_job_state(database, "job", "paused")
    assert take_id(database, "ann") is None
    assert reserve(database, "job", "bob", LIMIT) is None
    assert submit(database, "job", "a", "ann", {}) == "saved"


def test_a_finished_job_takes_no_answers(database):
    take_id(database, "ann")
    set_job_state(database, "job", "finished")
    assert get_job_state(database, "job") == "finished"
    assert submit(database, "job", "a", "ann", {}) == "closed"
    assert row_of(database, "a")["leased"] == 0


def test_an_excluded_object_is_asked_of_nobody(database):
    take_id(database, "ann")
    exclude(database, "job", "a")
    assert take_id(database, "ann") == "b"
    assert submit(database, "job", "a", "ann", {}) == "closed"


def test_the_same_objects_again_are_not_new(database):
    answer_next(database, "ann")
    assert add_job(database, "job", ["a", "b", "c", "d", "e"], wanted=2) == 1
    assert row_of(database, "a")["answered"] == 1
