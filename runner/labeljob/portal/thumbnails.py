"""Small pictures of data objects, kept on disk by the content of the image they are of."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import threading
import warnings
import zlib
from contextlib import suppress
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from groundtruth.errors import GroundTruthError
from labeljob.jobs.images import MAX_PIXELS

THUMBNAIL = 360
"""Longest side of a picture in the gallery, in pixels."""

LARGE = 1600
"""Longest side of an enlarged picture, in pixels."""

MOST_BYTES = 256 * 1024 * 1024
"""Bytes that the pictures on disk may have together."""

_KEPT_SHARE = 0.8  # of them after the oldest were removed
_QUALITY = 80
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    UnidentifiedImageError,
    Image.DecompressionBombError,
)


class PictureError(GroundTruthError):
    """An image cannot be shown."""


def shrink(body: bytes, longest: int) -> bytes:
    """An image as a JPEG that is no larger than `longest` pixels in both directions.

    It lies as its pixels are stored, whatever its EXIF data say, and brings none of them. Raises
    `PictureError` if it is no image that can be read, or has more than 100 megapixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(body)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PictureError("the image has more than 100 megapixels")
                image.draft("RGB", (longest, longest))
                image.thumbnail((longest, longest))
                return _encode(image)
    except _UNREADABLE as error:
        raise PictureError("the file cannot be read as an image") from error


def _encode(image: Image.Image) -> bytes:
    """The pixels as a JPEG, on white where they are transparent."""
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    target = io.BytesIO()
    image.convert("RGB").save(target, "JPEG", quality=_QUALITY, exif=b"")
    return target.getvalue()


class ThumbnailCache:
    """Makes thumbnails, and keeps them in a folder that stays below a size.

    Parameters
    ----------
    folder : Path
        Where they are kept; it may be removed at any time.
    most_bytes : int, optional
        How many bytes they may have together; the ones longest unused go first.
    """

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._n_bytes: int | None = None

    def get(self, body: bytes) -> bytes:
        """The thumbnail of an image; raises `PictureError`."""
        digest = hashlib.sha256(body).hexdigest()
        path = self._folder / digest[:2] / f"{digest}.jpg"
        try:
            kept = path.read_bytes()
            os.utime(path)
        except OSError:
            pass
        else:
            return kept
        made = shrink(body, THUMBNAIL)
        with suppress(OSError):  # without room on the disk it is made again each time
            self._keep(path, made)
        return made

    def _keep(self, path: Path, body: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{threading.get_ident()}.part")
        draft.write_bytes(body)
        draft.replace(path)
        self._count(len(body))

    def _count(self, n_new: int) -> None:
        with self._lock:
            if self._n_bytes is None:
                self._n_bytes = sum(size for _, size, _ in self._list())
            else:
                self._n_bytes += n_new
            if self._n_bytes > self._most_bytes:
                self._n_bytes = self._remove_oldest()

    def _remove_oldest(self) -> int:
        """Remove what was longest unused; the bytes that stay."""
        files = sorted(self._list(), key=lambda item: item[0])
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self._most_bytes * _KEPT_SHARE:
                break
            path.unlink(missing_ok=True)
            total -= size
        return total

    def _list(self) -> list[tuple[float, int, Path]]:
        """When each picture was last used, its bytes, and where it is."""
        files = []
        for path in self._folder.glob("*/*.jpg"):
            try:
                known = path.stat()
            except OSError:
                continue
            files.append((known.st_mtime, known.st_size, path))
        return files
