"""Who may ask the portal for what: checks before, and headers after, everything it serves.

`protect` wraps the whole application. What it checks, in this order: the method, the name of the
host (against DNS rebinding), where a POST comes from, the session, the role, the length of the
body, which is read here and nowhere else, and the CSRF token. A stream of events ends with its
session.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, quote, urlsplit

import anyio
from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from groundtruth.errors import GroundTruthError
from labeljob.portal.database import Database
from labeljob.portal.database_thread import DatabaseThread
from labeljob.portal.sessions import (
    IDLE_LIMIT,
    TOUCH_INTERVAL,
    Session,
    find_session,
    is_signed_in,
    start_session,
    touch_session,
)
from labeljob.portal.team import (
    Member,
    Passwords,
    TeamError,
    digest_token,
    find_password,
    join_path,
    make_token,
    renew_hash,
)
from labeljob.portal.templating import render_page

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

    from labeljob.portal.oidc import OidcSettings

MOST_BYTES = 64 * 1024
"""Longest body of a POST, but for answers."""

BODY_TIMEOUT = 120.0
"""Seconds within which a body must have come; there are more where a longer one is taken."""

_SLOWEST = 100_000  # bytes a second

_PUBLIC = ("/static/", "/frames/", "/files/", "/join/", "/oidc/")
_PUBLIC_PAGES = ("/sign-in", "/healthz")
_FOR_FRAMES = ("/static/", "/frames/", "/files/")
_API = ("/api/", "/owner/api/")
_WITHOUT_OWN_PASSWORD = ("/password", "/sign-out")
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_ANSWERS = re.compile(r"(?:/owner)?/api/jobs/([^/]+)/(?:answers|drafts|judge)")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
    " connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""Of every answer that brings none of its own: no code and no style inside a page."""

PERMISSIONS_POLICY = (
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
)


class AccessError(GroundTruthError):
    """The settings of who may reach the portal contradict each other; the text says how."""


@dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """How the portal is reached.

    Raises `AccessError` if `public_url` is no origin, or a proxy is trusted without it.
    """

    host: str = "127.0.0.1"  # name or address that the portal listens on
    public_url: str | None = None  # origin that browsers see, where that is another
    trusted_proxies: tuple[str, ...] = ()  # addresses or networks whose X-Forwarded-* counts
    idle_limit: float = IDLE_LIMIT  # seconds; no less than a task's time limit

    def __post_init__(self) -> None:
        if self.public_url is not None:
            parts = urlsplit(self.public_url)
            if (
                parts.scheme not in ("http", "https")
                or not parts.hostname
                or parts.path not in ("", "/")
                or parts.query
                or parts.fragment
                or parts.username
            ):
                raise AccessError(
                    f"the public URL {self.public_url!r} is not like https://label.example.org"
                )
        if self.trusted_proxies and self.public_url is None:
            raise AccessError(
                "behind a proxy the portal must know its public URL: say --public-url"
            )
        for network in self.trusted_proxies:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise AccessError(
                    f"the trusted proxy {network!r} is not an address or a network"
                ) from error

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the portal."""
        return self.public_url is None and is_loopback(self.host)

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the portal by TLS."""
        return self.public_url is not None and self.public_url.startswith("https:")

    @cached_property
    def origin(self) -> str | None:
        """The public URL as browsers write an origin."""
        if self.public_url is None:
            return None
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc.lower()}"

    def make_address(self, port: int) -> str:
        """The origin to tell people, of a portal that listens on a port."""
        host = self.host
        if is_address(host) and ipaddress.ip_address(host).is_unspecified:
            host = socket.gethostname()  # of all addresses, none is the machine's name
        return self.origin or f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def origin_of(self, connection: HTTPConnection) -> str:
        """The origin by which a request, whose host was accepted, asks for the portal."""
        host = connection.headers["host"].lower()
        return self.origin or f"{connection.scope['scheme']}://{host}"

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of hosts by which the portal may be asked, besides plain addresses."""
        if self.public_url is not None:
            return frozenset({(urlsplit(self.public_url).hostname or "").lower()})
        names = {"localhost", self.host.lower()}
        if not self.is_local:
            names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        return frozenset(names)

    def accepts_host(self, header: str) -> bool:
        """Whether a Host header is the portal's.

        A page of a stranger can make the name of its own host lead to this machine (DNS
        rebinding), but it cannot be asked for by a plain address then: without a public URL those
        are accepted, whatever the port, as it may be forwarded.
        """
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        if name.lower() in self.names:
            return self.origin is None or header.lower() == urlsplit(self.origin).netloc
        return self.origin is None and is_address(name)


def choose_local_path(path: str | None) -> str:
    """A path of this portal to go on with: the one given, or ``/`` if it leads elsewhere.

    Examples
    --------
    >>> choose_local_path("/jobs/cats?x=1"), choose_local_path("//example.org")
    ('/jobs/cats?x=1', '/')
    """
    return path if path and _LOCAL_PATH.fullmatch(path) else "/"


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own alone."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(kw_only=True)
class Access:
    """What signing in and the checks share: settings, passwords, and links of this run."""

    database: Database
    thread: DatabaseThread  # for all that writes
    settings: AccessSettings = field(default_factory=AccessSettings)
    passwords: Passwords = field(default_factory=Passwords)
    oidc: OidcSettings | None = None
    _links: dict[str, Member] = field(default_factory=dict)
    # Argon2 takes 64 MiB a time: two at once, whoever asks.
    _hashing: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(2))

    async def make_hash(self, password: str) -> str:
        """What is kept of a password; worked out off the event loop."""
        async with self._hashing:
            return await to_thread.run_sync(self.passwords.make_hash, password)

    async def check_password(self, email: str, password: str) -> Member | None:
        """The member with an e-mail address and a password; as slow if there is none."""
        row = await self.thread.run(find_password, self.database, email)
        member, kept = row or (None, None)
        async with self._hashing:
            if not await to_thread.run_sync(self.passwords.matches, kept, password):
                return None
        if member and kept and self.passwords.is_outdated(kept):
            renewed = await self.make_hash(password)
            await self.thread.run(renew_hash, self.database, member, kept=kept, renewed=renewed)
        return member

    def make_local_link(self, member: Member) -> str:
        """The path of a link that signs a member in as often as wanted, until the portal stops.

        Raises `TeamError` unless only this machine reaches the portal.
        """
        if not self.settings.is_local:
            raise TeamError("links that work more than once are for 127.0.0.1 alone")
        token = make_token()
        self._links[digest_token(token)] = member
        return join_path(token)

    def find_local_link(self, token: str) -> Member | None:
        """The member whom a link of this run signs in."""
        return self._links.get(digest_token(token))

    def cookie_name(self, scope: Scope) -> str:
        """Name of the session's cookie.

        Behind TLS a browser takes `__Host-` from this host alone. Without TLS cookies do not
        tell ports apart, so the name does: two portals may run on one machine.
        """
        if self.settings.is_secure:
            return "__Host-labeljob"
        server = scope.get("server")
        return f"labeljob-{server[1]}" if server else "labeljob"

    def read_cookie(self, connection: HTTPConnection) -> str | None:
        """The token of the session that a request names, if any."""
        return connection.cookies.get(self.cookie_name(connection.scope))

    def set_cookie(self, response: Response, connection: HTTPConnection, token: str) -> None:
        """Let a browser have a session, until it is closed."""
        # "Strict" would sign everybody out who follows a link from an e-mail.
        response.set_cookie(
            self.cookie_name(connection.scope),
            token,
            secure=self.settings.is_secure,
            httponly=True,
            samesite="lax",
        )

    def delete_cookie(self, response: Response, connection: HTTPConnection) -> None:
        """Let a browser forget its session."""
        response.delete_cookie(
            self.cookie_name(connection.scope),
            secure=self.settings.is_secure,
            httponly=True,
            samesite="lax",
        )

    async def admit(self, request: Request, member: Member, path: str) -> Response:
        """Sign a member in, in a new session, and go on with a path of the portal."""
        token = await self.thread.run(
            start_session, self.database, member, instead_of=self.read_cookie(request)
        )
        response = RedirectResponse(choose_local_path(path), 303)
        self.set_cookie(response, request, token)
        return response

    def find_session(self, connection: HTTPConnection) -> Session | None:
        """The session of a request."""
        token = self.read_cookie(connection)
        if token is None:
            return None
        return find_session(self.database, token, idle_limit=self.settings.idle_limit)


def protect(
    app: ASGIApp,
    access: Access,
    *,
    most_answer_bytes: Callable[[str], int] = lambda job: MOST_BYTES,
) -> ASGIApp:
    """The application behind all checks; nothing of it is served otherwise.

    `most_answer_bytes` tells the longest body with an answer that a job takes, by the job's name.

    Routes find `request.state.member` (a `Member`; None where nobody needs to be signed in),
    `request.state.csrf` and `request.state.session`. uvicorn must not read headers of proxies
    itself (`proxy_headers=False`).
    """
    guard: ASGIApp = AccessMiddleware(app, access, most_answer_bytes)
    if not access.settings.trusted_proxies:
        return guard
    return cast(
        "ASGIApp",
        ProxyHeadersMiddleware(
            cast("ASGI3Application", guard), list(access.settings.trusted_proxies)
        ),
    )


class _SessionEndedError(OSError):
    """A stream of events goes on, and the session that began it does not."""


class AccessMiddleware:
    """The checks and the headers of `protect`."""

    def __init__(
        self, app: ASGIApp, access: Access, most_answer_bytes: Callable[[str], int]
    ) -> None:
        self.app = app
        self._access = access
        self._most_answer_bytes = most_answer_bytes
        self._customer = access.database.get_meta("customer")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        is_stream = has_ended = False

        async def send_checked(message: Message) -> None:
            nonlocal is_stream, has_ended
            if message["type"] == "http.response.start":
                kind = self._add_headers(scope, message).get("content-type", "")
                is_stream = kind.startswith("text/event-stream")
            elif is_stream and not self._is_still_signed_in(scope):
                has_ended = True
                raise _SessionEndedError
            await send(message)

        refusal = await self._check(scope)
        if refusal is None and scope["method"] == "POST":
            limit = self._limit_of(scope)
            try:
                async with asyncio.timeout(BODY_TIMEOUT + limit / _SLOWEST):
                    body = await _read_body(scope, receive, limit)
            except TimeoutError:
                refusal = _refuse(scope, 408, "too-slow", "The request did not come in time.")
            else:
                if body is None:
                    refusal = _refuse(
                        scope, 413, "too-large", f"The request is longer than {limit:,} bytes."
                    )
                elif not self._has_csrf_token(scope, body):
                    refusal = _refuse(
                        scope,
                        403,
                        "csrf",
                        "This page is out of date. Load it again, and do it once more.",
                    )
                else:
                    receive = _replay(body, receive)
        try:
            await (refusal or self.app)(scope, receive, send_checked)
        except (_SessionEndedError, ClientDisconnect):
            if not has_ended:
                raise
            await send({"type": "http.response.body", "body": b""})

    async def _check(self, scope: Scope) -> Response | None:
        """Everything that can be told without the body; None lets the request pass."""
        connection = HTTPConnection(scope)
        headers, settings = connection.headers, self._access.settings
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _refuse(scope, 405, "method", "The portal knows GET and POST alone.")
        host = headers.getlist("host")
        if len(host) != 1 or not settings.accepts_host(host[0]):
            return _refuse(
                scope, 421, "host", "The portal is not known by this name. See --public-url."
            )
        if scope["method"] == "POST" and not _is_same_origin(connection, settings):
            return _refuse(scope, 403, "origin", "The request comes from another page.")

        path = scope["path"]
        # What frames load is permitted by its address; nothing of it depends on who asks.
        for_frames = path.startswith(_FOR_FRAMES)
        session = None if for_frames else self._access.find_session(connection)
        state = scope.setdefault("state", {})
        state["session"] = session
        state["member"] = session.member if session else None
        state["csrf"] = session.csrf if session else ""
        state["customer"] = self._customer
        if session and self._access.database.now() - session.used > TOUCH_INTERVAL:
            await self._access.thread.run(touch_session, self._access.database, session)
        if path in _PUBLIC_PAGES or path.startswith(_PUBLIC):
            return None
        if session is None:
            return _ask_to_sign_in(scope)
        if session.must_change and path not in _WITHOUT_OWN_PASSWORD:
            if path.startswith(_API):
                return _refuse(scope, 403, "change-password", "Choose a password of your own.")
            return RedirectResponse("/password", 303)
        if session.member.role != "owner" and (path == "/owner" or path.startswith("/owner/")):
            return _refuse(scope, 404, "not-found", "There is no such page.")
        return None

    def _limit_of(self, scope: Scope) -> int:
        answers = _ANSWERS.fullmatch(scope["path"])
        return self._most_answer_bytes(answers[1]) if answers else MOST_BYTES

    def _has_csrf_token(self, scope: Scope, body: bytes) -> bool:
        """Whether a POST says what only pages of the session know; without one it is no matter."""
        session: Session | None = scope["state"]["session"]
        if session is None:
            return True
        headers = Headers(scope=scope)
        token = headers.get("x-csrf-token")
        if token is None and headers.get("content-type", "").startswith(_FORM):
            fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=1000)
            token = fields.get("csrf", [""])[0]
        return hmac.compare_digest((token or "").encode(), session.csrf.encode())

    def _is_still_signed_in(self, scope: Scope) -> bool:
        session: Session = scope["state"]["session"]
        limit = self._access.settings.idle_limit
        return is_signed_in(self._access.database, session.id, idle_limit=limit)

    def _add_headers(self, scope: Scope, message: Message) -> MutableHeaders:
        headers = MutableHeaders(scope=message)
        for_frames = scope["path"].startswith(_FOR_FRAMES)
        headers["X-Content-Type-Options"] = "nosniff"
        # Not "no-referrer": browsers would then send forms with `Origin: null`.
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = PERMISSIONS_POLICY
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        # A worker page has an origin of its own, which is nobody's.
        headers["Cross-Origin-Resource-Policy"] = "cross-origin" if for_frames else "same-origin"
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers.setdefault("Cache-Control", "no-store")
        if self._access.settings.is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        return headers


_FORM = "application/x-www-form-urlencoded"


def _is_same_origin(connection: HTTPConnection, settings: AccessSettings) -> bool:
    """Whether a POST comes from a page of the portal, or from no browser.

    Browsers say by Origin where a POST comes from, and most by Sec-Fetch-Site too.
    """
    origin = connection.headers.get("origin")
    if origin is not None:
        return origin.lower() == settings.origin_of(connection)
    return connection.headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _ask_to_sign_in(scope: Scope) -> Response:
    if scope["path"].startswith(_API):
        return _refuse(scope, 401, "signed-out", "You are signed out. Sign in again.")
    if scope["method"] == "POST":
        return RedirectResponse("/sign-in", 303, headers={"Connection": "close"})
    query = scope["query_string"].decode("latin-1")
    path = quote(scope["path"]) + (f"?{query}" if query else "")
    return RedirectResponse(f"/sign-in?next={quote(path, safe='/')}", 303)


def _refuse(scope: Scope, status: int, code: str, text: str) -> Response:
    # What has come of a body was not read: the connection is of no further use.
    headers = {"Connection": "close"} if scope["method"] == "POST" else None
    if scope["path"].startswith(_API):
        return JSONResponse({"error": text, "code": code}, status, headers)
    if scope.get("state", {}).get("session") is None:
        return PlainTextResponse(f"{text}\n", status, headers)
    page = render_page(Request(scope), "message.html.jinja", status=status, text=text)
    page.headers.update(headers or {})
    return page


async def _read_body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """The body of a request; None as soon as it is known to be longer than `limit` bytes.

    None too if the browser has gone: then nobody reads what the answer says.
    """
    announced = Headers(scope=scope).get("content-length", "0")
    if not announced.isdecimal() or int(announced) > limit:
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give an application a body that was read, and after it what comes from the browser."""
    waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again
