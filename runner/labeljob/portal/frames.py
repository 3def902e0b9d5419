"""Worker pages in their sandbox, and the images that they show."""

from __future__ import annotations

import html
import re
from hashlib import blake2b

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from groundtruth.errors import GroundTruthError
from labeljob.portal.database_thread import DatabaseThread
from labeljob.portal.grants import GRANT_LIFETIME, GrantError, GrantSigner, find_uris
from labeljob.portal.portal import Portal
from labeljob.portal.portal_job import PortalJob
from labeljob.portal.templating import static_url

_FRAME_POLICY = "; ".join(
    [
        "sandbox allow-scripts allow-forms allow-modals allow-popups",
        "default-src 'self' https: data: blob:",
        "script-src 'self' https: blob: 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' https: 'unsafe-inline'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    ]
)
_AWS_SCRIPT = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?[^\"'\s>]*crowd-html-elements[^>]*>\s*</script\s*>",
    re.IGNORECASE,
)
_AWS_STYLE = re.compile(r"<link\b[^>]*crowd-html-elements[^>]*>", re.IGNORECASE)
_HEAD = re.compile(
    r"<head\b[^>]*>|<html\b[^>]*>(?!.*<head\b)|<!doctype\b[^>]*>(?!.*<(?:html|head)\b)",
    re.IGNORECASE | re.DOTALL,
)
_IMAGE_TYPES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}

_FOR_ALL = {"Access-Control-Allow-Origin": "*"}  # a sandboxed page's origin is nobody's


def routes(portal: Portal, thread: DatabaseThread, signer: GrantSigner) -> list[Route]:
    """The routes of worker pages and images."""

    async def show_frame(request: Request) -> Response:
        try:
            grant = signer.read_frame(request.path_params["token"])
            job = portal.jobs[grant.job]
        except (GrantError, KeyError):
            return _explain(404, "This task is not open any more. Load the page again.")
        try:
            return await thread.run(render_frame, job, grant.object_id, signer)
        except GroundTruthError as error:
            return _explain(500, f"This task cannot be shown: {error}")

    async def send_file(request: Request) -> Response:
        def read() -> Response:
            job, uri = find_granted(portal, signer, request.path_params["token"])
            return make_image_response(request, job.read_file(uri))

        try:
            return await to_thread.run_sync(read)
        except GrantError:
            return _refuse("There is no such image.", 404)
        except GroundTruthError:
            return _refuse("The image cannot be read.", 404)

    return [
        Route("/frames/{token}", show_frame, methods=["GET"]),
        Route("/files/{token}", send_file, methods=["GET"]),
    ]


def find_granted(portal: Portal, signer: GrantSigner, token: str) -> tuple[PortalJob, str]:
    """The job and the URI of the image that a signed address permits to read.

    Raises `GrantError` if it permits nothing, `GroundTruthError` if the task cannot be read.
    """
    grant = signer.read_file(token)
    job = portal.jobs.get(grant.job)
    if job is not None:
        for uri in find_uris(job.task_input(grant.object_id)):
            if signer.name_image(uri) == grant.image:
                return job, uri
    raise GrantError("the task has no such image")


def render_frame(job: PortalJob, object_id: str, signer: GrantSigner) -> HTMLResponse:
    """The worker page of a data object, for a sandboxed frame; raises `GroundTruthError`.

    The page is granted nothing but what stands in its task input.
    """
    allowed = set(find_uris(job.task_input(object_id)))

    def grant(uri: str) -> str:
        return signer.sign_file(job.name, object_id, uri) if uri in allowed else "about:blank"

    return make_frame_response(job.render(object_id, grant))


def make_frame_response(page: str, *, status: int = 200) -> HTMLResponse:
    """Answer with a page that a frame of the portal shows: it has an origin that is nobody's."""
    headers = {"Content-Security-Policy": _FRAME_POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(insert_elements(page), status, headers)


def insert_elements(page: str) -> str:
    """A worker page with the portal's elements in place of AWS's script and its style sheet."""
    page = _AWS_STYLE.sub("", page)
    script = f'<script src="{html.escape(static_url("elements.js"))}"></script>'
    if _AWS_SCRIPT.search(page):
        return _AWS_SCRIPT.sub("", _AWS_SCRIPT.sub(script, page, count=1))
    head = _HEAD.search(page)
    start = head.end() if head else 0
    return page[:start] + script + page[start:]


def make_image_response(request: Request, content: bytes) -> Response:
    """Answer with an image, and with nothing else that a file may be."""
    kind = find_image_type(content)
    if kind is None:
        return _refuse("This file is not a JPEG, PNG, GIF, WebP or BMP image.", 415)
    tag = f'"{blake2b(content, digest_size=16).hexdigest()}"'
    headers = {
        "ETag": tag,
        "Cache-Control": f"private, max-age={GRANT_LIFETIME}",
        **_FOR_ALL,
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)


def _refuse(text: str, status: int) -> Response:
    """Answer in place of an image so that a page can read why."""
    return PlainTextResponse(text, status, {**_FOR_ALL, "Cache-Control": "no-store"})


def find_image_type(content: bytes) -> str | None:
    """The media type of an image, by its first bytes; None if it is none that a page may show.

    Examples
    --------
    >>> find_image_type(b"GIF89a...")
    'image/gif'
    >>> find_image_type(b"<svg onload=...>") is None
    True
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _IMAGE_TYPES.items() if content.startswith(start)), None)


def _explain(status: int, text: str) -> HTMLResponse:
    """A page in place of a task, which says so."""
    page = (
        '<!doctype html><html lang="en"><meta name="color-scheme" content="light dark">'
        '<body style="font: 1rem/1.5 system-ui, sans-serif; margin: 2rem">'
        f"<p>{html.escape(text)}</p>"
    )
    return make_frame_response(page, status=status)
