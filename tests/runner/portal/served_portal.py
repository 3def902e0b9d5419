"""`labeljob portal` as its owner starts it, and people who label there without a browser."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

LABELJOB = Path(sys.executable).with_name("labeljob")
WAIT = 60
"""Seconds within which something must have happened, on a busy machine too."""


@contextmanager
def serve(command):
    """Run a command that serves a portal, and stop it; gives the link to try it as a worker."""
    words = [LABELJOB, *command, "--port", "0", "--settle", "0"]
    portal = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        lines = iter(portal.stderr.readline, "")
        yield next(line.split()[1] for line in lines if line.startswith("worker "))
        portal.send_signal(signal.SIGINT)
        portal.communicate(timeout=WAIT)
        assert portal.returncode in (0, 130)
    finally:
        portal.kill()
        portal.communicate()


def wait_for(path):
    """Wait until a file is there."""
    ends = time.monotonic() + WAIT
    while not Path(path).exists():
        assert time.monotonic() < ends, f"{path} does not come"
        time.sleep(0.1)


@contextmanager
def join(link):
    """Somebody who opens a link: one of this run, or one for whoever chooses a password."""
    address = link.partition("/join/")[0]
    with httpx.Client(base_url=address, follow_redirects=True, timeout=WAIT) as http:
        page = http.get(link).raise_for_status()
        if "/join/" in page.url.path:
            words = dict.fromkeys(("password", "again"), "correct horse battery")
            http.post(link, data=words).raise_for_status()
        yield Person(http)


class Person:
    """Somebody who is signed in."""

    def __init__(self, http):
        self._http = http
        self._csrf = http.get("/api/session").raise_for_status().json()["csrf"]

    def _post(self, path, body):
        headers = {"X-CSRF-Token": self._csrf}
        return self._http.post(path, json=body, headers=headers).raise_for_status().json()

    def label_all(self, job, choose):
        """Answer as long as there is something; how many images were shown.

        `choose` is told an image's bytes and gives the label, or the whole answer of the form.
        """
        shown = 0
        work = self._post(f"/api/jobs/{job}/next", {"page": "1"})
        while task := work["task"]:
            page = self._http.get(task["page"]).raise_for_status().text
            image = next(image for image in task["images"] if image in page)
            said = choose(self._http.get(image).raise_for_status().content)
            shown += 1
            if isinstance(said, str):
                said = {"crowd-image-classifier": {"label": said}}
            body = {"page": "1", "task": task["id"]}
            if reason := said.get("cannot-be-labeled"):
                work = self._post(f"/api/jobs/{job}/cannot-label", {**body, **reason})
            else:
                work = self._post(f"/api/jobs/{job}/answers", {**body, "answer": said})
        return shown
