"""A worker's browser, as far as the portal's server can tell: HTTP/1.1 on one connection."""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from labeljob.portal.team import Member

LABELS = ("cat", "dog")


def label(task: Mapping[str, Any], rng: random.Random) -> dict[str, Any]:
    """An answer to a task of image classification."""
    answer = {"crowd-image-classifier": {"label": rng.choice(LABELS)}, "note": str(rng.random())}
    return {"task": task["id"], "answer": answer}


class Browser:
    """One worker, signed in.

    Attributes
    ----------
    requests : int
        How many were sent.
    saved : list
        Object, worker and answer of what the portal said it had saved.
    waits : list of float
        Seconds from each answer to the portal's reply.
    """

    def __init__(
        self, address: str, token: str, member: Member, job: str, rng: random.Random
    ) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._head = (
            f"Host: {parts.netloc}\r\nOrigin: {address}\r\nSec-Fetch-Site: same-origin\r\n"
            f"Accept: */*\r\nCookie: labeljob-{self._port}={token}\r\n"
        )
        self._member = member
        self._job = job
        self.rng = rng
        self.requests = 0
        self.saved: list[tuple[str, str, str]] = []
        self.waits: list[float] = []

    async def __aenter__(self) -> Self:
        """Connect, and ask for the session's CSRF token."""
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._csrf = json.loads(await self.get("/api/session"))["csrf"]
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()

    async def work(self) -> None:
        """Load the work page, and answer tasks until there is none; load the next one ahead."""
        async with self:
            await self.get(f"/jobs/{self._job}")
            work = await self.post("next", {"page": "p"})
            loaded: set[str] = set()
            while work["task"] is not None:
                for task in (work["task"], work["next"]):
                    if task is not None and task["id"] not in loaded:
                        loaded.add(task["id"])
                        await self.get(task["page"])
                        for image in task["images"]:
                            await self.get(image)
                began = time.perf_counter()
                work = await self.post("answers", label(work["task"], self.rng))
                self.waits.append(time.perf_counter() - began)

    async def get(self, path: str) -> bytes:
        """Body of a page or file; raises `OSError` unless the answer is 200."""
        return await self._ask(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())

    async def post(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the portal answers to a worker's action; answers that it saved are noted."""
        text = json.dumps(body)
        head = (
            f"POST /api/jobs/{self._job}/{action} HTTP/1.1\r\n{self._head}"
            f"X-CSRF-Token: {self._csrf}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n"
        )
        work: dict[str, Any] = json.loads(await self._ask((head + text).encode()))
        if work.get("saved") == "saved":
            self.saved.append((body["task"], self._member.worker_id, json.dumps(body["answer"])))
        return work

    async def _ask(self, request: bytes) -> bytes:
        self.requests += 1
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        body = await self._reader.readexactly(length)
        status = head.partition("\r\n")[0]
        if " 200 " not in status:
            asked = request.partition(b"\r\n")[0]
            raise OSError(f"{asked!r}: {status} {body!r}")
        return body
