"""The portal's part that shows one worker page, without a portal: a shell, a frame, the elements.

It speaks the shell's side of the protocol in the plainest way, so that a page can be tried in
milliseconds: no sign-in, no database. What it serves comes from where the portal has it.
"""

import io
import json
import re
import threading
import wave
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

from labeljob import portal
from labeljob.jobs.worker_pages import render_page
from tests.runner.image_files import image_bytes

STATIC = Path(portal.__file__).parent / "static"
POLICY = "sandbox allow-scripts allow-forms allow-modals allow-popups; form-action 'none'"
CROWD_SCRIPT = re.compile(r'(?<=src=")https://assets\.crowd\.aws/[\w-]+\.js(?=")')
ELEMENTS = "/static/elements.js"
SHELL = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Shell</title>
<style>
  html, body, iframe { margin: 0; width: 100%; height: 100vh; border: 0; display: block }
</style>
<script>
  const received = [];
  addEventListener("message", (event) => {
    const frame = document.querySelector("iframe").contentWindow;
    if (event.source !== frame) return;
    received.push(event.data);
    if (event.data.labeljob === "ready") frame.postMessage(SHOW, "*");
  });
</script>
<iframe title="Task" src="/frame" sandbox="allow-scripts allow-forms allow-modals allow-popups">
</iframe>
</html>"""
SHOW = {"labeljob": "show", "advance": False, "answer": None, "theme": "light"}


@dataclass(frozen=True)
class Shown:
    """A worker page: its template, the task's input, and what the shell says when it shows it."""

    template: str
    task_input: dict
    show: dict

    @cached_property
    def html(self) -> str:
        page = render_page(
            self.template, self.task_input, grant_read_access=lambda uri: f"/files/{quote(uri)}"
        )
        page, replaced = CROWD_SCRIPT.subn(ELEMENTS, page)
        return page if replaced else f'<script src="{ELEMENTS}"></script>{page}'


class PageServer:
    """Serves the page that was shown last at `url`, which ends in a slash."""

    def __init__(self) -> None:
        self.shown: Shown | None = None
        self.refused: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str) -> tuple[str, bytes, dict[str, str]] | None:
        """Media type, body and further headers of a path; None where there is nothing."""
        assert self.shown is not None
        if path == "/":
            shell = SHELL.replace("SHOW", json.dumps(SHOW | self.shown.show))
            return "text/html; charset=utf-8", shell.encode(), {}
        if path == "/frame":
            policy = {"Content-Security-Policy": POLICY}
            return "text/html; charset=utf-8", self.shown.html.encode(), policy
        if path == ELEMENTS:
            return "text/javascript", (STATIC / "elements.js").read_bytes(), {}
        if path.startswith("/files/"):
            return _file(unquote(path))
        return None


def _file(path: str) -> tuple[str, bytes, dict[str, str]] | None:
    anybody = {"Access-Control-Allow-Origin": "*"}
    if path.endswith((".jpg", ".png")) and "missing" not in path:
        turn = 6 if "turned" in path else None
        body = image_bytes("JPEG", seed=len(path), size=(320, 240), orientation=turn)
        return "image/jpeg", body, anybody
    if path.endswith(".wav"):
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as sound:
            sound.setparams((1, 1, 8000, 0, "NONE", "not compressed"))
            sound.writeframes(bytes(800))
        return "audio/wav", buffer.getvalue(), anybody
    if path.endswith(".pdf"):
        return "application/pdf", b"%PDF-1.1\n%%EOF\n", anybody
    return None


def _handler(owner: PageServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = owner.answer(self.path.partition("?")[0])
            if found is None:
                owner.refused.append(self.path)
                self.send_response(404)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            media_type, body, headers = found
            self.send_response(200)
            for name, value in ({"Content-Type": media_type} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler
