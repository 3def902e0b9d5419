"""The server as a process would run it: its port, its end, and what it refuses."""

import os
import subprocess
import sys

import pytest

from labeljob.portal import server
from labeljob.portal.server import ServerError, check_bundles, listen
from tests.runner.portal import team_app
from tests.runner.portal.portal_client import Worker, make_app, open_portal


@pytest.fixture(autouse=True)
def bundles(portal_style, monkeypatch):
    monkeypatch.setattr(server, "STATIC", portal_style)
    for name in ("elements.js", "worker.js", "owner.js", "owner.css"):
        (portal_style / name).write_text("")


def test_a_port_in_use_says_what_to_do():
    with listen("127.0.0.1", 0) as taken, pytest.raises(ServerError, match="--port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_pages_that_were_not_built_are_named(portal_style):
    (portal_style / "worker.js").unlink()
    with pytest.raises(ServerError, match=r"worker\.js"):
        check_bundles()


SERVED = """
import signal, sys, threading, urllib.request
from pathlib import Path
from labeljob.portal import server
from labeljob.portal.server import listen, serve
from tests.runner.portal import team_app
from tests.runner.portal.portal_client import open_portal

server.STATIC = Path(sys.argv[2])
with open_portal(Path(sys.argv[1]), job=False) as portal:
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/healthz"

    def ask_and_stop():
        with urllib.request.urlopen(address, timeout=60) as answer:
            sys.stdout.write(answer.read().decode())
        signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    serve(
        portal,
        team_app.make_access(portal.database),
        listener,
        started=threading.Thread(target=ask_and_stop).start,
    )
    assert signal.getsignal(signal.SIGTERM) == before
sys.stdout.write(", closed")
"""


@pytest.mark.slow
def test_it_answers_until_a_signal_comes_and_the_process_lives_on(tmp_path, checkout, portal_style):
    command = [sys.executable, "-c", SERVED, str(tmp_path), str(portal_style)]
    path = os.pathsep.join([str(checkout), str(checkout / "runner")])
    ended = subprocess.run(
        command,
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "ok, closed"), ended.stderr


def test_what_is_not_there_is_said_on_a_page_or_in_json(tmp_path):
    with open_portal(tmp_path, job=False) as portal:
        ann = Worker(*make_app(portal), "ann")
        for path in ("/nowhere", "/owner", "/owner/team"):
            page = ann.browser.get(path)
            assert page.status_code == 404
            assert "<h1>Not found</h1>" in page.text
            assert "There is no such page." in page.text
        answer = ann.post("next", {"page": "1"}, job="nowhere")
        assert answer.status_code == 404
        assert answer.json()["code"] == "not-found"


def test_nothing_is_served_without_the_checks(tmp_path):
    with open_portal(tmp_path, job=False) as portal:
        app, _ = make_app(portal)
        stranger = team_app.open_browser(app)
        assert stranger.get("/").headers["location"].startswith("/sign-in")
        assert stranger.post("/api/jobs/zoo/next").status_code == 401
        assert stranger.get("/healthz").text == "ok"


def test_the_customer_is_a_setting_of_the_store(tmp_path):
    with open_portal(tmp_path, job=False) as portal:
        portal.database.set_meta("customer", "Bird station")
        ann = Worker(*make_app(portal), "ann")
        for path in ("/", "/nowhere", "/owner"):
            assert "Bird station" in ann.browser.get(path).text
