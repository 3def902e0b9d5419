"""The portal's web server: all routes behind the checks of `access`, in one process."""

from __future__ import annotations

import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http import HTTPStatus
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from groundtruth.errors import GroundTruthError
from labeljob.portal import assignments, frames, sign_in
from labeljob.portal.access import MOST_BYTES, Access, protect
from labeljob.portal.departures import Departures
from labeljob.portal.grants import GrantSigner
from labeljob.portal.help_tools.object_model import ObjectModel
from labeljob.portal.help_tools.routes import HelpTools
from labeljob.portal.image_parts import ImageParts
from labeljob.portal.owner_routes import OwnerPages
from labeljob.portal.portal import Portal
from labeljob.portal.templating import STATIC, PortalFiles, render_page
from labeljob.portal.worker_routes import WorkerPages

_BUNDLES = ("elements.js", "worker.js", "owner.js", "owner.css", "portal.css")
_SECONDS_TO_END = 3


class ServerError(GroundTruthError):
    """The portal cannot be served; the text says why."""


def create_app(portal: Portal, access: Access, *, model: ObjectModel | None = None) -> ASGIApp:
    """The whole portal as an ASGI application.

    `access.thread` does all work on the database; it is closed with the application. The model
    helps workers to outline objects.
    """
    thread = access.thread
    signer = GrantSigner(portal.database.get_meta("secret") or "")
    owner = OwnerPages(portal, signer)
    departures = Departures(
        lambda job, worker_id: thread.run(assignments.release, portal.database, job, worker_id)
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        departures.close()
        owner.close()
        thread.close()

    app = Starlette(
        routes=[
            *WorkerPages(portal, thread, signer, departures).routes(),
            *owner.routes(),
            *frames.routes(portal, thread, signer),
            *ImageParts(portal, signer).routes(),
            *HelpTools(portal, signer, model=model).routes(),
            *sign_in.routes(access),
            Route("/healthz", lambda request: PlainTextResponse("ok")),
            Mount("/static", PortalFiles()),
        ],
        exception_handlers={HTTPException: _explain, GroundTruthError: _explain_problem},
        lifespan=lifespan,
    )
    app.state.database_thread = thread
    app.state.signer = signer
    app.state.access_settings = access.settings
    return protect(app, access, most_answer_bytes=partial(_limit_answer, portal))


def _limit_answer(portal: Portal, job: str) -> int:
    opened = portal.jobs.get(job)
    return opened.description.task.max_answer_bytes if opened else MOST_BYTES


def make_server(app: ASGIApp) -> uvicorn.Server:
    """An HTTP server for the application: one process, no log of requests."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """Open the port (0 for any that is free); raises `ServerError`."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ServerError(
            f"the portal cannot listen on {host}, port {port}: {error.strerror}; "
            "stop what does, or give another --port or --host"
        ) from error


def serve(
    portal: Portal,
    access: Access,
    listener: socket.socket,
    *,
    started: Callable[[], None],
    model: ObjectModel | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM comes; requests under way are answered first.

    `started` is called before the first request is answered. Raises `ServerError` if the pages
    were not built.
    """
    check_bundles()
    server = make_server(create_app(portal, access, model=model))
    started()
    with _outlive_signals(), listener:
        server.run(sockets=[listener])


def check_bundles() -> None:
    """Raise `ServerError` if a script or style of the pages is missing."""
    missing = [name for name in _BUNDLES if not (STATIC / name).is_file()]
    if missing:
        raise ServerError(
            f"the portal's pages are not built ({', '.join(missing)} missing in {STATIC}): "
            "run `make build-pages` in the checkout, or install the wheel"
        )


@contextmanager
def _outlive_signals() -> Iterator[None]:
    """Let the server end by a signal, but not the process: it still has to close its files."""

    def ignore(number: int, frame: FrameType | None) -> None:
        """Do nothing: uvicorn raises the signal again when it has ended."""

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, ignore) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


async def _explain(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    text = error.detail if isinstance(error, HTTPException) else str(error)
    if text == HTTPStatus(status).phrase:  # of a route that is not there
        text = "There is no such page." if status == 404 else f"The portal answers: {text}."
    return _answer(request, status, text)


async def _explain_problem(request: Request, error: Exception) -> Response:
    return _answer(request, 500, str(error))


def _answer(request: Request, status: int, text: str) -> Response:
    if request.url.path.startswith(("/api/", "/owner/api/")):
        code = {404: "not-found", 500: "problem"}.get(status, "refused")
        return JSONResponse({"error": text, "code": code}, status)
    return render_page(request, "message.html.jinja", status=status, text=text)
