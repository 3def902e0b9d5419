"""The files of a page: its script, and pictures and data in the page or in a folder beside it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

LARGEST_PAGE = 2000
"""Data objects of a job whose report is a single file."""

TEMPLATES = Path(__file__).with_name("templates")

_DATA_FILE = "objects.js"


class PageFiles(Protocol):
    """Takes what a page shows, and tells the page where it is."""

    # whether the page lies on this machine, so that it can show images that lie there too
    can_link: bool
    photo_kind: str  # how photographs are encoded: one of `pictures.ENCODINGS`

    def add(self, body: bytes, kind: str) -> str:
        """Take a picture, of a kind such as ``png``, and tell its address."""

    def add_data(self, data: Mapping[str, Any]) -> str:
        """Take the data of the page's script and tell the address; empty if it is in the page."""


class InsidePage:
    """All is in the page."""

    can_link = False
    photo_kind = "webp"

    def add(self, body: bytes, kind: str) -> str:
        """A picture as text."""
        return f"data:image/{kind};base64,{base64.b64encode(body).decode()}"

    def add_data(self, data: Mapping[str, Any]) -> str:
        """The page itself has them."""
        return ""


class BesidePage:
    """All is in files of a folder, which is called `name` where the page is."""

    can_link = True
    photo_kind = "jpeg"

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._address = folder, quote(name, safe="")
        self._count = 0

    def add(self, body: bytes, kind: str) -> str:
        """Write a picture."""
        self._count += 1
        return self._write(f"{self._count:06}.{kind}", body)

    def add_data(self, data: Mapping[str, Any]) -> str:
        """Write the data as a script: of a page that is a file, browsers read nothing else."""
        return self._write(_DATA_FILE, f"window.labelingReport={dump(data)};\n".encode())

    def _write(self, file: str, body: bytes) -> str:
        (self._folder / file).write_bytes(body)
        return f"{self._address}/{file}"


def dump(data: Mapping[str, Any]) -> str:
    r"""Data as JSON that may stand in a script element: ASCII, and without ``<``.

    Examples
    --------
    >>> print(dump({"file": "</script>"}))
    {"file":"\u003c/script>"}
    """
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def make_policy(*, beside: bool = False) -> str:
    """The page's content security policy: it runs its own script, and nothing that others wrote.

    `beside` says that pictures and data are files beside the page.
    """
    digest = hashlib.sha256(read_script().encode()).digest()
    own = f"'sha256-{base64.b64encode(digest).decode()}'"
    files = " 'self' file:" if beside else ""
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:{files}; "
        f"script-src {own}{files}; base-uri 'none'; form-action 'none'"
    )


@cache
def read_script() -> str:
    """The script of the page."""
    return (TEMPLATES / "report.js").read_text(encoding="utf-8")
