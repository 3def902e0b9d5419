import asyncio

import pytest

from labeljob.portal.departures import Departures
from tests.runner.portal.coroutines import run_coroutine


@pytest.fixture
def released():
    return []


def run(released, happen):
    """Let something happen to departures that count at once, and then all that is due."""

    async def release(job, worker_id):
        released.append((job, worker_id))

    async def go():
        departures = Departures(release, grace=0.0)
        await happen(departures)
        for _ in range(10):
            await asyncio.sleep(0)
        departures.close()

    run_coroutine(go())
    return released


def test_whoever_leaves_gives_tasks_back(released):
    async def happen(departures):
        departures.arrive("birds", "ann", "page-1")
        departures.leave("birds", "ann", "page-1")

    assert run(released, happen) == [("birds", "ann")]


@pytest.mark.parametrize("come_back", ["arrive", "stay"])
def test_whoever_is_there_again_keeps_them(released, come_back):
    async def happen(departures):
        departures.arrive("birds", "ann", "page-1")
        departures.leave("birds", "ann", "page-1")
        if come_back == "arrive":
            departures.arrive("birds", "ann", "page-2")
        else:
            departures.stay("birds", "ann")

    assert run(released, happen) == []


def test_a_page_that_says_late_that_it_was_left_does_not_count(released):
    async def happen(departures):
        departures.arrive("birds", "ann", "page-1")
        departures.arrive("birds", "ann", "page-2")
        departures.leave("birds", "ann", "page-1")

    assert run(released, happen) == []


@pytest.mark.parametrize(("page", "gone"), [("page-1", False), ("page-2", True)])
def test_work_on_another_page_than_the_one_that_was_left_counts(released, page, gone):
    async def happen(departures):
        departures.arrive("birds", "ann", "page-1")
        departures.arrive("birds", "ann", "page-2")
        departures.leave("birds", "ann", "page-2")
        departures.work("birds", "ann", page)

    assert run(released, happen) == [("birds", "ann")] * gone


def test_others_and_other_jobs_are_left_alone(released):
    async def happen(departures):
        for job, worker in (("birds", "ann"), ("birds", "ben"), ("cats", "ann")):
            departures.arrive(job, worker, "page-1")
        departures.leave("birds", "ann", "page-1")
        departures.stay("birds", "ben")
        departures.stay("cats", "ann")

    assert run(released, happen) == [("birds", "ann")]


def test_nothing_is_given_back_once_closed(released):
    async def happen(departures):
        departures.arrive("birds", "ann", "page-1")
        departures.leave("birds", "ann", "page-1")
        departures.close()

    assert run(released, happen) == []
