"""One thread does all of the server's work on the database.

SQLite has one writer at a time, so more threads would only wait for each other; and one thread
costs the event loop the least for each request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from starlette.types import Scope

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class DatabaseThread:
    """Runs functions one after the other, off the event loop, in the order they are asked for."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")

    async def run(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call a function there and wait for its result; what it raises is raised here.

        What was begun is done to its end, even if the browser that asked for it has gone.
        """
        future = self._executor.submit(function, *args, **kwargs)
        return await asyncio.shield(asyncio.wrap_future(future))

    def close(self) -> None:
        """Wait for what was asked for, and end the thread."""
        self._executor.shutdown()


def find_database_thread(scope: Scope) -> DatabaseThread:
    """The thread of the server that a request came to; `request.scope` is a request's scope."""
    thread: DatabaseThread = scope["app"].state.database_thread
    return thread
