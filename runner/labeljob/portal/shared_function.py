"""A function of the application that several threads call, in a process that is started again."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labeljob.application import FunctionError, LocalFunction


class SharedFunction:
    """Calls a function one event at a time; its process begins with the first one.

    After an error the next call begins another process: what was wrong may be with this one.
    """

    def __init__(self, name: str, environment: Mapping[str, str], *, log: Path) -> None:
        self._name = name
        self._environment = environment
        self._log = log
        self._lock = threading.Lock()
        self._function: LocalFunction | None = None

    def __call__(self, event: Mapping[str, Any]) -> Any:
        """Invoke the handler; raises `GroundTruthError`."""
        with self._lock:
            if self._function is None:
                self._function = LocalFunction(self._name, self._environment, log=self._log)
            try:
                return self._function(event)
            except FunctionError:
                self._end()
                raise

    def close(self) -> None:
        """End the process; another call would begin one again."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._function is not None:
            self._function.close()
            self._function = None
