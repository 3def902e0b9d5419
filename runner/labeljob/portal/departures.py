"""Workers who leave a work page give their tasks back, unless they are there again soon.

A browser says the same when a page is reloaded as when it is closed. So a task goes back only
some seconds later: whoever reloads gets the same one again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

GRACE = 20.0
"""Seconds in which a worker may come back to the same task."""


class Departures:
    """Remembers which open page of a worker is the latest, and when it was left.

    Parameters
    ----------
    release : callable
        Gives a worker's tasks of a job back.
    grace : float, optional
        Seconds between leaving and giving back.
    """

    def __init__(
        self, release: Callable[[str, str], Awaitable[object]], *, grace: float = GRACE
    ) -> None:
        self._release = release
        self._grace = grace
        self._latest: dict[tuple[str, str], str] = {}
        self._leaving: dict[tuple[str, str], asyncio.Task[None]] = {}

    def arrive(self, job: str, worker_id: str, page: str) -> None:
        """A worker asks for a task on a page, which the browser gave a name of its own."""
        self._latest[job, worker_id] = page
        self.stay(job, worker_id)

    def stay(self, job: str, worker_id: str) -> None:
        """A worker is still there: nothing goes back."""
        leaving = self._leaving.pop((job, worker_id), None)
        if leaving is not None:
            leaving.cancel()

    def work(self, job: str, worker_id: str, page: str) -> None:
        """A worker does something on a page, which may be another than the latest.

        What the page that was left has sent before it is no sign that the worker is there.
        """
        if self._latest.get((job, worker_id)) != page:
            self.arrive(job, worker_id, page)

    def leave(self, job: str, worker_id: str, page: str) -> None:
        """A page was left; it counts only if the worker has opened no other since."""
        if self._latest.get((job, worker_id)) == page:
            self.stay(job, worker_id)
            task = asyncio.create_task(self._release_later(job, worker_id))
            self._leaving[job, worker_id] = task

    def close(self) -> None:
        """Give nothing back any more; the leases run out by themselves."""
        for task in self._leaving.values():
            task.cancel()
        self._leaving.clear()

    async def _release_later(self, job: str, worker_id: str) -> None:
        await asyncio.sleep(self._grace)
        del self._leaving[job, worker_id]
        del self._latest[job, worker_id]
        await self._release(job, worker_id)
