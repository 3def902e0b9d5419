"""The portal's own pages: Jinja templates, and the addresses of their scripts and styles."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
THEME_COOKIE = "labeljob-theme"
_THEMES = ("light", "dark")
_FOREVER = "public, max-age=31536000, immutable"


def render_page(
    request: Request, template: str, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """Answer a request with a page.

    Every template knows `request`, `status`, `member` (None on pages without sign-in), `csrf`,
    `theme` ("light", "dark" or "" for the system's) and `customer`, whose portal it is.
    """
    state = request.scope.get("state", {})
    text = (
        _environment()
        .get_template(template)
        .render(
            request=request,
            status=status,
            member=state.get("member"),
            csrf=state.get("csrf", ""),
            theme=_read_theme(request),
            customer=state.get("customer") or socket.gethostname(),
            **context,
        )
    )
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


def static_url(name: str) -> str:
    """Address of a script or style; it changes with the file, so that browsers may keep it."""
    return f"/static/{name}?v={_digest(name)}"


def embed_json(value: Any) -> Markup:
    r"""JSON as the text of a ``<script type="application/json">``, which it cannot end.

    Examples
    --------
    >>> print(embed_json({"title": "</script>"}))
    {"title": "\u003c/script>"}
    """
    text = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return Markup(text)


def format_moment(seconds: float) -> str:
    """A moment for people, in UTC.

    Examples
    --------
    >>> format_moment(1772446528)
    '2 March 2026, 10:15 UTC'
    """
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def format_iso(seconds: float) -> str:
    """A moment for machines, in UTC: the `datetime` of a ``<time>``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


class PortalFiles(StaticFiles):
    """Scripts and styles, which pages in a sandbox may load too."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Any:
        """Answer with the file; one that is asked for by its version is kept for good."""
        response = await super().get_response(path, scope)
        version = scope.get("query_string", b"").startswith(b"v=")
        response.headers["Cache-Control"] = _FOREVER if version else "no-cache"
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def _read_theme(request: Request) -> str:
    theme = request.cookies.get(THEME_COOKIE, "")
    return theme if theme in _THEMES else ""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("labeljob.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = format_moment
    environment.filters["iso"] = format_iso
    environment.filters["embed_json"] = embed_json
    functions: Mapping[str, Any] = {"static_url": static_url}
    environment.globals.update(functions)
    return environment
