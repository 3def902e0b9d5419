"""Requests that are computed one at a time, in the order in which they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import anyio
from starlette.requests import Request

MOST = 30
"""Requests that wait or are computed at most; the next are refused."""

MOST_FOR_ONE = 5
"""How many of them may ask for help with one image: no page can keep all others out."""


class BusyError(Exception):
    """Too many wait already."""


class GoneError(Exception):
    """Who asked does not wait for the answer any more."""


class Turns:
    """Who waits, and whose turn it is."""

    def __init__(self) -> None:
        self._turn = anyio.Lock()
        self._asking: Counter[Hashable] = Counter()

    @asynccontextmanager
    async def take(self, request: Request, image: Hashable) -> AsyncIterator[None]:
        """Wait for a request's turn, and have it in the ``with`` block.

        Raises `BusyError` if too many wait, `GoneError` if the client leaves before its turn.
        """
        if self._asking.total() >= MOST or self._asking[image] >= MOST_FOR_ONE:
            raise BusyError
        self._asking[image] += 1
        has_turn = False
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_when_gone, request, group.cancel_scope)
                await self._turn.acquire()
                has_turn = True
                group.cancel_scope.cancel()
            if not has_turn:
                raise GoneError
            yield
        finally:
            if has_turn:
                self._turn.release()
            self._asking -= Counter([image])


async def _cancel_when_gone(request: Request, scope: anyio.CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
