"""Large photographs in parts, so that no browser has to hold one whole.

Each level has half as many pixels in both directions as the one before, down to one that is a
single part. A part has one more column and row of pixels than the grid says, where there are any:
browsers then draw no gaps between parts.
"""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from groundtruth.errors import GroundTruthError
from labeljob.portal.database import PORTAL_FOLDER
from labeljob.portal.disk_cache import DiskCache, digest
from labeljob.portal.frames import find_granted, find_image_type
from labeljob.portal.grants import GRANT_LIFETIME, GrantError, GrantSigner
from labeljob.portal.portal import Portal
from labeljob.portal.portal_job import PortalJob
from labeljob.portal.thumbnails import PictureError, open_picture, reduce_depth

PART = 1024
"""Columns and rows of pixels of a part."""

MOST_BYTES = 2 * 1024**3
"""Bytes that the parts on disk may have together."""

_QUALITY = 95  # of JPEG parts, with colors at full resolution: no difference can be seen
_LONGEST_PROFILE = 64 * 1024  # bytes
_KNOWN_IMAGES = 256
_HEADERS = {
    "Cache-Control": f"private, max-age={GRANT_LIFETIME}",
    "Access-Control-Allow-Origin": "*",
}


def describe(body: bytes) -> dict[str, object]:
    """The size of an image, the side of its parts, and how many levels it has.

    Raises `PictureError`.
    """
    with open_picture(body) as image:
        width, height = image.size
    levels = 1
    longest = max(width, height)
    while longest > PART:
        longest = (longest + 1) // 2
        levels += 1
    return {"size": {"width": width, "height": height}, "side": PART, "levels": levels}


def cut(body: bytes) -> bytes:
    """All parts of an image as a ZIP file with the names ``level/column/row``.

    They show the pixels as they are stored, whatever EXIF data say: those of a JPEG as JPEG, others
    without loss. Raises `PictureError`.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive, open_picture(body) as image:
        lossy = image.format in ("JPEG", "MPO")
        profile = image.info.get("icc_profile") or b""
        keeps_profile = image.mode in ("L", "RGB") and len(profile) <= _LONGEST_PROFILE
        options: dict[str, Any] = {"icc_profile": profile if keeps_profile else None}
        if lossy:
            options |= {"format": "JPEG", "quality": _QUALITY, "subsampling": 0}
        else:
            options |= {"format": "PNG", "compress_level": 1}
        pixels = reduce_depth(image)
        level = 0
        _cut_level(pixels, level, archive, options)
        while max(pixels.size) > PART:
            pixels = pixels.reduce(2)
            level += 1
            _cut_level(pixels, level, archive, options)
    return target.getvalue()


def _cut_level(
    pixels: Image.Image, level: int, archive: zipfile.ZipFile, options: dict[str, Any]
) -> None:
    width, height = pixels.size
    for column, left in enumerate(range(0, width, PART)):
        for row, top in enumerate(range(0, height, PART)):
            right, bottom = min(left + PART + 1, width), min(top + PART + 1, height)
            part = io.BytesIO()
            pixels.crop((left, top, right, bottom)).save(part, **options)
            archive.writestr(f"{level}/{column}/{row}", part.getvalue())


class ImageParts:
    """Answers requests for parts; an image is cut when the first of them is asked for."""

    def __init__(self, portal: Portal, signer: GrantSigner) -> None:
        self._portal = portal
        self._signer = signer
        self._kept = DiskCache(
            portal.folder / PORTAL_FOLDER / "parts", ".zip", most_bytes=MOST_BYTES
        )
        self._cutting = anyio.Lock()  # one at a time: each holds all pixels of an image
        # A worker asks for many parts: the image is not read again for each.
        self._find_digest = lru_cache(_KNOWN_IMAGES)(self._read_digest)

    def routes(self) -> list[Route]:
        """All of them."""
        parts = "/files/{token}/parts"
        return [
            Route(parts, self.send_layout, methods=["GET"]),
            Route(parts + "/{level}/{column}/{row}", self.send_part, methods=["GET"]),
        ]

    async def send_layout(self, request: Request) -> Response:
        """What parts there are."""

        def read() -> dict[str, object]:
            job, uri = self._find_image(request)
            return describe(job.read_file(uri))

        try:
            return JSONResponse(await to_thread.run_sync(read), headers=_HEADERS)
        except (GrantError, GroundTruthError):
            return _refuse()

    async def send_part(self, request: Request) -> Response:
        """One of them."""
        try:
            path = await to_thread.run_sync(self._find, request)
            if path is None:
                async with self._cutting:
                    path = await to_thread.run_sync(self._make, request)
            names = request.path_params
            name = f"{names['level']}/{names['column']}/{names['row']}"
            content = await to_thread.run_sync(_read_part, path, name)
        except (GrantError, GroundTruthError, OSError, KeyError):
            return _refuse()
        return Response(content, media_type=find_image_type(content), headers=_HEADERS)

    def _find_image(self, request: Request) -> tuple[PortalJob, str]:
        return find_granted(self._portal, self._signer, request.path_params["token"])

    def _read_digest(self, job: PortalJob, uri: str) -> str:
        return digest(job.read_file(uri))

    def _find(self, request: Request) -> Path | None:
        """Where the parts of an image are, if it was cut."""
        return self._kept.find(self._find_digest(*self._find_image(request)))

    def _make(self, request: Request) -> Path:
        """Where the parts of an image are; it is cut unless somebody did so just now."""
        job, uri = self._find_image(request)
        body = job.read_file(uri)
        key = digest(body)
        return self._kept.find(key) or self._kept.keep(key, cut(body))


def _read_part(path: Path, name: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    except zipfile.BadZipFile as error:  # the machine went down while it was written
        path.unlink(missing_ok=True)
        raise PictureError("the parts are made again") from error


def _refuse() -> Response:
    headers = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
    return PlainTextResponse("There is no such part of an image.", 404, headers)
