"""Server-sent events: only what changed, and not too often."""

import asyncio
import json

import pytest

from labeljob.portal import owner_live
from labeljob.portal.database_thread import DatabaseThread
from labeljob.portal.owner_live import LiveValue, stream
from tests.runner.portal.coroutines import run_coroutine


@pytest.fixture
def reader():
    thread = DatabaseThread()
    yield thread
    thread.close()


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(owner_live, "SECONDS_BETWEEN", 0.01)
    monkeypatch.setattr(owner_live, "SECONDS_OF_SILENCE", 0.05)
    monkeypatch.setattr(owner_live, "SECONDS_OF_STREAM", 0.6)


def count_calls(database):
    """A value that tells the number of jobs, and how often it was made."""
    calls = []

    def make():
        calls.append(1)
        with database.read() as connection:
            return connection.execute("SELECT count(*) FROM jobs").fetchone()[0], True

    return make, calls


def add_job(database, name):
    with database.transaction() as connection:
        connection.execute("INSERT INTO jobs (name, created) VALUES (?, 0)", (name,))


def test_a_value_is_made_again_only_when_something_was_written(database, reader, fast):
    make, calls = count_calls(database)
    value = LiveValue(make, database=database, reader=reader)

    async def look():
        for _ in range(5):
            await value.get()
            await asyncio.sleep(0.02)
        assert len(calls) == 1
        add_job(database, "zoo")
        await asyncio.sleep(0.1)
        return await value.get()

    assert run_coroutine(look()) == "1"
    assert len(calls) == 2


def test_looks_are_shared_and_at_least_a_second_apart(database, reader):
    make, calls = count_calls(database)
    value = LiveValue(make, database=database, reader=reader)

    async def look():
        await value.get()
        add_job(database, "zoo")
        return await asyncio.gather(*(value.get() for _ in range(50)))

    assert set(run_coroutine(look())) == {"0"}
    assert len(calls) == 1


def test_a_stream_tells_changes_and_that_it_is_there(database, reader, fast):
    make, _ = count_calls(database)
    value = LiveValue(make, database=database, reader=reader)

    async def listen():
        events = []
        async for event in stream(value):
            events.append(event)
            if event.startswith("event: heartbeat") and len(events) == 2:
                add_job(database, "zoo")
        return events

    events = run_coroutine(listen())
    told = [event for event in events if event.startswith("event: status")]
    assert [json.loads(event.splitlines()[1].removeprefix("data: ")) for event in told] == [0, 1]
    assert events.count("event: heartbeat\ndata:\n\n") >= 2


def test_a_change_of_the_owner_is_seen_at_once(database, reader):
    make, _ = count_calls(database)
    value = LiveValue(make, database=database, reader=reader)

    async def change():
        await value.get()
        add_job(database, "zoo")
        value.expire()
        return await value.get()

    assert run_coroutine(change()) == "1"
