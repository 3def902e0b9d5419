import asyncio
import threading

import pytest

from labeljob.portal.database_thread import DatabaseThread
from tests.runner.portal.coroutines import run_coroutine


@pytest.fixture
def thread():
    opened = DatabaseThread()
    yield opened
    opened.close()


def test_all_is_done_in_one_thread_in_order(thread):
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        return threading.get_ident()

    async def ask() -> set[int]:
        return set(await asyncio.gather(*(thread.run(work, number) for number in range(50))))

    assert len(run_coroutine(ask())) == 1
    assert done == list(range(50))


def test_what_was_begun_is_done_though_nobody_waits_for_it(thread):
    begun, end, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        end.wait()
        done.set()

    async def leave() -> None:
        task = asyncio.create_task(thread.run(work))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        end.set()

    run_coroutine(leave())
    assert done.wait(5)


def test_an_error_is_raised_where_it_is_waited_for(thread):
    def fail() -> None:
        raise ValueError("no such job")

    with pytest.raises(ValueError, match="no such job"):
        run_coroutine(thread.run(fail))
