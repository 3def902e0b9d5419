"""An AWS service played from a script: an HTTP server on the loopback interface."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

Service = TypeVar("Service", bound="StubService")


@dataclass(frozen=True)
class Reply:
    """One HTTP response, sent after some seconds."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class StubService:
    """Replies one after the other; the last one is given for ever.

    `by_path` overrides them for the requests whose path ends so.
    """

    endpoint: str = ""
    replies: list[Reply] = field(default_factory=list)
    by_path: dict[str, Reply] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def reply(self, command: str, path: str, body: bytes) -> Reply:
        """The response to one request."""
        return self.next_reply(path)

    def next_reply(self, path: str) -> Reply:
        for ending, reply in self.by_path.items():
            if path.endswith(ending):
                return reply
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def s3_error(status: int, code: str) -> Reply:
    """An error as S3 writes it."""
    body = f"<Error><Code>{code}</Code><Message>played</Message></Error>"
    return Reply(status, body.encode(), {"Content-Type": "application/xml"})


def json_reply(value: Any) -> Reply:
    """An answer as SageMaker writes it."""
    return Reply(200, json.dumps(value).encode(), {"Content-Type": "application/x-amz-json-1.1"})


def json_error(status: int, code: str) -> Reply:
    """An error as SageMaker writes it."""
    body = json.dumps({"__type": code, "message": "played"}).encode()
    return Reply(status, body, {"Content-Type": "application/x-amz-json-1.1"})


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """A stub on a free port, stopped at the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # of which "Expect: 100-continue" is a part

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service.requests.append((self.command, self.path, dict(self.headers), body))
            reply = service.reply(self.command, self.path.partition("?")[0], body)
            threading.Event().wait(reply.seconds)  # tests replace time.sleep
            self.send_response(reply.status)
            for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_PUT = do_POST = do_HEAD = answer  # noqa: N815 (names the base class calls)

        def log_message(self, *_: Any) -> None:
            """Nothing: pytest shows what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
