"""A portal as its owner starts it, in a process of its own, and people who work on it by HTTP."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx

from labeljob.portal import team
from labeljob.portal.database import Database

Result = TypeVar("Result")

COMMAND = str(Path(sys.executable).with_name("labeljob"))
SECONDS_TO_START = 180
PASSWORD = "four plain words here"


def wait_for(look: Callable[[], Result], *, seconds: float = 60) -> Result:
    """What `look` gives as soon as that is something."""
    end = time.monotonic() + seconds
    while not (result := look()):
        assert time.monotonic() < end, f"nothing came within {seconds} s"
        time.sleep(0.05)
    return result


def read_lines(path: Path) -> list[dict]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class LivePortal:
    """`labeljob portal` on 127.0.0.1, run in a folder; it can be killed and started again.

    The port is one that is free at the first start, and the same ever after.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.store = folder / "labeljob-store"
        self._arguments = arguments
        self._log = folder / "portal.log"
        self._process: subprocess.Popen | None = None
        self._database: Database | None = None
        self._workers: list[HttpWorker] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """All that the command printed since it was started last."""
        return self._log.read_text(encoding="utf-8")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [COMMAND, "portal", *self._arguments, "--port", str(self.port)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "300"},
            )
        address = wait_for(self._find_address, seconds=SECONDS_TO_START)
        self.port = int(address[1])
        wait_for(self._is_healthy, seconds=SECONDS_TO_START)

    def _find_address(self) -> re.Match[str] | None:
        assert self._process is not None
        assert self._process.poll() is None, self.said
        return re.search(r"http://127\.0\.0\.1:(\d+)/join/\S+", self.said)

    def _is_healthy(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.said
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def links(self) -> list[str]:
        """The addresses to sign in by, as printed: the owner's, then the trial worker's."""
        return re.findall(r"http://127\.0\.0\.1:\d+/join/\S+", self.said)

    def kill(self) -> None:
        """End it as a power cut would: nothing is put away."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        for worker in self._workers:
            worker.http.close()
        if self._database is not None:
            self._database.close()
            self._database = None
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def run(self, *arguments: object) -> str:
        """Another `labeljob` command in the same folder; gives what it printed."""
        command = [COMMAND, *map(str, arguments)]
        result = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def invite(self, *emails: str) -> dict[str, str]:
        """Add people to the team, as `labeljob team add` does; the link of each."""
        database = self.database
        members = [team.add_member(database, email) for email in emails]
        return {one.email: f"{self.url}{team.make_link(database, one)}" for one in members}

    def let_in(self, link: str) -> "HttpWorker":
        """Somebody who came in by a link, and leaves when the portal stops."""
        worker = HttpWorker(self.url).join(link)
        self._workers.append(worker)
        return worker

    @property
    def database(self) -> Database:
        """The portal's database, for a test that lets time pass in it."""
        if self._database is None:
            self._database = Database(self.store / ".portal/portal.sqlite")
        return self._database

    def job_folder(self, job: str) -> Path:
        return self.store / "labeljob/jobs" / job

    def worker_responses(self, job: str) -> dict[str, list[dict]]:
        """The answers on file, by data object."""
        answers: dict[str, list[dict]] = {}
        for path in self.job_folder(job).glob("annotations/worker-response/*/*/*.json"):
            answers.setdefault(path.parent.name, []).extend(
                json.loads(path.read_text(encoding="utf-8"))["answers"]
            )
        return answers

    def output_manifest(self, job: str) -> list[dict]:
        """The lines of the finished job's output manifest, as soon as it is there."""
        path = self.job_folder(job) / "manifests/output/output.manifest"
        wait_for(path.is_file)
        return read_lines(path)


class HttpWorker:
    """A member of the team who does by HTTP what the work page does."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, follow_redirects=True, timeout=60)
        self.worker_id = ""

    def join(self, link: str) -> "HttpWorker":
        """Come in by a link: choose a password where it asks for one."""
        page = self.http.get(link)
        page.raise_for_status()
        if str(page.url) == link:
            fields = {"password": PASSWORD, "again": PASSWORD}
            self.http.post(link, data=fields).raise_for_status()
        return self.look_around()

    def sign_in(self, email: str) -> "HttpWorker":
        """Come in by e-mail address and password."""
        fields = {"email": email, "password": PASSWORD}
        self.http.post("/sign-in", data=fields).raise_for_status()
        return self.look_around()

    def look_around(self) -> "HttpWorker":
        """Take the token that every POST carries."""
        session = self.http.get("/api/session").raise_for_status().json()
        self.worker_id = session["worker"]
        self.http.headers["X-CSRF-Token"] = session["csrf"]
        return self

    def post(self, job: str, verb: str, **body: object) -> httpx.Response:
        """Ask for one of the work page's actions."""
        return self.http.post(f"/api/jobs/{job}/{verb}", json=body)

    def next(self, job: str) -> dict:
        """What there is to do."""
        return self.post(job, "next", page="p").raise_for_status().json()

    def answer(self, job: str, task: str, answer: dict) -> dict:
        """Send an answer; gives what there is to do after it."""
        response = self.post(job, "answers", task=task, answer=answer)
        return response.raise_for_status().json()

    def label_all(self, job: str, choose: Callable[[bytes], str | dict]) -> int:
        """Answer as long as there is something; how many images were shown.

        `choose` is told an image's bytes and gives the label, or the whole answer of the form.
        """
        shown = 0
        work = self.next(job)
        while task := work["task"]:
            page = self.http.get(task["page"]).raise_for_status().text
            image = next(image for image in task["images"] if image in page)
            said = choose(self.http.get(image).raise_for_status().content)
            shown += 1
            if isinstance(said, str):
                said = {"crowd-image-classifier": {"label": said}}
            if reason := said.get("cannot-be-labeled"):
                response = self.post(job, "cannot-label", task=task["id"], **reason)
                work = response.raise_for_status().json()
            else:
                work = self.answer(job, task["id"], said)
        return shown


@contextmanager
def serve(folder: Path, command: Sequence[str]) -> Iterator[LivePortal]:
    """Run a command that begins with ``portal``, as a text has it, and stop it in the end."""
    portal = LivePortal(folder, *command[1:], "--settle", "0")
    try:
        portal.start()
        yield portal
    finally:
        portal.stop()
