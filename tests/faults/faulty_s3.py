"""An S3 on the loopback interface that keeps objects, and fails as it is told to."""

import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.stub_service import Reply, StubService, s3_error

PATIENCE_SECONDS = 120.0
MODIFIED = "Fri, 02 Jan 2026 03:04:05 GMT"


@dataclass
class FaultyS3(StubService):
    """Objects by URI; `faults` are the first replies to requests for an object.

    Attributes
    ----------
    objects : dict of str to bytes
        What is kept.
    faults : dict of str to list of Reply
        Taken off the front; where a list ends, the object itself is the reply.
    held : dict of str to threading.Event
        Each request for an object is answered once its event is set.
    answered : Counter
        Requests that were answered, by method and URI.
    asked : Counter
        Requests by method and URI.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Reply]] = field(default_factory=dict)
    held: dict[str, threading.Event] = field(default_factory=dict)
    answered: Counter[tuple[str, str]] = field(default_factory=Counter)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, uri: str, value: Any) -> None:
        """Keep a value as JSON."""
        self.objects[uri] = json.dumps(value).encode()

    def fail(self, uri: str, replies: Sequence[Reply]) -> None:
        """Fail the next requests for an object."""
        self.faults[uri] = list(replies)

    def masks(self) -> dict[str, bytes]:
        """The PNGs that are kept."""
        return {uri: body for uri, body in self.objects.items() if uri.endswith(".png")}

    def reply(self, command: str, path: str, body: bytes) -> Reply:
        """The object, or what goes wrong with it."""
        uri = f"s3:/{unquote(path)}"
        with self._lock:
            self.asked[command, uri] += 1
            if self.faults.get(uri):
                return self.faults[uri].pop(0)
            reply = self._kept(command, uri, body)
        if uri in self.held:
            self.held[uri].wait(PATIENCE_SECONDS)
        with self._lock:
            self.answered[command, uri] += 1
        return reply

    def _kept(self, command: str, uri: str, body: bytes) -> Reply:
        if command == "PUT":
            self.objects[uri] = body
            return Reply(200)
        if uri not in self.objects:
            return s3_error(404, "NoSuchKey")
        return Reply(200, self.objects[uri], {"Last-Modified": MODIFIED})
