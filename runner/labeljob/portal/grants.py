"""Addresses of worker pages and images that need no session: each is signed, and runs out.

Worker pages live in a sandbox, whose requests carry no cookie, so that the address itself is
the permission. It names a job, a data object and one of its images, but not the path of the image;
nobody can make or change one without the portal's secret.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

GRANT_LIFETIME = 12 * 3600
"""Seconds for which an address works at least (an hour more at most); a task may take 8 hours."""

_URI = re.compile(r"://|^/|\.(?:jpe?g|png|gif|webp|bmp)$", re.IGNORECASE)
_SAME_ADDRESS = 3600  # seconds in which an address stays the same, so that browsers keep images
_MOST_ADDRESSES = 4096  # that are kept


class GrantError(Exception):
    """An address was not signed by this portal, or has run out."""


@dataclass(frozen=True)
class Grant:
    """What an address permits to read: a worker page, or an image of its task input."""

    job: str
    object_id: str
    image: str = ""  # what `GrantSigner.name_image` says of its URI; empty for the page


class _HourlySigner(TimestampSigner):
    def get_timestamp(self) -> int:
        """The start of the hour."""
        return _find_hour() * _SAME_ADDRESS


def _find_hour() -> int:
    return int(time.time()) // _SAME_ADDRESS


class GrantSigner:
    """Makes and reads addresses.

    Examples
    --------
    >>> signer = GrantSigner("secret")
    >>> signer.read_frame(signer.sign_frame("birds", "7").removeprefix("/frames/"))
    Grant(job='birds', object_id='7', image='')
    """

    def __init__(self, secret: str) -> None:
        self._frames = _serializer(secret, "frame")
        self._files = _serializer(secret, "file")
        self._key = blake2b(secret.encode(), digest_size=32).digest()
        # Most addresses are asked for more than once: when a task is loaded ahead, and when shown.
        self._sign = lru_cache(_MOST_ADDRESSES)(self._sign_again)

    def sign_frame(self, job: str, object_id: str) -> str:
        """Address of a task's worker page."""
        return f"/frames/{self._sign(self._frames, _find_hour(), job, object_id)}"

    def sign_file(self, job: str, object_id: str, uri: str) -> str:
        """Address of an image."""
        name = self.name_image(uri)
        return f"/files/{self._sign(self._files, _find_hour(), job, object_id, name)}"

    def name_image(self, uri: str) -> str:
        """What stands for an image's URI in its address: nobody can read the URI from it."""
        return blake2b(uri.encode(), key=self._key, digest_size=12).hexdigest()

    def _sign_again(self, serializer: URLSafeTimedSerializer, hour: int, *named: str) -> str:
        """The signed part of an address, which stays the same for an hour."""
        return str(serializer.dumps(named))

    def read_frame(self, token: str) -> Grant:
        """What a page's address permits; raises `GrantError`."""
        return _read(self._frames, token)

    def read_file(self, token: str) -> Grant:
        """What an image's address permits; raises `GrantError`."""
        return _read(self._files, token)


def find_uris(task_input: Any) -> Iterator[str]:
    """All URIs and paths of images in a task input, in order: what its page may be granted.

    Examples
    --------
    >>> list(find_uris({"taskObject": "s3://birds/1", "more": ["photos/2.JPG", "crow"]}))
    ['s3://birds/1', 'photos/2.JPG']
    """
    match task_input:
        case str() if _URI.search(task_input):
            yield task_input
        case dict():
            for value in task_input.values():
                yield from find_uris(value)
        case list():
            for value in task_input:
                yield from find_uris(value)


def _serializer(secret: str, purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt=f"labeljob {purpose}", signer=_HourlySigner)


def _read(serializer: URLSafeTimedSerializer, token: str) -> Grant:
    try:
        return Grant(*serializer.loads(token, max_age=GRANT_LIFETIME))
    except (BadData, TypeError) as error:
        raise GrantError("this address was not made by this portal, or has run out") from error
