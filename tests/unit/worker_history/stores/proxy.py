"""A DynamoDB on the loopback interface that counts, isolates transactions, and fails as told.

Requests pass through to moto, one at a time: moto copies its tables for a transaction and puts
the copies back when it fails, which loses what others wrote meanwhile. As in the real service,
a transaction that meets another one on one of its items is cancelled with TransactionConflict.
"""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

CUT = "cut the connection"

Reply: TypeAlias = tuple[int, bytes]
Forward: TypeAlias = Callable[[dict[str, Any]], Reply]
Fault: TypeAlias = Callable[[dict[str, Any], Forward], Reply | str]
"""Given a request and what passes it on: the reply, or CUT."""


class Proxy:
    """What the tests set and read."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.bodies: list[tuple[str, dict[str, Any]]] = []
        self.faults: dict[str, list[Fault | None]] = {}
        self.conflicts = 0
        self.busy_seconds = 0.0
        self._database = threading.Lock()
        self._claims = threading.Lock()
        self._claimed: set[str] = set()

    def reply(self, operation: str, body: dict[str, Any], forward: Forward) -> Reply | str:
        """The reply to one request; a list's last fault stays for ever."""
        with self._claims:
            self.requests[operation] += 1
            self.bodies.append((operation, body))
            queue = self.faults.get(operation, [])
            fault = queue.pop(0) if len(queue) > 1 else (queue[0] if queue else None)
        passed_on = self._isolated(operation, forward)
        return fault(body, passed_on) if fault else passed_on(body)

    def _isolated(self, operation: str, forward: Forward) -> Forward:
        def pass_on(body: dict[str, Any]) -> Reply:
            if operation != "TransactWriteItems":
                with self._database:
                    return forward(body)
            keys = [item_of(action) for action in body["TransactItems"]]
            with self._claims:
                met = [key in self._claimed for key in keys]
                if any(met):
                    self.conflicts += 1
                    return cancelled(["TransactionConflict" if hit else "None" for hit in met])
                self._claimed.update(keys)
            try:
                time.sleep(self.busy_seconds)
                with self._database:
                    return forward(body)
            finally:
                with self._claims:
                    self._claimed.difference_update(keys)

        return pass_on


def item_of(action: dict[str, Any]) -> str:
    ((kind, content),) = action.items()
    key = content["Key"] if kind == "Update" else content["Item"]
    return f"{content['TableName']} {key['pk']['S']} {key['sk']['S']}"


def error(code: str, *, status: int = 400, **more: Any) -> Reply:
    content = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "played", **more}
    return status, json.dumps(content).encode()


def cancelled(codes: list[str]) -> Reply:
    return error("TransactionCanceledException", CancellationReasons=[{"Code": c} for c in codes])


def refusing(code: str, *, status: int = 400) -> Fault:
    """A fault: the request is not passed on."""
    return lambda body, forward: error(code, status=status)


def cut_before(body: dict[str, Any], forward: Forward) -> str:
    """A fault: the connection breaks, nothing was done."""
    return CUT


def cut_after(body: dict[str, Any], forward: Forward) -> str:
    """A fault: the connection breaks, but all was done."""
    forward(body)
    return CUT


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    proxy: Proxy
    upstream_port: int

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        reply = self.proxy.reply(operation, json.loads(raw), self.forward)
        if isinstance(reply, str):
            self.close_connection = True
            return
        status, content = reply
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def forward(self, body: dict[str, Any]) -> Reply:
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream_port)
        kept = ("authorization", "content-type", "x-amz-target", "x-amz-date")
        headers = {name: value for name, value in self.headers.items() if name.lower() in kept}
        upstream.request("POST", "/", json.dumps(body), headers)
        with upstream.getresponse() as response:
            reply = response.status, response.read()
        upstream.close()
        return reply

    def log_message(self, *_: Any) -> None:
        """Nothing: pytest shows what matters."""


@contextmanager
def in_front_of(port: int) -> Iterator[tuple[Proxy, str]]:
    """A proxy of the server on a port, and its own endpoint."""
    proxy = Proxy()
    handler = type("ProxyHandler", (Handler,), {"proxy": proxy, "upstream_port": port})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
