"""Headless Chromium without a GPU: what it uses of processor and memory, and real pointer input."""

import math
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--window-size=1900,1200",  # with room for the bars that a browser has also without a screen
]
PACE = 1 / 60
"""Seconds from one move of the pointer to the next, unless the page takes longer."""


_SECONDS_BETWEEN_LOOKS = 0.2


class Chromium:
    """A browser whose processes are watched."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self._session = browser.new_browser_cdp_session()

    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far."""
        return sum(process["cpuTime"] for process in self._list())

    @contextmanager
    def watch_memory(self) -> Iterator["Memory"]:
        """Watch the memory of all processes that show pages."""
        (browser,) = [process["id"] for process in self._list() if process["type"] == "browser"]
        memory = Memory(browser)
        memory.start()
        try:
            yield memory
        finally:
            memory.stop()

    def _list(self) -> list[dict[str, Any]]:
        processes: list[dict[str, Any]] = self._session.send("SystemInfo.getProcessInfo")[
            "processInfo"
        ]
        return processes


class Memory(threading.Thread):
    """Resident memory of a browser's pages, where what n processes share counts by 1/n."""

    def __init__(self, browser: int) -> None:
        super().__init__(daemon=True)
        self._browser = browser
        self._stopped = threading.Event()
        self._most = 0.0

    def now(self) -> float:
        """Megabytes at this moment."""
        found = sum(map(_read_shared_megabytes, _find_renderers(self._browser)))
        self._most = max(self._most, found)
        return found

    def most(self) -> float:
        """Megabytes at the worst moment since this was asked last."""
        self.now()
        most, self._most = self._most, 0.0
        return most

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self.join()

    def run(self) -> None:
        """Look a few times a second."""
        while not self._stopped.wait(_SECONDS_BETWEEN_LOOKS):
            self.now()


def _find_renderers(browser: int) -> Iterator[int]:
    """Processes that show pages, and descend from a browser's."""
    parents, renderers = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                renderers.append(int(folder.name))
    for pid in renderers:
        ancestor = pid
        while ancestor in parents and ancestor != browser:
            ancestor = parents[ancestor]
        if ancestor == browser:
            yield pid


def read_most_megabytes(pid: int) -> float:
    """The most resident memory that a process has had."""
    return _read_megabytes(f"/proc/{pid}/status", "VmHWM")


def _read_shared_megabytes(pid: int) -> float:
    try:
        return _read_megabytes(f"/proc/{pid}/smaps_rollup", "Pss")
    except OSError:  # it has ended
        return 0.0


def _read_megabytes(path: str, name: str) -> float:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(value) * 1.024 / 1000


@contextmanager
def launch() -> Iterator[Chromium]:
    """Start a browser of its own."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=OPTIONS)
        try:
            yield Chromium(browser)
        finally:
            browser.close()


class Pointer:
    """A mouse whose moves reach the page as those of a hand do."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._at = (0.0, 0.0)

    def press(self, x: float, y: float) -> None:
        """Press the left button at a point of the window."""
        self._at = (x, y)
        self._send("mouseMoved", button="none", buttons=0)
        self._send("mousePressed", button="left", buttons=1, clickCount=1)

    def move(self, points: Iterator[tuple[float, float]]) -> None:
        """Go through points with the button held, at a steady pace."""
        due = time.perf_counter()
        for self._at in points:
            self._send("mouseMoved", button="left", buttons=1)
            due = max(due + PACE, time.perf_counter() - PACE)
            time.sleep(max(due - time.perf_counter(), 0))

    def release(self) -> None:
        """Let go of the button."""
        self._send("mouseReleased", button="left", buttons=0, clickCount=1)

    def _send(self, kind: str, **values: object) -> None:
        x, y = self._at
        self._session.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **values})


def wander(
    number: int, middle: tuple[float, float], room: tuple[float, float]
) -> Iterator[tuple[float, float]]:
    """Points about 9 pixels apart that cover a room about a middle more and more evenly."""
    for step in range(number):
        angle = step * 9 / (math.hypot(*room) * 1.1)
        yield (
            middle[0] + room[0] / 2 * math.sin(3.1 * angle),
            middle[1] + room[1] / 2 * math.sin(2 * angle + 1),
        )
