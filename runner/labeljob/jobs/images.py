"""Images of a job: where they are found, and whether they can be shown."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from PIL import Image, UnidentifiedImageError

from groundtruth.errors import GroundTruthError, StorageError
from groundtruth.storage.s3 import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SUFFIXES = (".jpg", ".jpeg", ".png")
MAX_BYTES = 40 * 1024 * 1024
MAX_PIXELS = 100_000_000

_FORMATS = {"JPEG": "JPEG", "MPO": "JPEG", "PNG": "PNG"}
_SUFFIXES_OF = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",)}
_ORIENTATION = 0x0112
_AS_STORED = 1
_COMPUTERS_OWN = {"__MACOSX", "Thumbs.db", "desktop.ini"}
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


@dataclass(frozen=True, kw_only=True)
class ImageFindings:
    """What is to be said of one image."""

    problem: str | None = None  # why workers could not label it; None if they can
    warnings: tuple[str, ...] = ()  # what may surprise, one sentence each


def name_problem(name: str) -> str | None:
    """What keeps a file of this name from being an image for workers; None if nothing does.

    Examples
    --------
    >>> name_problem("cat.JPG")
    >>> name_problem("cat.gif")
    'not a .jpg, .jpeg or .png file'
    """
    return None if name.lower().endswith(SUFFIXES) else "not a .jpg, .jpeg or .png file"


def hidden_problem(key: str) -> str | None:
    """What marks a file below a source as the computer's own; None if nothing does.

    Examples
    --------
    >>> hidden_problem("cats/._cat.jpg")
    "hidden, or a computer's own: ._cat.jpg"
    >>> hidden_problem("cats/cat.jpg")
    """
    for part in filter(None, key.split("/")):
        if part.startswith(".") or part in _COMPUTERS_OWN:
            return f"hidden, or a computer's own: {part}"
    return None


def size_problem(n_bytes: int) -> str | None:
    """What keeps a file of this size from being an image for workers; None if nothing does."""
    if n_bytes == 0:
        return "empty"
    if n_bytes > MAX_BYTES:
        return f"{n_bytes / 1024 / 1024:.1f} MB, 40 MB at most"
    return None


def examine(body: bytes, *, name: str) -> ImageFindings:
    """Decode an image and say what is wrong with it.

    A JPEG is decoded at an eighth of its size, which reads all of the file in a fraction of
    the time.
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


class SourceError(GroundTruthError):
    """Something that was named as a source of images cannot be looked at."""


class ReadError(GroundTruthError):
    """One image cannot be read; the text says why."""


@dataclass(frozen=True, kw_only=True)
class FoundImage:
    """A file that has the name and the size of an image."""

    place: str  # its path or S3 URI, as the person knows it
    key: str  # where it is below its source, with slashes: the end of its S3 key once uploaded
    # returns its content, or raises `ReadError`
    read: Callable[[], bytes] = field(compare=False, repr=False)
    path: Path | None = None  # where it is, if it is a local file


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Something that gets no line in the manifest, and why."""

    place: str
    reason: str


Find: TypeAlias = FoundImage | LeftOut


def is_s3(source: str) -> bool:
    """Whether a source is an S3 prefix rather than a path."""
    return source.startswith("s3://")


def local_images(source: str) -> Iterator[Find]:
    """The image at a path, or those in a folder and its folders, sorted by path.

    Raises `SourceError`.
    """
    root = Path(source)
    if root.is_dir():
        paths = sorted(_files_below(root), key=lambda found: found.path.as_posix())
        for found in paths:
            yield found.problem or _local_image(found.path, found.path.relative_to(root).as_posix())
    elif root.exists():
        yield _local_image(root, root.name)
    else:
        raise SourceError(f"{source}: no such file or folder")


def s3_client() -> S3Client:
    """A client that lists objects; `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_S3` are respected.

    Raises `SourceError`.
    """
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.client("s3")
    except (BotoCoreError, ValueError) as error:
        raise SourceError(f"S3 cannot be reached: {error}") from error


def s3_images(source: str, *, client: S3Client, store: S3Store) -> Iterator[Find]:
    """The objects whose key starts with a prefix, in S3's order; raises `SourceError`.

    As in S3 itself, ``images`` also finds ``images-old/cat.jpg``; ``images/`` does not.
    """
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    if not bucket:
        raise SourceError(f"{source}: names no bucket, as in s3://bucket/images/")
    n_objects = 0
    for key, n_bytes in _listing(client, bucket, prefix, source=source):
        n_objects += 1
        uri = f"s3://{bucket}/{key}"
        problem = "a folder" if key.endswith("/") else None
        problem = problem or hidden_problem(key.removeprefix(prefix))
        problem = problem or name_problem(key) or size_problem(n_bytes)
        if problem:
            yield LeftOut(place=uri, reason=problem)
        else:
            yield FoundImage(place=uri, key=key, read=_s3_reader(store, uri))
    if n_objects == 0:
        raise SourceError(f"{source}: no object has this prefix")


@dataclass(frozen=True)
class _Below:
    path: Path
    problem: LeftOut | None = None


def _files_below(root: Path) -> Iterator[_Below]:
    unreadable: list[OSError] = []
    for folder, folders, names in os.walk(root, onerror=unreadable.append):
        left_out = [
            name for name in folders if hidden_problem(name) or Path(folder, name).is_symlink()
        ]
        folders[:] = [name for name in folders if name not in left_out]
        for path in (Path(folder, name) for name in [*left_out, *names]):
            reason = hidden_problem(path.name)
            yield _Below(path, LeftOut(place=str(path), reason=reason) if reason else None)
    for error in unreadable:
        place = str(error.filename)
        yield _Below(Path(place), LeftOut(place=place, reason=f"folder: {error.strerror}"))


def _local_image(path: Path, key: str) -> Find:
    reason = _local_problem(path)
    if reason:
        return LeftOut(place=str(path), reason=reason)
    return FoundImage(place=str(path), key=key, path=path, read=lambda: _read_file(path))


def _local_problem(path: Path) -> str | None:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if path.is_symlink() and path.is_dir():
        return "a link to a folder, which is not followed"
    if not os.path.lexists(path) or not path.exists():
        return "a link to nothing"
    if not path.is_file():
        return "not a file"
    return name_problem(path.name) or size_problem(path.stat().st_size)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReadError(error.strerror or str(error)) from error


def _s3_reader(store: S3Store, uri: str) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return store.read(uri)
        except StorageError as error:
            raise ReadError(str(error).removeprefix(f"{uri}: ")) from error

    return read


def _listing(
    client: S3Client, bucket: str, prefix: str, *, source: str
) -> Iterator[tuple[str, int]]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                yield item["Key"], item["Size"]
    except (BotoCoreError, ClientError) as error:
        raise SourceError(f"{source}: cannot be listed: {error}") from error
