"""Small pictures of data objects, kept on disk by the content of the image they are of."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from groundtruth.errors import GroundTruthError
from labeljob.jobs.images import MAX_PIXELS
from labeljob.portal.disk_cache import DiskCache, digest

THUMBNAIL = 360
"""Longest side of a picture in the gallery, in pixels."""

LARGE = 1600
"""Longest side of an enlarged picture, in pixels."""

MOST_BYTES = 256 * 1024 * 1024
"""Bytes that the pictures on disk may have together."""

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
        self._kept = DiskCache(folder, ".jpg", most_bytes=most_bytes)

    def get(self, body: bytes) -> bytes:
        """The thumbnail of an image; raises `PictureError`."""
        return self._kept.get(digest(body), lambda: shrink(body, THUMBNAIL))
