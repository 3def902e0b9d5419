"""The addresses of the help tools, all under that of an image, which is the permission."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Mapping

import numpy as np
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from groundtruth.errors import GroundTruthError
from labeljob.portal.database import PORTAL_FOLDER
from labeljob.portal.disk_cache import DiskCache, digest
from labeljob.portal.frames import find_granted
from labeljob.portal.grants import GRANT_LIFETIME, GrantError, GrantSigner
from labeljob.portal.help_tools import superpixels
from labeljob.portal.help_tools.extreme_points import (
    FoundObject,
    Point,
    PointsError,
    find_object,
)
from labeljob.portal.help_tools.minimum_cut import CutProcess
from labeljob.portal.help_tools.object_model import ObjectModel
from labeljob.portal.help_tools.turns import BusyError, GoneError, Turns
from labeljob.portal.portal import Portal
from labeljob.portal.thumbnails import PictureError, open_picture

_MOST_BYTES = 256 * 1024 * 1024  # of regions on disk
_COUNTS = {str(count): count for count in superpixels.COUNTS}
_COLOR_MODELS = "color models"
_FOR_ALL = {"Access-Control-Allow-Origin": "*"}
_COMPRESSED = {**_FOR_ALL, "Content-Encoding": "gzip"}
_BUSY = "Many ask for help with their images now. Try again in a moment."


class HelpTools:
    """What the pages ask for, computed by one thread, one request after the other.

    Parameters
    ----------
    portal : Portal
        Whose images they are.
    signer : GrantSigner
        Reads their addresses.
    model : ObjectModel, optional
        Helps to find objects.
    """

    def __init__(
        self, portal: Portal, signer: GrantSigner, *, model: ObjectModel | None = None
    ) -> None:
        self._portal = portal
        self._signer = signer
        self._model = model
        self._regions = DiskCache(
            portal.folder / PORTAL_FOLDER / "superpixels", ".gz", most_bytes=_MOST_BYTES
        )
        self._turns = Turns()
        self._cuts = CutProcess()

    def routes(self) -> list[Route]:
        """The routes of the help tools."""
        return [
            Route("/files/{token}/tools", self._tell_tools, methods=["GET"]),
            Route("/files/{token}/superpixels/{count}", self._send_regions, methods=["GET"]),
            Route("/files/{token}/object", self._send_object, methods=["GET"]),
        ]

    async def _tell_tools(self, request: Request) -> Response:
        def answer(content: bytes) -> Response:
            with open_picture(content) as image:
                width, height = image.size
            means = f"{_COLOR_MODELS} and the model {self._model.name}" if self._model else ""
            described = {
                "size": {"width": width, "height": height},
                "superpixels": superpixels.COUNTS,
                "extremePoints": means or _COLOR_MODELS,
            }
            return JSONResponse(described, headers=_FOR_ALL)

        return await self._answer(request, answer)

    async def _send_regions(self, request: Request) -> Response:
        count = _COUNTS.get(request.path_params["count"])
        if count is None:
            return _refuse(404, "An image is not divided into so many regions.")

        def answer(content: bytes) -> Response:
            key = f"{digest(content)}-{count}-{superpixels.VERSION}"
            headers = {
                **_COMPRESSED,
                "ETag": f'"{key}"',
                "Cache-Control": f"private, max-age={GRANT_LIFETIME}",
            }
            if request.headers.get("if-none-match") == f'"{key}"':
                return Response(status_code=304, headers=headers)
            body = self._regions.get(key, lambda: superpixels.make_region_file(content, count))
            return Response(body, media_type="application/octet-stream", headers=headers)

        return await self._answer(request, answer, in_turn=True)

    async def _send_object(self, request: Request) -> Response:
        try:
            points = _read_points(request.query_params)
        except PointsError as error:
            return _refuse(400, _make_sentence(error))

        def answer(content: bytes) -> Response:
            predict = self._model.predict if self._model else None
            with open_picture(content) as image:
                found = find_object(image, points, predict=predict, cut=self._cuts.cut)
            headers = {**_COMPRESSED, "Cache-Control": "no-store"}
            return Response(_pack(found), media_type="application/octet-stream", headers=headers)

        return await self._answer(request, answer, in_turn=True)

    async def _answer(
        self,
        request: Request,
        answer: Callable[[bytes], Response],
        *,
        in_turn: bool = False,
    ) -> Response:
        """Answer from an image's content in a thread, and if it takes long, in turn."""
        token = request.path_params["token"]

        def run() -> Response:
            job, uri = find_granted(self._portal, self._signer, token)
            return answer(job.read_file(uri))

        try:
            if not in_turn:
                return await to_thread.run_sync(run)
            async with self._turns.take(request, self._signer.read_file(token)):
                return await to_thread.run_sync(run)
        except BusyError:
            return _refuse(503, _BUSY)
        except GoneError:
            return Response(status_code=204)  # nobody reads it
        except GrantError:
            return _refuse(404, "There is no such image.")
        except PointsError as error:
            return _refuse(400, _make_sentence(error))
        except PictureError as error:
            return _refuse(415, _make_sentence(error))
        except GroundTruthError:
            return _refuse(404, "The image cannot be read.")


def _read_points(query: Mapping[str, str]) -> list[Point]:
    try:
        numbers = [float(word) for word in query.get("points", "").split(",")]
    except ValueError as error:
        raise PointsError("the points in the address are no numbers") from error
    if len(numbers) != 8 or not all(map(math.isfinite, numbers)):
        raise PointsError("an object has four extreme points, each with a column and a row")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _pack(found: FoundObject) -> bytes:
    """Left, top, width and height as little-endian uint32, and a byte per pixel; by gzip."""
    height, width = found.pixels.shape
    header = np.array([found.left, found.top, width, height], dtype="<u4").tobytes()
    return gzip.compress(header + found.pixels.astype(np.uint8).tobytes(), 1, mtime=0)


def _refuse(status: int, text: str) -> Response:
    return PlainTextResponse(text, status, {**_FOR_ALL, "Cache-Control": "no-store"})


def _make_sentence(error: GroundTruthError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
