"""Small pictures of data objects, kept on disk by the content of the image they are of."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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


@contextmanager
def open_picture(body: bytes | BinaryIO) -> Iterator[Image.Image]:
    """An image of a file or its content, whose pixels are read when they are asked for.

    Raises `PictureError` if it is no image that can be read, or has more than 100 megapixels; also
    when that turns out inside the ``with`` block.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(body) if isinstance(body, bytes) else body) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PictureError("the image has more than 100 megapixels")
                yield image
    except _UNREADABLE as error:
        raise PictureError("the file cannot be read as an image") from error


def reduce_depth(image: Image.Image) -> Image.Image:
    """The same pixels with 8 bits for each of grey, RGB, or RGBA if some may be transparent."""
    if image.mode.startswith("I"):  # 16 bits of grey
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    mode = "RGBA" if image.has_transparency_data else "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == mode else image.convert(mode)


def shrink(body: bytes, longest: int) -> bytes:
    """An image as a JPEG that is no larger than `longest` pixels in both directions.

    It lies as its pixels are stored, whatever its EXIF data say, and brings none of them. It is on
    white where it is transparent. Raises `PictureError`.
    """
    with open_picture(body) as image:
        image.draft("RGB", (longest, longest))
        pixels = reduce_depth(image)
        pixels.thumbnail((longest, longest))
        if pixels.mode == "RGBA":
            layer, pixels = pixels, Image.new("RGB", pixels.size, "white")
            pixels.paste(layer, mask=layer.getchannel("A"))
        target = io.BytesIO()
        pixels.save(target, "JPEG", quality=_QUALITY, exif=b"")
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
