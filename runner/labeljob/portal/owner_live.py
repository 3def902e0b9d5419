"""Server-sent events: what changes goes to the owner's pages as it changes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Hashable
from typing import Any

from labeljob.portal.database import Database
from labeljob.portal.database_thread import DatabaseThread

SECONDS_BETWEEN = 1.0
"""Seconds between two looks at the database at least, however many pages are open."""

SECONDS_UNTIL_OLD = 15.0
"""Seconds after which a value is made again though nothing was written: tasks run out."""

SECONDS_OF_SILENCE = 15.0
"""Seconds after which a stream says that it is there, though nothing has changed."""

SECONDS_OF_STREAM = 600.0
"""Seconds that a stream lasts; the page opens another one, and is checked again."""

_WORK_SHARE = 0.1  # of the time that looks may take


class LiveValue:
    """A JSON text that many streams share; it is made anew when the database has changed.

    Parameters
    ----------
    make : callable
        Makes the value, and says whether it is complete; called in `reader`.
    """

    def __init__(
        self, make: Callable[[], tuple[Any, bool]], *, database: Database, reader: DatabaseThread
    ) -> None:
        self._make = make
        self._database = database
        self._reader = reader
        self._lock = asyncio.Lock()
        self._text = ""
        self._version = -1
        self._complete = False
        self._made = self._looked = -1e9
        self._pause = SECONDS_BETWEEN

    async def get(self) -> str:
        """The value as JSON, at most a moment old."""
        async with self._lock:
            if time.monotonic() - self._looked >= self._pause:
                await self._reader.run(self._renew)
        return self._text

    def expire(self) -> None:
        """Make the value anew at the next opportunity."""
        self._looked = self._made = -1e9

    def _renew(self) -> None:
        begun = time.monotonic()
        with self._database.read() as connection:
            (version,) = connection.execute("PRAGMA data_version").fetchone()
        is_old = begun - self._made >= SECONDS_UNTIL_OLD
        if version != self._version or is_old or not self._complete:
            value, self._complete = self._make()
            self._text = json.dumps(value, ensure_ascii=False)
            self._version, self._made = version, begun
        self._looked = time.monotonic()
        self._pause = max(SECONDS_BETWEEN, (self._looked - begun) / _WORK_SHARE)


class LiveValues:
    """The live values of a portal, each made on first use."""

    def __init__(self, database: Database, reader: DatabaseThread) -> None:
        self._database = database
        self._reader = reader
        self._values: dict[Hashable, LiveValue] = {}

    def find(self, key: Hashable, make: Callable[[], tuple[Any, bool]]) -> LiveValue:
        """The live value of a key; `make` is used the first time."""
        if key not in self._values:
            self._values[key] = LiveValue(make, database=self._database, reader=self._reader)
        return self._values[key]


async def stream(value: LiveValue) -> AsyncIterator[str]:
    """Events of a live value: its text when it has changed, and a sign of life when not."""
    last = ""
    spoke = opened = time.monotonic()
    while time.monotonic() - opened < SECONDS_OF_STREAM:
        text = await value.get()
        if text != last:
            yield f"event: status\ndata: {text}\n\n"
            last, spoke = text, time.monotonic()
        elif time.monotonic() - spoke >= SECONDS_OF_SILENCE:
            yield "event: heartbeat\ndata:\n\n"
            spoke = time.monotonic()
        await asyncio.sleep(SECONDS_BETWEEN)
