"""Whether an image can be shown to workers: its size, its format, and whether it can be read.

The limits are Ground Truth's own, "Input data quotas" and "Supported data formats" in the
SageMaker developer guide.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

SUFFIXES = (".jpg", ".jpeg", ".png")
MAX_BYTES = 40 * 1024 * 1024
MAX_PIXELS = 100_000_000

_FORMATS = {"JPEG": "JPEG", "MPO": "JPEG", "PNG": "PNG"}
_SUFFIXES_OF = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",)}
_ORIENTATION = 0x0112
_AS_STORED = 1
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


@dataclass(frozen=True, kw_only=True)
class ImageFindings:
    """What is to be said of one image.

    Attributes
    ----------
    problem : str or None
        Why workers could not label it; None if they can.
    warnings : tuple of str
        What may surprise, one sentence each.
    """

    problem: str | None = None
    warnings: tuple[str, ...] = ()


def name_problem(name: str) -> str | None:
    """What keeps a file of this name from being an image for workers; None if nothing does.

    Examples
    --------
    >>> name_problem("cat.JPG")
    >>> name_problem("cat.gif")
    'not a .jpg, .jpeg or .png file'
    """
    return None if name.lower().endswith(SUFFIXES) else "not a .jpg, .jpeg or .png file"


def size_problem(n_bytes: int) -> str | None:
    """What keeps a file of this size from being an image for workers; None if nothing does.

    Parameters
    ----------
    n_bytes : int
        Size of the file in bytes. The limit of 40 MB is taken as 40 * 1024 * 1024.
    """
    if n_bytes == 0:
        return "empty"
    if n_bytes > MAX_BYTES:
        return f"{n_bytes / 1024 / 1024:.1f} MB, 40 MB at most"
    return None


def examine(body: bytes, *, name: str) -> ImageFindings:
    """Decode an image and say what is wrong with it.

    A JPEG is decoded at an eighth of its size, which reads all of the file in a fraction of
    the time.

    Parameters
    ----------
    body : bytes
        The whole file.
    name : str
        Its name, whose ending is compared with what the file holds.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(body)) as image:
                return _examine_opened(image, name)
    except Image.DecompressionBombError:
        return ImageFindings(problem="more than 100 megapixels")
    except _UNREADABLE as error:
        return ImageFindings(problem=f"cannot be read as an image ({_reason(error)})")


def _examine_opened(image: Image.Image, name: str) -> ImageFindings:
    kind = _FORMATS.get(image.format or "")
    if kind is None:
        return ImageFindings(problem=f"holds {image.format}, not JPEG or PNG")
    if image.width * image.height > MAX_PIXELS:
        size = f"{image.width} by {image.height} pixels"
        return ImageFindings(problem=f"{size}, 100 megapixels at most")
    said = []
    if image.getexif().get(_ORIENTATION, _AS_STORED) not in (0, _AS_STORED):
        said.append(
            "EXIF data say it is rotated: workers may see it turned against the stored pixels "
            "that masks and models use; store it upright and without that tag"
        )
    if not name.lower().endswith(_SUFFIXES_OF[kind]):
        said.append(f"holds {kind} in spite of its name")
    image.draft(image.mode, (max(1, image.width // 8), max(1, image.height // 8)))
    image.load()
    return ImageFindings(warnings=tuple(said))


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no known format"
    return " ".join(str(error).split()) or type(error).__name__
