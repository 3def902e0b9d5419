"""The portal under load: many workers at once, every answer kept once, and what a request costs.

    python -m benchmarks.portal [--workers N] [--answers N] [--output FILE]

A portal is started as a command of its own, and asked over HTTP on this machine. What the server
costs is its CPU time as the system counts it (Linux alone).
"""

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common.record import output_option, run_record, table, write_result
from benchmarks.portal.client import Browser, label
from benchmarks.portal.large_job import measure_large_job
from labeljob.actions.team import ADDRESS
from labeljob.portal.database import Database
from labeljob.portal.portal import DATABASE, PORTAL_FOLDER
from labeljob.portal.sessions import start_session
from labeljob.portal.team import Member, add_member

JOB = "load"
PER_OBJECT = 5
ALONE = 200
"""Requests of each kind that one worker sends, one after the other."""

SEED = 0
_TICKS = os.sysconf("SC_CLK_TCK")
_SIZE = (480, 640)


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def make_images(folder: Path, number: int) -> None:
    """Smooth noise, which compresses as a photograph does."""
    rng = np.random.default_rng(SEED)
    folder.mkdir()
    for index in range(number):
        small = rng.integers(0, 256, (_SIZE[0] // 8, _SIZE[1] // 8, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize(_SIZE[::-1], Image.Resampling.BICUBIC)
        image.save(folder / f"{index:05d}.jpg", quality=85)


@contextmanager
def serve(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Database, str]]:
    """A portal with one job of the images in a folder; its process, database and address."""
    store = folder / "store"
    words = ["portal", str(folder / "images"), "--job-name", JOB, "--output", str(store)]
    words += ["--task", "image-multi-class", "--labels", "cat", "dog", "--port", "0"]
    words += ["--workers-per-object", str(PER_OBJECT)]
    with (folder / "log").open("wb") as log:
        command = [str(Path(sys.executable).with_name("labeljob")), *words]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    path = store / PORTAL_FOLDER / DATABASE
    try:
        while not path.exists():
            _check(server, folder / "log")
        with closing(Database(path)) as database:
            while (address := database.get_meta(ADDRESS)) is None:
                _check(server, folder / "log")
            yield server, database, address
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def _check(server: subprocess.Popen[bytes], log: Path) -> None:
    time.sleep(0.1)
    if server.poll() is not None:
        raise SystemExit(log.read_text(encoding="utf-8"))


def measure_kinds(pid: int, first: Browser, second: Browser) -> list[dict[str, Any]]:
    """Rows of what each kind of request costs the server, one after the other.

    The first worker is the first to see each data object, which the PRE function prepares then;
    the second worker answers the same data objects.
    """
    rows: list[dict[str, Any]] = []

    async def measure(kind: str, ask: Callable[[], Awaitable[object]]) -> None:
        before = cpu_seconds(pid)
        for _ in range(ALONE):
            await ask()
        rows.append({"request": kind, "cpu_ms": 1000 * (cpu_seconds(pid) - before) / ALONE})

    async def run() -> None:
        async with first, second:
            await measure("answer, and a new data object", await _make_answering(first))
            await measure("answer, and one that others saw", await _make_answering(second))
            await second.post("stop", {})
            task = (await first.post("next", {"page": "p"}))["task"]
            await measure("page of a task", lambda: first.get(task["page"]))
            await measure("image of a task", lambda: first.get(task["images"][0]))
            await measure("work page", lambda: first.get(f"/jobs/{JOB}"))
            await measure("who is signed in", lambda: first.get("/api/session"))
            await first.post("stop", {})

    asyncio.run(run())
    return rows


async def _make_answering(browser: Browser) -> Callable[[], Awaitable[object]]:
    work = await browser.post("next", {"page": "p"})

    async def answer() -> None:
        nonlocal work
        work = await browser.post("answers", label(work["task"], browser.rng))

    return answer


def measure_load(pid: int, browsers: Sequence[Browser]) -> dict[str, Any]:
    """All workers at once, until nobody gets a task; what that costs."""

    async def run() -> None:
        await asyncio.gather(*(browser.work() for browser in browsers))

    before, began = cpu_seconds(pid), time.perf_counter()
    asyncio.run(run())
    took = time.perf_counter() - began
    cpu = cpu_seconds(pid) - before
    requests = sum(browser.requests for browser in browsers)
    waits = sorted(wait for browser in browsers for wait in browser.waits)
    return {
        "workers": len(browsers),
        "acknowledged": sum(len(browser.saved) for browser in browsers),
        "requests": requests,
        "cpu_ms": 1000 * cpu / requests,
        "seconds": took,
        "p50_ms": 1000 * waits[len(waits) // 2],
        "p95_ms": 1000 * waits[int(0.95 * len(waits))],
    }


def count_kept(database: Database, browsers: Sequence[Browser]) -> dict[str, int]:
    """Whether the database has each acknowledged answer once, and no other."""
    with database.read() as connection:
        kept = connection.execute(
            "SELECT object_id, worker_id, answer FROM assignments WHERE submitted IS NOT NULL"
        ).fetchall()
        (exact,) = connection.execute(
            "SELECT count(*) FROM objects WHERE answered = ?", (PER_OBJECT,)
        ).fetchone()
    saved = [entry for browser in browsers for entry in browser.saved]
    rows = {(row["object_id"], row["worker_id"], row["answer"]) for row in kept}
    return {
        "kept": len(kept),
        "lost": len(set(saved) - rows),
        "not_acknowledged": len(rows - set(saved)),
        "exact_objects": exact,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--answers", type=int, default=1_000)
    output_option(parser, "portal")
    options = parser.parse_args(arguments)
    objects = max(ALONE + 2, (options.answers + 2 * ALONE) // PER_OBJECT)
    others = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large_job = measure_large_job(folder / "large.sqlite")
        make_images(folder / "images", objects)
        with serve(folder) as (server, database, address):

            def open_browser(number: int) -> Browser:
                member: Member = add_member(database, f"worker-{number}@example.org")
                return Browser(
                    address, start_session(database, member), member, JOB, random.Random(number)
                )

            browsers = [open_browser(number) for number in range(options.workers + 2)]
            kinds = measure_kinds(server.pid, *browsers[:2])
            load = measure_load(server.pid, browsers[2:])
            kept = count_kept(database, browsers)
    given = {"workers": options.workers, "answers": options.answers}
    write_result(
        options.output,
        {
            "run": run_record("benchmarks.portal", given, seed=SEED),
            "load_average_before": others,
            "objects": objects,
            "per_object": PER_OBJECT,
            "load": load,
            "answers": kept,
            "kinds": table(kinds, ["request", "cpu_ms"]),
            "large_job": table(large_job, ["step", "cpu_ms"]),
        },
    )
    if kept["lost"] or kept["not_acknowledged"] or kept["exact_objects"] != objects:
        raise SystemExit(f"answers are not kept once each: {kept}")


if __name__ == "__main__":
    main()
